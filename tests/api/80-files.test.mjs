// Files: the bytes decide what a file is, rights decide who gets it, and an upload that no record takes stays private.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Server, until } from '../lib/server.mjs';

let s, town, bureau;
before(async () => {
  s = await Server.start();
  town = await s.as('town');
  bureau = await s.as('bureau');
});
after(() => s.stop());

const pdf = Buffer.from('%PDF-1.5\n1 0 obj\n<<>>\nendobj\n');
const upload = async (who, bytes, query, headers = {}) => {
  const r = await fetch(`${s.url}/api/v1/files?${new URLSearchParams(query)}`, {
    method: 'POST', body: bytes, headers: { 'Content-Type': 'application/octet-stream', ...(who && { Authorization: `Bearer ${who.token}` }), ...headers } });
  return { status: r.status, json: await r.json().catch(() => null) };
};
const get = (who, id) => fetch(`${s.url}/api/v1/files/${id}`, { headers: who ? { Authorization: `Bearer ${who.token}` } : {} });
const inside = (folder) => readdirSync(join(s.dir, 'files', folder), { recursive: true }).filter((f) => statSync(join(s.dir, 'files', folder, f), { throwIfNoEntry: false })?.isFile());
const contents = async () => { // the answer may come before the rest of what was refused is gone
  await until('no half of a file to be there', () => inside('tmp').length === 0);
  return inside('.');
};

test('an upload comes back byte for byte, with the headers that keep it harmless', async () => {
  const up = await upload(town, pdf, { name: '../../整改 方案.pdf' });
  assert.equal(up.status, 201, JSON.stringify(up.json));
  assert.equal(up.json.name, '整改 方案.pdf');
  assert.equal(up.json.mime, 'application/pdf');
  assert.equal(up.json.size, pdf.length);
  assert.match(up.json.sm3, /^[0-9a-f]{64}$/);
  const r = await get(town, up.json.id);
  assert.equal(r.status, 200);
  assert.deepEqual(Buffer.from(await r.arrayBuffer()), pdf);
  assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
  assert.match(r.headers.get('content-security-policy'), /default-src 'none'/);
  assert.match(r.headers.get('content-disposition'), /^inline; filename="[\w.]+"; filename\*=UTF-8''%E6%95%B4%E6%94%B9%20/);
});

test('text is never shown as a page: saved, not run', async () => {
  const up = await upload(town, Buffer.from('<script>alert(1)</script>'), { name: 'a.txt' });
  assert.equal(up.status, 201);
  const r = await get(town, up.json.id);
  assert.match(r.headers.get('content-disposition'), /^attachment/);
  assert.match(r.headers.get('content-type'), /^text\/plain/);
  assert.match(r.headers.get('content-security-policy'), /sandbox/);
});

test('an unbound file is its uploader\'s alone, whoever guesses the number', async () => {
  const up = (await upload(town, pdf, { name: 'a.pdf' })).json;
  for (const who of [bureau, await s.as('enterprise'), await s.as('admin')]) assert.equal((await get(who, up.id)).status, 404);
  assert.equal((await get(null, up.id)).status, 401);
  assert.equal((await get(town, 999999)).status, 404);
});

test('what is not a file that we keep is refused, and leaves nothing behind', async () => {
  const before = (await contents()).length;
  for (const [bytes, name] of [[Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0'), 'a.pdf'], [Buffer.from('<html></html>....'), 'a.html'], [Buffer.alloc(0), 'a.pdf'], [pdf, '']]) {
    const r = await upload(town, bytes, { name });
    assert.ok(r.status >= 400 && r.status < 500, `${name}: ${r.status}`);
    assert.ok(r.json.error.message.length > 0);
  }
  assert.equal((await contents()).length, before);
});

test('nobody who is not logged in gets a byte onto the disk', async () => {
  const before = (await contents()).length;
  assert.equal((await upload(null, pdf, { name: 'a.pdf' })).status, 401);
  assert.equal((await upload({ token: 'x'.repeat(32) }, pdf, { name: 'a.pdf' })).status, 401);
  assert.equal((await contents()).length, before);
});

test('a page of another site cannot upload with the cookie', async () => {
  const up = await upload(null, pdf, { name: 'a.pdf' }, { Cookie: `anlan=${town.token}`, 'Sec-Fetch-Site': 'cross-site' });
  assert.equal(up.status, 403);
});

test('48 MiB go through without being held in memory; 51 MiB do not', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readStatus())[1]);
  const big = Buffer.alloc(48 << 20, 'x');
  pdf.copy(big);
  const before = rss();
  const up = await upload(town, big, { name: 'big.pdf' });
  assert.equal(up.status, 201, JSON.stringify(up.json));
  // a sanitizer keeps what was freed: only the plain build shows what is held
  if (!/asan/.test(process.env.ANLAN_BIN || '')) assert.ok(rss() - before < 32 << 10, `${rss() - before} KiB more`);
  assert.equal((await (await get(town, up.json.id)).arrayBuffer()).byteLength, big.length);
  const r = await upload(town, Buffer.concat([big, Buffer.alloc(3 << 20)]), { name: 'big.pdf' });
  assert.equal(r.status, 413);
  await contents();
});

const readStatus = () => { // of the core process
  for (const p of readdirSync('/proc').filter((x) => /^\d+$/.test(x))) {
    try {
      const status = readFileSync(`/proc/${p}/status`, 'utf8');
      if (Number(/PPid:\s+(\d+)/.exec(status)[1]) === s.child.pid && readdirSync(`/proc/${p}/task`).length > 8) return status;
    } catch { /* gone */ }
  }
  throw new Error('no core process');
};

// A JPEG of nothing but its EXIF: DateTimeOriginal and a position.
function jpegWithExif() {
  const rational = (v, scale) => { const b = Buffer.alloc(8); b.writeUInt32LE(Math.round(v * scale), 0); b.writeUInt32LE(scale, 4); return b; };
  const entry = (tag, type, count, value) => { const b = Buffer.alloc(12); b.writeUInt16LE(tag, 0); b.writeUInt16LE(type, 2); b.writeUInt32LE(count, 4);
    if (Buffer.isBuffer(value)) value.copy(b, 8); else b.writeUInt32LE(value, 8); return b; };
  const ifd = (entries) => Buffer.concat([Buffer.from([entries.length, 0]), ...entries, Buffer.alloc(4)]);
  const ifd0At = 8, exifAt = ifd0At + 2 + 2 * 12 + 4, gpsAt = exifAt + 2 + 12 + 4, dateAt = gpsAt + 2 + 4 * 12 + 4, latAt = dateAt + 20, lonAt = latAt + 24;
  const tiff = Buffer.concat([
    Buffer.from('II*\0\x08\0\0\0', 'latin1'),
    ifd([entry(0x8769, 4, 1, exifAt), entry(0x8825, 4, 1, gpsAt)]),
    ifd([entry(0x9003, 2, 20, dateAt)]),
    ifd([entry(1, 2, 2, Buffer.from('N\0')), entry(2, 5, 3, latAt), entry(3, 2, 2, Buffer.from('E\0')), entry(4, 5, 3, lonAt)]),
    Buffer.from('2026:11:20 08:30:15\0'),
    rational(31, 1), rational(30, 1), rational(36, 1), rational(110, 1), rational(15, 1), rational(18, 1),
  ]);
  const app1 = Buffer.concat([Buffer.from('Exif\0\0'), tiff]);
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1, (app1.length + 2) >> 8, (app1.length + 2) & 255]), app1, Buffer.from([0xff, 0xd9])]);
}

test('a photograph brings its own time and place; what the client says goes before', async () => {
  const exif = (await upload(town, jpegWithExif(), { name: 'a.jpg' })).json;
  assert.equal(exif.source, 'exif');
  assert.equal(exif.taken_at, '2026-11-20T08:30:15+08:00');
  assert.ok(Math.abs(exif.lat - 31.51) < 1e-9 && Math.abs(exif.lon - 110.255) < 1e-9, `${exif.lon} ${exif.lat}`);
  const said = (await upload(town, jpegWithExif(), { name: 'a.jpg', taken_at: '2026-11-21T00:00:00Z', lon: '110.5', lat: '31.2' })).json;
  assert.deepEqual([said.source, said.lon, said.lat], ['client', 110.5, 31.2]);
  assert.equal((await upload(town, pdf, { name: 'a.pdf', lon: '181' })).status, 400);
});
