// Occupational health: exposure limits watched as means, what is beyond is corrected; the joint meeting; one form for safety and health.
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const lacks = async (...a) => assert.equal((await move(...a)).status, 400, a[3]);
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

test('readings above the 15-minute limit open an order of their own; it is closed when the value is below', async () => {
  const device = await bureau.ok_post('/api/v1/records/device', { code: 'WP-GW', name: '职业卫生网关', enterprise: firm.id, protocol: 'http' });
  await bureau.ok_post('/api/v1/records/point', { code: 'WP-DUST', name: '打磨工位粉尘', device: device.id, enterprise: firm.id, kind: 'workplace_air', unit: 'mg/m3', h: 4, hh: 8, interval_s: 60 });
  const key = (await bureau.ok_post(`/api/v1/devices/${device.id}/key`, {})).key;
  await until('the point', async () => (await bureau.get('/api/v1/points/WP-DUST')).status === 200);
  const t0 = Date.now() - 20 * 60e3;
  const push = (v, t) => s.call('POST', '/api/v1/readings', [{ point: 'WP-DUST', time: new Date(t).toISOString(), value: v }], { headers: { Authorization: `Device WP-GW:${key}` } });
  for (let i = 0; i <= 19; i++) await push(i < 2 ? 3 : 12, t0 + i * 60e3);
  const order = await until('the order', async () => (await all(ent, 'health_order')).find((x) => x.title.includes('PC-STEL')));
  assert.deepEqual([order.state, order.enterprise.id], ['open', firm.id]);
  await lacks(ent, 'health_order', order.id, 'correct', { measures: '检修除尘' });
  await done(ent, 'health_order', order.id, 'correct', { measures: '检修除尘', again_value: 2.5 });
  assert.equal((await move(ent, 'health_order', order.id, 'close')).status, 403, 'not by the employer');
  assert.equal((await done(town, 'health_order', order.id, 'close')).state, 'closed');
});

test('the joint meeting makes tasks of its decisions; a major matter is told with a reply for each unit', async () => {
  const committee = await s.as('committee');
  const m = await rec(committee, 'meeting', { title: '职业卫生联席会议', kind: 'health_joint', area: '990121000000' });
  await done(committee, 'meeting', m.id, 'hold', { on: at(-60), attendees: '卫健、应急、人社', minutes: '议定一项', decisions: [{ what: '尘毒专项', unit: '卫健局', due: day(30) }] });
  assert.deepEqual((await all(committee, 'decision', `&where.meeting=${m.id}`)).map((x) => x.title), ['尘毒专项']);
  const units = (await all(committee, 'organisation')).slice(0, 2).map((o) => ({ organisation: o.id }));
  const n = await rec(committee, 'caution_notice', { title: '急性中毒通报', kind: 'health_matter', area: '990121000000', grounds: '某企业急性中毒', requirement: '排查同类企业', due: day(5), units });
  assert.equal((await committee.ok_get('/api/v1/schedules')).items.some((x) => x.name === 'health_joint_meeting_half'), true);
  await lacks(committee, 'caution_notice', n.id, 'issue'); // without a signature
});

test('one check holds safety and health; both become hazards of the same enterprise, the plan counts both', async () => {
  const list = await rec(bureau, 'check_list', { name: '安全与职业卫生合并检查表', cycle: 'monthly', subject: 'both', items: [{ item: '防爆' }, { item: '粉尘浓度' }] });
  const c = await rec(bureau, 'enforcement_check', { title: '合并检查', enterprise: firm.id, subject: 'both', check_list: list.id, problems: [{ title: '接地失效' }], health_problems: [{ title: '未公示检测结果' }] });
  assert.equal(c.found, 2);
  assert.deepEqual((await all(bureau, 'enforcement_check', '&list=both')).map((x) => x.id), [c.id]);
  const p = await rec(bureau, 'enforcement_plan', { title: '年度计划', year: 2027, area: '990121000000', officers: 10, other_days: 100, parts: [{ enterprises: 10, times: 2, checks: 20, health: 12 }, { enterprises: 5, times: 1, checks: 5 }] });
  assert.deepEqual([p.planned, p.planned_health], [25, 12]);
});

test('a healthy workplace is scored, and what is missing becomes a task', async () => {
  const r = await rec(ent, 'safety_rating', { title: '健康工作场所', kind: 'health', year: 2026 });
  const sheet = `/api/v1/records/safety_rating/${r.id}/sheet/health_sheet`;
  await ent.ok_post(sheet, { fill: true });
  await ent.ok_post(sheet, { items: { organisation: { self: 15 }, notice: { self: 10 }, ppe: { self: 15 }, training: { self: 15 } } });
  await done(ent, 'safety_rating', r.id, 'submit');
  await bureau.ok_post(sheet, { items: { test: { review: 20 }, exam: { review: 0 }, notice: { review: 0 } } });
  const out = await move(bureau, 'safety_rating', r.id, 'show', { opinion: '通过', show_until: day(), gaps: [{ what: '补公告栏', due: day(30) }] });
  assert.ok(out.status < 300, out.text);
  assert.deepEqual([out.json.score, out.json.grade], [65, 'pass']);
  const [t] = await all(ent, 'rating_task', `&where.rating=${r.id}`);
  await done(ent, 'rating_task', t.id, 'finish', { done: '已设', files: [await file(ent)] });
  assert.equal((await done(town, 'rating_task', t.id, 'accept')).state, 'closed');
});
