// Sparkplug B by an unmodified client of the npm registry: births, data by alias, deaths, rebirth, commands, the host's state.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

const require = createRequire(import.meta.url);
const sparkplug = require('sparkplug-client');
const mqtt = require('mqtt');
const { encodePayload, decodePayload } = require('sparkplug-payload').get('spBv1.0');
const rfc = (t) => new Date(t).toISOString();
let s, d;
const open = [];

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'EDGE-1', points: [
    { code: 'SPB-TEMP', kind: 'temperature', unit: '℃', address: 'Temp' }, { code: 'SPB-LEVEL', kind: 'level', unit: '%', address: 'tank1/Level' },
    { code: 'SPB-PUMP', kind: 'level', unit: '', address: 'tank1/Pump' }] });
});
after(async () => { for (const c of open) c(); await s.stop(); });

const series = async (point, from) => (await d.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(Date.now() + 60e3))}`)).items;
const last = async (point) => d.bureau.ok_get(`/api/v1/points/${point}`);
const health = async () => (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'EDGE-1');

// The library's client, with births as its documentation says.
function node(births) {
  const c = sparkplug.newClient({ serverUrl: `mqtt://127.0.0.1:${s.mqtt}`, username: 'EDGE-1', password: d.key, groupId: 'county', edgeNode: 'EDGE-1', clientId: 'edge-1', version: 'spBv1.0' });
  const heard = { ncmd: [], dcmd: [], births: 0 };
  c.on('birth', () => { heard.births++; births(c); });
  c.on('ncmd', (p) => { heard.ncmd.push(p); if (p.metrics.some((m) => m.name === 'Node Control/Rebirth' && m.value)) { heard.births++; births(c); } });
  c.on('dcmd', (device, p) => heard.dcmd.push({ device, p }));
  open.push(() => c.stop());
  return { c, heard };
}
const births = (t) => (c) => {
  c.publishNodeBirth({ timestamp: t, metrics: [{ name: 'Temp', alias: 1, type: 'Float', value: 20.5, timestamp: t }, { name: 'Node Control/Rebirth', type: 'Boolean', value: false, timestamp: t }] });
  c.publishDeviceBirth('tank1', { timestamp: t, metrics: [{ name: 'Level', alias: 2, type: 'Int32', value: -5, timestamp: t }, { name: 'Pump', alias: 3, type: 'Boolean', value: true, timestamp: t }] });
};

test('an unmodified client is born, sends data, is commanded, and its death makes its points stale', async () => {
  const t = Date.now() - 30000;
  const { c, heard } = node(births(t));
  await until('the births', async () => (await series('SPB-LEVEL', t - 1000)).length === 1 && (await series('SPB-PUMP', t - 1000)).length === 1);
  assert.deepEqual((await series('SPB-TEMP', t - 1000)).map((r) => r[1]), [20.5]);
  assert.deepEqual((await series('SPB-LEVEL', t - 1000)).map((r) => r[1]), [-5]);
  assert.deepEqual((await series('SPB-PUMP', t - 1000)).map((r) => r[1]), [1]);

  c.publishNodeData({ timestamp: t + 1000, metrics: [{ name: 'Temp', type: 'Float', value: 21.25, timestamp: t + 1000 }] });
  c.publishDeviceData('tank1', { timestamp: t + 1000, metrics: [{ name: 'Level', type: 'Int32', value: 7, timestamp: t + 1000 }, { name: 'Pump', type: 'Boolean', value: null, isNull: true, timestamp: t + 1000 }] });
  await until('the data', async () => (await series('SPB-LEVEL', t - 1000)).length === 2);
  assert.equal((await last('SPB-TEMP')).value, 21.25);
  await until('the null', async () => (await last('SPB-PUMP')).quality === 'bad');

  // a command by name: to the node, and to one of its devices in the type of its birth
  const r = await d.bureau.ok_post(`/api/v1/devices/${d.device.id}/command`, { payload: JSON.stringify({ name: 'Node Control/Reboot', value: true }) });
  assert.equal(r.state, 'delivered');
  await until('the command', () => heard.ncmd.find((p) => p.metrics[0].name === 'Node Control/Reboot' && p.metrics[0].value === true));
  await d.bureau.ok_post(`/api/v1/devices/${d.device.id}/command`, { payload: JSON.stringify({ device: 'tank1', name: 'Level', value: 80 }) });
  const dcmd = await until('the device command', () => heard.dcmd[0]);
  assert.equal(dcmd.device, 'tank1');
  assert.equal(dcmd.p.metrics[0].value, 80);
  assert.equal(dcmd.p.metrics[0].type, 'Int32');

  c.stop(); // a DISCONNECT: this client says NDEATH only when it is told to
  await until('stale points', async () => (await last('SPB-TEMP')).quality === 'stale' && (await last('SPB-LEVEL')).quality === 'stale');
  assert.equal((await last('SPB-TEMP')).value, 21.25);
  await until('it to be offline', async () => !(await health()).online);
});

// The protocol by hand: what a good client never does.
function raw({ will = null } = {}) {
  const c = mqtt.connect(`mqtt://127.0.0.1:${s.mqtt}`, { username: 'EDGE-1', password: d.key, clientId: 'raw', reconnectPeriod: 0, protocolVersion: 4, will: will === null ? undefined : {
    topic: 'spBv1.0/county/NDEATH/EDGE-1', payload: Buffer.from(encodePayload({ timestamp: Date.now(), metrics: [{ name: 'bdSeq', type: 'UInt64', value: will }] })), qos: 1, retain: false } });
  const got = [];
  c.on('message', (topic, b, packet) => got.push({ topic, b, retain: packet.retain }));
  c.on('error', () => {});
  open.push(() => c.end(true));
  c.say = (kind, payload, device = '') => c.publish(`spBv1.0/county/${kind}/EDGE-1${device}`, Buffer.from(encodePayload(payload)), { qos: 0 });
  return new Promise((ok) => c.on('connect', () => ok({ c, got })));
}
const bdSeq = (n) => ({ name: 'bdSeq', type: 'UInt64', value: n });
const rebirths = (got) => got.filter((m) => m.topic === 'spBv1.0/county/NCMD/EDGE-1').map((m) => decodePayload(m.b)).filter((p) => p.metrics.some((x) => x.name === 'Node Control/Rebirth' && x.value === true));

test('the host: its state is retained, gaps and data without birth make it ask for births, but not in a flood', async () => {
  const { c, got } = await raw();
  const granted = await new Promise((ok, no) => c.subscribe(['spBv1.0/STATE/+', 'spBv1.0/county/NCMD/EDGE-1/#', 'spBv1.0/county/DCMD/EDGE-1/#'], { qos: 1 }, (e, g) => (e ? no(e) : ok(g))));
  assert.deepEqual(granted.map((g) => g.qos), [0, 0, 0]);
  const state = await until('the state', () => got.find((m) => m.topic.startsWith('spBv1.0/STATE/')));
  assert.equal(JSON.parse(state.b).online, true);
  assert.ok(Math.abs(JSON.parse(state.b).timestamp - Date.now()) < 60000);
  assert.equal(state.retain, true);

  const t = Date.now(); // behind the marks of the death before
  const before = (await series('SPB-TEMP', t)).length;
  for (let i = 0; i < 5; i++) c.say('NDATA', { timestamp: t, seq: i, metrics: [{ alias: 1, value: 99, type: 'Float', timestamp: t + i }] });
  await until('the request', () => rebirths(got).length);
  assert.ok((await health()).rejects.protocol >= 1);
  assert.equal((await series('SPB-TEMP', t)).length, before, 'no birth, no data');

  c.say('NBIRTH', { timestamp: t, seq: 0, metrics: [bdSeq(4), { name: 'Temp', alias: 1, type: 'Float', value: 30, timestamp: t + 100 }] });
  c.say('NDATA', { timestamp: t, seq: 1, metrics: [{ alias: 1, value: 31, type: 'Float', timestamp: t + 200 }] });
  c.say('NDATA', { timestamp: t, seq: 3, metrics: [{ alias: 1, value: 32, type: 'Float', timestamp: t + 300, isHistorical: true }] });
  await until('the data', async () => (await series('SPB-TEMP', t)).length === before + 3);
  await until('the second request', () => rebirths(got).length === 2);
  c.say('NDATA', { timestamp: t, seq: 9, metrics: [{ alias: 77, value: 1, type: 'Float', timestamp: t + 300 }] });
  await until('the gap to be counted', async () => (await health()).rejects.unknown_point >= 1);
  assert.equal(rebirths(got).length, 2, 'asked once, not at every message');

  c.say('NDEATH', { timestamp: Date.now(), metrics: [bdSeq(3)] }); // of a session that is over
  c.say('NDATA', { timestamp: t, seq: 10, metrics: [{ alias: 1, value: 33, type: 'Float', timestamp: t + 400 }] });
  await until('data after the stale death', async () => (await last('SPB-TEMP')).value === 33);
  assert.equal((await last('SPB-TEMP')).quality, 'good');
  c.end(true);
});

test('a will with the birth\'s bdSeq makes the points stale when the connection breaks', async () => {
  const { c } = await raw({ will: 7 });
  const t = Date.now() + 500;
  c.say('NBIRTH', { timestamp: t, seq: 0, metrics: [bdSeq(7), { name: 'Temp', alias: 1, type: 'Float', value: 41, timestamp: t }] });
  await until('the birth', async () => (await last('SPB-TEMP')).value === 41);
  c.stream.destroy();
  await until('stale', async () => (await last('SPB-TEMP')).quality === 'stale');
});

test('a node whose clock is behind is good again with the births of its next session', async () => {
  const now = () => Date.now() - 20e3;
  const born = (c, n) => {
    c.say('NBIRTH', { timestamp: now(), seq: 0, metrics: [bdSeq(n)] });
    c.say('DBIRTH', { timestamp: now(), seq: 1, metrics: [{ name: 'Level', alias: 1, type: 'Int32', value: 61, timestamp: now() }] }, '/tank1');
  };
  const { c: first } = await raw({ will: 1 });
  born(first, 1);
  await until('the birth', async () => (await last('SPB-LEVEL')).value === 61);
  first.stream.destroy();
  await until('stale', async () => (await last('SPB-LEVEL')).quality === 'stale');
  const { c } = await raw({ will: 2 });
  born(c, 2);
  await until('the same value, good', async () => (await last('SPB-LEVEL')).quality === 'good');
  c.end(true);
});

test('two metrics of a device change aliases with each other', async () => {
  const { c, got } = await raw();
  const t = Date.now() + 1000;
  const born = (seq, level, pump) => c.say('DBIRTH', { timestamp: t + seq, seq, metrics: [{ name: 'Level', alias: level, type: 'Int32', value: 50 + seq, timestamp: t + seq }, { name: 'Pump', alias: pump, type: 'Boolean', value: true, timestamp: t + seq }] }, '/tank1');
  c.subscribe('spBv1.0/county/NCMD/EDGE-1/#');
  c.say('NBIRTH', { timestamp: t, seq: 0, metrics: [bdSeq(9)] });
  born(1, 2, 3);
  born(2, 3, 2);
  c.say('DDATA', { timestamp: t + 3, seq: 3, metrics: [{ alias: 3, value: 77, type: 'Int32', timestamp: t + 3 }] }, '/tank1');
  await until('the level by its new alias', async () => (await last('SPB-LEVEL')).value === 77);
  assert.equal(rebirths(got).length, 0);
  c.end(true);
});

test('another node\'s topic is refused', async () => {
  const { c } = await raw();
  c.publish('spBv1.0/county/NDATA/OTHER', Buffer.from(encodePayload({ timestamp: Date.now(), seq: 0, metrics: [] })));
  await until('the end', () => !c.connected);
  assert.ok((await health()).rejects.topic >= 1);
});
