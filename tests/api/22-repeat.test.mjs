// A request that is sent again: creations with Idempotency-Key happen once, changes with If-Match happen on what was seen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, town;
before(async () => { s = await Server.start(); town = await s.as('town'); });
after(() => s.stop());
const body = (name) => ({ name, area: '990121401000', login: name, role: ['enterprise'] });
async function create(name, key, who = town, more = {}) {
  const ent = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  return who.post('/api/v1/records/person', { ...body(name), enterprise: ent.id, ...more }, { headers: { 'Idempotency-Key': key } });
}
const count = async (name) => (await town.ok_get(`/api/v1/records/person?q=${name}`)).total;

test('the same creation twice is one record and one answer', async () => {
  const a = await create('twice', 'k-1');
  const b = await create('twice', 'k-1');
  assert.equal(a.status, 201, a.text);
  assert.equal(b.status, 201);
  assert.deepEqual(b.json, a.json);
  assert.equal(await count('twice'), 1);
});

test('the same key with another body is refused, with another person it is another key', async () => {
  const other = await create('another', 'k-1');
  assert.equal(other.status, 422);
  assert.equal(other.json.error.field, 'Idempotency-Key');
  const admin = await s.login('admin', s.password);
  const theirs = await admin.post('/api/v1/records/person', body('admins'), { headers: { 'Idempotency-Key': 'k-1' } });
  assert.equal(theirs.status, 201, theirs.text);
  assert.equal((await create('third', 'x'.repeat(101))).status, 400);
});

test('many at the same time are one', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => create('storm', 'k-2')));
  assert.ok(all.some((r) => r.status === 201));
  for (const r of all) assert.ok([201, 409].includes(r.status), r.text);
  assert.equal(await count('storm'), 1);
});

test('a crash between commit and answer changes nothing', async () => {
  const a = await create('crash', 'k-3');
  await s.kill('SIGKILL');
  s.code = s.signal = undefined;
  await s.spawn();
  const b = await create('crash', 'k-3');
  assert.equal(b.status, 201);
  assert.equal(b.json.id, a.json.id);
  assert.equal(await count('crash'), 1);
});

test('a refused creation is not remembered', async () => {
  assert.equal((await create('again', 'k-4', town, { role: ['admin'] })).status, 403);
  assert.equal((await create('again', 'k-4')).status, 201);
});

test('a change whose answer was lost is sent again: it is the same change, not somebody else who was faster', async () => {
  const e = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0], at = `/api/v1/records/enterprise/${e.id}`;
  const change = (key) => town.patch(at, { version: e.version, address: '改一次' }, { headers: { 'Idempotency-Key': key } });
  const first = await change('k-5'), again = await change('k-5');
  assert.equal(first.status, 200, first.text);
  assert.deepEqual(again.json, first.json);
  assert.equal((await town.ok_get(at)).version, e.version + 1, 'once');
  assert.equal((await change('k-6')).status, 409, 'another change on what is no more is refused');
});

test('ETag and If-Match: what was changed meanwhile is not written over', async () => {
  const e = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const at = `/api/v1/records/enterprise/${e.id}`;
  const tag = (await town.get(at)).headers.get('etag');
  assert.equal(tag, `"v${e.version}"`);
  const one = await town.patch(at, { name: '先改的' }, { headers: { 'If-Match': tag } });
  assert.equal(one.status, 200, one.text);
  assert.equal(one.headers.get('etag'), `"v${e.version + 1}"`);
  assert.equal((await town.patch(at, { name: '后改的' }, { headers: { 'If-Match': tag } })).status, 412);
  assert.equal((await town.patch(at, { name: '后改的' }, { headers: { 'If-Match': 'W/"x"' } })).status, 412);
  assert.equal((await town.patch(at, { name: '后改的', version: e.version })).status, 409);
  assert.equal((await town.ok_get(at)).name, '先改的');
});
