// Fire: every fire is a record that enters the risk score of its unit; towns are assessed once a year from what the registers say.
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const send = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const file = (who) => send(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const photo = (who) => send(who, 'a.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const opened = async (type, from) => (await all(bureau, type, `&where.origin=${from}`)).map((x) => x.title);
const here = [118.9, 33.1];

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept] = await Promise.all(['bureau', 'enterprise', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('a fire enters the score of its unit with its arithmetic, and the score is back-tested on the fires that came', async () => {
  const index = (path) => bureau.ok_get(`/api/v1/index/fire_risk/${path}`);
  await until('the score', async () => (await bureau.ok_get('/api/v1/index')).items.some((x) => x.name === 'fire_risk'));
  const score = async () => (await index(`why?kind=enterprise&key=${firm.id}`)).score;
  const before = await score();
  await rec(dept, 'fire_incident', { title: '仓库火灾', area: firm.area, enterprise: firm.id, happened: at(-60), position: here, grade: 'larger', cause: 'electric', burnt: 300, dead: 3, loss: 900000, minutes: 9 });
  await until('the fire in the score', async () => (await score()) > before + 30);
  const why = await index(`why?kind=enterprise&key=${firm.id}`);
  assert.ok(JSON.stringify(why).includes('fires'), 'it says which component');
  const b = await index('backtest?days=30');
  assert.deepEqual([b.index, b.days, b.events, b.enough], ['fire_risk', 30, 1, false], 'one fire of a unit, and it says that this is too few');
  assert.ok((await all(bureau, 'fire_incident', '&list=larger')).some((x) => x.title === '仓库火灾'));
  const twice = await dept.post('/api/v1/records/fire_incident', { title: '仓库火灾', area: '990121000000', happened: 'x', position: here, cause: 'electric' });
  assert.equal(twice.status, 400);
});

test('a town is assessed on fire from the registers; a major problem becomes a notice to who answers', async () => {
  const a = await rec(town, 'assessment', { title: '年度消防考核', kind: 'fire', year: 2026 });
  const sheet = `/api/v1/records/assessment/${a.id}/sheet/fire_sheet`;
  await town.ok_post(sheet, { fill: true });
  await town.ok_post(sheet, { items: { duty: { self: 15 } } });
  const leaves = (await town.ok_get(sheet)).sheet.items.filter((x) => x.leaf && !x.veto);
  assert.deepEqual(leaves.filter((x) => x.auto).map((x) => x.path), ['hydrants', 'facilities', 'places', 'callouts', 'teaching']);
  await done(town, 'assessment', a.id, 'submit');
  await bureau.ok_post(sheet, { items: Object.fromEntries(leaves.map((x) => [x.path, { review: x.points * 0.85 }])) });
  const reviewed = await done(bureau, 'assessment', a.id, 'reviewed');
  assert.deepEqual([Math.round(reviewed.score), reviewed.grade], [85, 'good']);
  assert.ok((await all(bureau, 'assessment', '&list=fire')).some((x) => x.id === a.id));
  const safety = await rec(town, 'assessment', { title: '年度安全考核', year: 2026 });
  assert.equal(safety.kind, 'safety');
  assert.equal((await town.post(`/api/v1/records/assessment/${safety.id}/sheet/sheet`, { fill: true })).status < 300, true);
});

test('key units that nobody supervises are the gap, the standard is a rate by sector', async () => {
  const u = await rec(ent, 'fire_unit', { name: '商场主楼', use: '商业', responsible: '甲', manager: '乙' });
  const dates = { people_on: day(), care_on: day(), self_on: day(), keeper: '维保公司', care_to: day(200), score: 85 };
  await done(dept, 'fire_unit', u.id, 'assign', { class: 'key', inspector: dept.me.id, duty: '每季一查' });
  assert.equal(await value('fire_key_covered_rate'), 0);
  const before = await value('fire_standard_rate');
  await done(ent, 'fire_unit', u.id, 'file', dates);
  assert.equal(await value('fire_key_covered_rate'), 100);
  assert.ok(await value('fire_standard_rate') > before);
});
