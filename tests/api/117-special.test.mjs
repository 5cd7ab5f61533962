// Around a case: transfer to the police, bodies and delegations in force, a post at an enterprise, guidance, a town's request.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, bureau, bureau2, ent, town, leader, firm, people;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const who of ['leader', 'bureau3']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [bureau, ent, town, leader, bureau2] = [await s.as('bureau'), await s.as('enterprise'), await s.as('town'), await s.login('leader', PASSWORD), await s.login('bureau3', PASSWORD)];
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('a case goes to the police with its criterion and list of evidence, by a leader, and comes back with a result', async () => {
  const [c] = await all(bureau, 'enforcement_case');
  const t = await rec(bureau, 'case_transfer', { title: '涉嫌危险作业罪', case: c.id, kind: 'police', criterion: '关闭报警设施，现实危险（用例）', evidence: [{ what: '视频截图', pages: 3 }] });
  assert.equal((await move(bureau, 'case_transfer', t.id, 'send', { password: s.password })).status, 403);
  await done(leader, 'case_transfer', t.id, 'send', { password: PASSWORD });
  assert.equal((await move(bureau, 'case_transfer', t.id, 'receive', { receiver: '县公安局', received_on: day() })).status, 400, 'without the receipt');
  assert.equal((await ent.get(`/api/v1/records/case_transfer/${t.id}`)).status, 404, 'the party does not read it');
});

test('a delegation that has ended is listed, no longer published, and what gear is short is counted', async () => {
  const [org] = await all(bureau, 'organisation');
  const body = { organisation: org.id, basis: '（用例）', matters: '现场检查', from: day(-400), delegator: '县应急管理局' };
  const old = await rec(bureau, 'enforcement_body', { ...body, name: '旧委托', valid_to: day(-1) });
  const now = await rec(bureau, 'enforcement_body', { ...body, name: '石坪镇委托', valid_to: day(300), gear: [{ what: '执法记录仪', due: 4, have: 3 }] });
  assert.equal(now.gear_rate, 75);
  assert.deepEqual((await all(bureau, 'enforcement_body', '&list=lapsed')).map((x) => x.id), [old.id]);
  const shown = await (await fetch(`${s.url}/public/types/enforcement_body`)).json();
  const names = shown.items.map((x) => x.name ?? x.title);
  assert.ok(names.includes('石坪镇委托') && !names.includes('旧委托'), names.join());
});

test('who is posted at an enterprise leaves when each day has its log; what he found are hazards', async () => {
  const w = await rec(bureau, 'station_watch', { title: '复产驻点', enterprise: firm.id, inspector: people.bureau3.id, from: day(-1), to: day() });
  const entry = (n) => ({ on: day(n), what: '巡查罐区', place: '罐区' });
  await done(bureau2, 'station_watch', w.id, 'log', { log: [entry(-1)] });
  assert.equal((await move(bureau2, 'station_watch', w.id, 'leave', { report: '完成' })).status, 409, 'a day is missing');
  await done(bureau2, 'station_watch', w.id, 'log', { log: [entry(-1), entry(0)] });
  await done(bureau2, 'station_watch', w.id, 'leave', { report: '完成', problems: [{ title: '围堰破损' }] });
  assert.equal((await all(town, 'hazard', `&where.origin=station_watch:${w.id}`)).length, 1);
});

test('guidance is received, answered and visited again; a town’s request becomes a case or comes back with an answer', async () => {
  const g = await rec(town, 'guidance_record', { title: '仓储分区', enterprise: firm.id, kind: 'coach', basis: '（用例）', content: '分区存放' });
  await done(ent, 'guidance_record', g.id, 'answer', { adopted: true });
  await done(town, 'guidance_record', g.id, 'revisit', { revisit: '已分区' });
  const ask = (title) => rec(town, 'town_request', { title, enterprise: firm.id, facts: '拒不整改' });
  const [a, b] = [await ask('提请一'), await ask('提请二')];
  assert.equal((await move(bureau, 'town_request', a.id, 'return')).status, 400, 'with an answer only');
  await done(bureau, 'town_request', a.id, 'return', { answer: '由镇街督促' });
  await done(bureau, 'town_request', b.id, 'take', { answer: '立案' });
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=town_request:${b.id}`)).length, 1);
});
