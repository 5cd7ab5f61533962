// What people did to alarms and warnings survives a killed core and a restart with other rules.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

let s, d, packs, duty, warning;
const rfc = (t) => new Date(t).toISOString();
const t0 = Date.now() - 600e3;
const rule = () => join(packs, 'chemical', 'rules', 'tank_level.yaml');

before(async () => {
  packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  s = await Server.start({ args: ['--packs', packs], copied: true });
  d = await makeDevice(s, { code: 'RE-GW', protocol: 'http', points: [
    { code: 'RE-ACK', kind: 'level', unit: '%', h: 80, hh: 90 }, { code: 'RE-SHELF', kind: 'level', unit: '%', h: 80, hh: 90 }] });
  duty = await s.as('duty');
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

const push = async (point, from, n, v) => {
  const body = Array.from({ length: n }, (_, i) => ({ point, time: rfc(t0 + (from + i) * 1000), value: v }));
  const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device RE-GW:${d.key}` } });
  assert.equal(r.status, 200, r.text);
};
const alarmOf = async (code) => (await duty.ok_get('/api/v1/alarms')).items.find((a) => a.point.code === code && a.family === 'limit');
const same = (a) => ({ id: a.id, state: a.state, active: a.active, level: a.level, raised_at: a.raised_at, acked_at: a.acked_at, acked_by: a.acked_by, shelved_until: a.shelved_until, shelve_reason: a.shelve_reason, count: a.count });

function coreOf(parent) {
  for (const p of readdirSync('/proc')) {
    if (!/^\d+$/.test(p)) continue;
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent && readdirSync(`/proc/${p}/task`).length > 1) return Number(p);
    } catch { /* gone */ }
  }
  throw new Error('no core');
}

async function killCore() {
  const pid = coreOf(s.child.pid);
  process.kill(pid, 'SIGKILL');
  await until('the new core', async () => coreOf(s.child.pid) !== pid && s.probe());
}

async function restart() {
  s.child.kill('SIGTERM');
  await s.exited;
  assert.equal(s.code, 0, s.out);
  s.code = s.signal = null;
  await s.spawn();
}

let before_;
test('acknowledged, shelved, a warning with its deadline', async () => {
  for (const code of ['RE-ACK', 'RE-SHELF']) await push(code, 0, 20, 85);
  for (const code of ['RE-ACK', 'RE-SHELF']) await until(`the alarm of ${code}`, () => alarmOf(code));
  await push('RE-SHELF', 20, 20, 95);
  await duty.ok_post(`/api/v1/alarms/${(await alarmOf('RE-ACK')).id}/ack`, {});
  const shelf = await until('hh', async () => { const a = await alarmOf('RE-SHELF'); return a.level === 'hh' && a.opened?.id ? a : null; });
  await duty.ok_post(`/api/v1/alarms/${shelf.id}/shelve`, { reason: '仪表检修', until: rfc(Date.now() + 3600e3) });
  warning = await duty.ok_get(`/api/v1/records/warning/${shelf.opened.id}`);
  assert.ok(warning.deadline);
  before_ = { ack: same(await alarmOf('RE-ACK')), shelf: same(await alarmOf('RE-SHELF')) };
  assert.equal(before_.ack.state, 'acked');
  assert.equal(before_.shelf.state, 'shelved');
});

async function unchanged() {
  assert.deepEqual({ ack: same(await alarmOf('RE-ACK')), shelf: same(await alarmOf('RE-SHELF')) }, before_);
  const w = await duty.ok_get(`/api/v1/records/warning/${warning.id}`);
  assert.deepEqual([w.state, w.deadline, w.version], [warning.state, warning.deadline, warning.version]);
  const mine = (await duty.ok_get('/api/v1/records/warning?size=100')).items.filter((x) => x.alarm === warning.alarm);
  assert.equal(mine.length, 1, 'the alarm opened one warning');
}

test('a killed core comes back with all of it', async () => {
  for (let i = 0; i < 3; i++) {
    await killCore();
    await unchanged();
  }
});

test('so does a restart of everything', async () => {
  await restart();
  await unchanged();
});

test('a restart with another limit and other words: the open alarms keep what people did', async () => {
  writeFileSync(rule(), readFileSync(rule(), 'utf8').replace('zh: 储罐液位超高限，请核对收料计划并准备停泵', 'zh: 新的话').replace('for: 5s', 'for: 6s').replace('clear_by: 2', 'clear_by: 3'));
  await restart();
  await unchanged();
  // the alarm still lives: it returns when the level falls, and keeps being acknowledged
  await push('RE-ACK', 40, 60, 50);
  await until('the return', async () => !(await alarmOf('RE-ACK')));
  const all = (await duty.ok_get('/api/v1/alarms?state=all&point=RE-ACK')).items;
  const a = (Array.isArray(all) ? all : []).find((x) => x.id === before_.ack.id) ?? await duty.ok_get(`/api/v1/alarms/${before_.ack.id}`);
  assert.equal(a.state, 'normal');
  assert.equal(a.active, false);
  assert.equal(a.acked_at, before_.ack.acked_at);
  // and a new one speaks with the new words
  await push('RE-ACK', 110, 20, 85);
  const b = await until('the new alarm', () => alarmOf('RE-ACK'));
  assert.notEqual(b.id, a.id);
  assert.equal(b.say.zh, '新的话');
  assert.equal(b.state, 'unack');
});

test('a rule that is gone takes its alarm with it: returned, still to be acknowledged', async () => {
  const b = await alarmOf('RE-ACK');
  unlinkSync(rule());
  await restart();
  const gone = await until('the return', async () => { const a = await duty.ok_get(`/api/v1/alarms/${b.id}`); return !a.active ? a : null; });
  assert.equal(gone.state, 'rtn_unack');
  const shelf = await until('the other', async () => { const a = await duty.ok_get(`/api/v1/alarms/${before_.shelf.id}`); return !a.active ? a : null; });
  assert.equal(shelf.active, false);
  const w = await duty.ok_get(`/api/v1/records/warning/${warning.id}`);
  assert.equal(w.state, warning.state, 'what people handle stays');
  const journal = (await duty.ok_get(`/api/v1/alarms/${b.id}/journal`)).items.map((j) => j.what);
  assert.deepEqual(journal, ['raised', 'returned']);
});

test('packs with a mistake: what was in force goes on and the log says where; a new county does not start with them', async () => {
  writeFileSync(rule(), 'rule: tank_level\nlabel: {zh: 甲, en: A}\nwatch: {kind: no_such_kind}\nlevels: {hh: {over: 1}}\n');
  s.child.kill('SIGTERM');
  await s.exited;
  s.code = s.signal = null;
  await s.spawn();
  assert.match(s.out, /tank_level\.yaml:\d+:\d+/);
  await assert.rejects(Server.start({ demo: false, args: s.args }), /tank_level\.yaml:\d+:\d+/);
  unlinkSync(rule());
  s.child.kill('SIGTERM');
  await s.exited;
  s.code = s.signal = null;
  await s.spawn();
});
