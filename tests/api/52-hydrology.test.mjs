// A rain and river station over real TCP: SL 651-2014. Centre address and password are its key; a report is confirmed when it is history; the
// twelve values of an hour have their own times; what the core refuses gets no answer.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

const STATION = '0012345678', PASSWORD = '1234';
let s, station;

before(async () => {
  s = await Server.start({ doors: ['sl651'] });
  station = await makeDevice(s, { code: STATION, protocol: 'sl651', key: `01${PASSWORD}`, points: [
    { code: 'R-LEVEL', kind: 'water_level', unit: 'm', address: 'Z' }, { code: 'R-RAIN', kind: 'rain', unit: 'mm', address: '20' },
    { code: 'R-RAIN5', kind: 'rain', unit: 'mm', address: 'DRP' }] });
});
after(() => s?.stop());

function crc(bytes) { // annex B: Modbus
  let c = 0xffff;
  for (const b of bytes) {
    c ^= b;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >> 1) ^ 0xa001 : c >> 1;
  }
  return Buffer.from([c >> 8, c & 255]);
}
const china = (t) => new Date(t + 8 * 3600e3).toISOString().replace(/[-T:Z]/g, '').slice(2, 14); // yyMMddHHmmss
function frame(fn, serial, t, body, password = PASSWORD) {
  const text = serial.toString(16).padStart(4, '0') + china(t) + body;
  const b = Buffer.from(`7e7e01${STATION}${password}${fn.toString(16)}${(text.length / 2).toString(16).padStart(4, '0')}02${text}03`, 'hex');
  return Buffer.concat([b, crc(b)]);
}
function client() {
  const c = { got: Buffer.alloc(0), closed: false };
  c.sock = connect(s.sl651, '127.0.0.1');
  c.sock.on('data', (d) => { c.got = Buffer.concat([c.got, d]); });
  c.sock.on('close', () => { c.closed = true; });
  c.sock.on('error', () => {});
  return c;
}
const series = async (point, from, to) => (await station.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`)).items;
const head = (t) => `f1f1${STATION}48f0f0${china(t).slice(0, 10)}`;

test('CRC of a public example', () => {
  const b = Buffer.from('7E7E01001234567812342F0008020003591011155111036BCA', 'hex');
  assert.deepEqual(crc(b.subarray(0, -2)), b.subarray(-2));
});

test('a report is confirmed with ESC when it is history; an hour of rain has twelve times', async () => {
  const t = Math.floor(Date.now() / 3600e3) * 3600e3 - 3600e3; // on the hour
  const c = client();
  c.sock.write(frame(0x2f, 1, t, '')); // keeps the link, no answer
  c.sock.write(frame(0x32, 2, t, `${head(t)}392300010490201900001238121203`));
  const answer = await until('the confirmation', () => c.got.length >= 25 && c.got);
  assert.equal(answer.subarray(2, 8).toString('hex'), `${STATION}01`);
  assert.equal(answer[10], 0x32);
  assert.equal(answer.readUInt16BE(14), 2);
  assert.equal(answer[22], 0x1b);
  assert.deepEqual(crc(answer.subarray(0, 23)), answer.subarray(23, 25));
  assert.equal((await series('R-LEVEL', t, t + 1000))[0][1], 10.49);
  assert.equal((await series('R-RAIN', t, t + 1000))[0][1], 1.2);
  c.sock.write(frame(0x34, 3, t, `${head(t)}f460000102030405060708090a0b`));
  await until('the second confirmation', () => c.got.length >= 50 && c.got[47] === 0x1b);
  const hour = await series('R-RAIN5', t - 3600e3, t + 1000);
  assert.deepEqual(hour.map((r) => r[1]), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1]);
  const wrong = frame(0x32, 4, t, head(t));
  wrong[wrong.length - 1] ^= 1;
  c.sock.write(wrong);
  const health = async () => (await station.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === STATION);
  await until('the refusal', async () => (await health()).rejects.checksum >= 1);
  assert.equal(c.got.length, 50);
  assert.equal((await health()).protocol, 'sl651');
  c.sock.destroy();
});

test('a wrong password is let go without a word', async () => {
  const c = client();
  c.sock.write(frame(0x32, 5, Date.now(), head(Date.now()), '4321'));
  await until('the end', () => c.closed);
  assert.equal(c.got.length, 0);
});
