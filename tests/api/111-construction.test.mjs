// A building site from permit to hand-over: what lacks a permit, experts, an inspection or people does not go on.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm, site;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const file = async (who, name = 'a.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  return (await r.json()).id;
};
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const posts = [{ post: 'manager', name: '冯某', certificate: 'A-1' }];

before(async () => {
  s = await Server.start();
  [bureau, ent, town] = await Promise.all(['bureau', 'enterprise', 'town'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  site = await rec(ent, 'site', { name: '化工园区综合楼', enterprise: firm.id, kind: 'building', owner: '园区公司', supervisor: '某监理', position: [118.9, 33.1] });
});
after(() => s.stop());

test('nothing begins without permit, supervision and a safety licence in force; small works need none', async () => {
  const r = await move(ent, 'site', site.id, 'begin', { bid_on: day(-30), posts });
  assert.equal(r.status, 409);
  const papers = { bid_on: day(-30), posts, permit: 'SG-1', permit_on: day(-1), supervised_on: day(-2), qualification: '一级' };
  assert.equal((await move(ent, 'site', site.id, 'begin', { ...papers, licence_to: day(-1) })).status, 409, 'a licence that has lapsed');
  site = await done(ent, 'site', site.id, 'begin', { ...papers, licence_to: day(200) });
  assert.equal(site.permitted, true);
  const small = await rec(ent, 'site', { name: '围墙修缮', enterprise: firm.id, kind: 'small', owner: '园区公司', position: [118.9, 33.1] });
  await done(ent, 'site', small.id, 'begin', { bid_on: day(-1), posts });
  assert.equal(await value('site_permit_rate'), 100, 'small works are not counted');
});

test('works beyond a certain size begin when five experts have argued them; those due without are a list', async () => {
  const d = await rec(ent, 'site_danger', { name: '深基坑', site: site.id, work: 'pit', class: 'super', starts: day(-1), ends: day(40) });
  const body = { plan: [await file(ent)], briefed: [{ name: '班组长', signed: true }] };
  assert.equal((await move(ent, 'site_danger', d.id, 'start', body)).status, 409);
  assert.deepEqual((await all(town, 'site_danger', '&list=late')).map((x) => x.id), [d.id]);
  assert.equal(await value('danger_argued_rate'), 0);
  const experts = [1, 2, 3, 4, 5].map((n) => ({ name: `专家${n}`, company: '设计院', passed: true }));
  const r = await move(ent, 'site_danger', d.id, 'start', { ...body, experts, argued_on: day(-3) });
  assert.ok(r.status < 300, r.text);
  assert.equal(await value('danger_argued_rate'), 100);
  assert.equal((await move(ent, 'site', site.id, 'hand')).status, 409, 'it is not accepted yet');
});

test('a crane is used only while its inspection, its life and the certificates of its people last', async () => {
  const c = await rec(ent, 'site_crane', { name: '1 号塔吊', site: site.id, kind: 'tower', filing: 'CQ-1', made_on: '2020-01-01', scrap_on: day(900), installer: '某安拆（一级）' });
  await done(ent, 'site_crane', c.id, 'erect', { notice_on: day(-5), plan: [await file(ent)] });
  const use = (to) => move(ent, 'site_crane', c.id, 'use', { inspected_on: day(-1), inspected_to: day(300), registered: 'SY-1', drivers: [{ name: '司机', certificate: 'Q-1', valid_to: to }] });
  assert.equal((await use(day(-1))).status, 409);
  assert.ok((await use(day(100))).status < 300);
  assert.equal(await value('crane_inspected_rate'), 100);
  await done(town, 'site_crane', c.id, 'halt', { reason: '力矩限制器失效' });
  assert.equal(await value('crane_inspected_rate'), 0);
});

test('somebody who is missing more than five days is checked on site; problems become hazards; red stops and is lifted when the checks are closed', async () => {
  await rec(ent, 'site_attendance', { name: '冯某', site: site.id, post: 'manager', month: `${day().slice(0, 7)}-01`, due_days: 22, days: 20 });
  assert.equal((await all(town, 'site_check')).length, 0, 'two days');
  await rec(ent, 'site_attendance', { name: '吕某', site: site.id, post: 'safety', month: `${day().slice(0, 7)}-01`, due_days: 22, days: 9 });
  const [check] = await all(town, 'site_check', '&list=open');
  assert.equal(check.title, '吕某');
  await done(town, 'site', site.id, 'stop', { reason: '安全员长期不在岗' });
  const stopped = await ent.ok_get(`/api/v1/records/site/${site.id}`);
  assert.deepEqual([stopped.code, stopped.phase], ['red', 'stopped']);
  assert.equal((await move(bureau, 'site', site.id, 'resume', { phase: 'foundation' })).status, 409, 'a check is open');
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const photo = (await (await fetch(`${s.url}/api/v1/files?name=a.png`, { method: 'POST', headers: { Authorization: `Bearer ${town.token}` }, body: png })).json()).id;
  const closed = await done(town, 'site_check', check.id, 'finish', { items: [{ place: '三层', item: '洞口防护', points: 10, got: 4 }], problems: [{ title: '洞口无盖板', place: '三层' }], photos: [photo] });
  assert.equal(closed.score, 40);
  assert.equal((await all(town, 'hazard', `&where.origin=site_check:${check.id}`))[0].title, '洞口无盖板');
  assert.equal((await done(bureau, 'site', site.id, 'resume', { phase: 'foundation' })).code, 'green');
});

test('a suspected resale becomes a case that says where it came from; the enterprise does not see the clue', async () => {
  const z = await rec(bureau, 'contract_suspect', { title: '社保单位与承包单位不符', site: site.id, kind: 'borrowed' });
  assert.equal((await ent.get(`/api/v1/records/contract_suspect/${z.id}`)).status, 404);
  await done(bureau, 'contract_suspect', z.id, 'file', { findings: '项目经理社保在外单位', papers: [await file(bureau)] });
  const [c] = await all(bureau, 'enforcement_case', `&where.origin=contract_suspect:${z.id}`);
  assert.equal(c.origin.type, 'contract_suspect');
});

test('a building of grade D must be empty before it counts as dealt with', async () => {
  const b = await rec(town, 'old_building', { name: '临街自建房', position: [118.9, 33.1], built: 1988, floors: 4, structure: '砖混', business: true, people: 14, owner: '孙某某' });
  assert.equal((await move(town, 'old_building', b.id, 'grade', { grade: 'd', graded_by: '某鉴定所', graded_on: day() })).status, 409);
  await done(town, 'old_building', b.id, 'endanger', { grade: 'd', graded_by: '某鉴定所', graded_on: day() });
  assert.equal((await move(town, 'old_building', b.id, 'deal', { measure: 'evacuate', left: 2 })).status, 409);
  await done(town, 'old_building', b.id, 'deal', { measure: 'evacuate', vacated_on: day(), left: 0 });
  assert.equal(await value('building_dealt_rate'), 100);
});
