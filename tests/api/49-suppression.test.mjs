// What hides alarms: by design, by a rationale, by a maintenance window. Nothing is silent: it is listed with who, why and until,
// journalled, and what is still active appears when it is over; the highest level of a rule that is never suppressed always does.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

let s, bureau, duty, firm, town, packs, dev;
const rfc = (t) => new Date(t).toISOString();
const rule = (name, kind, levels, more = '') => writeFileSync(join(packs, 'chemical', 'rules', `${name}.yaml`),
  `rule: ${name}\nlabel: {zh: ${name}, en: ${name}}\nwatch: {kind: ${kind}}\n${more}levels:\n${levels}`);

before(async () => {
  packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  for (const k of ['trial', 'trial_state'])
    writeFileSync(join(packs, 'monitoring', 'points', `${k}.yaml`), `point: ${k}\nlabel: {zh: 试验量, en: Trial}\nunit: "%"\nmin: 0\nmax: 100\ndecimals: 1\ninterval: 10s\nstale_after: 10min\ndimension: process\n`);
  rule('trial', 'trial', '  h: {above: 80, color: yellow, open: warning, say: {zh: 高, en: High}}\n  hh: {above: 95, color: red, say: {zh: 高高, en: Very high}}\n',
    'never_suppress: true\nhide_at_most: 2h\nsuppress_when: {rule: trial_stopped, at: device, longest: 1h, why: {zh: 停泵的结果, en: the pump stands}}\n');
  rule('trial_stopped', 'trial_state', '  l: {below: 1, color: blue, say: {zh: 停运, en: stopped}}\n', 'hint: true\n');
  s = await Server.start({ args: ['--packs', packs], copied: true });
  [bureau, duty, firm, town] = await Promise.all(['bureau', 'duty', 'enterprise', 'town'].map((r) => s.as(r)));
  dev = await makeDevice(s, { code: 'SUP-GW', protocol: 'http', points: [...['A', 'B', 'C', 'D'].map((x) => ({ code: `SUP-${x}`, kind: 'trial', unit: '%' })), { code: 'SUP-PUMP', kind: 'trial_state' }] });
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

let clock = Date.now() - 600e3;
async function push(...pairs) {
  clock += 1000;
  const r = await s.call('POST', '/api/v1/readings', pairs.map(([x, value]) => ({ point: `SUP-${x}`, time: rfc(clock), value })), { headers: { Authorization: `Device SUP-GW:${dev.key}` } });
  assert.equal(r.status, 200, r.text);
}
const open = async () => (await duty.ok_get('/api/v1/alarms?size=500')).items.filter((a) => a.point.code.startsWith('SUP-'));
const alarm = async (x) => (await open()).find((a) => a.point.code === `SUP-${x}`);
const inState = (x, state) => until(`SUP-${x} to be ${state}`, async () => { const a = await alarm(x); return a?.state === state && a; });
const journal = async (a) => (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items;
const hidden = async (who = duty) => { const x = await who.ok_get('/api/v1/alarms/suppressed'); return { ...x, items: x.items.filter((a) => a.point.code.startsWith('SUP-')) }; };

test('a stopped pump suppresses by design what follows from it; a hint is no alarm', async () => {
  await push(['PUMP', 5], ['A', 50], ['B', 50]);
  await push(['PUMP', 0]);
  await until('the cause', async () => (await hidden()).causes.some((c) => c.name === '测试点 SUP-PUMP'));
  await push(['A', 85]);
  const a = await inState('A', 'suppressed');
  assert.equal(a.hidden.by, 'cause');
  assert.match(a.hidden.why.zh, /起因：测试点 SUP-PUMP 停运（停泵的结果）/);
  assert.match(a.hidden.why.en, /Cause: .*stopped \(the pump stands\)/);
  assert.ok(Date.parse(a.hidden.until) - Date.parse(a.hidden.since) <= 3600e3);
  assert.equal(a.opened, null);
  const j = await journal(a);
  assert.deepEqual(j.map((x) => `${x.what} ${x.from}>${x.to}`), ['suppress normal>suppressed', 'raised suppressed>suppressed']);
  assert.ok(!(await open()).some((x) => x.point.code === 'SUP-PUMP'), 'a hint is no alarm');
  assert.equal((await duty.ok_get('/api/v1/alarms?state=all&size=500')).items.filter((x) => x.rule === 'trial_stopped').length, 0);
  const list = await hidden();
  assert.deepEqual(list.items.map((x) => x.id), [a.id]);
  assert.equal(list.causes.find((c) => c.id === a.hidden.ref).hidden, 1);
  assert.equal((await duty.post(`/api/v1/alarms/${a.id}/unsuppress`, {})).status, 409);
});

test('the highest level of a rule that is never suppressed appears at once, and nobody can hide it', async () => {
  await push(['B', 85]);
  await inState('B', 'suppressed');
  await push(['B', 97]);
  const b = await inState('B', 'unack');
  assert.equal(b.level, 'hh');
  for (const act of ['shelve', 'suppress', 'out_of_service']) assert.equal((await duty.post(`/api/v1/alarms/${b.id}/${act}`, { reason: '试', until: '30min' })).status, 409);
  await push(['B', 50]);
  await duty.ok_post(`/api/v1/alarms/${b.id}/ack`, {});
});

test('a crash of the whole server changes nothing of it; when the cause is over what lasts appears, and opens its warning', async () => {
  const a = await alarm('A');
  await s.kill('SIGKILL');
  s.code = s.signal = null;
  await s.spawn();
  const again = await inState('A', 'suppressed');
  assert.equal(again.hidden.ref, a.hidden.ref);
  await push(['PUMP', 5]);
  const back = await inState('A', 'unack');
  assert.equal(back.hidden, null);
  assert.equal((await hidden()).items.length, 0);
  await until('its warning', async () => (await alarm('A')).opened?.type === 'warning');
  assert.equal((await journal(a)).at(-1).what, 'unsuppress');
});

test('a rationale names a cause of the enterprise; a person’s suppression ends by itself and not later than the rule says', async () => {
  await push(['C', 85]);
  await inState('C', 'unack');
  const c = await alarm('C'), a = await alarm('A');
  const why = { name: '试验理由（虚构）', rule: 'trial', level: 'h', point: c.point.id, enterprise: c.enterprise.id, priority: 'low', cause: '甲', consequence: '乙', response: '丙', respond_min: 10, suppress_rule: 'trial', suppress_point: a.point.id };
  assert.equal((await bureau.post('/api/v1/records/alarm_rationale', why)).status, 400, 'for how long is to be said');
  const made = await bureau.ok_post('/api/v1/records/alarm_rationale', { ...why, suppress_h: 2 });
  const hiddenC = await inState('C', 'suppressed');
  assert.match(hiddenC.hidden.why.zh, /试验理由/);
  await push(['A', 50]); // its cause is over
  await inState('C', 'unack');
  await bureau.ok_post(`/api/v1/records/alarm_rationale/${made.id}/retire`, { reason: '试验完' }).catch(() => {});
  const far = await duty.post(`/api/v1/alarms/${c.id}/suppress`, { reason: '长', until: '3h' });
  assert.equal(far.json.error.field, 'until');
  const mine = await duty.ok_post(`/api/v1/alarms/${c.id}/suppress`, { reason: '已知', until: rfc(Date.now() + 1200) });
  assert.equal(mine.hidden.by, 'person');
  assert.ok(mine.hidden.who && mine.hidden.until);
  await inState('C', 'unack');
  const usual = await duty.ok_post(`/api/v1/alarms/${c.id}/suppress`, { reason: '已知' });
  assert.ok(usual.hidden.until, 'none is without an end');
  await duty.ok_post(`/api/v1/alarms/${c.id}/unsuppress`, {});
});

test('a maintenance window: applied for, approved by somebody else, at most 72 hours; inside nothing is announced; its end lays open what lasts', async () => {
  const e = dev.enterprise.id, d = dev.points[3];
  const body = (from, to, more = {}) => ({ name: '探头更换', enterprise: e, point: d.id, begins: rfc(from), ends: rfc(to), why: '更换探头（虚构）', measures: '专人监护', ...more });
  const now = Date.now();
  assert.equal((await bureau.post('/api/v1/records/maintenance_window', body(now, now + 73 * 3600e3))).json.error.field, 'ends');
  const w = await bureau.ok_post('/api/v1/records/maintenance_window', body(now - 1000, now + 3600e3));
  await push(['D', 50]);
  assert.notEqual((await bureau.post(`/api/v1/records/maintenance_window/${w.id}/moves/approve`, {})).status, 200, 'not by who applied');
  await duty.ok_post(`/api/v1/records/maintenance_window/${w.id}/moves/approve`, {});
  const seen = await until('the window', async () => (await hidden()).windows.find((x) => x.id === w.id));
  assert.equal(seen.overrun, false);
  assert.equal(seen.reason, '更换探头（虚构）');
  assert.ok(seen.approver);
  clock = Math.max(clock, Date.now() - 500);
  await push(['D', 85], ['C', 85]);
  const inside = await inState('D', 'out_of_service');
  assert.equal(inside.hidden.by, 'window');
  assert.equal(inside.hidden.ref, w.id);
  assert.match(inside.hidden.why.zh, new RegExp(`检修窗口 ${w.number}`));
  assert.equal((await alarm('C')).state, 'unack', 'another point is not concerned');
  assert.equal((await duty.post(`/api/v1/alarms/${inside.id}/in_service`, {})).status, 409);
  assert.equal((await hidden()).windows.find((x) => x.id === w.id).hidden, 1);
  const k = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(Date.now() - 3600e3))}`);
  assert.ok(!k.actors.some((x) => x.point === d.id), 'what was not announced loads nobody');
  await push(['D', 97]); // the highest level of its rule
  await inState('D', 'unack');
  await push(['D', 85]);
  await inState('D', 'out_of_service');
  await duty.ok_post(`/api/v1/records/maintenance_window/${w.id}/moves/finish`, { result: '完成' });
  await inState('D', 'unack');
});

test('a window that begins later and ends by itself; who has not closed it is named', async () => {
  const now = Date.now(), d = dev.points[3];
  const w = await bureau.ok_post('/api/v1/records/maintenance_window', { name: '短时', enterprise: dev.enterprise.id, point: d.id, begins: rfc(now + 1500), ends: rfc(now + 6000), why: '短', measures: '看' });
  await duty.ok_post(`/api/v1/records/maintenance_window/${w.id}/moves/approve`, {});
  await inState('D', 'out_of_service');
  await inState('D', 'unack');
  assert.equal((await hidden()).windows.find((x) => x.id === w.id).overrun, true);
  const whats = (await journal(await alarm('D'))).map((x) => x.what);
  assert.ok(whats.filter((x) => x === 'out_of_service').length >= 2 && whats.at(-1) === 'in_service');
});

test('who sees another place sees none of it', async () => {
  await push(['PUMP', 0]);
  await until('the cause', async () => (await hidden()).causes.length);
  for (const who of [town, firm]) {
    const list = await who.ok_get('/api/v1/alarms/suppressed'), may = (area, e) => area.startsWith((who.me.area ?? '').replace(/(000)+$/, '')) && (!who.me.enterprise || e === who.me.enterprise.id);
    for (const a of list.items) assert.ok(may(a.area, a.enterprise?.id), a.area);
    const all = (await hidden()).causes.length;
    assert.ok(list.causes.length <= all);
  }
  assert.equal((await (await s.as('admin')).get('/api/v1/alarms/suppressed')).status, 403);
});
