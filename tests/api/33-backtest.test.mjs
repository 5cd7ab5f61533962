// Settings tried on history: what the back-test says of the settings in force is what the live evaluator did; a proposal is
// quieter, keeps what really happened, and once saved does what was promised. Rights, mistakes, the command.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

let s, d, duty, code, id;
const rfc = (t) => new Date(t).toISOString();
const STEP = 5e3, N = 4000, RISE = 2500;
const t0 = Math.floor(Date.now() / 1000) * 1000 - N * STEP - 10e3;
const to = t0 + N * STEP; // of the recording
const event = t0 + (RISE + 70) * STEP; // what was true
let seed = 7;
const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);
// a gauge that is noisy near the limit for a while each half hour, and one rise that lasted and led to something
const samples = Array.from({ length: N }, (_, i) => {
  const near = Math.sin(i / 57) > 0.7;
  const value = i >= RISE && i < RISE + 120 ? 86 + random() : near ? 79.2 + (random() < 0.2 ? random() * 6 : random()) : 65 + random() * 4;
  return { point: 'TRY-LT', time: rfc(t0 + i * STEP), value: Math.round(value * 100) / 100 };
});

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'TRY-GW', protocol: 'http', points: [{ code: 'TRY-LT', kind: 'level', unit: '%', h: 80, hh: 95, deadband: 0.5, delay_on_s: 0, delay_off_s: 0, interval_s: 5 }] });
  duty = await s.as('duty');
  [{ code, id }] = d.points;
  for (let at = 0; at < N; at += 500) {
    const r = await s.call('POST', '/api/v1/readings', samples.slice(at, at + 500), { headers: { Authorization: `Device TRY-GW:${d.key}` } });
    assert.equal(r.status, 200, r.text);
  }
  const accident = await d.bureau.ok_post('/api/v1/records/accident', { title: '储罐冒罐', enterprise: d.enterprise.id, kind: 'other', happened: rfc(event), known: rfc(event + 60e3), brief: '演示', dead: 0, serious: 0 });
  const verified = await d.bureau.post(`/api/v1/records/accident/${accident.id}/moves/verify`, { brief: '储罐冒罐' });
  assert.equal(verified.status, 200, verified.text);
});
after(() => s.stop());

const ask = (body, who = duty) => who.ok_post('/api/v1/backtest', { points: [code], from: rfc(t0), to: rfc(to), ...body });
const only = (level) => `rule: tank_level\nlabel: {zh: 储罐液位, en: Tank level}\nwatch: {kind: level}\nlevels:\n  ${level}: {above: point.${level}, for: 1min, color: red, say: {zh: 高, en: high}}\n`;
const limits = new Set(['ll', 'l', 'h', 'hh']);

test('the settings in force: the alarms that the live evaluator raised, and no others', async () => {
  const want = await until('the journal', async () => {
    const rows = (await duty.ok_get(`/api/v1/alarms?point=${id}&state=all&size=500`)).items.filter((a) => limits.has(a.level));
    const entries = (await Promise.all(rows.map((a) => duty.ok_get(`/api/v1/alarms/${a.id}/journal`)))).flatMap((j) => j.items);
    const raised = entries.filter((e) => e.what === 'raised').map((e) => Date.parse(e.at)).sort((a, b) => a - b);
    const returned = entries.filter((e) => e.what === 'returned').map((e) => Date.parse(e.at)).sort((a, b) => a - b);
    return raised.length > 50 && raised.length === returned.length && { raised, returned };
  });
  const { items: [one] } = await ask({});
  const got = one.stored.alarms.filter((a) => limits.has(a.level));
  assert.deepEqual(got.map((a) => Date.parse(a.from)), want.raised);
  assert.deepEqual(got.map((a) => Date.parse(a.to)), want.returned);
  assert.equal(one.stored.figures.samples, N);
  assert.equal(one.candidate, undefined);
  assert.equal(one.stored.figures.alarms, one.stored.alarms_total);
  assert.equal(one.stored.settings.h, 80);
  assert.equal(one.stored.settings.deadband, 0.5);
});

test('a candidate beside it: fewer alarms, what really happened is preceded, people who would be called are counted', async () => {
  const { items: [one], total } = await ask({ changes: { h: 90, hh: 900 }, rule: only('h') }); // without the rate of rise, too
  assert.ok(one.candidate.figures.alarms < one.stored.figures.alarms);
  assert.deepEqual([total.stored.alarms, total.candidate.alarms], [one.stored.figures.alarms, one.candidate.figures.alarms]);
  const accident = one.stored.events.find((e) => e.type === 'accident');
  assert.equal(Date.parse(accident.at), event);
  assert.ok(accident.lead_min >= 5 && accident.alarm, JSON.stringify(accident));
  assert.equal(one.candidate.events.find((e) => e.type === 'accident').lead_min, null, 'a limit above everything misses it');
  assert.deepEqual([one.stored.figures.events, one.stored.figures.preceded, one.candidate.figures.preceded], [1, 1, 0]);
  const low = (await ask({ changes: { hh: 85 } })).items[0]; // this one opens a warning
  assert.equal(one.stored.figures.notices, 0);
  assert.ok(low.candidate.figures.notices > 0);
});

test('the proposal is rid of most of them, keeps the true one, and saved it does what was said', async () => {
  const { items: [one] } = await ask({ suggest: { remove: 0.8, delay_s: 30, keep_s: 300, all: true } });
  const p = one.suggestion;
  assert.ok(p.found && p.reached, JSON.stringify(p));
  assert.ok(p.before > 50 && p.after <= 0.2 * p.before);
  assert.ok(p.kept_confirmed === 1 && p.kept_long >= 1 && p.later_s <= 30);
  const tried = (await ask({ changes: p.changes })).items[0].candidate;
  const limitAlarms = (side) => side.alarms.filter((a) => limits.has(a.level));
  assert.equal(limitAlarms(tried).length, p.after);
  const record = await d.bureau.ok_get(`/api/v1/records/point/${id}`);
  const saved = await d.bureau.patch(`/api/v1/records/point/${id}`, { ...p.changes, version: record.version });
  assert.equal(saved.status, 200, saved.text);
  const now = await until('the new settings in force', async () => {
    const x = (await ask({})).items[0].stored;
    return x.settings.deadband === (p.changes.deadband ?? 0.5) && x.settings.delay_off_s === (p.changes.delay_off_s ?? 0) && x.settings.delay_on_s === (p.changes.delay_on_s ?? 0) && x;
  });
  assert.deepEqual(now.alarms, tried.alarms);
  assert.deepEqual(now.figures, tried.figures);
});

test('a rule as text instead of the one in force; its mistakes are named', async () => {
  const rule = only('h');
  const { items: [one] } = await ask({ rule });
  assert.ok(one.candidate.alarms.every((a) => a.rule === 'tank_level' ? a.level === 'h' : a.rule === 'tank_room'));
  const bad = await duty.post('/api/v1/backtest', { points: [code], rule: rule.replace('color: red', 'color: pink') }, { lang: 'en' });
  assert.deepEqual([bad.status, bad.json.error.field], [400, 'rule']);
  assert.match(bad.json.error.message, /^5:.*pink/);
});

test('several points by kind, in the scope of who asks', async () => {
  const all = await duty.ok_post('/api/v1/backtest', { kind: 'level', from: rfc(t0), to: rfc(to), changes: { deadband: 5 } });
  assert.ok(all.items.length > 1 && all.items.some((x) => x.point.code === code));
  assert.equal(all.total.stored.alarms, all.items.reduce((n, x) => n + x.stored.figures.alarms, 0));
  const mine = await duty.ok_post('/api/v1/backtest', { kind: 'level', enterprise: d.enterprise.id, from: rfc(t0), to: rfc(to) });
  assert.ok(mine.items.length >= 1 && mine.items.length <= all.items.length);
});

test('what cannot be tried is refused with the field and what to do, in both languages; nothing is half said', async () => {
  const refused = async (body, status, field, lang = 'en') => {
    const r = await duty.post('/api/v1/backtest', { points: [code], from: rfc(t0), to: rfc(to), ...body }, { lang });
    assert.deepEqual([r.status, r.json.error?.field], [status, field], r.text);
    return r.json.error.message;
  };
  await refused({ points: ['NO-SUCH'] }, 404, 'points');
  await refused({ points: [] }, 400, 'points');
  assert.match(await refused({ changes: { hhh: 1 } }, 400, 'changes'), /hhh/);
  assert.match(await refused({ changes: { delay_on_s: -1 } }, 400, 'changes', 'zh'), /延时/);
  await refused({ changes: { h: 'x' } }, 400, 'changes');
  await refused({ changes: 7 }, 400, 'changes');
  await refused({ from: rfc(to), to: rfc(t0) }, 400, 'from');
  await refused({ from: 'yesterday' }, 400, 'from');
  await refused({ from: rfc(to - 401 * 86400e3) }, 413, 'from');
  await refused({ suggest: { remove: 3 } }, 400, 'remove');
  await refused({ window_h: -1 }, 400, 'window_h');
  assert.equal((await s.call('POST', '/api/v1/backtest', { points: [code] })).status, 401);
  const other = await s.as('enterprise');
  if (other.me.enterprise.id !== d.enterprise.id) assert.equal((await other.post('/api/v1/backtest', { points: [code] })).status, 404);
});

test('the command says the same of the data folder while the server runs, and of a table', async () => {
  const anlan = process.env.ANLAN_BIN || join(root, 'build', 'anlan');
  const run = (args, input) => {
    const r = spawnSync(anlan, ['backtest', ...args], { encoding: 'utf8', input, env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }, maxBuffer: 1 << 26 });
    assert.equal(r.status, 0, r.stderr);
    return JSON.parse(r.stdout);
  };
  const { items: [one] } = await ask({ changes: { h: 82 } });
  const folder = run(['--data', s.dir, '--packs', join(root, 'packs'), '--point', code, '--from', rfc(t0), '--to', rfc(to), '--set', 'h=82', '--alarms', '2000']);
  assert.deepEqual(folder.candidate.alarms, one.candidate.alarms);
  const { deadband, delay_on_s: on, delay_off_s: off } = one.stored.settings;
  const csv = 'time,value\n' + samples.map((x) => `${x.time},${x.value}`).join('\n') + '\n';
  const table = run(['--packs', join(root, 'packs'), '--kind', 'level', '--limits', `h=80,hh=95,deadband=${deadband},delay_on=${on},delay_off=${off}`, '--to', rfc(to), '--set', 'high=82', '--alarms', '2000'], csv);
  assert.deepEqual(table.candidate.alarms, one.candidate.alarms);
  assert.deepEqual(table.stored.alarms, one.stored.alarms);
  const bad = spawnSync(anlan, ['backtest', '--kind', 'level'], { encoding: 'utf8', input: 'time,value\n5,1\n3,2\n' });
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /第 3 行.*line 3/);
});

test('guided tuning of noisy points with planted events: at least 80 % of the alarms go, no event loses its alarm', () => {
  const r = spawnSync(process.execPath, [join(root, 'bench', 'tuning.mjs'), '4', '7'], { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  assert.equal(r.status, 0, r.stdout + r.stderr);
  const sum = JSON.parse(r.stdout);
  assert.ok(sum.removed >= 0.8 && sum.lost === 0 && sum.events === 8 && sum.alarms_before > 200, r.stdout);
});
