// A maker's own messages by a declared template: chosen at the device, read over HTTP and MQTT alike, changed while devices are connected.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import mqttjs from 'mqtt';
import { makeDevice, root, Server, until } from '../lib/server.mjs';

const run = promisify(execFile);
let s, http, mqtt, own;
const local = (t) => new Date(t + 8 * 3600e3).toISOString().slice(0, 19).replace(/[-T:]/g, '');
const series = async (point, t) => (await http.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(t - 1000).toISOString())}`)).items;
const post = (d, code, body) => s.call('POST', '/api/v1/readings', body, { headers: { Authorization: `Device ${code}:${d.key}` } });
const publish = (code, key, text) => run('mosquitto_pub', ['-V', 'mqttv5', '-h', '127.0.0.1', '-p', String(s.mqtt), '-q', '1', '-u', code, '-P', key, '-t', `anlan/v1/${code}/readings`, '-m', text]);

const TEMPLATE = `payload: gas_host
label: {zh: 气体报警主机, en: Gas alarm host}
form: delimited
start: "$GAS,"
time: {at: 1, as: YYYYMMDDhhmmss}
points: [{at: 3, point: "{2}", scale: 0.1, quality: 4}]
qualities: {OK: good, FAULT: bad}
examples:
  - {text: "$GAS,20260621081034,CH4,125,OK", time: "2026-06-21T08:10:34+08:00", gives: {CH4: 12.5}}
`;

// What an older controller sends: text in GBK.
const GBK = `payload: pump_gbk
label: {zh: 泵站控制器, en: Controller of pumps}
form: pairs
charset: gb18030
time: arrival
points: [{at: 水泵, point: P-1}]
words: {运行: 1, 停止: 0}
examples: [{text: "水泵=运行", gives: {P-1: 1}}]
`;
const RUNS = Buffer.from('cbaeb1c33dd4cbd0d0', 'hex'); // 水泵=运行 in GBK

before(async () => {
  s = new Server();
  const dir = mkdtempSync(join(tmpdir(), 'anlan-'));
  own = join(dir, 'packs', 'county', 'payloads');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'gas_host.yaml'), TEMPLATE);
  writeFileSync(join(own, 'pump_gbk.yaml'), GBK);
  await s.begin({ dir, copied: true });
  s.keepDir = false;
  http = await makeDevice(s, { code: 'TPL-HTTP', protocol: 'http', template: 'gas_host', points: [{ code: 'TPL-1', kind: 'combustible_gas', unit: '%LEL', address: 'CH4' }, { code: 'TPL-2', kind: 'co', unit: 'ppm', address: 'CO', scale: 2 }] });
  mqtt = await makeDevice(s, { code: 'TPL-MQTT', protocol: 'mqtt', template: 'gas_host', points: [{ code: 'TPL-M1', kind: 'combustible_gas', unit: '%LEL', address: 'CH4' }] });
});
after(() => s.stop());

test('the menu of the device offers the templates of all packs', async () => {
  const t = await http.bureau.ok_get('/api/v1/types/device');
  assert.ok(JSON.stringify(t).includes('"gas_host"'), 'the county\'s own template is offered');
  const r = await http.bureau.post('/api/v1/records/device', { code: 'TPL-X', name: '设备', enterprise: http.enterprise.id, protocol: 'http', template: 'no_such' });
  assert.equal(r.status, 400);
});

test('over HTTP: lines of the maker become readings; what is wrong is told by point', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 20000;
  const r = await post(http, 'TPL-HTTP', `$GAS,${local(t)},CH4,125,OK\r\n$GAS,${local(t)},CO,30,OK\n$GAS,${local(t + 1000)},CO,0,FAULT\n$GAS,${local(t)},H2S,1,OK\n$GAS,${local(t + 2000)},CO,x,OK\n`);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.json.accepted, 3);
  assert.deepEqual(r.json.rejected.map((x) => [x.point, x.reason]), [['H2S', 'unknown_point'], ['CO', 'value']]);
  assert.deepEqual((await series('TPL-1', t)).map((x) => x[1]), [12.5]);
  assert.deepEqual((await series('TPL-2', t)).map((x) => [x[1], x[2]]), [[6, 'good'], [0, 'bad']]);
});

test('a device with a template is read by it alone: our own JSON is refused with what is wrong', async () => {
  const r = await s.call('POST', '/api/v1/readings', [{ point: 'TPL-1', time: new Date().toISOString(), value: 1 }], { headers: { Authorization: `Device TPL-HTTP:${http.key}` }, lang: 'en' });
  assert.equal(r.status, 400);
  assert.match(r.text, /start/);
});

test('text in GBK is read by a template that says so, over HTTP and MQTT', async () => {
  const d = await makeDevice(s, { code: 'TPL-GBK', protocol: 'mqtt', template: 'pump_gbk', points: [{ code: 'TPL-P', kind: 'combustible_gas', unit: '%LEL', address: 'P-1' }] });
  const from = Date.now() - 5000, client = mqttjs.connect(`mqtt://127.0.0.1:${s.mqtt}`, { username: 'TPL-GBK', password: d.key, protocolVersion: 5 });
  await new Promise((done, fail) => client.publish('anlan/v1/TPL-GBK/readings', RUNS, { qos: 1 }, (e) => (e ? fail(e) : done())));
  client.end();
  assert.deepEqual((await series('TPL-P', from)).map((x) => x[1]), [1]);
  const r = await fetch(`${s.url}/api/v1/readings`, { method: 'POST', headers: { Authorization: `Device TPL-GBK:${d.key}` }, body: Buffer.concat([RUNS, Buffer.from('\n')]) });
  assert.deepEqual([r.status, (await r.json()).accepted], [200, 1]);
});

test('over MQTT: the gate reads with the template that came with the welcome', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 20000;
  await publish('TPL-MQTT', mqtt.key, `$GAS,${local(t)},CH4,50,OK`);
  assert.deepEqual((await series('TPL-M1', t)).map((x) => x[1]), [5]);
  await publish('TPL-MQTT', mqtt.key, 'something else');
  const h = (await mqtt.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'TPL-MQTT');
  assert.ok(h.rejects.syntax >= 1);
});

test('another template at a connected device counts from its next message on', async () => {
  const c = mqttjs.connect(`mqtt://127.0.0.1:${s.mqtt}`, { username: 'TPL-MQTT', password: mqtt.key, protocolVersion: 5, reconnectPeriod: 0 });
  await new Promise((ok, bad) => { c.once('connect', ok); c.once('error', bad); });
  const send = (text) => new Promise((ok, bad) => c.publish('anlan/v1/TPL-MQTT/readings', text, { qos: 1 }, (e) => (e ? bad(e) : ok(true))));
  const t = Math.floor(Date.now() / 1000) * 1000 - 10000;
  await send(`$GAS,${local(t)},CH4,60,OK`);
  const now = await mqtt.bureau.ok_get(`/api/v1/records/device/${mqtt.device.id}`), point = await mqtt.bureau.ok_get(`/api/v1/records/point/${mqtt.points[0].id}`);
  await mqtt.bureau.ok_patch(`/api/v1/records/device/${mqtt.device.id}`, { version: now.version, template: 'people_positions' });
  await mqtt.bureau.ok_patch(`/api/v1/records/point/${point.id}`, { version: point.version, address: 'Z3.count' });
  await until('the new template', async () => {
    await send(JSON.stringify({ time: new Date(t + 1000).toISOString(), zones: [{ zone: 'Z3', count: 4 }] })).catch(() => {});
    return (await series('TPL-M1', t)).length === 2;
  });
  await new Promise((ok) => c.end(false, {}, ok));
  assert.deepEqual((await series('TPL-M1', t)).map((x) => x[1]), [6, 4]);
});

test('anlan check says where a template is wrong; anlan decode tries one', () => {
  writeFileSync(join(own, 'bad.yaml'), TEMPLATE.replace('gas_host', 'bad').replace('CH4: 12.5', 'CH4: 125'));
  const bin = process.env.ANLAN_BIN || join(root, 'build', 'anlan');
  const check = spawnSync(bin, ['check', '--lang', 'en', join(s.dir, 'packs')], { encoding: 'utf8', cwd: root });
  assert.equal(check.status, 1);
  assert.match(check.stdout, /bad\.yaml:9:\d+: the example gives CH4 = 12\.5/);
  writeFileSync(join(own, 'bad.yaml'), '');
  const decode = spawnSync(bin, ['decode', 'template:gas_host', '--packs', join(s.dir, 'packs')], { encoding: 'utf8', cwd: root, input: '$GAS,20260621081034,CH4,125,OK\n' });
  assert.deepEqual(JSON.parse(decode.stdout), { readings: [{ point: 'CH4', time: '2026-06-21T08:10:34+08:00', value: 12.5, quality: 'good' }] });
});
