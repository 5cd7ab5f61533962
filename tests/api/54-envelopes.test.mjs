// Encrypted gateway envelopes: AES over TCP with @@, DES over HTTP; keys are kept sealed and open nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePorts, makeDevice, Server, until } from '../lib/server.mjs';

const KEY = '1234567890ABCDEF', DES = 'ab23dcef', GATEWAY = '42902100100301', DUST = '01234567891201';
const MN = `${GATEWAY}MN0010000001`, TNM = '0123456789120101001', CAMERA = '01234567891201010001';
let s, d, dust, port;

before(async () => {
  [port] = await freePorts(1);
  s = await Server.start({ args: ['--gateway', `127.0.0.1:${port}`], copied: true });
  d = await makeDevice(s, { code: GATEWAY, protocol: 'gateway', key: KEY, points: [{ code: 'GW-P', kind: 'pressure', unit: 'MPa', address: MN }] });
});
after(() => s.stop());

const local = (t) => new Date(t + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
const series = async (point, t) => (await d.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(t - 1000).toISOString())}`)).items;
const seal = (text, key = KEY, iv = '0000000000000000') => { const c = createCipheriv('aes-128-cbc', key, iv); return c.update(text, 'utf8', 'base64') + c.final('base64'); };
const body = (id, t, value) => JSON.stringify({ dataId: id, enterpriseCode: '429021001003', gatewayCode: GATEWAY, collectTime: local(t), isConnectDataSource: true, reportType: 'report', dataType: '04', datas: [{ pointCode: MN, pointValue: value, dataTime: local(t) }] });
const outer = (id, data, serviceId = GATEWAY) => `${JSON.stringify({ appId: 'app', serviceId, dataId: id, data })}@@`;
function client() {
  const c = { got: '', closed: false, sock: connect(port, '127.0.0.1') };
  c.sock.on('data', (b) => { c.got += b; });
  c.sock.on('close', () => { c.closed = true; });
  c.sock.on('error', () => {});
  c.answers = () => c.got.split('@@').slice(0, -1).map((x) => JSON.parse(x));
  return c;
}

test('AES over TCP: either IV, in pieces, several at once; each answered when it is history', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 20000;
  const c = client();
  const first = outer('T1', seal(body('T1', t, '0.5')));
  c.sock.write(first.slice(0, 50));
  await new Promise((r) => setTimeout(r, 30));
  c.sock.write(first.slice(50));
  await until('the answer', () => c.answers().length === 1);
  assert.deepEqual(c.answers()[0], { success: true, dataId: 'T1', error: null, data: null });
  assert.deepEqual((await series('GW-P', t)).map((r) => r[1]), [0.5]);
  c.sock.write(outer('T2', seal(body('T2', t + 1000, 0.6), KEY, KEY)) + outer('T3', seal(body('T3', t + 2000, 0.7))) + outer('T4', seal('[{"EQUIP_CODE":"E1"}]')));
  await until('three more', () => c.answers().length === 4);
  assert.deepEqual(c.answers().map((a) => [a.dataId, a.success]), [['T1', true], ['T2', true], ['T3', true], ['T4', false]]);
  assert.equal(c.answers()[3].error.code, 400);
  assert.deepEqual((await series('GW-P', t)).map((r) => r[1]), [0.5, 0.6, 0.7]);
  c.sock.destroy();
});

test('an unknown serviceId and a wrong key get the same answer and are let go', async () => {
  const t = Date.now();
  const said = [];
  for (const frame of [outer('X', seal(body('X', t, 1)), '99999999999999'), outer('X', seal(body('X', t, 1), 'FEDCBA0987654321'))]) {
    const c = client();
    c.sock.write(frame);
    await until('the end', () => c.closed);
    said.push(c.got);
  }
  assert.equal(said[0], said[1]);
  assert.equal(JSON.parse(said[0].slice(0, -2)).error.code, 401);
  const h = (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === GATEWAY);
  assert.ok(h.rejects.auth >= 1);
});

test('the key is sealed at rest and is no password elsewhere; its length is the cipher\'s', async () => {
  const db = readFileSync(join(s.dir, 'anlan.db')), wal = readFileSync(join(s.dir, 'anlan.db-wal'));
  assert.ok(!db.includes(KEY) && !wal.includes(KEY));
  const r = await s.call('POST', '/api/v1/readings', [], { headers: { Authorization: `Device ${GATEWAY}:${KEY}` } });
  assert.equal(r.status, 401);
  assert.equal((await d.bureau.post(`/api/v1/devices/${d.device.id}/key`, { key: 'short' })).status, 400);
});

const desSeal = (text, key = DES) => Buffer.from(spawnSync('openssl', ['enc', '-des-cbc', '-provider', 'legacy', '-provider', 'default', '-base64', '-A', '-K', Buffer.from(key).toString('hex'), '-iv', Buffer.from('12345678').toString('hex')], { input: text }).stdout).toString('hex').toUpperCase();
const post = async (path, data, wgbm = DUST) => { const r = await s.call('POST', path, { qybm: '012345678912', wgbm, data }); return { status: r.status, ...r.json }; };

test('DES over HTTP: no such address until a device has it; then readings and events', async () => {
  assert.equal((await s.call('POST', '/api/rtsData', { qybm: '1', wgbm: DUST, data: '00' })).status, 404);
  dust = await makeDevice(s, { code: DUST, protocol: 'dust', key: DES, points: [{ code: 'DUST-T', kind: 'temperature', unit: '℃', address: TNM }, { code: 'DUST-V', kind: 'video_fire', interval_s: 86400, address: `${CAMERA}.SJ02001` }] });
  const t = Math.floor(Date.now() / 1000) * 1000 - 10000;
  assert.deepEqual(await post('/api/rtsData', desSeal(JSON.stringify({ rts: [{ tnm: TNM, ts: local(t), val: '27.20' }] }))), { status: 200, code: 200, msg: '操作成功', data: null });
  assert.equal((await post('/api/eventsData', desSeal(JSON.stringify({ events: [{ ts: local(t + 1000), oname: TNM, avx: '80.5', scd: 4, threshold: '60', content: '高高报' }] })))).code, 200);
  assert.deepEqual((await series('DUST-T', t)).map((r) => r[1]), [27.2, 80.5]);
  const video = await s.call('POST', '/api/videosData', { qybm: '012345678912', wgbm: DUST, data: desSeal(JSON.stringify({ videos: [{ ts: local(t + 2000), videoCode: CAMERA, alarmType: 'SJ02001', content: '烟火' }] })), img: 'A'.repeat(1 << 20) });
  assert.deepEqual(video.json, { code: 200, msg: '操作成功', data: null });
  assert.deepEqual((await series('DUST-V', t)).map((r) => r[1]), [1, 0], 'an event, and its end');
  await until('its alarm', async () => (await d.bureau.ok_get('/api/v1/alarms?state=all&point=DUST-V')).items.find((a) => a.level === 'hh' && !a.active));
  const unknown = await post('/api/rtsData', desSeal('{"rts":[]}'), '00000000000000');
  const wrong = await post('/api/rtsData', desSeal('{"rts":[]}', 'xxxxxxxx'));
  assert.equal(unknown.code, 401);
  assert.deepEqual(unknown, wrong);
  for (let i = 0; i < 6; i++) await post('/api/rtsData', desSeal('{"rts":[]}', 'xxxxxxxx'));
  assert.equal((await post('/api/rtsData', desSeal('{"rts":[]}'))).code, 429, 'who guesses must wait');
});
