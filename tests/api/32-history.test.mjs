// History by the API: steps that equal the samples, many points at once, exports that other programs read, rights.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

let s, d, codes;
const HOUR = 3600e3, q = encodeURIComponent;
const t0 = Math.floor(Date.now() / HOUR) * HOUR - 60 * HOUR;
const rfc = (t) => new Date(t).toISOString();
const samples = { }; // code → [[time, value, quality]], by time
const span = `from=${q(rfc(t0))}&to=${q(rfc(t0 + 60 * HOUR))}`;

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'HIST-GW', points: ['A', 'B', 'C'].map((c) => ({ code: `HIST-${c}`, kind: 'temperature', unit: '℃' })) });
  codes = d.points.map((p) => p.code);
  for (const [k, code] of codes.entries()) {
    const list = Array.from({ length: 1500 }, (_, i) => [t0 + i * 137e3 + k, Math.round(Math.sin(i / 50 + k) * 400) / 10, i % 97 === 5 ? 'bad' : 'good']);
    const late = list.filter((_, i) => i % 11 === 3);
    const sent = [...list.filter((_, i) => i % 11 !== 3), ...late, ...list.slice(100, 150)]; // late ones, and some again with another value
    for (let at = 0; at < sent.length; at += 500) {
      const body = sent.slice(at, at + 500).map(([time, value, quality], i) => ({ point: code, time: rfc(time), value: at + i >= list.length ? value + 1 : value, quality }));
      const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device HIST-GW:${d.key}` } });
      assert.equal(r.status, 200, r.text);
    }
    samples[code] = list;
  }
});
after(() => s.stop());

const stepsOf = (code, step) => {
  const steps = [];
  for (let from = t0; from < t0 + 60 * HOUR; from += step) {
    const all = samples[code].filter((x) => x[0] >= from && x[0] < from + step), v = all.filter((x) => x[2] === 'good').map((x) => x[1]);
    steps.push({ from, count: v.length, bad: all.length - v.length, min: Math.min(...v), max: Math.max(...v), first: v[0], last: v.at(-1), tenths: v.reduce((a, x) => a + Math.round(x * 10), 0) });
  }
  return steps;
};

test('steps are those of the samples: late ones count, repeated ones do not, a restart changes nothing', async () => {
  for (let pass = 0; pass < 2; pass++) {
    for (const [text, step] of [['1min', 60e3], ['30min', HOUR / 2], ['1h', HOUR], ['1d', 24 * HOUR]]) {
      const got = (await d.bureau.ok_get(`/api/v1/points/${codes[0]}/series?${span}&step=${text}&agg=count,bad,min,max,first,last,sum,avg,counts`)).items;
      const want = stepsOf(codes[0], step).filter((x) => x.count + x.bad);
      assert.equal(got.length, want.length);
      for (const [i, w] of want.entries()) {
        const g = got[i];
        assert.deepEqual([Date.parse(g.from), g.count, g.bad, g.counts.good ?? 0, g.counts.bad ?? 0], [w.from, w.count, w.bad, w.count, w.bad]);
        if (!w.count) continue;
        assert.deepEqual([g.min, g.max, g.first, g.last], [w.min, w.max, w.first, w.last]);
        assert.ok(Math.abs(g.sum - w.tenths / 10) < 1e-9);
        assert.equal(g.avg, g.sum / g.count);
      }
    }
    if (!pass) { await s.stopAndStart(); d.bureau = await s.as('bureau'); }
  }
});

test('many points at once: columns with null where nothing was measured', async () => {
  const r = await d.bureau.ok_get(`/api/v1/series?points=${codes.join(',')}&from=${q(rfc(t0 - 2 * HOUR))}&to=${q(rfc(t0 + 60 * HOUR))}&step=1h&agg=count,avg,max`);
  assert.equal(r.step_s, 3600);
  assert.deepEqual(r.items.map((x) => x.code), codes);
  for (const item of r.items) {
    assert.equal(item.avg.length, 62);
    assert.deepEqual(item.avg.slice(0, 2), [null, null]);
    assert.deepEqual(item.max.slice(2).map((x) => x ?? -Infinity), stepsOf(item.code, HOUR).map((x) => x.max));
    assert.deepEqual(item.count.slice(2), stepsOf(item.code, HOUR).map((x) => x.count));
  }
  const last = await d.bureau.ok_get(`/api/v1/points?points=${d.points.map((p) => p.id).join(',')}`);
  assert.deepEqual(last.items.map((x) => [x.code, Date.parse(x.time), x.value]), codes.map((c) => [c, ...samples[c].at(-1).slice(0, 2)]));
});

test('answers are bounded, and say what to do instead', async () => {
  for (const [path, field] of [['/api/v1/series?points=HIST-A&step=1ms', 'step'], ['/api/v1/series?points=HIST-A', 'step'], ['/api/v1/series?step=1h', 'points'],
    [`/api/v1/series?points=${Array(1001).fill('HIST-A').join(',')}&step=1h`, 'points'], ['/api/v1/points?points=', 'points'],
    ['/api/v1/points/HIST-A/series?step=1h&agg=median', 'agg'], ['/api/v1/readings/export?points=HIST-A&format=doc', 'format']]) {
    const r = await d.bureau.get(path);
    assert.ok(r.status >= 400 && r.status < 500, `${path}: ${r.status}`);
    assert.equal(r.json.error.field, field, path);
  }
});

test('CSV holds every sample once', async () => {
  const r = await d.bureau.get(`/api/v1/readings/export?points=${codes[0]},${codes[1]}&${span}`, undefined, { lang: 'en' });
  assert.equal(r.status, 200, r.text);
  const rows = r.text.replace(/^\ufeff/, '').trim().split('\n');
  assert.equal(rows.shift(), 'time,point,value,quality');
  const want = codes.slice(0, 2).flatMap((c) => samples[c].map((x) => [x[0], `"${c}"`, x[1], x[2]]));
  assert.deepEqual(rows.map((l) => l.split(',')).map(([t, p, v, ql]) => [Date.parse(t), p, Number(v), ql]), want);
});

test('Parquet is read by a reader that is not ours', async () => {
  const res = await fetch(`${s.url}/api/v1/readings/export?format=parquet&points=${codes.join(',')}&${span}`, { headers: { Authorization: `Bearer ${d.bureau.token}` } });
  assert.equal(res.status, 200);
  assert.match(res.headers.get('content-disposition'), /readings\.parquet/);
  const file = await res.arrayBuffer(), meta = parquetMetadata(file);
  assert.deepEqual(parquetSchema(meta).children.map((c) => [c.element.name, c.element.type]), [['time', 'INT64'], ['point', 'BYTE_ARRAY'], ['value', 'DOUBLE'], ['quality', 'BYTE_ARRAY']]);
  assert.equal(Number(meta.num_rows), 3 * 1500);
  const rows = await parquetReadObjects({ file });
  assert.deepEqual(rows.map((r) => [r.time.getTime(), r.point, r.value, r.quality]), codes.flatMap((c) => samples[c].map((x) => [x[0], c, x[1], x[2]])));
  assert.ok(file.byteLength < rows.length * 17 + 4000, `${file.byteLength} bytes`);
  const empty = await (await fetch(`${s.url}/api/v1/readings/export?format=parquet&points=HIST-A&from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z`, { headers: { Authorization: `Bearer ${d.bureau.token}` } })).arrayBuffer();
  assert.equal((await parquetReadObjects({ file: empty })).length, 0);
});

test('points outside the scope are as if they were not there', async () => {
  const ent = await s.as('enterprise'), mine = ent.me.enterprise?.id;
  const points = (await (await s.as('bureau')).ok_get('/api/v1/records/point?size=500')).items;
  const other = points.find((p) => (p.enterprise?.id ?? p.enterprise) !== mine), own = points.find((p) => (p.enterprise?.id ?? p.enterprise) === mine);
  assert.ok(other && own);
  for (const path of [`/api/v1/points/${other.id}/series`, `/api/v1/points?points=${own.id},${other.id}`, `/api/v1/series?points=${own.id},${other.id}&step=1h`,
    `/api/v1/readings/export?points=${own.id},${other.id}`, `/api/v1/readings/export?format=parquet&points=${other.code}`]) {
    assert.equal((await ent.get(path)).status, 404, path);
    assert.equal((await s.call('GET', path)).status, 401, path);
  }
  assert.equal((await ent.get(`/api/v1/points?points=${own.id}`)).status, 200);
  assert.equal((await ent.get(`/api/v1/readings/export?points=${own.id}`)).status, 200);
});

test('samples older than their kind says go, month by month; hours stay, what is not sealed stays, and one sees it before', async () => {
  const packs = mkdtempSync(join(tmpdir(), 'anlan-packs-')), DAY = 24 * HOUR;
  cpSync(join(root, 'packs'), packs, { recursive: true });
  const yaml = join(packs, 'monitoring', 'points', 'humidity.yaml');
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace(/^retention.*\n/gm, '') + 'retention: 40d\n');
  const r = await Server.start({ args: ['--packs', packs], copied: true });
  try {
    const dev = await makeDevice(r, { code: 'OLD-GW', points: [{ code: 'OLD-H', kind: 'humidity', unit: '%' }, { code: 'OLD-T', kind: 'temperature', unit: '℃' }] });
    const month = new Date(Date.now() - 100 * DAY), first = Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), 1);
    const send = async (code, from, n) => {
      const body = Array.from({ length: n }, (_, i) => ({ point: code, time: rfc(from + i * 600e3), value: i % 60 }));
      assert.equal((await r.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device OLD-GW:${dev.key}` } })).json?.accepted, n);
    };
    for (const code of ['OLD-H', 'OLD-T']) {
      await send(code, first, 1200);
      await send(code, Date.now() - DAY, 100);
    }
    const window = `from=${q(rfc(first))}&to=${q(rfc(first + 9 * DAY))}`;
    const hours = async (code) => (await dev.bureau.ok_get(`/api/v1/points/${code}/series?${window}&step=1d&agg=count,sum,min,max`)).items;
    const raw = async (code) => (await dev.bureau.ok_get(`/api/v1/points/${code}/series?${window}`)).items.length;
    const before = await hours('OLD-H');
    assert.equal(before.reduce((a, x) => a + x.count, 0), 1200);
    const keeper = await r.as('bureau');
    const plan = await until('blocks that would go', async () => {
      const p = await keeper.ok_get('/api/v1/retention');
      return p.items.length && p;
    });
    assert.deepEqual(plan.kinds.filter((k) => k.kind === 'humidity').map((k) => k.days), [40]);
    assert.deepEqual(plan.items.map((x) => [Date.parse(x.month), x.points, x.file]), [[first, 1, false]]);
    assert.ok(plan.items[0].bytes > 0 && plan.items[0].blocks > 0);
    await until('the run to delete them', async () => !(await keeper.ok_get('/api/v1/retention')).items.length, 60000);
    const left = await raw('OLD-H');
    assert.ok(left < 240, `${left} samples left`);
    assert.equal(await raw('OLD-T'), 1200);
    assert.deepEqual(await hours('OLD-H'), before);
    await r.stopAndStart();
    dev.bureau = await r.as('bureau');
    assert.deepEqual(await hours('OLD-H'), before);
    assert.ok(readdirSync(join(r.dir, 'series')).includes(`${rfc(first).slice(0, 7)}.db`), 'others are still in the file');
  } finally {
    await r.stop();
    rmSync(packs, { recursive: true });
  }
});
