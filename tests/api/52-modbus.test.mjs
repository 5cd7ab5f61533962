// Modbus TCP: the platform calls the device and asks for the registers its points name. The device is libmodbus' own server.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { freePorts, makeDevice, root, Server, until } from '../lib/server.mjs';

let s, d, port, device;

async function startDevice(at = port) {
  const child = spawn(join(root, 'build', 'peers', 'modbus_server'), [String(at)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (x) => { out += x; });
  await until('the Modbus device to listen', () => /listening/.test(out));
  return { set: (line) => child.stdin.write(`${line}\n`), stop: () => new Promise((ok) => { child.once('exit', ok); child.kill(); }) };
}

const last = async (code) => d.bureau.ok_get(`/api/v1/points/${code}`);
const reads = (code, value, quality = 'good') => until(`${code} to read ${value} (${quality})`, async () => {
  const l = await last(code);
  return l && l.quality === quality && (value === null || l.value === value);
});
const health = async () => (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'PLC-1');

before(async () => {
  [port] = await freePorts(1);
  s = await Server.start();
  device = await startDevice();
  for (const line of ['h 107 555', 'h 108 0', 'h 109 100', 'h 20 0', 'h 21 16844', 'i 8 65531', 'c 19 1', 'd 3 1', 'h 30 8']) device.set(line);
  d = await makeDevice(s, { code: 'PLC-1', protocol: 'modbus', keyless: true, poll_address: `127.0.0.1:${port}`, poll_unit: 1, poll_interval: 0.2, points: [
    { code: 'PLC-TT', kind: 'temperature', unit: '℃', address: 'holding:107', scale: 0.1 },
    { code: 'PLC-PT', kind: 'temperature', unit: '℃', address: 'holding:109:uint16' },
    { code: 'PLC-FT', kind: 'temperature', unit: '℃', address: 'holding:20:float32:cdab' },
    { code: 'PLC-IN', kind: 'temperature', unit: '℃', address: 'input:8:int16' },
    { code: 'PLC-COIL', kind: 'temperature', unit: '℃', address: 'coil:19' },
    { code: 'PLC-DI', kind: 'temperature', unit: '℃', address: 'discrete:3' },
    { code: 'PLC-BIT', kind: 'temperature', unit: '℃', address: 'holding:30:bit3' },
    { code: 'PLC-NONE', kind: 'temperature', unit: '℃', address: 'holding:5000' }] });
});
after(async () => {
  await device?.stop();
  await s.stop();
});

test('registers of every table are read, scaled and put together in their order of bytes', async () => {
  for (const [code, value] of [['PLC-TT', 55.5], ['PLC-PT', 100], ['PLC-FT', 25.5], ['PLC-IN', -5], ['PLC-COIL', 1], ['PLC-DI', 1], ['PLC-BIT', 1]]) await reads(code, value);
  const h = await health();
  assert.equal(h.online, true);
  assert.equal(h.protocol, 'modbus');
});

test('a register that does not exist is bad, is named, and the others go on', async () => {
  await reads('PLC-NONE', null, 'bad');
  await until('the refusal to be told', async () => /illegal_data_address at holding:5000/.test(JSON.stringify(await health())));
  device.set('h 107 600');
  await reads('PLC-TT', 60);
});

test('a new point is asked for without anything being started again', async () => {
  await d.bureau.ok_post('/api/v1/records/point', { name: '新点', device: d.device.id, enterprise: d.enterprise.id, interval_s: 1, code: 'PLC-NEW', kind: 'temperature', unit: '℃', address: 'holding:109' });
  await reads('PLC-NEW', 100);
});

test('another address is asked from then on, and the old one no longer', async () => {
  const [there] = await freePorts(1);
  const other = await startDevice(there);
  other.set('h 107 330');
  const path = `/api/v1/records/device/${d.device.id}`;
  const move = async (to) => d.bureau.ok_patch(path, { version: (await d.bureau.ok_get(path)).version, poll_address: `127.0.0.1:${to}` });
  await move(there);
  await reads('PLC-TT', 33);
  device.set('h 107 440');
  await move(port);
  await reads('PLC-TT', 44);
  await other.stop();
});

test('a device that went away is called again, and so after the gate has died', async () => {
  await device.stop();
  await until('the device to be offline', async () => !(await health()).online);
  await until('the failed call to be told', async () => (await health()).rejects.unreachable > 0);
  device = await startDevice();
  for (const line of ['h 107 777', 'h 109 3']) device.set(line);
  await reads('PLC-TT', 77.7);
  process.kill(Number(execFileSync('pgrep', ['-P', String(s.child.pid), '-n'], { encoding: 'utf8' })), 'SIGKILL'); // the younger child: the gate
  device.set('h 107 880');
  await reads('PLC-TT', 88);
});
