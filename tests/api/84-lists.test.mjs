// What people do with lists: find by words and initials, count, save a list, change many at once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, town, ent, admin;
before(async () => {
  s = await Server.start();
  [bureau, town, ent, admin] = await Promise.all(['bureau', 'town', 'enterprise', 'admin'].map((r) => s.as(r)));
});
after(() => s.stop());

const q = (o) => new URLSearchParams(o).toString();
const hazard = async (title, enterprise, more = {}) =>
  (await bureau.ok_post('/api/v1/records/hazard', { title, enterprise, level: 'general', ...more }));

test('a list is searched by any part of a text, by several words and by initials', async () => {
  const all = await bureau.ok_get('/api/v1/records/enterprise?size=500');
  const one = all.items[3], name = one.title;
  const found = async (text) => (await bureau.ok_get(`/api/v1/records/enterprise?${q({ q: text, size: 500 })}`)).items.map((r) => r.id);
  for (const text of [name, name.slice(2, 4), name.slice(4, 5), `${name.slice(4, 6)} ${name.slice(0, 2)}`]) assert.ok((await found(text)).includes(one.id), text);
  const initials = await found('hg');
  for (const r of all.items.filter((x) => x.title.includes('化工'))) assert.ok(initials.includes(r.id), r.title);
  assert.deepEqual(await found('没有这样的企业'), []);
});

test('counts are those of the list, in one\'s own area, and narrow with its filters', async () => {
  const all = await bureau.ok_get('/api/v1/records/enterprise?size=500');
  for (const by of ['sector', 'risk']) {
    const counts = (await bureau.ok_get(`/api/v1/records/enterprise/counts?by=${by}`)).items;
    assert.equal(counts.reduce((n, k) => n + k.n, 0), all.total);
    for (const k of counts) assert.equal(k.n, all.items.filter((r) => r[by] === k.key).length, `${by} ${k.key}`);
    assert.ok(counts.every((k) => k.title && k.title !== k.key), 'labels, not codes');
  }
  const areas = (await bureau.ok_get('/api/v1/records/enterprise/counts?by=area')).items;
  assert.ok(areas.length > 1);
  for (const k of areas) {
    assert.equal(k.n, all.items.filter((r) => r.area.startsWith(k.key)).length, k.key);
    const below = await bureau.ok_get(`/api/v1/records/enterprise?${q({ 'where.area.prefix': k.key, size: 1 })}`);
    assert.equal(below.total, k.n, 'the key opens the list it counted');
  }
  const mine = (await town.ok_get('/api/v1/records/enterprise/counts?by=sector')).items;
  assert.equal(mine.reduce((n, k) => n + k.n, 0), (await town.ok_get('/api/v1/records/enterprise?size=1')).total);
  const part = (await bureau.ok_get(`/api/v1/records/enterprise/counts?${q({ by: 'risk', 'where.sector': 'chemical' })}`)).items;
  assert.equal(part.reduce((n, k) => n + k.n, 0), all.items.filter((r) => r.sector === 'chemical').length);
});

test('what cannot be counted by is refused, personal data too', async () => {
  for (const by of ['phone', 'name', 'nothing', ''])
    assert.ok([403, 422, 400].includes((await ent.get(`/api/v1/records/person/counts?by=${by}`)).status), by);
  assert.equal((await bureau.get('/api/v1/records/nothing/counts?by=state')).status, 404);
});

test('a saved list is one\'s own, or shared within the organisation', async () => {
  const made = await bureau.ok_post('/api/v1/views', { type: 'enterprise', name: '红色风险', query: 'where.risk=red&sort=name', shared: false });
  const mine = (await bureau.ok_get('/api/v1/views?type=enterprise')).items;
  assert.equal(mine.find((v) => v.id === made.id).query, 'where.risk=red&sort=name');
  assert.ok(!(await town.ok_get('/api/v1/views?type=enterprise')).items.some((v) => v.id === made.id));
  assert.equal((await bureau.post('/api/v1/views', { type: 'enterprise', name: '红色风险', query: '' })).status, 409);
  assert.equal((await bureau.post('/api/v1/views', { type: 'nothing', name: 'x', query: '' })).status, 404);
  assert.ok((await bureau.post('/api/v1/views', { type: 'enterprise', name: ' ', query: '' })).status >= 400);
  assert.equal((await town.delete(`/api/v1/views/${made.id}`)).status, 404, 'not his');
  assert.equal((await bureau.delete(`/api/v1/views/${made.id}`)).status, 200);
  assert.ok(!(await bureau.ok_get('/api/v1/views?type=enterprise')).items.some((v) => v.id === made.id));
});

test('one change for many: each row by its own rights, what fails says why and the others stand', async () => {
  const plants = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items;
  const ids = [];
  for (let i = 0; i < 3; i++) ids.push((await hazard(`批量 ${i}`, plants[i].id)).id);
  const moved = await bureau.ok_post('/api/v1/records/hazard/bulk', { ids: [...ids, 999999], move: 'assign', fields: { requirement: '立即整改' } });
  assert.equal(moved.done, 3);
  assert.deepEqual(moved.failed.map((f) => [f.id, f.code]), [[999999, 'not_found']]);
  assert.ok(moved.failed[0].message);
  for (const id of ids) assert.equal((await bureau.ok_get(`/api/v1/records/hazard/${id}`)).state, 'assigned');
  const again = await bureau.ok_post('/api/v1/records/hazard/bulk', { ids, move: 'assign', fields: { requirement: 'x' } });
  assert.deepEqual([again.done, again.failed.length, again.failed[0].code], [0, 3, 'conflict']);
  const edited = await bureau.ok_post('/api/v1/records/hazard/bulk', { ids: [ids[0], { id: ids[1], version: 1 }], edit: { place: '泵房' } });
  assert.equal(edited.done, 1, 'the second was seen in an older version');
  assert.equal(edited.failed[0].id, ids[1]);
  assert.equal((await bureau.ok_get(`/api/v1/records/hazard/${ids[0]}`)).place, '泵房');
  const history = (await bureau.ok_get(`/api/v1/records/hazard/${ids[0]}/history`)).items;
  assert.equal(history.length, 3, 'created, moved, edited: an entry each');
  const others = await ent.ok_post('/api/v1/records/hazard/bulk', { ids, retire: true, reason: '试' });
  assert.equal(others.done, 0, 'an enterprise may not');
  const retired = await bureau.ok_post('/api/v1/records/hazard/bulk', { ids, retire: true, reason: '误报' });
  assert.equal(retired.done, 3);
});

test('a signed step for many is signed once: a wrong password changes nothing, a right one stands in the history of each', async () => {
  const PASSWORD = 'eine lange Losung 42';
  await admin.ok_post('/api/v1/password', { person: bureau.me.id, new: PASSWORD });
  bureau = await s.as('bureau');
  const plant = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).items[0].id;
  const ids = [];
  for (let i = 0; i < 3; i++) {
    const h = await hazard(`挂牌 ${i}`, plant, { level: 'major' });
    ids.push((await bureau.ok_post('/api/v1/records/hazard_listing', { title: `挂牌 ${i}`, hazard: h.id })).id);
  }
  const body = { ids, move: 'list', fields: { requirement: '停产整改', due: '2099-01-01' } };
  const bulk = (password) => bureau.post('/api/v1/records/hazard_listing/bulk', { ...body, password });
  const states = async () => (await Promise.all(ids.map((id) => bureau.ok_get(`/api/v1/records/hazard_listing/${id}`)))).map((r) => r.state);
  const none = await bulk(undefined), wrong = await bulk('falsch und lang');
  assert.deepEqual([none.status, none.json.error.field, wrong.status, wrong.json.error.field], [400, 'password', 403, 'password']);
  assert.deepEqual(await states(), ['drafting', 'drafting', 'drafting']);
  const done = await bulk(PASSWORD);
  assert.deepEqual([done.status, done.json], [200, { done: 3, failed: [] }]);
  assert.deepEqual(await states(), ['listed', 'listed', 'listed']);
  for (const id of ids) {
    const h = (await bureau.ok_get(`/api/v1/records/hazard_listing/${id}/history`)).items;
    assert.equal(h.find((x) => x.action === 'move:list').detail._signed, true);
    assert.ok(h.filter((x) => x.action !== 'move:list').every((x) => !('_signed' in x.detail)));
    assert.ok(!JSON.stringify(h).includes(PASSWORD));
  }
  const page = (await s.call('GET', '/public/types/hazard_listing')).json; // and with that it is published
  assert.deepEqual(page.items.map((r) => [r.title, r.state, r.enterprise.title.length > 0]).sort(), [0, 1, 2].map((i) => [`挂牌 ${i}`, 'listed', true]));
  const after = await bureau.ok_post('/api/v1/records/hazard_listing', { title: '下一条', hazard: (await hazard('下一条', plant, { level: 'major' })).id });
  assert.equal((await bureau.post(`/api/v1/records/hazard_listing/${after.id}/moves/list`, body.fields)).status, 400, 'the signature holds for that call only');
  for (let i = 0; i < 5; i++) await bulk('falsch und lang');
  assert.equal((await bulk(PASSWORD)).status, 429, 'guessing is slowed down');
});

test('a bulk change that says nothing, too much or two things is refused', async () => {
  for (const body of [{}, { ids: [] }, { ids: [1] }, { ids: ['x'], retire: true }, { ids: [1], retire: true, edit: {} }, { ids: Array(1001).fill(1), retire: true }])
    assert.ok((await bureau.post('/api/v1/records/hazard/bulk', body)).status >= 400, JSON.stringify(body).slice(0, 60));
  assert.equal((await bureau.post('/api/v1/records/hazard/bulk', { ids: [1], move: 'nothing' })).status, 404);
});

test('a person with sectors sees these sectors only', async () => {
  const other = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items.find((r) => r.sector && r.sector !== 'dust');
  await bureau.ok_post('/api/v1/records/device', { code: 'SECT-GW', name: '别的行业', enterprise: other.id, protocol: 'http' });
  await until('the device', async () => (await bureau.ok_get('/api/v1/devices/health')).items.some((d) => d.code === 'SECT-GW'));
  const person = await admin.ok_get(`/api/v1/records/person/${(await bureau.ok_get('/api/v1/me')).id}`);
  await admin.ok_patch(`/api/v1/records/person/${person.id}`, { version: person.version, sectors: ['dust'] });
  const again = await s.as('bureau');
  const list = await again.ok_get('/api/v1/records/enterprise?size=500');
  assert.ok(list.total > 0 && list.items.every((r) => r.sector === 'dust'));
  const seen = await again.ok_get('/api/v1/devices/health');
  assert.ok(!seen.items.some((d) => d.code === 'SECT-GW'), 'devices of other sectors, too');
  await admin.ok_patch(`/api/v1/records/person/${person.id}`, { version: person.version + 1, sectors: [] });
});
