// Commands to devices: delivered while the device listens, kept for it while it is away, written down, bounded.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';

let s, d, admin;
before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'CMD-GW', points: [{ code: 'CMD-P', kind: 'temperature', unit: '℃' }] });
  admin = d.bureau;
});
after(() => s.stop());

const command = (payload, who = admin) => who.post(`/api/v1/devices/${d.device.id}/command`, { payload });

// An ordinary client on the device's command topic; ends after `count` messages.
function listen(count, { qos = 1, version = 'mqttv311' } = {}) {
  const args = ['-V', version, '-h', '127.0.0.1', '-p', String(s.mqtt), '-i', 'CMD-GW', '-u', 'CMD-GW', '-P', d.key, '-q', String(qos), '-t', 'anlan/v1/CMD-GW/command', '-C', String(count), '-W', '20', '-d'];
  const p = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const me = { out: '', log: '', done: new Promise((ok) => p.once('close', ok)) };
  const take = (b) => {
    for (const line of String(b).split('\n')) if (line) { if (/^(Client |Subscribed)/.test(line)) me.log += `${line}\n`; else me.out += `${line}\n`; }
  };
  p.stdout.on('data', take);
  p.stderr.on('data', take);
  me.ready = () => until('the subscription', () => /Subscribed/.test(me.log));
  return me;
}

for (const [version, qos] of [['mqttv311', 1], ['mqttv5', 1], ['mqttv311', 0]])
  test(`a listening device is sent a command (${version}, QoS ${qos})`, async () => {
    const sub = listen(1, { qos, version });
    await sub.ready();
    const r = await command(`{"valve":"close","n":"${version}${qos}"}`);
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.state, 'delivered');
    await sub.done;
    assert.equal(sub.out.trim(), `{"valve":"close","n":"${version}${qos}"}`);
  });

test('a device that is away gets its commands, in order, when it comes', async () => {
  for (const n of ['one', 'two']) {
    const r = await command(n);
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.state, 'queued');
  }
  const sub = listen(2);
  await sub.done;
  assert.deepEqual(sub.out.trim().split('\n'), ['one', 'two']);
});

test('a killed gate loses no command', async () => {
  const sub0 = listen(9);
  await sub0.ready();
  const pid = await gatePid();
  process.kill(pid, 'SIGKILL');
  const r = await command('after the gate');
  assert.equal(r.status, 200, r.text);
  const sub = sub0; // mosquitto_sub connects and subscribes again by itself
  await until('the command', () => /after the gate/.test(sub.out));
});

async function gatePid() {
  const { readdirSync, readFileSync } = await import('node:fs');
  for (const p of readdirSync('/proc')) {
    if (!/^\d+$/.test(p)) continue;
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === s.child.pid && readdirSync(`/proc/${p}/task`).length === 1) return Number(p);
    } catch { /* gone */ }
  }
  throw new Error('no gate');
}

test('what waits for one device is bounded, and says so', async () => {
  const other = await makeDevice(s, { code: 'CMD-AWAY', points: [{ code: 'CMD-P2', kind: 'temperature', unit: '℃' }] });
  const all = await Promise.all(Array.from({ length: 20 }, () => admin.post(`/api/v1/devices/${other.device.id}/command`, { payload: 'x' })));
  assert.equal(all.filter((r) => r.status === 200 && r.json.state === 'queued').length, 16);
  for (const r of all.filter((x) => x.status !== 200)) { assert.equal(r.status, 503); assert.match(r.json.error.message, /太多|too many/); }
});

test('who may, what is refused, what is written down', async () => {
  assert.ok([403, 404].includes((await command('x', await s.as('enterprise'))).status));
  assert.equal((await command('')).status, 400);
  assert.equal((await command('x'.repeat(20000))).status, 400);
  const http = await makeDevice(s, { code: 'CMD-HTTP', protocol: 'http', points: [{ code: 'CMD-P3', kind: 'temperature', unit: '℃' }] });
  assert.equal((await admin.post(`/api/v1/devices/${http.device.id}/command`, { payload: 'x' })).status, 409);
  await command('y'.repeat(5000));
  await sleep(0);
  const auditor = await s.as('auditor');
  const entries = (await auditor.ok_get(`/api/v1/audit?type=device&record=${d.device.id}&size=100`)).items.filter((e) => e.action === 'device.command');
  assert.ok(entries.length >= 6, JSON.stringify(entries));
  const details = entries.map((e) => (typeof e.detail === 'string' ? JSON.parse(e.detail) : e.detail));
  assert.ok(details.some((x) => x.payload === 'one'));
  assert.ok(details.some((x) => x.bytes === 5000 && /^[0-9a-f]{64}$/.test(x.sm3) && !x.payload));
  assert.equal((await auditor.ok_get('/api/v1/audit/verify')).ok, true);
});
