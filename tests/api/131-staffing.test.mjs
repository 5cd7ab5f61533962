// People: how many managers and engineers are required is computed and what lacks is ordered; a course on line cannot be skipped and counts its hours at the end;
// a secondment ends with an appraisal.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

before(async () => {
  s = await Server.start();
  [bureau, ent, town] = await Promise.all(['bureau', 'enterprise', 'town'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('what an enterprise must have is computed from its sector and people; what lacks is ordered and ends with verified certificates', async () => {
  const f = await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}`);
  assert.equal(f.sector, 'chemical');
  const set = (await bureau.ok_patch(`/api/v1/records/enterprise/${firm.id}`, { staff: 320, version: f.version })).staff;
  assert.equal(set, 320);
  const year = 1900 + new Date(Date.now() + 8 * 3600e3).getYear();
  const had = (await all(bureau, 'staffing')).find((x) => (x.enterprise.id ?? x.enterprise) === firm.id && x.year === year);
  const r = had ? await ent.ok_patch(`/api/v1/records/staffing/${had.id}`, { per: 100, version: had.version }) : await rec(ent, 'staffing', { title: '年度核定', enterprise: firm.id, year, per: 100 });
  assert.deepEqual([r.need_managers, r.need_engineers, r.lack], [4, 1, 5], '320 people, one manager for 100, 15 % of them engineers');
  assert.ok((await all(town, 'staffing', '&list=short')).some((x) => x.id === r.id));
  assert.equal((await move(town, 'staffing', r.id, 'meet')).status, 409);
  await done(town, 'staffing', r.id, 'order', { order: '配齐专职安全管理人员和注册安全工程师', due: day(30) });
  const paper = await town.post(`/api/v1/records/staffing/${r.id}/documents/staffing_order`, {});
  assert.ok(paper.status < 300, paper.text);
  const managers = [];
  for (let i = 0; i < 4; i++) managers.push({ person: (await rec(ent, 'key_person', { name: `管${i}`, enterprise: firm.id, role: 'manager' })).id, verified: true, valid_to: day(300) });
  const c = await rec(ent, 'certificate', { holder: '注安某', enterprise: firm.id, kind: 'engineer', code: 'ZA-1', issued: day(-100), valid_to: day(700) });
  const now = await ent.ok_get(`/api/v1/records/staffing/${r.id}`);
  const full = await ent.ok_patch(`/api/v1/records/staffing/${r.id}`, { managers, engineers: [{ certificate: c.id, verified: day(), valid_to: day(700) }], version: now.version });
  assert.deepEqual([full.lack, full.valid_to], [0, day(300)]);
  const before = (await bureau.ok_get('/api/v1/indicators/staffing_met_rate')).total;
  await done(town, 'staffing', r.id, 'meet');
  assert.equal((await bureau.ok_get('/api/v1/indicators/staffing_met_rate')).total.num, (before.num ?? 0) + 1);
});

test('a course on line counts by the clock of the server: no chapter is skipped, no second counted twice, hours come at the end', async () => {
  const course = await rec(bureau, 'course', { title: '两章网络课', subject: 'law', hours: 2, chapters: [{ title: '一', minutes: 0.1 }, { title: '二', minutes: 0.1 }] }).catch(async () => {
    const { items } = (await bureau.ok_get('/api/v1/types/course')).fields.find((f) => f.name === 'subject').menu ?? {};
    return rec(bureau, 'course', { title: '两章网络课', subject: (items ?? [{ value: 'general' }])[0].value, hours: 2, chapters: [{ title: '一', minutes: 0.1 }, { title: '二', minutes: 0.1 }] });
  });
  const study = await rec(ent, 'course_study', { title: '两章网络课', course: course.id });
  assert.equal(study.length, 0.2);
  const beat = (chapter, at_s, who = ent) => who.post(`/api/v1/study/${study.id}`, { chapter, at_s });
  assert.equal((await beat(1, 0, bureau)).status, 403, 'the learner himself');
  assert.equal((await beat(2, 0)).status, 409, 'chapter 1 comes first');
  assert.equal((await beat(1, 0)).status, 200);
  assert.equal((await beat(1, 60)).status, 409, 'skipped ahead');
  await sleep(1500);
  const one = (await beat(1, 1)).json, again = (await beat(1, 1)).json;
  assert.ok(one.progress[0].seconds >= 1.3 && one.progress[0].seconds < 4, JSON.stringify(one.progress));
  assert.ok(again.progress[0].seconds - one.progress[0].seconds < 1, 'the same second is not counted twice');
  assert.equal((await move(ent, 'course_study', study.id, 'finish')).status, 409, 'not all watched');
  await sleep(5500);
  assert.equal((await beat(1, 6)).json.progress[0].seconds, 6, 'never more than the chapter');
  await beat(2, 0);
  await sleep(6300);
  assert.equal((await beat(2, 6)).json.watched, 0.2);
  assert.equal((await done(ent, 'course_study', study.id, 'finish')).hours, 2);
  assert.equal((await beat(2, 6)).status, 409, 'it is over');
});

test('a secondment has its days and ends with an appraisal; the structure of the pool is a rate', async () => {
  const organisation = (await all(bureau, 'organisation'))[0].id;
  const t = await rec(bureau, 'talent', { name: '专家甲', organisation, kind: 'expert', field: 'chemical' });
  await rec(bureau, 'talent', { name: '专家乙', organisation, kind: 'expert', field: 'law' });
  assert.equal((await move(bureau, 'talent', t.id, 'second', { host: '某镇副镇长', from: day(), until: day(-1) })).status, 409);
  await done(bureau, 'talent', t.id, 'second', { host: '某镇副镇长', from: day(-10), until: day(100) });
  await done(bureau, 'talent', t.id, 'back');
  assert.equal((await move(bureau, 'talent', t.id, 'appraise')).status, 400);
  await done(bureau, 'talent', t.id, 'appraise', { appraisals: [{ on: day(), host: '某镇', what: '称职' }] });
  const rate = (await bureau.ok_get('/api/v1/indicators/talent_qualified_rate')).total;
  assert.deepEqual([rate.num, rate.den], [1, 2]);
});
