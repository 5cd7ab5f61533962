// The disk and the clock as they fail: syncs that take a long time, a wall clock that is set forward and back, a log whose
// end was torn by a kill, a block with a wrong byte. Every reading that was acknowledged is there once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';
import { Honest, preload } from '../lib/faults.mjs';

const fault = preload();
let s, d, honest;
before(async () => {
  s = await Server.start({ env: fault.env });
  d = await makeDevice(s, { code: 'STORE-1', points: ['A', 'B', 'C'].map((p) => ({ code: `ST-${p}`, kind: 'level', unit: '%', ll: 5, l: 10, h: 80, hh: 90, interval_s: 1 })) });
  honest = new Honest(s, { code: 'STORE-1', key: d.key, point: 'ST-A' });
  await honest.served('the start');
});
after(() => s.stop());

const platform = () => d.bureau.ok_get('/api/v1/health');
const device = async () => (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'STORE-1');

test('a slow disk: later, but nothing is acknowledged before its sync', { timeout: 900000 }, async () => {
  fault.set({ sync: 300 });
  await sleep(400);
  const began = Date.now(), had = honest.acked;
  await until('three syncs', () => honest.acked > had + 3);
  await honest.served('slow syncs', 30);
  assert.ok(Date.now() - began >= 300, 'acknowledgements wait for the disk');
  assert.equal((await fetch(`${s.url}/healthz`)).status, 200);
  assert.ok((await platform()).worst_sync_us >= 300000);
  fault.set({});
});

test('the wall clock is set an hour forward and back: no alarm of silence, nothing lost', { timeout: 900000 }, async () => {
  const silent = async () => (await d.bureau.ok_get('/api/v1/alarms?state=all&size=200')).items.filter((a) => a.family === 'silent' && a.point.code === 'ST-A').length;
  fault.set({ clock: 3600 });
  await until('it to be noticed', async () => Math.abs((await platform()).clock_set_by_s - 3600) < 5);
  await honest.served('a clock an hour ahead', 50);
  await until('the device to be judged by the new clock', async () => (await device()).clock_off_s > 3500);
  fault.set({});
  await until('the way back', async () => Math.abs((await platform()).clock_set_by_s + 3600) < 5);
  await honest.served('the right clock', 50);
  await until('the device’s clock to be right again', async () => (await device()).clock === 'ok');
  assert.equal(await silent(), 0);
});

const logs = () => readdirSync(join(s.dir, 'series/log')).filter((f) => f.endsWith('.log')).sort().map((f) => join(s.dir, 'series/log', f));

// Where the groups of a segment end: the rest is zeros.
function endOf(fd) {
  const size = fstatSync(fd).size, b = Buffer.alloc(1 << 20);
  for (let at = size; at > 0;) {
    const n = Math.min(b.length, at);
    readSync(fd, b, 0, n, at -= n);
    for (let i = n - 1; i >= 0; i--) if (b[i]) return at + i + 1;
  }
  return 0;
}

test('kill, and the write that was under way is torn: what was acknowledged is there, and the log goes on', { timeout: 900000 }, async () => {
  for (const torn of ['half a group', 'noise']) {
    await honest.served('the time before the kill', 10);
    await s.kill();
    const fd = openSync(logs().pop(), 'r+');
    const end = endOf(fd);
    const group = Buffer.alloc(48);
    readSync(fd, group, 0, 48, Math.max(0, end - 48));
    const head = Buffer.from('ANLG');
    writeSync(fd, torn === 'noise' ? Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 37 + 11) & 255)) : Buffer.concat([head, Buffer.from([200, 0, 0, 0]), group]), 0, undefined, end);
    closeSync(fd);
    await s.spawn();
    d.bureau = await s.as('bureau');
    await honest.served(`the time after (${torn})`, 30);
  }
});

test('a block with a wrong byte is noticed and named; the others are served', { timeout: 900000 }, async () => {
  // two full blocks at each of two points, some days ago: sealed as soon as they are full
  const base = Date.now() - 3 * 86400e3;
  for (const p of ['ST-B', 'ST-C']) {
    const body = Array.from({ length: 720 }, (_, i) => ({ point: p, time: new Date(base + i * 1000).toISOString(), value: 40 + (i % 7) }));
    const r = await s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device STORE-1:${d.key}` } });
    assert.equal(r.json.accepted, 720);
  }
  await until('the blocks to be sealed', async () => /anlan_series_blocks_pending 0\n/.test(await (await fetch(`${s.url}/metrics`)).text()));
  s.child.kill('SIGTERM');
  await s.exited;
  const id = d.points[1].id;
  let hit = 0;
  for (const f of readdirSync(join(s.dir, 'series')).filter((x) => /^\d{4}-\d\d\.db$/.test(x))) {
    const path = join(s.dir, 'series', f);
    const hex = execFileSync('sqlite3', [path, `select hex(data) from block where (id >> 32) = ${id} order by id limit 1`], { encoding: 'utf8' }).trim();
    if (!hex) continue;
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.from(hex, 'hex').subarray(0, 64));
    assert.ok(at > 0, 'the block in its file');
    bytes[at + 40] ^= 0x55;
    writeFileSync(path, bytes);
    hit++;
    break;
  }
  assert.equal(hit, 1);
  await s.spawn();
  d.bureau = await s.as('bureau');
  const rows = async (p) => (await d.bureau.ok_get(`/api/v1/points/${p}/series?from=${encodeURIComponent(new Date(base - 1000).toISOString())}&to=${encodeURIComponent(new Date(base + 800e3).toISOString())}&max=10000`)).items;
  const b = await rows('ST-B'), c = await rows('ST-C');
  assert.equal(c.length, 720, 'another point is whole');
  assert.ok(b.length >= 240 && b.length < 720, `of the damaged one its other blocks: ${b.length}`);
  for (const [t, v] of b) assert.equal(v, 40 + (Math.round((Date.parse(t) - base) / 1000) % 7), 'and nothing invented');
  const h = await platform();
  assert.ok(h.damaged > 0);
  assert.equal(h.damaged_point, 'ST-B');
  await honest.served('this');
});

test('every acknowledged reading is there once', { timeout: 900000 }, async () => {
  assert.deepEqual(await honest.check(d.bureau), []);
});
