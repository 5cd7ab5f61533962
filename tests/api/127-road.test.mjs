// Road: a company's month is scored and leads to a hazard, an interview, a case; accidents are counted against their ceiling and projected; red asks for measures.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const china = (ms = Date.now()) => new Date(ms + 8 * 3600e3);
const day = (n = 0) => china(Date.now() + n * 86400e3).toISOString().slice(0, 10);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();

before(async () => {
  s = await Server.start();
  [bureau, ent, dept] = await Promise.all(['bureau', 'enterprise', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('a platform runs with licence and certified managers; its month is scored from what was reported, and what is wrong goes on', async () => {
  const org = (await all(dept, 'organisation'))[0].id;
  const managers = (to) => [{ name: '管某', certificate: 'AQ-1', valid_to: to }];
  const f = await rec(ent, 'transport_firm', { name: '顺行网约车平台', enterprise: firm.id, kind: 'ride_hailing', licence: 'WYC-1', licence_to: day(300), department: org, managers: managers(day(-1)) });
  assert.equal(f.platform, true);
  assert.equal((await move(dept, 'transport_firm', f.id, 'run')).status, 409, 'a manager without a certificate in force');
  assert.equal((await all(dept, 'transport_firm', '&list=lapsed')).some((x) => x.id === f.id), true);
  await done(dept, 'transport_firm', f.id, 'run', { managers: managers(day(200)) });
  const m = await rec(dept, 'firm_month', { title: '本月', firm: f.id, month: day() });
  const said = { vehicles: 100, vehicles_ok: 50, drivers: 100, drivers_ok: 80, practitioners: 100, trained: 60, accidents: 2, killed: 1, complaints: 5, answered: 4 };
  assert.equal((await move(ent, 'firm_month', m.id, 'report', { ...said, trained: 101 })).status, 400, 'more trained than there are');
  const r = await done(ent, 'firm_month', m.id, 'report', said);
  assert.equal(r.score, 51, '15 + 24 + 12 + 0');
  await done(dept, 'firm_month', m.id, 'finish', { offsite: 3, subcharter: 0, opinion: '三辆车长期在外地' });
  assert.deepEqual((await all(dept, 'firm_month', '&list=low')).map((x) => x.id), [m.id]);
  const rate = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
  assert.deepEqual([await rate('hailing_vehicles_rate'), await rate('hailing_drivers_rate'), await rate('platform_trained_rate')], [50, 80, 60]);
  await done(dept, 'firm_month', m.id, 'case');
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=firm_month:${m.id}`)).length, 1);
  assert.equal((await move(dept, 'firm_month', m.id, 'case')).status, 409, 'once');
  await done(dept, 'transport_firm', f.id, 'call', { finding: '月度考核 51 分', interview_on: at(600) });
  assert.equal((await all(bureau, 'interview', `&where.origin=transport_firm:${f.id}`))[0].title, '月度考核 51 分');
  await done(dept, 'transport_firm', f.id, 'major', { finding: '驾驶人疲劳监测停用' });
  assert.equal((await all(bureau, 'hazard', `&where.origin=transport_firm:${f.id}`))[0].level, 'major');
});

test('accidents of an area and class are counted by month, projected, and a red light asks for measures in time', async () => {
  const year = china().getUTCFullYear(), month = china().getUTCMonth();
  const base = { kind: 'road', area: firm.area?.code ?? firm.area, serious: 0 };
  const accident = (title, more) => rec(bureau, 'accident', { title, ...base, happened: at(-120), known: at(-110), scope: 'road', road_class: 'county', dead: 1, ...more });
  await accident('县道追尾');
  await accident('国道追尾', { road_class: 'national', dead: 2 });
  await accident('车间事故', { scope: 'production', kind: 'machine', road_class: undefined, dead: 4 });
  const control = (title, more) => rec(dept, 'road_control', { title, area: base.area, year, ceiling_accidents: 1000, ceiling: 1000, basis: '虚构文件', ...more });
  const calm = await control('全部道路'), tight = await control('县道', { class: 'county', ceiling: 0 });
  const counted = async (id) => { const r = await dept.post(`/api/v1/control/${id}`, {}); assert.equal(r.status, 200, r.text); return r.json; };
  const a = await counted(calm.id), b = await counted(tight.id);
  const at_month = (r) => r.months.find((x) => x.month === month + 1);
  assert.ok(a.deaths >= 3 && a.accidents >= 2 && a.months.length === month + 1, JSON.stringify(a.months));
  assert.equal(a.projected, Math.round(a.deaths * a.days / a.elapsed * 10) / 10);
  assert.deepEqual([a.light, a.state, b.light, b.state], ['green', 'running', 'red', 'alarm']);
  assert.ok(at_month(b).deaths >= 1 && b.deaths < a.deaths, 'of its class only');
  assert.ok(b.deadline, 'measures are due');
  assert.ok((await all(dept, 'road_control', '&list=red')).some((x) => x.id === tight.id));
  assert.equal((await move(dept, 'road_control', tight.id, 'measure', {})).status, 400, 'no measures');
  const measures = [{ what: '县道夜间设卡', unit: '交警大队', due: day(10) }];
  await done(dept, 'road_control', tight.id, 'measure', { measures });
  assert.equal((await move(dept, 'road_control', tight.id, 'calm')).status, 409, 'not done yet');
  await done(dept, 'road_control', tight.id, 'calm', { measures: [{ ...measures[0], done_on: day() }] });
  const typed = await dept.patch(`/api/v1/records/road_control/${tight.id}`, { months: [], version: (await dept.ok_get(`/api/v1/records/road_control/${tight.id}`)).version });
  assert.ok(typed.status >= 400 || typed.json.months.length === month + 1, 'nobody types the count');
});
