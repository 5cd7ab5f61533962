// Industry: an enterprise holds several of the eight trades, checklists are of trades; the five capabilities of the industrial internet are scored.
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

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

test('an enterprise of two trades counts in both, and a checklist is of trades', async () => {
  const count = async (t) => value(`trade_${t}`);
  const [m, n] = [await count('machinery'), await count('nonferrous')];
  const e = await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}`);
  const r = await bureau.patch(`/api/v1/records/enterprise/${firm.id}`, { trades: ['machinery', 'nonferrous'], version: e.version });
  assert.ok(r.status < 300, r.text);
  assert.deepEqual([await count('machinery'), await count('nonferrous')], [m + 1, n + 1]);
  assert.ok((await all(bureau, 'enterprise', '&list=trades')).some((x) => x.id === firm.id));
  const c = await rec(bureau, 'check_list', { name: '机械行业检查表', cycle: 'monthly', trades: ['machinery'], items: [{ item: '联锁' }] });
  assert.ok((await all(bureau, 'check_list', '&list=trades')).some((x) => x.id === c.id));
});

test('the five capabilities give a level of maturity; a department sees who stands where', async () => {
  const r = await rec(ent, 'safety_rating', { title: '工业互联网', kind: 'internet', year: 2027 });
  const sheet = `/api/v1/records/safety_rating/${r.id}/sheet/internet_sheet`;
  await ent.ok_post(sheet, { fill: true });
  const leaves = (await ent.ok_get(sheet)).sheet.items.filter((x) => x.leaf && !x.veto);
  assert.deepEqual([...new Set(leaves.map((x) => x.path.split('.')[0]))], ['sense', 'monitor', 'warn', 'act', 'assess']);
  assert.equal(leaves.reduce((n, x) => n + x.points, 0), 100);
  await ent.ok_post(sheet, { items: Object.fromEntries(leaves.filter((x) => !x.auto).map((x) => [x.path, { self: x.points }])) });
  await done(ent, 'safety_rating', r.id, 'submit');
  await dept.ok_post(sheet, { items: Object.fromEntries(leaves.map((x) => [x.path, { review: x.path.startsWith('warn') ? 0 : x.points }])) });
  const out = await done(dept, 'safety_rating', r.id, 'show', { opinion: '预警能力不足', show_until: day(), gaps: [{ what: '投用报警规则', due: day(60) }] });
  assert.deepEqual([out.score, out.grade], [80, 'good']);
  assert.ok((await all(bureau, 'safety_rating', '&list=internet')).some((x) => x.id === r.id));
});
