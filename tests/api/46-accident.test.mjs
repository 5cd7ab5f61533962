// From the first report to the evaluation within a year: severity and late reporting are computed, the report's
// recommendations become tasks, and nothing is closed before the four conditions hold.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, duty, bureau, leader, committee;
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const ok = async (p) => { const r = await p; assert.ok(r.status < 300, r.text); return r.json; };
const file = async (who, name = 'r.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: '%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n' });
  assert.ok(r.status < 300, await r.clone().text());
  return (await r.json()).id;
};
const at = (h) => new Date(Date.now() + h * 3600e3).toISOString();
const report = (body) => ok(duty.post('/api/v1/records/accident', { title: '测试事故', area: '990121101000', kind: 'fall', happened: at(-5), known: at(-4.5), dead: 0, serious: 0, ...body }));

before(async () => {
  s = await Server.start();
  [duty, bureau, leader, committee] = await Promise.all(['duty', 'bureau', 'leader', 'committee'].map((r) => s.as(r)));
});
after(() => s.stop());

test('severity follows order 493 at its edges, and the loss is the sum of its parts', async () => {
  for (const [body, level] of [
    [{ dead: 2, serious: 9 }, 'general'], [{ dead: 3 }, 'larger'], [{ dead: 9 }, 'larger'], [{ dead: 10 }, 'serious'], [{ dead: 29 }, 'serious'],
    [{ dead: 30 }, 'extraordinary'], [{ serious: 10 }, 'larger'], [{ serious: 50 }, 'serious'], [{ serious: 100 }, 'extraordinary'],
    [{ loss_property: 9999999.99 }, 'general'], [{ loss_property: 10000000 }, 'larger'], [{ loss_property: 49999999, loss_handling: 1 }, 'serious'],
    [{ loss_property: 100000000 }, 'extraordinary'],
  ]) assert.equal((await report(body)).level, level, JSON.stringify(body));
  const a = await report({ loss_medical: 100.1, loss_compensation: 200.2, loss_handling: 0.05, serious: 1, minor: 2 });
  assert.equal(a.loss, 300.35);
  assert.equal(a.injured, 3);
});

test('reporting later than an hour after the principal knew is late, by itself', async () => {
  assert.equal((await report({ known: at(-4), unit_reported: at(-3.1) })).unit_late, false);
  assert.equal((await report({ known: at(-4), unit_reported: at(-2.9) })).unit_late, true);
  const wrong = await duty.post('/api/v1/records/accident', { title: 'x', area: '990121101000', kind: 'fall', happened: at(-1), known: at(-2), dead: 0, serious: 0 });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.json.error.field, 'known');
});

test('a record of others that fits no accident is a suspect, and the same one is entered once', async () => {
  const body = { title: '120 接诊', source: 'emergency_120', source_number: 'T-1', at: at(-3), area: '990121101000', injured: 1 };
  const one = await ok(bureau.post('/api/v1/records/external_record', body));
  assert.equal((await bureau.post('/api/v1/records/external_record', body)).status, 409);
  const sus = await ok(move(bureau, 'external_record', one.id, 'suspect', { reason: '无对应报告' }));
  assert.ok(sus.deadline);
  assert.ok((await bureau.get('/api/v1/records/external_record?list=suspects')).json.items.some((x) => x.id === one.id));
});

test('the reporter is masked until somebody says why he must know', async () => {
  const a = await report({ reporter: '张三丰', reporter_phone: '13912345678' });
  const seen = (await leader.get(`/api/v1/records/accident/${a.id}`)).json;
  assert.notEqual(seen.reporter, '张三丰');
  assert.notEqual(seen.reporter_phone, '13912345678');
});

test('a report goes to its approval with causes and all four tracks, may come back, and the accident waits for it', async () => {
  const a = await report({ dead: 1, title: '结案用例' });
  await ok(move(duty, 'accident', a.id, 'verify', { brief: '坠落' }));
  assert.equal((await move(leader, 'accident', a.id, 'investigate', {})).status, 400, 'it is signed: a password is asked');
  const tried = (await bureau.get('/api/v1/records/investigation')).json.items; // the demo county's own one
  assert.ok(tried.length >= 1 && tried[0].accident && tried[0].deadline);
  const i = tried[0];
  const handed = await ok(move(bureau, 'investigation', i.id, 'submit', {
    direct_cause: '踏破采光板', indirect_cause: '未设安全网', safety_result: '责任事故', style_result: '无', corruption_result: '无', crime_result: '无',
    persons: [{ name: '李某', unit: '项目经理', kind: 'fine', proposal: '罚款' }],
    recommendations: [{ what: '全面排查采光板', owner: '城关镇', due: '2027-01-31' }, { what: '培训', owner: '住建局', due: '2027-02-28' }], report: [await file(bureau)] }));
  assert.equal(handed.state, 'approving');
  const back = await ok(move(leader, 'investigation', i.id, 'return', { reason: '补充间接原因' }));
  assert.equal(back.state, 'investigating');
  const refused = await move(bureau, 'accident', i.accident.id, 'handle');
  assert.equal(refused.status, 409, 'the report is not approved yet');
});

test('listing is for relatively serious accidents and above', async () => {
  const a = (await bureau.get('/api/v1/records/accident?where.state=investigating')).json.items[0];
  const r = await move(bureau, 'accident', a.id, 'list', { reason: '挂牌' });
  assert.equal(r.status, 409, r.text);
});

test('it is listed by itself once it is verified as such, also when a follow-up makes it so, and only once', async () => {
  const listings = async (a) => (await bureau.get(`/api/v1/records/accident_listing?where.accident=${a.id}`)).json.items;
  const a = await report({ dead: 1, title: '自动挂牌用例' });
  await ok(move(duty, 'accident', a.id, 'verify', { brief: '坍塌' }));
  assert.deepEqual(await listings(a), [], 'an ordinary one is not');
  await ok(move(duty, 'accident', a.id, 'follow_up', { dead: 3, reason: '两人经抢救无效' }));
  const [l, ...more] = await listings(a);
  assert.deepEqual([l.state, l.title, l.thread === a.thread, more.length], ['drafting', '自动挂牌用例', true, 0]);
  await ok(move(duty, 'accident', a.id, 'follow_up', { dead: 4, reason: '又一人' }));
  assert.equal((await listings(a)).length, 1);
});

test('figures of past years stand with their source and are unique by series, area and year', async () => {
  const rows = (await bureau.get('/api/v1/records/accident_year?sort=year&size=50')).json.items.filter((x) => x.series.startsWith('秦安'));
  assert.deepEqual(rows.map((x) => [x.year, x.accidents, x.dead, x.injured, x.loss]),
    [[2016, 7, 7, 7, 72.6], [2017, 5, 6, 4, 12.21], [2018, 5, 5, 1, 13.8], [2019, 3, 4, 1, 10.18], [2020, 3, 3, 0, 14]]);
  const again = await bureau.post('/api/v1/records/accident_year', { series: rows[0].series, area: rows[0].area, year: 2016, source: 'x' });
  assert.equal(again.status, 409, again.text);
});
