// Forests: hot spots are imported, verified, put out; the day's grade needs its measures. Roads: a dangerous section climbs a tier, works keep their safety fund.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, town, dept, duty, ent, firm, area;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  [bureau, town, dept, duty, ent] = await Promise.all(['bureau', 'town', 'department', 'duty', 'enterprise'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  area = firm.area?.code ?? firm.area;
});
after(() => s.stop());

test('a hot spot is one once, verified in time, dispatched or dismissed with what it was', async () => {
  const spot = (n) => ({ title: `虚构岭 ${n}`, area, source: 'satellite', source_number: `S-${n}`, position: [118.9, 33.1], pixels: 2 });
  const a = await rec(duty, 'forest_hotspot', spot(1)), b = await rec(duty, 'forest_hotspot', spot(2));
  assert.equal((await duty.post('/api/v1/records/forest_hotspot', spot(1))).status, 409, 'the same of the satellite');
  assert.ok(Date.parse(a.deadline) - Date.now() < 31 * 60e3);
  assert.equal((await move(duty, 'forest_hotspot', b.id, 'dismiss', { result: 'forest' })).status, 409);
  await done(duty, 'forest_hotspot', b.id, 'dismiss', { result: 'farm' });
  const r = await done(duty, 'forest_hotspot', a.id, 'dispatch', { team: '镇半专业队 20 人' });
  assert.deepEqual([r.result, r.state], ['forest', 'fire']);
  await done(duty, 'forest_hotspot', a.id, 'event');
  assert.equal((await all(duty, 'emergency_event', `&where.hotspot=${a.id}`)).length, 1);
  await done(duty, 'forest_hotspot', a.id, 'out', { burnt: 0.3 });
  const rate = (await bureau.ok_get('/api/v1/indicators/hotspot_verified_rate')).total;
  assert.deepEqual([rate.num, rate.den], [2, 2]);
  const f = await rec(dept, 'forest_facility', { name: '虚构岭水源点', kind: 'water', area, position: [118.9, 33.1], keeper: '林场', next_check: day(30) });
  await done(dept, 'forest_facility', f.id, 'fault', { fault: '蓄水池渗漏' });
  assert.ok((await all(dept, 'forest_facility', '&list=broken')).some((x) => x.id === f.id));
});

test('a high grade is not published without its measures', async () => {
  const g = await rec(duty, 'forest_grade', { title: '今日森林火险等级', area, on: day() });
  assert.equal((await move(duty, 'forest_grade', g.id, 'publish', { grade: 'g4' })).status, 409);
  await done(duty, 'forest_grade', g.id, 'publish', { grade: 'g4', measures: '禁止野外用火，重点林区每日两巡' });
});

test('a section climbs a tier; traffic works show the fund used, their major hazard is one to be listed', async () => {
  const r = await rec(dept, 'road_section', { name: '虚构急弯', area, position: [118.9, 33.1], class: 'county', faults: ['curve'], from_km: 1, to_km: 2, before: 2 });
  await done(dept, 'road_section', r.id, 'circulate', { responsible: '镇政府', due: day(30) });
  assert.equal((await done(dept, 'road_section', r.id, 'raise', { tier: 'county', reason: '逾期' })).tier, 'county');
  const w = await rec(ent, 'site', { name: '虚构县道改造', enterprise: firm.id, kind: 'road', owner: '交通局', supervisor: '监理', position: [118.9, 33.1] });
  assert.equal(w.traffic, true);
  await done(ent, 'site', w.id, 'begin', { bid_on: day(-30), posts: [{ post: 'manager', name: '项某', certificate: 'X-1' }], qualification: '二级', licence_to: day(300), supervised_on: day(-10), permit: `GL-${Date.now()}`, permit_on: day(-5) });
  const used = await done(ent, 'site', w.id, 'fund', { fund_due: 100000, fund: [{ on: day(), what: '临边防护', sum: 20000 }, { on: day(), what: '警示灯', sum: 5000 }] });
  assert.equal(used.fund_used, 25000);
  await done(dept, 'site', w.id, 'major', { finding: '高边坡无支护' });
  assert.equal((await all(bureau, 'hazard', `&where.origin=site:${w.id}`))[0].level, 'major');
  assert.ok((await all(dept, 'site', '&list=traffic')).some((x) => x.id === w.id));
});
