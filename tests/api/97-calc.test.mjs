// anlan calc: every worked case of tests/risk/cases.json through the command, by the model's name and by the name under which
// the case was published; refusals name the field; every model has a schema that says units and source.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const BIN = process.env.ANLAN_BIN ?? 'build/anlan';
const run = (args, input = '') => {
  const p = spawnSync(BIN, ['calc', ...args], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { status: p.status, out: p.stdout ? JSON.parse(p.stdout) : null, err: p.stderr };
};
const calc = (model, inputs) => run([model], JSON.stringify(inputs));
const cases = JSON.parse(readFileSync('tests/risk/cases.json', 'utf8'));

test('every worked case is within its tolerance', async (t) => {
  assert.equal(cases.length, 100);
  for (const c of cases) {
    await t.test(c.id, () => {
      const { status, out } = calc(c.name, c.inputs);
      assert.equal(status, 0, JSON.stringify(out));
      assert.equal(out.model, c.model);
      assert.ok(out.source && out.uncertain.zh && out.uncertain.en, 'says its source and its uncertainty');
      for (const [name, want] of Object.entries(c.expected)) {
        const got = out.outputs[name]?.value;
        assert.equal(typeof got, 'number', `${name} is missing`);
        const room = Math.max((c.tolerance.rel ?? 0) * Math.abs(want.value), c.tolerance.abs ?? 0);
        assert.ok(Math.abs(got - want.value) <= room, `${name} = ${got}, expected ${want.value} ± ${room}`);
      }
    });
  }
});

test('every model is listed with its source, and its schema gives units, ranges and defaults', () => {
  const { out } = run(['--list']);
  assert.ok(out.length >= 90);
  assert.equal(new Set(out.map((m) => m.name)).size, out.length);
  for (const m of out) {
    const s = run([m.name, '--schema']).out;
    assert.ok(s.zh && s.en && s.source, m.name);
    assert.ok(s.inputs.length && s.outputs.length, m.name);
    for (const i of s.inputs.flatMap((x) => [x, ...(x.columns ?? [])])) {
      assert.ok(i.zh && i.en, `${m.name}.${i.name}`);
      if (i.kind === 'number') assert.ok(i.min < i.max, `${m.name}.${i.name}`);
      if ('default' in i && i.kind === 'number') assert.ok(i.default >= i.min && i.default <= i.max, `${m.name}.${i.name}`);
    }
    for (const o of s.outputs) assert.ok(o.zh && o.en && 'unit' in o, `${m.name}.${o.name}`);
    for (const k of s.tables) assert.ok(k.source && k.rows.length, `${m.name} ${k.name}`);
  }
});

test('a unit is converted, a plain number is in the unit of the schema', () => {
  const base = { Q: 0.1, u: 2, stability: 'F', x: 500 };
  const a = calc('gaussian-plume', base).out.outputs.C.value;
  const b = calc('gaussian-plume', { ...base, Q: { value: 360, unit: 'kg/h' }, x: { value: 0.5, unit: 'km' }, u: { value: 7.2, unit: 'km/h' } }).out.outputs.C.value;
  assert.ok(Math.abs(a / b - 1) < 1e-12);
});

test('what is wrong is refused with the field and why', () => {
  const base = { Q: 0.1, u: 2, stability: 'F', x: 500 };
  const refused = (inputs, field, en) => {
    const { status, out } = calc('gaussian-plume', inputs);
    assert.equal(status, 1);
    assert.equal(out.error.field, field);
    assert.match(out.error.en, en);
    assert.ok(out.error.zh);
  };
  refused({ ...base, u: 0 }, 'u', /outside \[0\.1, 60\] m\/s/);
  refused({ ...base, u: { value: 2, unit: 'kg' } }, 'u', /cannot be converted/);
  refused({ ...base, stability: 'G' }, 'stability', /possible are: A, B, C, D, E, F/);
  refused({ ...base, wind: 3 }, 'wind', /no input/);
  refused({ Q: 1, u: 2, stability: 'D' }, 'x', /missing/);
  refused({ ...base, x: 'far' }, 'x', /a number is expected/);
  refused({ ...base, Q: { value: 1, unit: 'kg/s', why: 1 } }, 'Q', /only value and unit/);
  assert.equal(run(['gaussian-plume'], '{"Q": 1,').status, 1);
  assert.equal(run(['no-such-model'], '{}').status, 2);
});

test('outside of the range of validity a warning stands in the answer', () => {
  const w = calc('gaussian-plume', { Q: 0.1, u: 2, stability: 'F', x: 20 }).out.warnings;
  assert.ok(w.some((x) => /100 m/.test(x.en) && x.zh));
});

test('the models against field trials: each series within a factor of two for half of its points, not far off on the average', () => {
  const series = (model, inputs = {}) => Object.fromEntries(calc(model, inputs).out.outputs.series.value.map((l) => {
    const [, name, fac2, mg] = l.match(/^(.+): n = \d+, FAC2 = ([\d.]+), MG = ([\d.]+),/);
    return [name, { fac2: +fac2, mg: +mg }];
  }));
  const all = { ...series('trial-prairie-grass'), ...series('trial-lng'), ...series('trial-desert-tortoise') };
  assert.deepEqual(Object.keys(all), ['Prairie Grass', 'Burro', 'Coyote', 'Maplin', 'Desert Tortoise']);
  for (const [name, { fac2, mg }] of Object.entries(all)) {
    assert.ok(fac2 >= 0.5 && mg >= 0.7 && mg <= 1.5, `${name}: ${fac2} ${mg}`);
  }
  // what was mended is what makes the difference
  assert.ok(series('trial-desert-tortoise', { model: 'slab-jet' })['Desert Tortoise'].fac2 < all['Desert Tortoise'].fac2);
  assert.ok(series('trial-lng', { stability_from: 'class' }).Coyote.fac2 < all.Coyote.fac2);
});

test('a flashing jet: what is not a liquid under pressure is refused with what to do', () => {
  const nh3 = { mw: 0.017031, cp_v: 2045.9, T_boil: 239.57, dHv: 1371000, cp_l: 4611.8, rho_l: 603, T_store: 297, rate: 100, d: 0.1, duration: 300,
    h_source: 1, z0: 0.003, u: 4, T_air: 300, stability: 'D' };
  const o = calc('slab-flashing-jet', { ...nh3, threshold: 0.001 }).out.outputs;
  assert.ok(o.u_jet.value > o.u_exit.value && o.liquid_frac.value > 0.7 && o.liquid_frac.value < 0.9 && o.distance.value > 100);
  const refused = (more, field, en) => {
    const { status, out } = calc('slab-flashing-jet', { ...nh3, ...more });
    assert.equal(status, 1);
    assert.equal(out.error.field, field);
    assert.match(out.error.en, en);
  };
  refused({ T_store: 239 }, 'T_store', /use a pool/);
  refused({ P_exit: 9e4 }, 'P_exit', /below that outside/);
  refused({ d: 0.02 }, 'd', /check rate and d/);
  refused({ rate: 1 }, 'rate', /faster than sound/);
  refused({ ground: 'snow' }, 'ground', /table ground has no "snow"; possible are/);
});

test('GB 18218-2018: sums, alpha, beta, grades and their edges; several units; classes; the arithmetic is shown', () => {
  const grade = (inventory, persons) => calc('gb18218', { inventory, persons }).out.outputs;
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} ${b}`);
  let o = grade([{ name: '液氨', q: 60 }], 40);
  near(o.S.value, 6); near(o.R.value, 14.4); assert.equal(o.grade.value, '三级');
  o = grade([{ name: '7782-50-5', q: 50 }], 120);
  near(o.R.value, 80); assert.equal(o.grade.value, '二级');
  o = grade([{ name: '甲醇', q: 300 }, { name: '乙醇', q: 150 }, { name: '丙酮', q: 100 }], 0);
  near(o.S.value, 1.1); near(o.R.value, 0.55); assert.equal(o.grade.value, '四级');
  o = grade([{ name: '液化石油气', q: 200 }, { name: '汽油', q: 400 }], 60);
  near(o.S.value, 6); near(o.R.value, 12);
  o = grade([{ name: '光气', q: 0.6 }, { name: '氰化氢', q: 0.5 }], 20);
  near(o.R.value, 45); assert.equal(o.grade.value, '三级');
  o = grade([{ name: '硫化氢', q: 1 }, { name: '氨', q: 4 }], 20);
  near(o.S.value, 0.6); assert.equal(o.grade.value, '不构成重大危险源'); assert.equal(o.hazard_units.value, 0);
  o = grade([{ class: 'W5.4', q: 5000 }, { class: 'W5.3', q: 600 }], 10);
  near(o.R.value, 1.6); assert.equal(o.grade.value, '四级');
  const alpha = (n) => grade([{ name: '氨', q: 10 }], n).alpha.value;
  assert.deepEqual([0, 1, 29, 30, 49, 50, 99, 100].map(alpha), [0.5, 1, 1, 1.2, 1.2, 1.5, 1.5, 2]);
  // R = 100, 50, 10 exactly and just below; one person: alpha 1, ammonia beta 2, Q 10
  const at = (r) => grade([{ name: '氨', q: r * 5 }], 1).grade.value;
  assert.deepEqual([100, 99.999, 50, 49.999, 10, 9.999].map(at), ['一级', '二级', '二级', '三级', '三级', '四级']);
  assert.equal(grade([{ name: '氨', q: 10 }], 1).hazard_units.value, 1);
  // ten tenths are one
  assert.equal(grade(Array.from({ length: 10 }, () => ({ name: '氨', q: 1 })), 1).hazard_units.value, 1);
  o = grade([{ unit: '罐区', name: '氯', q: 50 }, { unit: '仓库', name: '甲醇', q: 100 }], 120);
  assert.deepEqual(o.grades.value, ['二级', '不构成重大危险源']);
  assert.ok(o.arithmetic.value.some((l) => l.includes('50/5')));
  // of several classes the smallest threshold; an own class of a table 1 chemical decides beta but not Q
  near(grade([{ class: 'W5.3,J3', q: 50 }], 1).S.value, 1);
  assert.equal(calc('gb18218', { inventory: [{ name: '不在表内', q: 1 }], persons: 0 }).out.error.field, 'inventory');
  assert.match(calc('gb18218', { inventory: [{ name: '9004-70-0', q: 1 }], persons: 0 }).out.error.en, /several rows/);
});

test('GB 18218-2018 with a dead band: a grade comes at once and goes late; a name that is not in table 1 by its CAS number', () => {
  const grade = (R, before, dead_band = 0.05) => calc('gb18218', { inventory: [{ name: '氨', q: R * 5 }], persons: 1, before, dead_band }).out.outputs;
  const held = (R, before) => grade(R, before).grade.value;
  assert.deepEqual([held(100, '二级'), held(50, '四级'), held(99, '一级'), held(95, '一级'), held(94.9, '一级'), held(9.6, '三级'), held(9.4, '三级')],
    ['一级', '二级', '一级', '一级', '二级', '三级', '四级']);
  assert.equal(grade(99, '一级', 0).grade.value, '二级');
  // the lowest grade ends with S: one person, 9.6 t of ammonia is S 0.96
  const low = (q) => calc('gb18218', { inventory: [{ name: '氨', q }], persons: 1, before: '四级', dead_band: 0.05 }).out.outputs.grade.value;
  assert.deepEqual([low(10), low(9.6), low(9.4)], ['四级', '四级', '不构成重大危险源']);
  assert.ok(grade(99, '一级').arithmetic.value.some((l) => l.includes('仍为一级')));
  const byCas = calc('gb18218', { inventory: [{ name: '工业甲醇', cas: '67-56-1', q: 500 }], persons: 0 }).out.outputs;
  assert.equal(byCas.S.value, 1);
});

test('a tank from its level: cylinders and a sphere at their edges and halves', () => {
  const t = (level, shape, more = {}) => calc('tank-inventory', { level, volume: 100, density: 800, ...(shape && { shape }), ...more }).out.outputs.mass.value;
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} ${b}`);
  for (const shape of [null, 'horizontal', 'sphere']) {
    near(t(0, shape), 0);
    near(t(50, shape), 40);
    near(t(100, shape), 80);
  }
  near(t(25), 20);
  near(t(25, 'horizontal'), 80 * (2 * Math.PI / 3 - Math.sin(2 * Math.PI / 3)) / (2 * Math.PI)); // segment of 120°
  near(t(25, 'sphere'), 80 * 0.15625);
  near(t(2.5, 'sphere', { height: 10 }), 80 * 0.15625);
  assert.equal(calc('tank-inventory', { level: 12, height: 10, volume: 100, density: 800 }).out.error.field, 'level');
});

test('LEC, LS, MES: products, bands and their edges', () => {
  const level = (m, i) => calc(m, i).out.outputs.level.value;
  const d = (L, E, C) => calc('lec', { L, E, C }).out.outputs.D.value;
  assert.deepEqual([d(6, 6, 15), d(3, 6, 15), d(1, 6, 15), d(0.5, 6, 15)], [540, 270, 90, 45]);
  assert.deepEqual([[6, 6, 15], [3, 6, 15], [1, 6, 15], [3, 3, 7]].map(([L, E, C]) => level('lec', { L, E, C })), ['重大', '较大', '一般', '低']);
  assert.equal(level('lec', { L: 1, E: 10, C: 7 }), '一般'); // 70, the edge
  assert.equal(level('lec', { L: 1, E: 10, C: 7, edge: 'exclusive' }), '低');
  assert.equal(calc('lec', { L: 2, E: 6, C: 15 }).out.error.field, 'L');
  assert.deepEqual([[5, 4], [5, 3], [4, 4], [3, 3], [2, 4]].map(([L, S]) => level('ls', { L, S })), ['重大', '较大', '较大', '一般', '低']);
  assert.equal(level('ls', { L: 2, S: 5, variant: 'variant' }), '较大');
  assert.equal(calc('mes', { M: 5, E: 6, S: 8 }).out.outputs.R.value, 240);
  assert.equal(level('mes', { M: 5, E: 6, S: 8 }), '一级');
  // every band at its lower edge and just below it, as far as the scores reach
  assert.deepEqual([[10, 3, 15], [6, 2, 15], [6, 3, 15], [1, 1, 15], [10, 2, 1], [3, 6, 1]].map(([L, E, C]) => level('lec', { L, E, C })), ['重大', '较大', '较大', '低', '低', '低'], 'LEC 450 180 270 15 20 18');
  assert.equal(level('lec', { L: 10, E: 10, C: 2 }), '较大', '200');
  assert.deepEqual([[4, 5], [3, 5], [3, 4], [3, 3], [2, 4], [1, 1]].map(([L, S]) => level('ls', { L, S })), ['重大', '较大', '一般', '一般', '低', '低'], 'LS 20 15 12 9 8 1');
  assert.deepEqual([[3, 6, 10], [3, 6, 8], [3, 3, 10], [1, 10, 8], [5, 10, 1], [1, 6, 8], [5, 2, 2], [1, 10, 1]].map(([M, E, S]) => level('mes', { M, E, S })),
    ['一级', '二级', '二级', '三级', '三级', '四级', '四级', '五级'], 'MES 180 144 90 80 50 48 20 10');
  assert.equal(calc('ls', { L: 6, S: 1 }).out.error.field, 'L');
});
