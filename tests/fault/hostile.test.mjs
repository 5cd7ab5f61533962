// Clients that mean harm or do it: half-open connections by the thousand, readers that do not read, messages too large,
// garbage at full speed. An honest device is served all the while, memory stays bounded, and every reading that was
// acknowledged is there once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';
import { Honest } from '../lib/faults.mjs';

let s, d, bad, honest;
before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'HONEST', points: [{ code: 'HONEST-P', kind: 'temperature', unit: '℃' }] });
  bad = await makeDevice(s, { code: 'BAD', points: [{ code: 'BAD-P', kind: 'temperature', unit: '℃' }] });
  honest = new Honest(s, { code: 'HONEST', key: d.key, point: 'HONEST-P' });
  await honest.served('the start');
});
after(() => s.stop());

const metric = async (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(await (await fetch(`${s.url}/metrics`)).text())?.[1]);
const health = async (code) => (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === code);
const open = (port) => { const c = connect(port, '127.0.0.1'); c.on('error', () => {}); return c; };
const gone = (c, what, ms) => until(what, () => c.destroyed || c.readableEnded, ms);
const str = (t) => Buffer.concat([Buffer.from([t.length >> 8, t.length & 255]), Buffer.from(t)]);
function login(c, code, key) {
  const body = Buffer.concat([str('MQTT'), Buffer.from([4, 0xc2, 0, 60]), str(code), str(code), str(key)]);
  c.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
}

test('half-open connections by the thousand', { timeout: 900000 }, async () => {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1]);
  const n = Math.min(10000, limit - 500);
  if (n < 10000) console.log(`# only ${n} connections: this process may open no more than ${limit} files`);
  const all = [];
  for (let i = 0; i < n; i++) {
    const c = open(s.mqtt);
    if (i % 2) c.write(Buffer.from([0x10, 0x20, 0x00])); // half a CONNECT
    all.push(c);
    if (i % 500 === 499) await sleep(0);
  }
  await honest.served('the rush');
  await until('them to be taken', async () => (await metric('anlan_gate_accepted_total')) >= n);
  assert.equal((await fetch(`${s.url}/healthz`)).status, 200);
  await until('them to be closed, since they do not say who they are', async () => (await metric('anlan_gate_strangers')) === 0);
  all.forEach((c) => c.destroy());
  await honest.served('the end of it');
});

test('a device that never reads its answers is cut off', { timeout: 900000 }, async () => {
  const c = open(s.mqtt);
  login(c, 'BAD', bad.key);
  await until('the device to be known', async () => (await health('BAD')).online);
  c.pause();
  const pings = Buffer.alloc(1 << 20);
  for (let i = 0; i < pings.length; i += 2) pings[i] = 0xc0;
  let closed = false;
  c.on('close', () => { closed = true; });
  for (let i = 0; i < 64 && !closed; i++) await Promise.race([new Promise((ok) => c.write(pings, ok)), until('it to be cut off', () => closed)]);
  await until('the refusal to be counted', async () => ((await health('BAD')).rejects?.slow ?? 0) > 0);
  c.destroy();
  await honest.served('this');
});

test('event streams that are not read do not keep others from reading', { timeout: 900000 }, async () => {
  const readers = [d.bureau, await s.as('duty')]; // one person has no more than 30
  const stuck = Array.from({ length: 50 }, (_, i) => {
    const c = open(s.http);
    c.pause();
    c.write(`GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${readers[i % 2].token}\r\n\r\n`);
    return c;
  });
  await until('the streams to be open', async () => (await metric('anlan_event_streams')) >= 50);
  const events = await d.bureau.events();
  for (let i = 0; i < 3; i++) await d.bureau.ok_post('/api/v1/records/device', { code: `EV-${i}`, name: 'x', enterprise: d.enterprise.id, protocol: 'mqtt' });
  await events.wait('an event', (e) => e.name === 'record');
  events.close();
  stuck.forEach((c) => c.destroy());
  await honest.served('this');
});

test('what is too large is refused before it is read', { timeout: 900000 }, async () => {
  const c = open(s.mqtt);
  login(c, 'BAD', bad.key);
  await until('the device to be known', async () => (await health('BAD')).online);
  c.write(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x01])); // 2 MiB are announced
  await gone(c.resume(), 'the connection to be closed');
  await until('it to be counted', async () => ((await health('BAD')).rejects?.too_large ?? 0) > 0);
  const r = await s.call('POST', '/api/v1/readings', ' '.repeat((4 << 20) + 1), { headers: { Authorization: `Device BAD:${bad.key}` } }).catch((e) => e);
  assert.ok(r instanceof Error || r.status === 413, `${r.status}`);
  const hj = open(s.hj212);
  hj.write('##9999');
  await gone(hj.resume(), 'the HJ 212 connection to be closed');
  await honest.served('this');
});

// Without a limit of all together two thousand connections of one stranger would hold 8 GiB.
test('bodies that begin and do not end fill a bounded room, and small ones still go through', { timeout: 900000 }, async () => {
  const part = Buffer.alloc((4 << 20) - 1024, 0x20), refused = [];
  const all = Array.from({ length: 80 }, () => {
    const c = open(s.http);
    c.on('data', (x) => refused.push(String(x).slice(9, 12)));
    c.write(`POST /public/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${part.length + 2}\r\n\r\n`);
    c.write(part);
    return c;
  });
  await until('all of it to have been sent', () => all.every((c) => c.destroyed || c.writableLength === 0));
  await until('the room to be full', async () => (await s.call('POST', '/public/reports', part + '{}')).status === 503); // what lay in the sockets is read
  assert.equal((await s.call('POST', '/api/v1/demo/login', { role: 'duty' })).status, 200);
  await honest.served('this');
  for (const c of all) c.write('{}');
  await until('each to be answered', () => refused.length === all.length);
  assert.ok(refused.includes('503'), refused.join());
  all.forEach((c) => c.destroy());
  await until('the room to be there again', async () => (await s.call('POST', '/public/reports', ' '.repeat(1 << 20) + '{}')).status === 400);
});

test('what says twice where it ends is one refused request, never two', { timeout: 900000 }, async () => {
  const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', head = 'POST /api/v1/login HTTP/1.1\r\nHost: x\r\n';
  for (const rest of ['Content-Length: 2\r\nContent-Length: 41\r\n\r\n{}', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n', 'content-length: 2\r\nContent-Length: 2\r\n\r\n{}', 'Content-Length : 2\r\n\r\n{}']) {
    const c = open(s.http);
    let got = '';
    c.on('data', (x) => { got += x; });
    c.write(head + rest + next);
    await until('the connection to be closed', () => c.destroyed || c.readableEnded);
    assert.deepEqual([...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]), ['400'], rest);
  }
});

test('garbage at full speed on every port', { timeout: 900000 }, async () => {
  let seed = 7, sent = 0, stop = false;
  const noise = Buffer.alloc(256 << 10);
  for (let i = 0; i < noise.length; i++) noise[i] = (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 16;
  const spray = async (port, head) => {
    while (!stop) {
      const c = open(port);
      if (head) c.write(head);
      await new Promise((ok) => { c.on('close', ok); c.on('drain', () => stop && c.destroy()); c.write(noise, () => { sent++; c.destroy(); ok(); }); });
    }
  };
  const all = [spray(s.mqtt), spray(s.mqtt, Buffer.from([0x10, 0xff, 0x7f])), spray(s.hj212), spray(s.hj212, '##0100'), spray(s.gb26875), spray(s.gb26875, '@@'), spray(s.http)];
  await honest.served('the garbage', 60);
  await until('enough of it', () => sent > 200);
  stop = true;
  await Promise.all(all);
  assert.ok((await metric('anlan_rejects_total{reason="syntax"}')) + (await metric('anlan_rejects_total{reason="protocol"}')) > 0);
});

test('every acknowledged reading is there once, and the core is not bloated', { timeout: 900000 }, async () => {
  assert.deepEqual(await honest.check(d.bureau), []);
  assert.equal(honest.device.connects, 1, 'it never had to connect again');
  const mib = (await metric('process_resident_memory_bytes')) / (1 << 20);
  assert.ok(mib < 600, `${mib} MiB`);
});
