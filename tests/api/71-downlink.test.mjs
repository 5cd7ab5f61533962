// Commands to devices by the device's own protocol: HJ 212, GB/T 26875.3, JT/T 808, SL 651, GB/T 32960.3 over real TCP. Each is a record that says
// who asked what and what the device answered; it is sent again when the device is silent, expires, and survives a killed core.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

const MN = '010000A8900016F000169DC0', PW = '123456', PHONE = '13800138000', KEY = 'J13800', STATION = '0012345678', VIN = 'LSVAL0000DEMO0001', SOURCE = '0a1b2c3d4e5f';
let s, hj, lorry, station, bus, fire, bureau;

before(async () => {
  s = await Server.start({ doors: ['jt808', 'gb32960', 'sl651'], args: ['--answer-timeout', '2'], copied: true });
  hj = await makeDevice(s, { code: MN, protocol: 'hj212', key: PW, points: [{ code: 'HJ-PH', kind: 'temperature', unit: '', address: 'w01001' }] });
  lorry = await makeDevice(s, { code: PHONE, protocol: 'jt808', key: KEY, points: [
    { code: 'L-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'L-LAT', kind: 'latitude', unit: '°', address: 'lat' }, { code: 'L-SPEED', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }] });
  station = await makeDevice(s, { code: STATION, protocol: 'sl651', key: '011234', points: [{ code: 'R-LEVEL', kind: 'water_level', unit: 'm', address: 'Z' }] });
  bus = await makeDevice(s, { code: VIN, protocol: 'gb32960', keyless: true, points: [{ code: 'E-SPEED', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }] });
  fire = await makeDevice(s, { code: SOURCE, protocol: 'gb26875', keyless: true, points: [{ code: 'GB-FIRE', kind: 'fire_status', unit: '', address: '1.1.fire' }] });
  bureau = hj.bureau;
});
after(() => s.stop());

const ask = async (d, body, who = bureau) => (await who.ok_post(`/api/v1/devices/${d.device.id}/command`, body)).id;
const record = (id) => bureau.ok_get(`/api/v1/records/device_command/${id}`);
const becomes = (id, state, ms) => until(`${state}`, async () => { const r = await record(id); return r.state === state ? r : null; }, ms)
  .catch(async (e) => { throw new Error(`${e.message}\n${JSON.stringify(await record(id))}`); });
const series = async (point, from, to) => (await bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`)).items;
const hex = (n, bytes) => n.toString(16).padStart(2 * bytes, '0');
const china = (t) => new Date(t + 8 * 3600e3).toISOString().replace(/[-T:Z.]/g, ''); // yyyyMMddHHmmssSSS
const local = (t) => china(t).slice(0, 14);

// ---- HJ 212 ---------------------------------------------------------------------------------------

function crc16(text) { // annex A
  let crc = 0xffff;
  for (const b of Buffer.from(text, 'latin1')) {
    crc = (crc >> 8) ^ b;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}

// A data logger that has just sent a reading; asks(): the requests it was sent, each once checked for length and CRC.
async function logger() {
  const c = { got: '' };
  c.sock = connect(s.hj212, '127.0.0.1');
  c.sock.on('data', (d) => { c.got += d.toString('latin1'); });
  c.sock.on('error', () => {});
  c.send = (segment) => c.sock.write(`##${String(segment.length).padStart(4, '0')}${segment}${crc16(segment)}\r\n`);
  c.say = (qn, cn, cp, st = 91) => c.send(`QN=${qn};ST=${st};CN=${cn};PW=${PW};MN=${MN};Flag=4;CP=&&${cp}&&`);
  c.data = (t, value, cn = 2011) => c.send(`QN=${china(Date.now())};ST=32;CN=${cn};PW=${PW};MN=${MN};Flag=4;CP=&&DataTime=${local(t)};w01001-Rtd=${value},w01001-Flag=N&&`);
  c.asks = (cn) => [...c.got.matchAll(/##(\d{4})(QN=(\d{17});ST=(\d+);CN=(\d+);PW=([^;]*);MN=([^;]*);Flag=(\d+);CP=&&(.*?)&&)([0-9A-F]{4})\r\n/g)].map((m) => {
    assert.equal(Number(m[1]), m[2].length);
    assert.equal(m[10], crc16(m[2]));
    return { qn: m[3], st: m[4], cn: Number(m[5]), pw: m[6], mn: m[7], flag: m[8], cp: m[9] };
  }).filter((m) => m.cn === cn);
  c.asked = (cn, n = 1) => until(`request ${cn}`, () => c.asks(cn).length >= n && c.asks(cn)[n - 1]);
  c.close = () => new Promise((ok) => { c.sock.on('close', ok); c.sock.destroy(); });
  const t = Math.floor(Date.now() / 1000) * 1000;
  c.data(t, 7);
  await until('its reading', async () => (await series('HJ-PH', t, t + 1000)).length);
  return c;
}

test('what can be asked comes from the protocol, and the names are those of the menu', async () => {
  const kinds = {};
  const mqtt = await makeDevice(s, { code: 'DL-MQTT', points: [{ code: 'DL-P', kind: 'temperature', unit: '℃' }] });
  for (const [name, d] of Object.entries({ mqtt, hj, lorry, station, bus, fire }))
    kinds[name] = (await bureau.ok_get(`/api/v1/devices/${d.device.id}/commands`)).items;
  assert.deepEqual(kinds.mqtt.map((k) => k.kind), ['payload']);
  assert.deepEqual(kinds.hj.map((k) => k.kind), ['time_set', 'time_get', 'interval_set', 'interval_get', 'minute_set', 'minute_get', 'query_now', 'realtime_stop', 'query_history', 'instrument_id', 'instrument_log', 'instrument_info']);
  assert.deepEqual(kinds.hj.find((k) => k.kind === 'instrument_info').params, [{ name: 'element' }, { name: 'info' }]);
  assert.deepEqual(kinds.hj.find((k) => k.kind === 'interval_set').params, [{ name: 'seconds', min: 30, max: 3600, step: 1 }]);
  const menu = (await bureau.ok_get('/api/v1/types/device_command')).fields.find((f) => f.name === 'kind');
  const items = (menu.items || menu.menu?.items || menu.options).map((i) => i.value ?? i.name);
  assert.deepEqual([...new Set(Object.values(kinds).flat().map((k) => k.kind))].sort(), [...items].sort());
});

test('HJ 212: the clock is set in two steps, and the record says who, when and what was answered', async () => {
  const c = await logger();
  const id = await ask(hj, { kind: 'time_set' });
  const q = await c.asked(1012);
  assert.deepEqual([q.st, q.pw, q.mn, q.flag], ['32', PW, MN, '5']);
  const at = /^SystemTime=(\d{14})$/.exec(q.cp)[1];
  assert.ok(Math.abs(Date.parse(at.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6+08:00')) - Date.now()) < 30e3, at);
  await becomes(id, 'sent');
  c.say(q.qn, 9011, 'QnRtn=1');
  await becomes(id, 'confirmed');
  c.say(q.qn, 9012, 'ExeRtn=1');
  const r = await becomes(id, 'executed');
  assert.match(r.answer, /^ExeRtn=1 /);
  assert.equal(r.code, 1);
  assert.equal(r.created_by.id, bureau.me.id);
  assert.equal(r.device.id, hj.device.id);
  assert.ok(r.sent_at && r.answered_at);
  const history = (await bureau.ok_get(`/api/v1/records/device_command/${id}/history`)).items;
  assert.deepEqual(history.map((h) => h.action), ['move:execute', 'move:confirm', 'move:send', 'create']);
  assert.equal(history.at(-1).actor.id, bureau.me.id);
  await c.close();
});

test('HJ 212: a refusal is one, with the device\'s code; what was read is the answer; one thing at a time', async () => {
  const c = await logger();
  const set = await ask(hj, { kind: 'interval_set', seconds: 30 }), get = await ask(hj, { kind: 'interval_get' });
  const q = await c.asked(1062);
  assert.equal(q.cp, 'RtdInterval=30');
  assert.equal((await record(get)).state, 'queued');
  assert.equal(c.asks(1061).length, 0);
  c.say(q.qn, 9011, 'QnRtn=2');
  const r = await becomes(set, 'refused');
  assert.equal(r.code, 2);
  assert.match(r.answer, /QnRtn=2.*refused/);
  const g = await c.asked(1061);
  c.say('20200101000000000', 9012, 'ExeRtn=1'); // of something else
  c.say(g.qn, 9011, 'QnRtn=1');
  c.say(g.qn, 1061, 'RtdInterval=60', 32);
  assert.match((await becomes(get, 'executed')).answer, /RtdInterval=60/);
  c.say(g.qn, 9012, 'ExeRtn=1'); // too much is harmless
  const now = await ask(hj, { kind: 'query_now' });
  const n = await c.asked(2011);
  c.say(n.qn, 9011, 'QnRtn=1');
  await becomes(now, 'executed');
  const stop = await ask(hj, { kind: 'realtime_stop' });
  c.say((await c.asked(2012)).qn, 9013, '');
  await becomes(stop, 'executed');
  const instrument = await ask(hj, { kind: 'instrument_id', element: 'w01018' });
  const who = await c.asked(3019);
  assert.equal(who.cp, 'PolId=w01018');
  c.say(who.qn, 9011, 'QnRtn=1');
  c.say(who.qn, 3019, 'PolId=w01018;w01018-SN=010000A8900016F000169DC1', 32);
  assert.match((await becomes(instrument, 'executed')).answer, /w01018-SN=010000A8900016F000169DC1/);
  const setting = await ask(hj, { kind: 'instrument_info', element: 'w01018', info: 'i13004' });
  const which = await c.asked(3020);
  assert.equal(which.cp, 'PolId=w01018;InfoId=i13004');
  c.say(which.qn, 3020, `DataTime=${local(Date.now())};PolId=w01018;i13004-Info=168.0`, 32);
  assert.match((await becomes(setting, 'executed')).answer, /i13004-Info=168\.0/);
  await c.close();
});

test('what the protocol does not have or allow is refused before anything is sent', async () => {
  const refused = async (d, body, status, field) => {
    const r = await bureau.post(`/api/v1/devices/${d.device.id}/command`, body);
    assert.equal(r.status, status, r.text);
    assert.equal(r.json.error.field, field, r.text);
  };
  const before = (await bureau.ok_get('/api/v1/records/device_command?size=1')).total;
  await refused(hj, { kind: 'interval_set', seconds: 10 }, 400, 'seconds');
  await refused(hj, { kind: 'interval_set' }, 400, 'seconds');
  await refused(hj, { kind: 'heartbeat_set', seconds: 30 }, 409, 'kind');
  await refused(hj, { kind: 'instrument_id', element: 'w01018;x' }, 400, 'element');
  await refused(hj, { kind: 'instrument_info', element: 'w01018' }, 400, 'info');
  await refused(hj, { kind: 'dance' }, 400, 'kind');
  await refused(lorry, { kind: 'time_set' }, 409, 'kind');
  await refused(hj, { kind: 'query_history', since: '2026-01-01T00:00:00Z', until: '2025-01-01T00:00:00Z', span: 'hour' }, 400, 'until');
  await refused(hj, { kind: 'query_history', since: new Date(Date.now() - 40 * 86400e3).toISOString(), until: new Date().toISOString(), span: 'hour' }, 400, 'until');
  await refused(station, { kind: 'interval_set', seconds: 4000 }, 400, 'seconds');
  await refused(station, { kind: 'query_history', since: new Date(Date.now() - 7200e3).toISOString(), until: new Date().toISOString(), span: 'hour' }, 400, 'element');
  await refused(hj, { payload: 'x' }, 409, 'kind');
  assert.equal((await bureau.ok_get('/api/v1/records/device_command?size=1')).total, before);
});

test('a record made like any other is a command too, or says why it is none', async () => {
  const c = await logger();
  const r = await bureau.ok_post('/api/v1/records/device_command', { device: hj.device.id, kind: 'time_get' });
  const q = await c.asked(1011);
  c.say(q.qn, 1011, 'SystemTime=20260801085857', 32);
  assert.match((await becomes(r.id, 'executed')).answer, /SystemTime=20260801085857/);
  const bad = await bureau.ok_post('/api/v1/records/device_command', { device: hj.device.id, kind: 'heartbeat_set', seconds: 5 });
  assert.match((await becomes(bad.id, 'refused')).answer, /协议没有/);
  assert.equal((await bureau.post(`/api/v1/records/device_command/${r.id}/moves/expire`, {})).status >= 400, true); // only the platform moves it
  await c.close();
});

test('a device that is silent is asked three times under one number; then the command has expired', async () => {
  const c = await logger();
  const id = await ask(hj, { kind: 'time_get' });
  const r = await becomes(id, 'expired');
  assert.match(r.answer, /no answer/);
  const asks = c.asks(1011);
  assert.equal(asks.length, 3);
  assert.equal(new Set(asks.map((q) => q.qn)).size, 1);
  await c.close();
});

test('history that was asked for merges: what is there already is not doubled, and no gap remains', async () => {
  const c = await logger();
  const from = Math.floor(Date.now() / 3600e3) * 3600e3 - 7200e3, minute = (i) => from + i * 60e3;
  for (const i of [0, 1, 4]) c.data(minute(i), i, 2051); // two were lost
  await until('what arrived', async () => (await series('HJ-PH', from, minute(5))).length === 3);
  const id = await ask(hj, { kind: 'query_history', since: new Date(from).toISOString(), until: new Date(minute(5)).toISOString(), span: 'minute' });
  const q = await c.asked(2051);
  assert.equal(q.cp, `BeginTime=${local(from)};EndTime=${local(minute(5))}`);
  c.say(q.qn, 9011, 'QnRtn=1');
  for (const i of [0, 1, 2, 3, 4]) c.say(q.qn, 2051, `DataTime=${local(minute(i))};w01001-Rtd=${i},w01001-Flag=N`, 32);
  c.say(q.qn, 9012, 'ExeRtn=1');
  await becomes(id, 'executed');
  await until('all of it', async () => (await series('HJ-PH', from, minute(5))).length === 5);
  assert.deepEqual((await series('HJ-PH', from, minute(5))).map((r) => r[1]), [0, 1, 2, 3, 4]);
  await c.close();
});

// The core is the child with many threads.
function corePid() {
  for (const p of readdirSync('/proc')) {
    if (!/^\d+$/.test(p)) continue;
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === s.child.pid && readdirSync(`/proc/${p}/task`).length > 1) return Number(p);
    } catch { /* gone */ }
  }
  throw new Error('no core');
}

test('a killed core forgets no command: what waited is sent, what was sent is sent again', async () => {
  const c = await logger();
  const waits = (await bureau.ok_post(`/api/v1/devices/${lorry.device.id}/command`, { kind: 'query_now' })).id; // it is not there
  const sent = await ask(hj, { kind: 'interval_get' });
  const first = await c.asked(1061);
  process.kill(corePid(), 'SIGKILL');
  await until('the core to be back', () => s.probe(), 60000);
  const again = await c.asked(1061, c.asks(1061).length + 1);
  assert.equal(again.qn, first.qn); // the gate lives: the same question once more
  c.say(again.qn, 1061, 'RtdInterval=60', 32);
  await becomes(sent, 'executed');
  const t = terminal();
  await t.authenticate();
  const q = await t.asked(0x8201);
  t.send(0x0201, hex(q.seq, 2) + position(Math.floor(Date.now() / 1000) * 1000));
  await becomes(waits, 'executed');
  t.sock.destroy();
  await c.close();
});

// ---- JT/T 808 -------------------------------------------------------------------------------------

function terminal() { // of 2013
  const c = { seq: 0, raw: Buffer.alloc(0) };
  c.sock = connect(s.jt808, '127.0.0.1');
  c.sock.on('data', (d) => { c.raw = Buffer.concat([c.raw, d]); });
  c.sock.on('error', () => {});
  c.send = (id, body = '') => {
    const plain = Buffer.from(hex(id, 2) + hex(body.length / 2, 2) + PHONE.padStart(12, '0') + hex(++c.seq, 2) + body, 'hex');
    const out = [...plain, plain.reduce((a, b) => a ^ b, 0)].flatMap((b) => (b === 0x7e ? [0x7d, 2] : b === 0x7d ? [0x7d, 1] : [b]));
    c.sock.write(Buffer.from([0x7e, ...out, 0x7e]));
  };
  c.messages = () => c.raw.toString('hex').match(/7e(?:(?!7e)..)+7e/g)?.map((m) => {
    const plain = Buffer.from(m.slice(2, -2).replace(/(..)/g, '$1 ').replace(/7d 02/g, '7e').replace(/7d 01/g, '7d').replace(/ /g, ''), 'hex');
    assert.equal(plain.reduce((a, b) => a ^ b, 0), 0, 'checksum of the server');
    return { id: plain.readUInt16BE(0), seq: plain.readUInt16BE(10), body: plain.subarray(12, -1).toString('hex') };
  }) ?? [];
  c.asked = (id) => until(`message ${hex(id, 2)}`, () => c.messages().findLast((m) => m.id === id));
  c.authenticate = async () => {
    c.send(0x0102, Buffer.from(KEY).toString('hex'));
    await until('the authentication', () => c.messages().some((m) => m.id === 0x8001 && m.body.endsWith('010200')));
  };
  return c;
}
const position = (t) => hex(0, 4) + hex(3, 4) + hex(31298886, 4) + hex(120585316, 4) + '000c' + hex(456, 2) + '005a' + china(t).slice(2, 14);

test('JT/T 808: parameters are set and read, the position asked for is a reading; a terminal that cannot says so', async () => {
  const c = terminal();
  await c.authenticate();
  const set = await ask(lorry, { kind: 'interval_set', seconds: 300 });
  let q = await c.asked(0x8103);
  assert.equal(q.body, '01' + '00000029' + '04' + '0000012c');
  c.send(0x0001, hex(q.seq ^ 1, 2) + '8103' + '00'); // of another message
  c.send(0x0001, hex(q.seq, 2) + '8103' + '00');
  assert.match((await becomes(set, 'executed')).answer, /^0001 0/);
  const beat = await ask(lorry, { kind: 'heartbeat_set', seconds: 60 });
  q = await until('another', () => c.messages().find((m) => m.id === 0x8103 && m.body.includes('00000001040000003c')));
  c.send(0x0001, hex(q.seq, 2) + '8103' + '03');
  const r = await becomes(beat, 'refused');
  assert.equal(r.code, 3);
  const get = await ask(lorry, { kind: 'interval_get' });
  q = await c.asked(0x8104);
  c.send(0x0104, hex(q.seq, 2) + '02' + '00000001' + '04' + '0000003c' + '00000029' + '04' + '0000012c');
  assert.match((await becomes(get, 'executed')).answer, /0029=300 s/);
  const now = await ask(lorry, { kind: 'query_now' }), t = Math.floor(Date.now() / 1000) * 1000 - 3000;
  q = await c.asked(0x8201);
  c.send(0x0001, hex(q.seq, 2) + '8201' + '00');
  c.send(0x0201, hex(q.seq, 2) + position(t));
  assert.match((await becomes(now, 'executed')).answer, /31\.298886, 120\.585316/);
  assert.equal((await series('L-LON', t, t + 1000))[0][1], 120.585316);
  const restart = await ask(lorry, { kind: 'restart' });
  q = await c.asked(0x8105);
  assert.equal(q.body, '04');
  c.send(0x0001, hex(q.seq, 2) + '8105' + '00');
  await becomes(restart, 'executed');
  c.sock.destroy();
});

// ---- SL 651, GB/T 32960.3 -------------------------------------------------------------------------

function modbusCrc(bytes) {
  let c = 0xffff;
  for (const b of bytes) {
    c ^= b;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >> 1) ^ 0xa001 : c >> 1;
  }
  return Buffer.from([c >> 8, c & 255]);
}

test('SL 651: clock, interval of the timed report, present level, level of a period', async () => {
  const c = { got: Buffer.alloc(0) };
  c.sock = connect(s.sl651, '127.0.0.1');
  c.sock.on('data', (d) => { c.got = Buffer.concat([c.got, d]); });
  c.send = (fn, body) => {
    const text = `0001${china(Date.now()).slice(2, 14)}${body}`;
    const b = Buffer.from(`7e7e01${STATION}1234${hex(fn, 1)}${hex(text.length / 2, 2)}02${text}03`, 'hex');
    c.sock.write(Buffer.concat([b, modbusCrc(b)]));
  };
  // down: 7E7E station centre password function 8LLL 02 serial time … 05 CRC
  c.asked = (fn) => until(`question ${hex(fn, 1)}`, () => {
    const m = new RegExp(`7e7e${STATION}011234${hex(fn, 1)}8(...)02(.*)`).exec(c.got.toString('hex'));
    const n = m && 2 * parseInt(m[1], 16);
    if (!m || m[2].length < n + 6) return null;
    const body = m[2].slice(0, n), whole = Buffer.from(m[0].slice(0, m[0].length - m[2].length + n + 6), 'hex');
    assert.equal(m[2].slice(n, n + 2), '05');
    assert.deepEqual(modbusCrc(whole.subarray(0, -2)), whole.subarray(-2));
    return { time: body.slice(4, 16), more: body.slice(16) };
  });
  const head = `f1f1${STATION}48f0f0${china(Date.now()).slice(2, 12)}`;
  c.send(0x32, `${head}3923000104903812 1203`.replace(/ /g, ''));
  const clock = await ask(station, { kind: 'time_set' });
  const q = await c.asked(0x4a);
  assert.ok([0, 60e3].some((ago) => q.time.slice(0, 8) === china(Date.now() - ago).slice(2, 10)), q.time);
  c.send(0x4a, `f1f1${STATION}`);
  await becomes(clock, 'executed');
  const set = await ask(station, { kind: 'interval_set', seconds: 6 * 3600 });
  assert.equal((await c.asked(0x42)).more, '200806');
  c.send(0x42, `f1f1${STATION}200806`);
  assert.match((await becomes(set, 'executed')).answer, /20H=6 h/);
  const now = await ask(station, { kind: 'query_now' });
  assert.equal((await c.asked(0x37)).more, '');
  c.send(0x37, `${head}392300010500`);
  await becomes(now, 'executed');
  const from = Math.floor(Date.now() / 3600e3) * 3600e3 - 3 * 3600e3, until_ = from + 2 * 3600e3;
  const past = await ask(station, { kind: 'query_history', since: new Date(from).toISOString(), until: new Date(until_).toISOString(), span: 'hour', element: '3923' });
  assert.equal((await c.asked(0x38)).more, `${china(from).slice(2, 10)}${china(until_).slice(2, 10)}0418000100` + '3923');
  c.send(0x38, `f1f1${STATION}48f0f0${china(from).slice(2, 12)}0418000100` + '3923' + '00010490' + '00010500' + '00010510');
  await becomes(past, 'executed');
  assert.deepEqual((await series('R-LEVEL', from, until_ + 1)).map((r) => r[1]), [10.49, 10.5, 10.51]);
  c.sock.destroy();
});

test('GB/T 26875.3: the clock is set by a control, confirmed or denied', async () => {
  let got = Buffer.alloc(0);
  const sock = connect(s.gb26875, '127.0.0.1');
  sock.on('data', (d) => { got = Buffer.concat([got, d]); });
  const time = china(Date.now()).slice(2, 14).match(/../g).map((x) => hex(Number(x), 1)).reverse().join('');
  const frame = (seq, command, unit = '') => { // @@ number versions time source destination length command unit sum ##
    const b = Buffer.from(`${seq}0105${time}${SOURCE}020000000000${hex(unit.length / 2, 1)}00${hex(command, 1)}${unit}`, 'hex');
    return Buffer.concat([Buffer.from('@@'), b, Buffer.from([b.reduce((x, y) => (x + y) & 255, 0)]), Buffer.from('##')]);
  };
  sock.write(frame('0100', 2, `150101${time}`)); // its sign of life, type 21
  const asked = (n) => until('the control', () => [...got.toString('hex').matchAll(new RegExp(`4040(....)0105(............)020000000000${SOURCE}0800015a01(............)..2323`, 'g'))][n]);
  const yes = await ask(fire, { kind: 'time_set' });
  const q = await asked(0);
  assert.equal(q[3].slice(6), time.slice(6)); // day, month, year
  sock.write(frame(q[1], 3));
  await becomes(yes, 'executed');
  const no = await ask(fire, { kind: 'time_set' });
  sock.write(frame((await asked(1))[1], 6));
  assert.match((await becomes(no, 'refused')).answer, /denied/);
  sock.destroy();
});

test('GB/T 32960.3: the interval of the reports is set and read', async () => {
  let got = Buffer.alloc(0);
  const sock = connect(s.gb32960, '127.0.0.1');
  sock.on('data', (d) => { got = Buffer.concat([got, d]); });
  const packet = (command, response, data) => {
    const b = Buffer.from(hex(command, 1) + hex(response, 1) + Buffer.from(VIN).toString('hex') + '01' + hex(data.length / 2, 2) + data, 'hex');
    return Buffer.concat([Buffer.from('##'), b, Buffer.from([b.reduce((x, y) => x ^ y, 0)])]);
  };
  const time = china(Date.now()).slice(2, 14).match(/../g).map((x) => hex(Number(x), 1)).join('');
  const asked = (command, rest) => until(`command ${hex(command, 1)}`, () =>
    new RegExp(`2323${hex(command, 1)}fe${Buffer.from(VIN).toString('hex')}01....(............)${rest}`).exec(got.toString('hex')), 20000);
  sock.write(packet(7, 0xfe, ''));
  const set = await ask(bus, { kind: 'interval_set', seconds: 300 });
  const q = await asked(0x81, '0102012c');
  sock.write(packet(0x81, 1, q[1]));
  await becomes(set, 'executed');
  const get = await ask(bus, { kind: 'interval_get' });
  await asked(0x80, '0102');
  sock.write(packet(0x80, 1, `${time}0102012c`));
  assert.match((await becomes(get, 'executed')).answer, /02=300 s/);
  const beat = await ask(bus, { kind: 'heartbeat_set', seconds: 240 });
  await asked(0x81, '0109f0');
  sock.write(packet(0x81, 2, time));
  await becomes(beat, 'refused');
  const again = await ask(bus, { kind: 'restart' });
  await asked(0x82, '03');
  sock.write(packet(0x82, 1, time));
  assert.match((await becomes(again, 'executed')).answer, /^82 /);
  // One that restarts before it answers is not sent the command again when it is back: it would restart for ever.
  const restarts = () => got.toString('hex').split(`232382fe${Buffer.from(VIN).toString('hex')}`).length - 1;
  const third = await ask(bus, { kind: 'restart' });
  await until('the second restart', () => restarts() === 2, 20000);
  await becomes(third, 'sent');
  sock.destroy();
  const back = connect(s.gb32960, '127.0.0.1');
  back.on('data', (d) => { got = Buffer.concat([got, d]); });
  back.write(packet(7, 0xfe, ''));
  assert.match((await becomes(third, 'executed')).answer, /connected again/);
  const then = await ask(bus, { kind: 'interval_get' }); // whatever was still to be sent comes before it
  await until('the interval asked for', () => got.toString('hex').split(`232380fe${Buffer.from(VIN).toString('hex')}`).length === 3, 20000);
  assert.equal(restarts(), 2);
  back.write(packet(0x80, 1, `${time}0102012c`));
  await becomes(then, 'executed');
  back.destroy();
});

// ---- who ------------------------------------------------------------------------------------------

test('who may not manage devices may not command them; the audit has it all', async () => {
  for (const role of ['enterprise', 'town']) {
    const who = await s.as(role);
    assert.ok([403, 404].includes((await who.post(`/api/v1/devices/${hj.device.id}/command`, { kind: 'time_set' })).status), role);
    assert.ok([403, 404].includes((await who.get(`/api/v1/devices/${hj.device.id}/commands`)).status), role);
    assert.ok([403, 404].includes((await who.post('/api/v1/records/device_command', { device: hj.device.id, kind: 'time_set' })).status), role);
  }
  const admin = await s.as('admin'); // makes keys; asking is business
  assert.deepEqual((await admin.ok_get(`/api/v1/devices/${hj.device.id}/commands`)).items, []);
  assert.equal((await admin.post(`/api/v1/devices/${hj.device.id}/command`, { kind: 'time_set' })).status, 403);
  const auditor = await s.as('auditor');
  const device = (await auditor.ok_get(`/api/v1/audit?type=device&record=${hj.device.id}&size=100`)).items.filter((e) => e.action === 'device.command');
  const kinds = device.map((e) => (typeof e.detail === 'string' ? JSON.parse(e.detail) : e.detail).kind);
  for (const k of ['time_set', 'interval_set', 'query_history']) assert.ok(kinds.includes(k), k);
  const all = (await auditor.ok_get('/api/v1/audit?type=device_command&size=200')).items.map((e) => e.action);
  for (const a of ['create', 'move:send', 'move:confirm', 'move:execute', 'move:refuse', 'move:expire']) assert.ok(all.includes(a), a);
  assert.equal((await auditor.ok_get('/api/v1/audit/verify')).ok, true);
});
