// Vehicles over real TCP: JT/T 808-2013 and 2019, GB/T 32960.3-2016. A terminal authenticates with its key, its positions are history before
// they are acknowledged, what it kept in a blind area comes as back-fill, and nobody else speaks for it.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

const PHONE = '13800138000', KEY = 'J13800';
let s, lorry;

before(async () => {
  s = await Server.start({ doors: ['jt808', 'gb32960'] });
  lorry = await makeDevice(s, { code: PHONE, protocol: 'jt808', key: KEY, points: [
    { code: 'L-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'L-LAT', kind: 'latitude', unit: '°', address: 'lat' },
    { code: 'L-SPEED', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }, { code: 'L-SOS', kind: 'vehicle_alarm', unit: '', address: 'alarm.sos' }] });
});
after(() => s.stop());

const hex = (n, bytes) => n.toString(16).padStart(2 * bytes, '0');
const china = (t) => new Date(t + 8 * 3600e3).toISOString().replace(/[-T:Z]/g, '').slice(2, 14); // yyMMddHHmmss

// A terminal of either edition; messages() are the server's, whole and unescaped: { id, body }.
function terminal(phone, edition = 2013) {
  const c = { closed: false, seq: 0, raw: Buffer.alloc(0) };
  c.sock = connect(s.jt808, '127.0.0.1');
  c.sock.on('data', (d) => { c.raw = Buffer.concat([c.raw, d]); });
  c.sock.on('close', () => { c.closed = true; });
  c.sock.on('error', () => {});
  c.send = (id, body = '', part = null) => {
    const attr = body.length / 2 | (edition === 2019 ? 1 << 14 : 0) | (part ? 1 << 13 : 0);
    const plain = Buffer.from(hex(id, 2) + hex(attr, 2) + (edition === 2019 ? '01' : '') + phone.padStart(edition === 2019 ? 20 : 12, '0') +
      hex(++c.seq, 2) + (part ? hex(part[0], 2) + hex(part[1], 2) : '') + body, 'hex');
    const sum = plain.reduce((a, b) => a ^ b, 0);
    const out = [...plain, sum].flatMap((b) => (b === 0x7e ? [0x7d, 2] : b === 0x7d ? [0x7d, 1] : [b]));
    c.sock.write(Buffer.from([0x7e, ...out, 0x7e]));
    return c.seq;
  };
  c.messages = () => c.raw.toString('hex').match(/7e(?:(?!7e)..)+7e/g)?.map((m) => {
    const plain = Buffer.from(m.slice(2, -2).replace(/(..)/g, '$1 ').replace(/7d 02/g, '7e').replace(/7d 01/g, '7d').replace(/ /g, ''), 'hex');
    assert.equal(plain.reduce((a, b) => a ^ b, 0), 0, 'checksum of the server');
    return { id: plain.readUInt16BE(0), body: plain.subarray(edition === 2019 ? 17 : 12, -1).toString('hex') };
  }) ?? [];
  c.acked = (seq, id, result = 0) => until(`the acknowledgement of ${seq}`, () => c.messages().find((m) => m.id === 0x8001 && m.body === hex(seq, 2) + hex(id, 2) + hex(result, 1)));
  c.authenticate = async (key = KEY) => {
    const code = Buffer.from(key).toString('hex');
    await c.acked(c.send(0x0102, edition === 2019 ? hex(key.length, 1) + code + Buffer.from('860000000000001').toString('hex') + '00'.repeat(20) : code), 0x0102);
  };
  return c;
}
const position = (t, { alarm = 0, status = 3, lon = 120.585316, lat = 31.298886, speed = 45.6 } = {}) =>
  hex(alarm, 4) + hex(status, 4) + hex(Math.round(lat * 1e6), 4) + hex(Math.round(lon * 1e6), 4) + '000c' + hex(Math.round(speed * 10), 2) + '005a' + china(t) + '010400003039';

const health = async (code) => (await lorry.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === code);
const series = async (point, t) => (await lorry.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(t).toISOString())}&to=${encodeURIComponent(new Date(t + 60e3).toISOString())}`)).items;
const second = () => Math.floor(Date.now() / 1000) * 1000;

test('a position is history when it is acknowledged, its alarm bits too', async () => {
  const t = second() - 5000, c = terminal(PHONE);
  await c.authenticate();
  await c.acked(c.send(0x0200, position(t, { alarm: 1 })), 0x0200);
  assert.equal((await series('L-LON', t))[0][1], 120.585316);
  assert.equal((await series('L-LAT', t))[0][1], 31.298886);
  assert.equal((await series('L-SPEED', t))[0][1], 45.6);
  assert.equal((await series('L-SOS', t))[0][1], 1);
  await c.acked(c.send(0x0002), 0x0002);
  c.send(0x0004);
  const time = await until('the time', () => c.messages().find((m) => m.id === 0x8004));
  assert.equal(time.body.slice(0, 8), china(Date.now()).slice(0, 8));
  const h = await health(PHONE);
  assert.equal(h.protocol, 'jt808');
  assert.equal(h.online, true);
  c.sock.destroy();
});

test('a terminal of 2019 has the same code; a fix that is none is bad; the blind area is back-filled', async () => {
  const t = second() - 3600e3, c = terminal(PHONE, 2019);
  await c.authenticate();
  await c.acked(c.send(0x0200, position(t, { status: 1 })), 0x0200);
  const bad = (await series('L-LON', t))[0];
  assert.ok(bad.length > 2 && /bad/.test(JSON.stringify(bad)), JSON.stringify(bad));
  const items = [t + 10e3, t + 20e3].map((x) => position(x)).map((p) => hex(p.length / 2, 2) + p).join('');
  const batch = `000201${items}`;
  const half = Math.floor(batch.length / 4) * 2;
  await c.acked(c.send(0x0704, batch.slice(0, half), [2, 1]), 0x0704); // in two packets
  assert.equal((await series('L-LON', t)).length, 1);
  await c.acked(c.send(0x0704, batch.slice(half), [2, 2]), 0x0704);
  assert.equal((await series('L-LON', t)).length, 3);
  c.sock.destroy();
});

test('a wrong code, a stranger, and registering over a key are refused and counted', async () => {
  const wrong = terminal(PHONE);
  await wrong.acked(wrong.send(0x0102, Buffer.from('J13801').toString('hex')), 0x0102, 1);
  await until('the end', () => wrong.closed);
  const unkeyed = terminal(PHONE);
  await unkeyed.acked(unkeyed.send(0x0200, position(Date.now())), 0x0200, 1);
  await until('the end', () => unkeyed.closed);
  const taken = terminal(PHONE);
  taken.send(0x0100, '002001f5');
  await until('8100 with 3', () => taken.messages().find((m) => m.id === 0x8100 && m.body.slice(4, 6) === '03'));
  const stranger = terminal('19999999999');
  stranger.send(0x0100, '002001f5');
  await until('8100 with 4', () => stranger.messages().find((m) => m.id === 0x8100 && m.body.slice(4, 6) === '04'));
  assert.ok((await health(PHONE)).rejects.auth >= 3);
});

test('a terminal that may come without a key registers, gets a code and uses it', async () => {
  await makeDevice(s, { code: '13800138001', protocol: 'jt808', keyless: true, points: [{ code: 'L2-SPEED', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }] });
  const t = second() - 2000, first = terminal('13800138001');
  first.send(0x0100, '002001f5');
  const granted = await until('8100 with 0', () => first.messages().find((m) => m.id === 0x8100 && m.body.slice(4, 6) === '00'));
  first.sock.destroy();
  const c = terminal('13800138001');
  await c.authenticate(Buffer.from(granted.body.slice(6), 'hex').toString());
  await c.acked(c.send(0x0200, position(t)), 0x0200);
  assert.equal((await series('L2-SPEED', t))[0][1], 45.6);
  c.sock.destroy();
});

const VIN = 'LSVAL0000DEMO0001';
function evPacket(command, data = '', vin = VIN) { // GB/T 32960.3-2016, 6: ## command FE VIN 01 length data BCC
  const b = Buffer.from(hex(command, 1) + 'fe' + Buffer.from(vin).toString('hex') + '01' + hex(data.length / 2, 2) + data, 'hex');
  return Buffer.concat([Buffer.from('##'), b, Buffer.from([b.reduce((x, y) => x ^ y, 0)])]);
}
const binary = (t) => china(t).match(/../g).map((x) => hex(Number(x), 1)).join('');

test('GB/T 32960.3: an electric bus reports, reissues what it kept, and an unknown VIN is turned away', async () => {
  await makeDevice(s, { code: VIN, protocol: 'gb32960', keyless: true, points: [
    { code: 'E-SPEED', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }, { code: 'E-ALARM', kind: 'vehicle_alarm', unit: '', address: 'alarm.insulation' }] });
  const t = second() - 5000, sock = connect(s.gb32960, '127.0.0.1');
  let got = Buffer.alloc(0);
  sock.on('data', (d) => { got = Buffer.concat([got, d]); });
  const answered = (command, response, time) => until(`the answer to ${command}`, () =>
    got.includes(Buffer.from(hex(command, 1) + hex(response, 1) + Buffer.from(VIN).toString('hex') + '010006' + time, 'hex')));
  const report = (x) => `${binary(x)}010103 0101f40001e2400e7426dd55012e07d0000007 02000008000000 0000`.replace(/ /g, '');
  sock.write(evPacket(1, `${binary(t)}0001${'30'.repeat(20)}0000`));
  await answered(1, 1, binary(t));
  sock.write(evPacket(2, report(t)));
  await answered(2, 1, binary(t));
  assert.equal((await series('E-SPEED', t))[0][1], 50);
  assert.equal((await series('E-ALARM', t))[0][1], 1);
  sock.write(evPacket(3, report(t + 1000)));
  await answered(3, 1, binary(t + 1000));
  assert.equal((await series('E-SPEED', t)).length, 2);
  assert.equal((await health(VIN)).protocol, 'gb32960');
  sock.destroy();

  const stranger = connect(s.gb32960, '127.0.0.1');
  const ended = new Promise((ok) => stranger.on('close', ok));
  let said = Buffer.alloc(0);
  stranger.on('data', (d) => { said = Buffer.concat([said, d]); });
  stranger.write(evPacket(7, '', 'LSVAL0000DEMO0002'));
  await ended;
  assert.equal(said[3], 2);
});
