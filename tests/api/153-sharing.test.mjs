// What departments share: asked, authorised by another, connected, delivered with receipts; business on line; enterprises' own systems.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, dept, ent, leader;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const get = (who, type, id) => who.ok_get(`/api/v1/records/${type}/${id}`);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => { const r = await move(...a); assert.ok([400, 403, 409].includes(r.status), `${a[3]}: ${r.status} ${r.text}`); };
const ids = async (who, type, list) => (await who.ok_get(`/api/v1/records/${type}?size=100&list=${list}`)).items.map((x) => x.id);
const total = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total;
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const paper = async (who) => (await (await fetch(`${s.url}/api/v1/files?name=a.pdf`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` },
  body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` })).json()).id;

before(async () => {
  s = await Server.start();
  [bureau, dept, ent, leader] = await Promise.all(['bureau', 'department', 'enterprise', 'leader'].map((r) => s.as(r)));
});
after(() => s.stop());

test('a share is asked, authorised by another with a paper, connected; until then it is an island', async () => {
  const housing = (await dept.ok_get('/api/v1/records/organisation?size=100')).items.find((x) => x.title.includes('住'));
  const share = await rec(dept, 'data_share', { name: '在建工地名录', system: '工地平台', department: housing.id, field: 'other', direction: 'incoming', way: 'api',
    basis: '共享目录', every_hours: 24 });
  assert.ok((await ids(bureau, 'data_share', 'islands')).includes(share.id));
  await refused(dept, 'data_share', share.id, 'apply'); // what is shared and for what is asked first
  await done(dept, 'data_share', share.id, 'apply', { items: [{ theirs: '项目名称', ours: 'name' }], purpose: '专项检查' });
  await refused(dept, 'data_share', share.id, 'authorise', { agreement: [await paper(dept)] });
  await refused(bureau, 'data_share', share.id, 'authorise'); // no paper
  await done(bureau, 'data_share', share.id, 'authorise', { agreement: [await paper(bureau)] });
  const before = await total('shares_connected_rate');
  await done(dept, 'data_share', share.id, 'connect');
  assert.ok(!(await ids(bureau, 'data_share', 'islands')).includes(share.id));
  assert.ok((await total('shares_connected_rate')).value > before.value);
  assert.equal((await leader.post('/api/v1/records/data_share', {})).status, 403);
  assert.equal((await ent.get('/api/v1/records/data_share')).status, 404); // not even that it is there

  // ---- deliveries: all taken; some refused, mended and sent again
  await done(dept, 'data_share', share.id, 'deliver');
  const [batch] = (await dept.ok_get(`/api/v1/records/data_delivery?where.share=${share.id}`)).items;
  await refused(dept, 'data_delivery', batch.id, 'send', { sent: 200, newest: at(60) }); // of the future
  await done(dept, 'data_delivery', batch.id, 'send', { sent: 200, newest: at(-120) });
  await refused(bureau, 'data_delivery', batch.id, 'refuse', { accepted: 200, why: '无' });
  await refused(bureau, 'data_delivery', batch.id, 'refuse', { accepted: 201, why: '无' });
  const back = await done(bureau, 'data_delivery', batch.id, 'refuse', { accepted: 190, why: '10 条没有信用代码' });
  assert.equal(back.refused, 10);
  assert.ok(Math.abs(back.latency_h - 2) < 0.1);
  assert.equal((await total('delivery_refused_rate')).value, 5);
  assert.equal((await total('records_exchanged')).value, 190);
  let now = await get(bureau, 'data_share', share.id);
  assert.equal(Math.round((new Date(now.fresh_until) - new Date(now.newest)) / 3600e3), 24);
  assert.equal((await total('shares_fresh_rate')).value, 100);
  await done(dept, 'data_delivery', batch.id, 'send', { sent: 200, newest: at(-60 * 30) }); // data of yesterday: renewed too late
  await done(bureau, 'data_delivery', batch.id, 'receipt');
  assert.equal((await get(bureau, 'data_delivery', batch.id)).accepted, 200);
  assert.deepEqual(await ids(bureau, 'data_share', 'stale'), [share.id]);
  assert.equal((await total('shares_fresh_rate')).value, 0);
  await until_late(share.id);
});

// What is not renewed in time climbs by itself.
async function until_late(id) {
  for (let i = 0; i < 100; i++) {
    if ((await get(bureau, 'data_share', id)).escalated > 0)
      return;
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.fail('nobody was told');
}

test('business that is not on line says by when, and is the gap', async () => {
  const office = (await bureau.ok_get('/api/v1/records/organisation')).items[0].id;
  assert.equal((await bureau.post('/api/v1/records/business_item', { name: '备案', department: office, online: false })).status, 400);
  assert.equal((await bureau.post('/api/v1/records/business_item', { name: '备案', department: office, online: true })).status, 400);
  const item = await rec(bureau, 'business_item', { name: '备案', department: office, online: false, plan_by: '2027-06-30' });
  assert.ok((await ids(bureau, 'business_item', 'offline')).includes(item.id));
  const before = (await total('business_online_rate')).value;
  const r = await bureau.patch(`/api/v1/records/business_item/${item.id}`, { version: item.version, online: true, place: '预案备案' });
  assert.ok(r.status < 300, r.text);
  assert.ok((await total('business_online_rate')).value > before);
});

test('an enterprise signs each copy of its own system; the digest is a digest', async () => {
  const own = await rec(ent, 'enterprise_system', { name: '企业安全平台', modules: ['risk', 'hazard'], every_days: 1 });
  const copy = { synced_at: at(-5), digest: 'a'.repeat(64) };
  await refused(ent, 'enterprise_system', own.id, 'sync', copy); // not signed
  await refused(ent, 'enterprise_system', own.id, 'sync', { ...copy, digest: 'abc' });
  assert.equal((await total('enterprise_systems_in_step')).value, 0);
  await refused(bureau, 'enterprise_system', own.id, 'sync', copy); // not its own
});
