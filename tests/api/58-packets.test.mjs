// A message of HJ 212 in packets outlives what receives it: whatever is killed between two packets, the first of which was answered, an item
// that is cut between them is whole in history, and those of the second have the time that only the first said.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

const MN = '010000A8900016F000169DC0', PW = '123456';
let s, device;

before(async () => {
  s = await Server.start();
  device = await makeDevice(s, { code: MN, protocol: 'hj212', key: PW, points: [
    { code: 'PK-PH', kind: 'temperature', unit: '', address: 'w01001' }, { code: 'PK-COD', kind: 'temperature', unit: '', address: 'w01018' }] });
});
after(() => s?.stop());

function crc16(text) { // annex A
  let crc = 0xffff;
  for (const b of Buffer.from(text, 'latin1')) {
    crc = (crc >> 8) ^ b;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}
const china = (t) => new Date(t + 8 * 3600e3).toISOString().replace(/[-T:Z.]/g, ''); // yyyyMMddHHmmssSSS
const series = async (point, t) => (await device.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(t - 1000).toISOString())}&to=${encodeURIComponent(new Date(t + 1000).toISOString())}`)).items;

// Sends a packet until it is answered, on a new connection each time, as a device does.
const deliver = (segment) => until('the answer', () => new Promise((ok) => {
  const sock = connect(s.hj212, '127.0.0.1');
  const over = (x) => { sock.destroy(); ok(x); };
  sock.on('connect', () => sock.write(`##${String(segment.length).padStart(4, '0')}${segment}${crc16(segment)}\r\n`));
  sock.on('data', (d) => over(/CN=9014/.test(d.toString('latin1'))));
  sock.on('error', () => over(false));
  sock.on('close', () => over(false));
}));

function children(pid) {
  const found = {};
  for (const p of readdirSync('/proc')) {
    if (!/^\d+$/.test(p)) continue;
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== pid) continue;
      found[readdirSync(`/proc/${p}/task`).length > 1 ? 'core' : 'gate'] = Number(p);
    } catch { /* gone */ }
  }
  return found;
}

async function kill(victim) {
  if (victim === 'everything') {
    await s.kill('SIGKILL');
    s.code = s.signal = null;
    await s.spawn();
    return;
  }
  const pid = await until(victim, () => children(s.child.pid)[victim]);
  process.kill(pid, 'SIGKILL');
  await until(`another ${victim}`, () => { const now = children(s.child.pid)[victim]; return now && now !== pid; });
}

let minutes = 0;
for (const victim of ['gate', 'core', 'everything'])
  test(`an item between two packets outlives the death of ${victim}`, async () => {
    const t = Math.floor(Date.now() / 60e3) * 60e3 - 3600e3 + ++minutes * 60e3, qn = china(Date.now());
    const packet = (no, cp) => `QN=${qn};ST=32;CN=2051;PW=${PW};MN=${MN};Flag=7;PNUM=2;PNO=${no};CP=&&${cp}&&`;
    const sock = connect(s.hj212, '127.0.0.1'); // stays open: it is the gate's death that ends it
    sock.on('error', () => {});
    const first = packet(1, `DataTime=${china(t).slice(0, 14)};w01001-Rtd=7.2`);
    const answered = new Promise((ok) => sock.on('data', ok));
    sock.write(`##${String(first.length).padStart(4, '0')}${first}${crc16(first)}\r\n`);
    assert.match((await answered).toString('latin1'), /CN=9014/);
    await kill(victim);
    await deliver(packet(2, '5,w01001-Flag=D;w01018-Rtd=2.5,w01018-Flag=N'));
    sock.destroy();
    const ph = await until('the item', async () => { const r = await series('PK-PH', t); return r.length && r; });
    assert.equal(ph.length, 1);
    assert.equal(ph[0][1], 7.25);
    assert.equal(ph[0][2], 'bad');
    assert.deepEqual((await series('PK-COD', t)).map((r) => r[1]), [2.5]);
  });
