// A county in one file: an archive holds every row, number, id and audit hash and says what it is; a backup taken while
// readings stream in holds each one acknowledged before it began. What is damaged is named, what is there is not overwritten.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { Device } from '../lib/mqtt.mjs';
import { makeDevice, root, Server, sleep, until } from '../lib/server.mjs';

const binary = process.env.ANLAN_BIN || join(root, 'build', 'anlan');
const anlan = (...args) => new Promise((ok) => execFile(binary, args, { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }, maxBuffer: 1 << 26 },
  (error, stdout, stderr) => ok({ status: error ? error.code : 0, out: stdout, err: stderr })));

// A zip's members, read by its central directory: the test does not use what it tests.
function unzip(file) {
  const b = readFileSync(file);
  const end = b.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const members = {};
  let at = b.readUInt32LE(end + 16);
  for (let n = b.readUInt16LE(end + 10); n > 0; n--) {
    const [method, packed] = [b.readUInt16LE(at + 10), b.readUInt32LE(at + 20)];
    const [nameLen, extra, comment, offset] = [b.readUInt16LE(at + 28), b.readUInt16LE(at + 30), b.readUInt16LE(at + 32), b.readUInt32LE(at + 42)];
    const name = b.subarray(at + 46, at + 46 + nameLen).toString();
    const from = offset + 30 + b.readUInt16LE(offset + 26) + b.readUInt16LE(offset + 28);
    const data = b.subarray(from, from + packed);
    members[name] = { text: () => (method ? inflateRawSync(data) : data).toString(), from, packed };
    at += 46 + nameLen + extra + comment;
  }
  return members;
}
const manifest = (file) => JSON.parse(unzip(file)['manifest.json'].text());
const digests = (m) => Object.fromEntries(m.members.map((x) => [x.name, x.sm3]));

const dir = mkdtempSync(join(tmpdir(), 'anlan-archive-'));
let s, made, device;
before(async () => {
  s = await Server.start();
  made = await makeDevice(s, { code: 'ARCH-1', points: [{ code: 'ARCH-P1', kind: 'level', unit: '%' }, { code: 'ARCH-P2', kind: 'level', unit: '%' }] });
  await made.bureau.ok_post('/api/v1/records/enterprise', { name: '归档的“企业”，\n,"x"', uscc: '91990121MA0000001T', sector: 'chemical', area: '990121101000', position: [118.123456789, 32.5] })
    .catch(() => {});
  device = new Device({ port: s.mqtt, code: 'ARCH-1', key: made.key, window: 32 });
});
after(async () => {
  device.close();
  await s.stop();
  rmSync(dir, { recursive: true, force: true });
});

const base = Math.floor(Date.now() / 1000) * 1000 - 3600e3;
let sent = 0;
async function send(n) {
  const upTo = sent + n;
  for (; sent < upTo; sent++)
    device.publish(['ARCH-P1', 'ARCH-P2'].map((point, k) => ({ point, time: new Date(base + sent * 1000).toISOString(), value: Math.round((sent * 0.37 + k) * 100) / 100 })));
  await until('everything to be acknowledged', () => device.idle);
}
const series = async (server) => {
  const who = await server.as('bureau');
  const q = `from=${encodeURIComponent(new Date(base - 1000).toISOString())}&to=${encodeURIComponent(new Date(base + 7200e3).toISOString())}&max=100000`;
  return (await who.ok_get(`/api/v1/points/ARCH-P1/series?${q}`)).items;
};

test('backup while readings stream in: every one acknowledged before it began is there, credentials too', async () => {
  await send(400);
  const before = sent;
  let stream = true;
  const feeding = (async () => { while (stream) { await send(20); await sleep(5); } })();
  const r = await anlan('backup', join(dir, 'b.zip'), '--data', s.dir);
  stream = false;
  await feeding;
  assert.equal(r.status, 0, r.err);
  assert.equal((await anlan('archive', '--check', join(dir, 'b.zip'))).status, 0);
  const back = join(dir, 'back');
  const restored = await anlan('restore', join(dir, 'b.zip'), '--data', back);
  assert.equal(restored.status, 0, restored.err);
  assert.equal((await anlan('audit', 'verify', '--data', back)).status, 0);
  const other = await Server.start({ dir: back });
  try {
    const items = await series(other);
    assert.ok(items.length >= before, `${items.length} of ${before}`);
    const hour = Math.floor(base / 3600e3) * 3600e3; // by the hour, from samples and roll-ups in the same files
    const hours = (await (await other.as('bureau')).ok_get(`/api/v1/points/ARCH-P1/series?from=${encodeURIComponent(new Date(hour).toISOString())}&to=${encodeURIComponent(new Date(hour + 4 * 3600e3).toISOString())}&step=1h&agg=count`)).items;
    assert.equal(hours.reduce((a, x) => a + x.count, 0), items.length);
    const there = await (await other.as('bureau')).ok_get('/api/v1/records/enterprise?size=1');
    const here = await made.bureau.ok_get('/api/v1/records/enterprise?size=1');
    assert.equal(there.total, here.total);
    const again = new Device({ port: other.mqtt, code: 'ARCH-1', key: made.key, window: 4 }); // the device's key holds
    again.publish([{ point: 'ARCH-P1', time: new Date(base + 7000e3).toISOString(), value: 1 }]);
    await until('the restored server to take a reading', () => again.idle);
    again.close();
  } finally { await other.stop(); }
});

test('archive: every row, id, number and audit hash comes back; readings too', async () => {
  const file = join(dir, 'a.zip');
  const r = await anlan('archive', file, '--data', s.dir, '--readings');
  assert.equal(r.status, 0, r.err);
  const m = manifest(file), members = unzip(file);
  assert.deepEqual([m.kind, m.version], ['archive', 1]);
  for (const t of ['access_token', 'credential', 'device_key', 'notify_secret', 'recovery_code', 'session', 'totp']) assert.ok(m.left_out.includes(t), t);
  assert.match(members['README.txt'].text(), /SM3[\s\S]*审计链/);
  const rows = members['records/enterprise.ndjson'].text().trim().split('\n').map((l) => JSON.parse(l));
  assert.equal(rows.length, m.tables.find((t) => t.table === 'r_enterprise').rows);
  assert.ok(rows.every((x) => x.id > 0 && /^QY-/.test(x.number)));
  const type = JSON.parse(members['types/enterprise.zh.json'].text());
  assert.ok(type.fields.every((f) => f.label) && type.fields.some((f) => f.name === 'uscc'));
  assert.ok(members['packs/core/types/enterprise.yaml']);
  const months = Object.keys(members).filter((n) => /^readings\/\d{4}-\d\d\.csv$/.test(n)); // two in the first hour of a month
  assert.equal(months.flatMap((n) => members[n].text().split('\n')).filter((l) => l.includes('"ARCH-P1"')).length, sent);
  const all = Object.keys(members).map((n) => (/\.(ndjson|json|yaml|csv|txt)$/.test(n) ? members[n].text() : '')).join('\n');
  assert.ok(!all.includes('$argon2') && !all.includes(made.key), 'no secret is in it');

  const back = join(dir, 'county');
  const restored = await anlan('restore', file, '--data', back);
  assert.equal(restored.status, 0, restored.err);
  const again = join(dir, 'a2.zip');
  assert.equal((await anlan('archive', again, '--data', back, '--readings')).status, 0);
  assert.deepEqual(digests(manifest(again)), digests(m), 'the archive of the restored county is the same, member by member');
  assert.deepEqual(manifest(again).audit, m.audit);
  const other = await Server.start({ dir: back });
  try {
    assert.deepEqual((await series(other)).map((x) => x.value), (await series(s)).map((x) => x.value));
  } finally { await other.stop(); }
});

test('what is damaged is named, what is there is not overwritten, what is newer is refused', async () => {
  const file = join(dir, 'a.zip'), bad = join(dir, 'bad.zip');
  const bytes = Buffer.from(readFileSync(file)), m = unzip(file)['tables/audit.ndjson'];
  bytes[m.from + Math.floor(m.packed / 2)] ^= 0x55;
  writeFileSync(bad, bytes);
  for (const args of [['archive', '--check', bad], ['restore', bad, '--data', join(dir, 'never')]]) {
    const r = await anlan(...args);
    assert.equal(r.status, 1);
    assert.match(r.err, /tables\/audit\.ndjson/);
  }
  assert.ok(!existsSync(join(dir, 'never')) && !existsSync(join(dir, 'never.restoring')));
  writeFileSync(bad, bytes.subarray(0, bytes.length - 5000));
  assert.equal((await anlan('archive', '--check', bad)).status, 1);
  const full = join(dir, 'full');
  mkdirSync(full);
  writeFileSync(join(full, 'x'), 'x');
  const r = await anlan('restore', file, '--data', full);
  assert.equal(r.status, 1);
  assert.match(r.err, /not an empty folder/);
  assert.deepEqual(readdirSync(full), ['x']);
  assert.equal((await anlan('backup', file, '--data', s.dir)).status, 1, 'an existing file stays');
  assert.equal((await anlan('backup', join(dir, 'z.zip'), '--data', join(dir, 'nothing'))).status, 1);
  assert.deepEqual(readdirSync(dir).filter((n) => /part|restoring/.test(n)), []);
});
