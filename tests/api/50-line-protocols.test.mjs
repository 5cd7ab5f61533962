// Devices of the two national line protocols over real TCP: HJ 212-2017 and GB/T 26875.3-2011. Answers come when the
// readings are on disk, refusals are counted by reason, readings are history and raise alarms.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';

const MN = '010000A8900016F000169DC0', PW = '123456';
const SOURCE = '0a1b2c3d4e5f'; // GB/T 26875.3 source address, lowest byte first
let s, hj, fire;

before(async () => {
  s = await Server.start();
  hj = await makeDevice(s, { code: MN, protocol: 'hj212', key: PW, points: [
    { code: 'HJ-PH', kind: 'temperature', unit: '', address: 'w01001' }, { code: 'HJ-COD', kind: 'temperature', unit: '', address: 'w01018' }] });
  fire = await makeDevice(s, { code: SOURCE, protocol: 'gb26875', keyless: true, points: [{ code: 'GB-FIRE', kind: 'fire_status', unit: '', address: '1.1.fire' }] });
});
after(() => s.stop());

// A connection that gathers what it receives.
function client(port) {
  const c = { got: Buffer.alloc(0), closed: false };
  c.sock = connect(port, '127.0.0.1');
  c.sock.on('data', (d) => { c.got = Buffer.concat([c.got, d]); });
  c.sock.on('close', () => { c.closed = true; });
  c.sock.on('error', () => {});
  c.send = (b) => c.sock.write(b);
  c.receive = (what, fn, ms) => until(what, () => fn(c.got), ms);
  c.close = () => c.sock.destroy();
  return c;
}

const china = (t) => new Date(t + 8 * 3600e3).toISOString().replace(/[-T:Z]/g, ''); // yyyyMMddHHmmss.SSS
const local = (t) => china(t).slice(0, 14);

// HJ 212-2017 annex A: CRC-16 of the data segment
function crc16(text) {
  let crc = 0xffff;
  for (const b of Buffer.from(text, 'latin1')) {
    crc = (crc >> 8) ^ b;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}
const hjFrame = (segment, crc = crc16(segment)) => `##${String(Buffer.byteLength(segment)).padStart(4, '0')}${segment}${crc}\r\n`;
const hjData = (t, value, { mn = MN, pw = PW, qn = local(t) + '000', flag = 5 } = {}) =>
  `QN=${qn};ST=32;CN=2011;PW=${pw};MN=${mn};Flag=${flag};CP=&&DataTime=${local(t)};w01001-Rtd=${value},w01001-Flag=N;w01018-Rtd=2.2,w01018-Flag=N&&`;

const health = async (code) => (await hj.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === code);
const series = async (point, t) => (await hj.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(t).toISOString())}&to=${encodeURIComponent(new Date(t + 60e3).toISOString())}`)).items;

test('CRC of the standard\'s own example', () => {
  const frame = '##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80';
  assert.equal(crc16(frame.slice(6, -4)), '1C80');
});

test('HJ 212: data is answered 9014 and is history', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 5000;
  const c = client(s.hj212);
  c.send(hjFrame(hjData(t, 7.1, { qn: `${local(t)}223` })));
  const answer = await c.receive('the answer', (b) => /CN=9014/.test(b) && b.toString('latin1'));
  assert.match(answer, new RegExp(`QN=${local(t)}223;`));
  assert.match(answer, new RegExp(`MN=${MN};`));
  const segment = /^##(\d{4})(.*)([0-9A-F]{4})\r\n$/s.exec(answer);
  assert.equal(Number(segment[1]), segment[2].length);
  assert.equal(crc16(segment[2]), segment[3]);
  const rows = await series('HJ-PH', t);
  assert.equal(rows.length, 1);
  assert.equal(rows[0][1], 7.1);
  assert.equal((await series('HJ-COD', t))[0][1], 2.2);

  // in pieces, two frames in one write, the second without a wish for an answer
  const two = hjFrame(hjData(t + 1000, 7.2)) + hjFrame(hjData(t + 2000, 7.3, { flag: 4 }));
  c.send(two.slice(0, 40));
  await sleep(50);
  c.send(two.slice(40));
  await c.receive('one more answer', (b) => (b.toString('latin1').match(/CN=9014/g) || []).length === 2);
  await until('the third reading', async () => (await series('HJ-PH', t)).length === 3);
  await sleep(100);
  assert.equal((c.got.toString('latin1').match(/CN=9014/g) || []).length, 2, 'Flag without A asks for no answer');
  const h = await health(MN);
  assert.equal(h.online, true);
  assert.equal(h.protocol, 'hj212');
  assert.equal(h.readings, 6);
  c.close();
  await until('it to be offline', async () => !(await health(MN)).online);
});

test('HJ 212: packets of one message share the DataTime of the first; each is answered', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 - 3600e3; // data of an hour ago, sent now
  const qn = `${local(Date.now())}111`;
  const packet = (no, cp) => hjFrame(`QN=${qn};ST=32;CN=2051;PW=${PW};MN=${MN};Flag=7;PNUM=2;PNO=${no};CP=&&${cp}&&`);
  const c = client(s.hj212);
  c.send(packet(1, `DataTime=${local(t)};w01001-Rtd=8.1,w01001-Flag=N`));
  c.send(packet(2, 'w01018-Rtd=9.9,w01018-Flag=N'));
  await c.receive('two answers', (b) => (b.toString('latin1').match(/CN=9014/g) || []).length === 2);
  assert.deepEqual((await series('HJ-PH', t)).map((r) => r[1]), [8.1]);
  assert.deepEqual((await series('HJ-COD', t)).map((r) => r[1]), [9.9]);
  c.close();
  const alone = client(s.hj212);
  const refused = (await health(MN)).rejects.time || 0;
  alone.send(packet(2, 'w01018-Rtd=5.5,w01018-Flag=N'));
  await until('its refusal', async () => (await health(MN)).rejects.time > refused);
  alone.close();
});

test('HJ 212: a wrong CRC gets no answer, is counted, and the same frame again is fine', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 + 10000;
  const c = client(s.hj212);
  c.send(hjFrame(hjData(t, 6.5)));
  await c.receive('the answer', (b) => /CN=9014/.test(b));
  c.got = Buffer.alloc(0);
  c.send(hjFrame(hjData(t + 1000, 6.6), '0000'));
  await until('the refusal', async () => { const h = await health(MN); if (!(h.rejects.checksum >= 1)) throw new Error(JSON.stringify(h)); return true; });
  assert.equal(c.got.length, 0);
  assert.equal((await series('HJ-PH', t)).length, 1);
  c.send(hjFrame(hjData(t + 1000, 6.6)));
  await c.receive('the answer', (b) => /CN=9014/.test(b));
  assert.equal((await series('HJ-PH', t)).length, 2);
  const h = await health(MN);
  assert.equal(h.last_reject.reason, 'checksum');
  assert.match(h.last_reject.reason_text, /校验/);
  c.close();
});

test('HJ 212: an unknown MN and a wrong PW are told so and let go', async () => {
  const t = Date.now();
  for (const [opt, exe] of [[{ mn: '999999A8900016F000169DC0' }, /QnRtn=\d+|ExeRtn=\d+/], [{ pw: '000000' }, /QnRtn=\d+|ExeRtn=\d+/]]) {
    const c = client(s.hj212);
    c.send(hjFrame(hjData(t, 1, opt)));
    await c.receive('the denial', (b) => exe.test(b.toString('latin1')));
    await until('the end', () => c.closed);
  }
  assert.ok((await health(MN)).rejects.auth >= 1);
  const admin = await s.as('admin');
  const { unknown } = await admin.ok_get('/api/v1/devices/health');
  assert.ok(unknown.some((x) => x.rejects.auth >= 1), 'the stranger is listed by its address');
});

// GB/T 26875.3-2011, 6.6: @@ seq(2) version(2) time(6) source(6) destination(6) length(2) command data sum ##
let seq = 0;
function gbFrame(command, data, { source = SOURCE, sum = null, t = Date.now() } = {}) {
  const x = china(t);
  const label = [12, 10, 8, 6, 4, 2].map((i) => Number(x.slice(i, i + 2))); // s m h d M y
  const f = Buffer.alloc(30 + data.length);
  f.write('@@');
  f.writeUInt16LE(++seq, 2);
  f[4] = 1; f[5] = 1;
  Buffer.from(label).copy(f, 6);
  Buffer.from(source, 'hex').copy(f, 12);
  f.writeUInt16LE(data.length, 24);
  f[26] = command;
  Buffer.from(data).copy(f, 27);
  let n = 0;
  for (let i = 2; i < 27 + data.length; i++) n += f[i];
  f[27 + data.length] = sum ?? n & 255;
  f.write('##', 28 + data.length);
  return f;
}
// data unit type 1: status of the system: type, address 1, status bits (1 = normal, 2 = fire), time label
function gbStatus(bits, t) {
  const x = china(t);
  return [1, 1, 1, 1, bits & 255, bits >> 8, ...[12, 10, 8, 6, 4, 2].map((i) => Number(x.slice(i, i + 2)))];
}

test('GB/T 26875.3: a fire is confirmed to the device, is history, and raises the alarm', async () => {
  const duty = await s.as('duty');
  const ev = await duty.events();
  const t = Math.floor(Date.now() / 1000) * 1000 - 3000;
  const c = client(s.gb26875);
  c.send(gbFrame(2, gbStatus(1, t)));
  const first = await c.receive('the confirmation', (b) => b.length >= 30 && b);
  assert.equal(first.subarray(0, 2).toString(), '@@');
  assert.equal(first.readUInt16LE(2), seq, 'the confirmation bears the number of what it confirms');
  assert.equal(first[26], 3);
  assert.equal(first.subarray(18, 24).toString('hex'), SOURCE, 'and goes back to where that came from');
  c.got = Buffer.alloc(0);
  c.send(gbFrame(2, gbStatus(3, t + 1000)));
  await c.receive('the second confirmation', (b) => b.length >= 30 && b[26] === 3);
  const e = await ev.wait('the fire alarm', (x) => x.name === 'alarm' && x.data.point.code === 'GB-FIRE' && x.data.active);
  assert.equal(e.data.rule, 'fire_status');
  assert.equal(e.data.color, 'red');
  const opened = await until('its warning', async () => (await duty.ok_get(`/api/v1/alarms/${e.data.id}`)).opened);
  assert.equal(opened.type, 'warning');
  ev.close();
  assert.deepEqual((await series('GB-FIRE', t)).map((r) => r[1]), [0, 1]);
  assert.equal((await health(SOURCE)).protocol, 'gb26875');
  c.close();
});

test('GB/T 26875.3: time labels in BCD, where the record of the device says so', async () => {
  const source = '0b1b2c3d4e5f', t = Math.floor(Date.now() / 1000) * 1000 - 3000;
  await makeDevice(s, { code: source, protocol: 'gb26875', keyless: true, bcd_time: true, points: [{ code: 'GB-BCD', kind: 'fire_status', unit: '', address: '1.1.fire' }] });
  const digits = (label) => label.map((n) => Math.floor(n / 10) * 16 + n % 10);
  const status = gbStatus(3, t);
  const frame = gbFrame(2, [...status.slice(0, 6), ...digits(status.slice(6))], { source, t });
  for (const [i, b] of digits([...frame.subarray(6, 12)]).entries()) frame[6 + i] = b;
  frame[frame.length - 3] = frame.subarray(2, -3).reduce((n, b) => n + b, 0) & 255;
  const c = client(s.gb26875);
  c.send(frame);
  const answer = await c.receive('the confirmation', (b) => b.length >= 30 && b);
  assert.equal(Buffer.from(answer.subarray(8, 12)).reverse().toString('hex'), china(Date.now()).slice(2, 10), 'yyMMddHH, in BCD as well');
  assert.deepEqual((await series('GB-BCD', t)).map((r) => r[1]), [1]);
  assert.deepEqual(await series('GB-BCD', t + 1000), [], 'at its own time, not that of the arrival');
  c.close();
});

test('GB/T 26875.3: a wrong sum is counted and not confirmed; a stranger is turned away', async () => {
  const t = Math.floor(Date.now() / 1000) * 1000 + 5000;
  const c = client(s.gb26875);
  c.send(gbFrame(2, gbStatus(1, t)));
  await c.receive('the confirmation', (b) => b.length >= 30);
  c.got = Buffer.alloc(0);
  const right = gbFrame(2, gbStatus(1, t + 1000));
  const wrong = Buffer.from(right);
  wrong[wrong.length - 3] ^= 0x55;
  c.send(wrong);
  await until('the refusal', async () => (await health(SOURCE)).rejects.checksum >= 1);
  assert.equal(c.got.length, 0);
  c.send(right);
  await c.receive('the confirmation of the same packet', (b) => b.length >= 30 && b[26] === 3);
  c.close();

  const stranger = client(s.gb26875);
  stranger.send(gbFrame(2, gbStatus(1, t), { source: 'ffeeddccbbaa' }));
  await stranger.receive('the denial', (b) => b.length >= 30 && b[26] === 6);
  await until('the end', () => stranger.closed);
});

test('GB/T 26875.3 has no key: only a device marked keyless may connect', async () => {
  const keyed = await makeDevice(s, { code: '112233445566', protocol: 'gb26875', points: [{ code: 'GB-KEYED', kind: 'fire_status', unit: '', address: '1.1.fire' }] });
  const c = client(s.gb26875);
  c.send(gbFrame(2, gbStatus(3, Date.now()), { source: '112233445566' }));
  await c.receive('the denial', (b) => b.length >= 30 && b[26] === 6);
  assert.ok((await health('112233445566')).rejects.auth >= 1);
  assert.equal((await keyed.bureau.ok_get('/api/v1/points/GB-KEYED')).value ?? null, null);
});
