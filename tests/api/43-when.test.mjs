// A rule over several points and a window of time, on a real server: what it saw is in the alarm, the rule is said in words, and a
// killed core knows its windows again: the alarm returns at the time at which it would have.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

let s, d, packs, duty;
const t0 = Math.floor((Date.now() - 40 * 60e3) / 60e3) * 60e3;
const at = (sec) => new Date(t0 + sec * 1000).toISOString();

before(async () => {
  packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  writeFileSync(join(packs, 'monitoring', 'rules', 'trial_when.yaml'), `rule: trial_when
label: {zh: 试验组合, en: Trial}
watch: {kind: temperature}
when:
  with: {pressure: {kind: pressure, in: device}}
  that: mean(temperature, 5min) > 60 ℃ and pressure > 0.4 MPa
  off: 60s
  color: orange
  say: {zh: 又热又憋, en: Hot and tight}
blind: {for: 3min, color: blue, say: {zh: 无法判断, en: Cannot judge}}
`);
  s = await Server.start({ args: ['--packs', packs], copied: true });
  d = await makeDevice(s, { code: 'WH-GW', protocol: 'http', points: [
    { code: 'WH-T', kind: 'temperature', unit: '℃' }, { code: 'WH-P', kind: 'pressure', unit: 'kPa' }] });
  duty = await s.as('duty');
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

// From one second to another, every ten.
const push = async (from, to, t, p) => {
  const body = [];
  for (let k = from; k < to; k += 10) body.push({ point: 'WH-T', time: at(k), value: t }, { point: 'WH-P', time: at(k), value: p });
  const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device WH-GW:${d.key}` } });
  assert.equal(r.status, 200, r.text);
};
const alarm = async (family = 'when') => (await duty.ok_get('/api/v1/alarms?state=all')).items.find((a) => a.point.code === 'WH-T' && a.family === family && a.rule === 'trial_when');

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

test('it comes true with the mean of half a window and the other point, and says what it saw', async () => {
  await push(0, 300, 50, 500);
  assert.equal(await alarm(), undefined);
  await push(300, 600, 80, 500); // the mean passes 60 when a third of the window is at 80
  const a = await until('the alarm', alarm, 60000);
  // in buckets of 10 s the window is 290 s at 400 s: (190 × 50 + 100 × 80) ÷ 290 = 60.3; at 390 s it is 59.3
  assert.equal(Date.parse(a.raised_at), t0 + 400e3, a.raised_at);
  assert.match(a.say.zh, /^又热又憋（当时：温度最近 5 分钟的平均值 60\.\d+ ℃；压力 500 kPa）$/);
  assert.match(a.say.en, /^Hot and tight \(then: the mean of Temperature over 5 min 60\.\d+ ℃; Pressure 500 kPa\)$/);
  assert.equal(a.active, true);
});

test('the rule in plain words, in both languages', async () => {
  const { items } = await duty.ok_get('/api/v1/rules');
  const words = items.find((r) => r.name === 'trial_when').words;
  assert.match(words.zh, /组合条件（橙色）：温度最近 5 分钟的平均值大于60 ℃，并且压力大于400 kPa（压力：同一设备的那个）/);
  assert.match(words.en, /the mean of Temperature over 5 min is more than 60 ℃, and Pressure is more than 400 kPa/);
  assert.match(words.zh, /无法判断（蓝色）/);
});

test('a killed core knows its windows: it returns when it would have', async () => {
  const pid = coreOf(s.child.pid);
  process.kill(pid, 'SIGKILL');
  await until('the new core', async () => coreOf(s.child.pid) !== pid && s.probe(), 60000);
  assert.equal((await alarm()).active, true);
  await push(600, 900, 20, 500);
  const a = await until('the return', async () => { const x = await alarm(); return x.active ? null : x; }, 60000);
  // (190 × 80 + 100 × 20) ÷ 290 = 59.3 at 700 s, and 60 s more; with an empty window it would be unknown up to 750 s
  assert.equal(Date.parse(a.returned_at), t0 + 760e3, a.returned_at);
});

test('an input that stops makes it blind, which is an alarm of its own and no return', async () => {
  const body = [];
  for (let k = 900; k < 1500; k += 10) body.push({ point: 'WH-T', time: at(k), value: 90 });
  const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device WH-GW:${d.key}` } });
  assert.equal(r.status, 200, r.text);
  const a = await until('blind', () => alarm('blind'), 60000);
  assert.equal(a.level, 'blind');
  assert.match(a.say.zh, /压力 未知/);
});

test('tried on the stored history, with the other point, it says what was live', async () => {
  const { items: [one] } = await duty.ok_post('/api/v1/backtest', { points: ['WH-T'], from: at(0), to: at(1500) });
  const mine = one.stored.alarms.filter((a) => a.rule === 'trial_when').sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
  const [when, blind] = await Promise.all([alarm(), alarm('blind')]);
  assert.deepEqual(mine.map((a) => [a.level, Date.parse(a.from)]), [['when', Date.parse(when.raised_at)], ['blind', Date.parse(blind.raised_at)]]);
  assert.equal(Date.parse(mine[0].to), Date.parse(when.returned_at));
});

test('the command says the same of the data folder', async () => {
  const { items: [one] } = await duty.ok_post('/api/v1/backtest', { points: ['WH-T'], from: at(0), to: at(1500) });
  const r = spawnSync(process.env.ANLAN_BIN || join(root, 'build', 'anlan'),
    ['backtest', '--data', s.dir, '--point', 'WH-T', '--from', at(0), '--to', at(1500), '--packs', packs],
    { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }, maxBuffer: 1 << 26 });
  assert.equal(r.status, 0, r.stderr);
  assert.deepEqual(JSON.parse(r.stdout).stored.alarms.map((a) => [a.rule, a.from, a.to]), one.stored.alarms.map((a) => [a.rule, a.from, a.to]));
  assert.ok(one.stored.alarms.some((a) => a.rule === 'trial_when'));
});
