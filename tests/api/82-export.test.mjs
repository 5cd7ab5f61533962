// A list as CSV and as XLSX: the same rows and columns, labels instead of codes, nothing that a spreadsheet would run.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { Server } from '../lib/server.mjs';

let s, bureau;
before(async () => { s = await Server.start(); bureau = await s.as('bureau'); });
after(() => s.stop());

// The parts of a zip archive, by name.
export function unzip(b) {
  const parts = {};
  let end = b.length - 22;
  while (b.readUInt32LE(end) !== 0x06054b50) end--;
  for (let i = 0, at = b.readUInt32LE(end + 16); i < b.readUInt16LE(end + 10); i++) {
    const n = b.readUInt16LE(at + 28), name = b.toString('utf8', at + 46, at + 46 + n), local = b.readUInt32LE(at + 42);
    const from = local + 30 + b.readUInt16LE(local + 26) + b.readUInt16LE(local + 28), data = b.subarray(from, from + b.readUInt32LE(at + 20));
    parts[name] = (b.readUInt16LE(at + 10) ? inflateRawSync(data) : data).toString();
    at += 46 + n + b.readUInt16LE(at + 30) + b.readUInt16LE(at + 32);
  }
  return parts;
}
const unescape = (t) => t.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
const cellsOf = (xml) => [...xml.matchAll(/<row [^>]*>(.*?)<\/row>/gs)].map((r) =>
  Object.fromEntries([...r[1].matchAll(/<c r="([A-Z]+)\d+"(?: s="\d+")?(?: t="(\w+)")?>(?:<is><t[^>]*>(.*?)<\/t><\/is>|<v>(.*?)<\/v>)<\/c>/gs)].map((m) => [m[1], m[2] ? unescape(m[3] ?? m[4]) : Number(m[4])])));
const xlsx = async (who, path) => {
  const r = await fetch(`${s.url}${path}`, { headers: { Authorization: `Bearer ${who.token}` } });
  assert.equal(r.status, 200);
  assert.match(r.headers.get('content-disposition'), /attachment; filename="\w+\.xlsx"/);
  return unzip(Buffer.from(await r.arrayBuffer()));
};

test('a workbook opens and holds what the list holds, in its order', async () => {
  const list = await bureau.ok_get('/api/v1/records/enterprise?sort=name&size=500');
  const parts = await xlsx(bureau, '/api/v1/records/enterprise?sort=name&format=xlsx');
  assert.ok(parts['[Content_Types].xml'] && parts['xl/workbook.xml']);
  const rows = cellsOf(parts['xl/worksheets/sheet1.xml']);
  assert.equal(rows.length, list.total + 1);
  assert.equal(rows[0].A, '编号');
  const name = Object.entries(rows[0]).find(([, v]) => v === '企业名称')[0];
  assert.deepEqual(rows.slice(1).map((r) => r[name]), list.items.map((e) => e.name));
});

test('CSV and XLSX agree cell by cell; filters and rights are those of the list', async () => {
  const town = await s.as('town');
  const list = await town.ok_get('/api/v1/records/hazard?size=500');
  const csv = (await town.get('/api/v1/records/hazard?format=csv')).text.replace(/^\ufeff/, '').trim().split('\n');
  const rows = cellsOf((await xlsx(town, '/api/v1/records/hazard?format=xlsx'))['xl/worksheets/sheet1.xml']);
  assert.equal(csv.length, list.total + 1);
  assert.equal(rows.length, list.total + 1);
  assert.deepEqual(csv.slice(1).map((l) => l.split(',')[0]), rows.slice(1).map((r) => r.A));
  const few = await xlsx(town, '/api/v1/records/hazard?list=nothing&format=xlsx').catch(() => null);
  assert.equal(few, null);
});

test('nothing in a cell is run', async () => {
  const evil = '=HYPERLINK("http://evil","x")';
  const e = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const made = await bureau.ok_post('/api/v1/records/equipment', { name: evil, enterprise: e.id, kind: 'tank' }).catch(async () =>
    bureau.ok_patch(`/api/v1/records/enterprise/${e.id}`, { version: e.version, name: evil }));
  assert.ok(made.id);
  const type = made.id === e.id ? 'enterprise' : 'equipment';
  const csv = (await bureau.get(`/api/v1/records/${type}?format=csv`)).text;
  assert.ok(csv.includes(`"'=HYPERLINK(""http://evil""`), 'an apostrophe in front');
  const sheet = (await xlsx(bureau, `/api/v1/records/${type}?format=xlsx`))['xl/worksheets/sheet1.xml'];
  assert.ok(!sheet.includes('<f>'), 'no formula');
  assert.ok(cellsOf(sheet).some((r) => Object.values(r).includes(evil)), 'the text as it is');
});

test('personal data is masked in the export of everybody: it is a file to take away', async () => {
  const ent = await s.as('enterprise');
  const path = '/api/v1/records/person?format=';
  const csv = (await ent.get(`${path}csv`)).text, sheet = (await xlsx(ent, `${path}xlsx`))['xl/worksheets/sheet1.xml'];
  for (const text of [csv, sheet]) {
    assert.doesNotMatch(text, /(?<!\d)1[3-9]\d{9}(?!\d)/);
    assert.match(text, /1\d\d\*{4}\d{4}/);
  }
  assert.doesNotMatch((await (await s.as('duty')).get(`${path}csv`)).text, /(?<!\d)1[3-9]\d{9}(?!\d)/);
});
