// Waste of small producers, capacity of disposal, risk arguments; recording, intrusion and upgrades of explosives.
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

test('a collection point takes no more than it may hold, and what it holds follows from what was weighed and sent', async () => {
  const p = await rec(dept, 'waste_point', { name: '城东收集点', enterprise: firm.id, position: here, approval: '试 1', approval_to: day(100), categories: ['hw08'], capacity: 500, days: 30, next_check: day(10), contracts: [{ user: '汽修', valid_to: day(90), kg: 900 }] });
  const pick = (kg) => rec(dept, 'waste_pickup', { user: '汽修', point: p.id, category: 'hw08', code: '900-214-08', wanted: day(2), estimate: kg });
  const weigh = async (id, kg) => move(ent, 'waste_pickup', id, 'weigh', { kg, weighed_on: day(-1), scale: [await photo(ent)] });
  const a = await pick(400), b = await pick(200);
  const stored = await weigh(a.id, 410);
  assert.ok(stored.status < 300, stored.text);
  assert.equal(stored.json.store_until, day(29), 'the time of the approval counts from the day of the weighing');
  assert.equal((await weigh(b.id, 100)).status, 409, 'above what the point may hold');
  const held = async () => (await all(dept, 'waste_point', `&where.id=${p.id}`)).find((x) => x.id === p.id).stock;
  assert.equal(await held(), 410);
  assert.ok((await all(dept, 'waste_point', '&list=full')).some((x) => x.id === p.id));
  await refused(ent, 'waste_pickup', a.id, 'send', { disposer: '处置厂 1 号证', manifest: 'LD-1', out_kg: 400 });
  await done(ent, 'waste_pickup', a.id, 'send', { disposer: '处置厂 1 号证', manifest: 'LD-1', out_kg: 410 });
  assert.equal(await held(), 0);
  assert.ok((await weigh(b.id, 100)).status < 300);
});

test('the forecast of three years beside what is licensed; a gap is concluded with a plan only', async () => {
  const c = await rec(dept, 'waste_capacity', { area: '990121000000', category: 'hw17', year: 2025, ahead: 2, t0: 100, t1: 110, t2: 132, valid_to: day(300) });
  assert.deepEqual([c.growth, c.spread, c.forecast], [15, 10, 174.57], 'the mean of 10 and 20 %, twice');
  const licences = [{ unit: '甲', licence: '1', valid_to: day(400), t: 100 }, { unit: '乙', licence: '2', valid_to: day(200), t: 50 }];
  await refused(dept, 'waste_capacity', c.id, 'conclude', { licences });
  const before = await value('waste_capacity_gap');
  const r = await done(dept, 'waste_capacity', c.id, 'conclude', { licences, plan: '新建 60 吨' });
  assert.deepEqual([r.licensed, r.gap, r.short, r.first_to], [150, 24.57, true, day(200)]);
  assert.equal(await value('waste_capacity_gap'), before + 1);
  const own = await rec(dept, 'waste_capacity', { area: '990121000000', category: 'hw17', year: 2025, ahead: 1, t0: 100, t1: 110, t2: 132, expected: -10, valid_to: day(300) });
  assert.deepEqual([own.growth, own.forecast], [-10, 118.8]);
});

test('a facility stands when three experts have argued it and its hazards are closed', async () => {
  const f = await rec(ent, 'facility_argument', { name: 'RTO 装置', method: ['hazop', 'expert'], assessor: '评估公司' });
  const experts = (n) => Array.from({ length: n }, (_, i) => ({ name: `专家${i}`, agrees: true }));
  const body = async (n) => ({ assessed_on: day(-3), conclusion: 'improve', measures: '阻火器、LEL 联锁', experts: experts(n), problems: [{ title: '阻火器未检验' }], report: [await file(ent)] });
  await refused(ent, 'facility_argument', f.id, 'argue', await body(2));
  await done(ent, 'facility_argument', f.id, 'argue', await body(3));
  assert.deepEqual(await opened('hazard', `facility_argument:${f.id}`), ['阻火器未检验']);
  await refused(dept, 'facility_argument', f.id, 'pass', { valid_to: day(700) });
  assert.equal(await value('argument_stands_rate'), 0);
  const g = await rec(ent, 'facility_argument', { name: '污水站', method: ['check_list'], assessor: '评估公司' });
  await done(ent, 'facility_argument', g.id, 'argue', { ...await body(3), problems: [] });
  assert.equal((await done(dept, 'facility_argument', g.id, 'pass', { valid_to: day(700) })).state, 'stands');
  assert.equal(await value('argument_stands_rate'), 50);
});

test('a store of explosives whose recording is short or whose recorder fails is a gap; upgrades say capacity and persons', async () => {
  const cam = (name, more) => rec(ent, 'camera', { name, part: 'store', position: here, recorder: 'NVR-2', ...more });
  const good = await cam('库门', { keep_days: 90, recorder_state: 'good' });
  const short = await cam('发放间', { keep_days: 30, recorder_state: 'good' });
  const broken = await cam('库区围墙', { keep_days: 90, recorder_state: 'broken' });
  const ids = (await all(bureau, 'camera', '&list=short')).map((x) => x.id);
  assert.deepEqual([ids.includes(good.id), ids.includes(short.id), ids.includes(broken.id)], [false, true, true]);
  assert.equal((await value('store_video_rate')).toFixed(1), '33.3');
  const u = await rec(ent, 'substitution', { name: '混装炸药车', kind: 'mixing', post: '装药', before: 12, after: 4, equipment: '现场混装车', capacity_before: 3000, capacity_after: 5000, planned: day(100) });
  assert.deepEqual([u.reduced, u.capacity_change], [8, 2000]);
  assert.ok((await all(bureau, 'substitution', '&list=mixing')).some((x) => x.id === u.id));
});
