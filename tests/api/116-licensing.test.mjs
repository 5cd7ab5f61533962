// A licence from the application to the check of its conditions, a project through its gates, and what may not come in.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, leader, firm, item;
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
const PASSWORD = 'Correct-Horse-9';

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  const people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const who of ['leader', 'bureau']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [bureau, ent, leader] = [await s.login('bureau', PASSWORD), await s.as('enterprise'), await s.login('leader', PASSWORD)];
  firm = (await all(ent, 'enterprise'))[0];
  item = await rec(bureau, 'licence_item', { name: '危险化学品经营许可', basis: '（用例）', papers: [{ paper: '申请书', original: true }], legal_days: 20, promised_days: 8, valid_years: 3, on_site: true });
});
after(() => s.stop());

test('the guide says how far the time was shortened; a promise cannot be longer than the law allows', async () => {
  assert.equal(item.saved, 60);
  const r = await bureau.post('/api/v1/records/licence_item', { name: '某事项', basis: '（用例）', papers: [{ paper: '申请书', original: true }], legal_days: 20, promised_days: 25 });
  assert.equal(r.status, 400);
  assert.equal(r.json.error.field, 'promised_days');
});

test('what is missing is told once; an item that wants a check on site is not submitted without; another than who reviewed grants', async () => {
  const a = await rec(ent, 'licence_application', { title: '经营许可', item: item.id, enterprise: firm.id });
  assert.equal((await move(bureau, 'licence_application', a.id, 'accept', { due: day(10) })).status, 409, 'there are no papers');
  await done(bureau, 'licence_application', a.id, 'tell', { missing: '申请书' });
  await done(ent, 'licence_application', a.id, 'complete', { papers: [await file(ent)] });
  const open = await done(bureau, 'licence_application', a.id, 'accept', { due: day(10) });
  assert.equal(open.deadline.slice(0, 10) >= day(9), true, open.deadline);
  assert.equal((await move(bureau, 'licence_application', a.id, 'submit', { opinion: '符合' })).status, 409, 'a check on site');
  await done(bureau, 'licence_application', a.id, 'submit', { visit: '现场符合', opinion: '符合', conditions: '甲醇', valid_to: day(1000) });
  assert.equal((await move(ent, 'licence_application', a.id, 'grant', { password: PASSWORD })).status, 403);
  const r = await move(leader, 'licence_application', a.id, 'grant', { password: PASSWORD });
  assert.ok(r.status < 300, r.text);
  const [licence] = await all(ent, 'licence');
  assert.deepEqual([licence.state, licence.valid_to, licence.enterprise.id], ['valid', day(1000), firm.id]);
  assert.equal(await value('applications_in_time_rate'), 100);
});

test('a licence whose conditions are not met: hazards that say where they came from; suspended and restored', async () => {
  const [licence] = await all(bureau, 'licence');
  const c = await rec(bureau, 'licence_check', { title: '年度核查', licence: licence.id });
  await done(bureau, 'licence_check', c.id, 'unmet', { found: '无专职人员', problems: [{ title: '未配备专职安全管理人员' }] });
  assert.equal((await all(bureau, 'hazard', `&where.origin=licence_check:${c.id}`))[0].title, '未配备专职安全管理人员');
  await done(bureau, 'licence', licence.id, 'suspend', { decision: '（用例）', password: PASSWORD });
  assert.equal((await done(leader, 'licence', licence.id, 'restore')).state, 'valid');
});

test('a project that began before its design was approved is listed, cannot report completion, and may become a case', async () => {
  const p = await rec(ent, 'safety_project', { name: '二期罐区', enterprise: firm.id, class: 'chemical', position: [118.9, 33.1], started_on: day(-20) });
  assert.deepEqual((await all(bureau, 'safety_project', '&list=early')).map((x) => x.id), [p.id]);
  await done(ent, 'safety_project', p.id, 'submit', { pre: [await file(ent)], assessor: '某评价', design: [await file(ent)] });
  const expert = (n) => ({ name: `专家${n}`, opinion: '同意', solved: true });
  assert.equal((await move(bureau, 'safety_project', p.id, 'approve', { design_opinion: '同意', experts: [1, 2].map(expert), password: PASSWORD })).status, 409, 'two experts');
  await done(bureau, 'safety_project', p.id, 'approve', { design_opinion: '同意', experts: [1, 2, 3].map(expert), password: PASSWORD });
  assert.equal((await move(ent, 'safety_project', p.id, 'finish', { acceptance: [await file(ent)], started_on: day(-20) })).status, 409);
  await done(bureau, 'safety_project', p.id, 'case', { reason: '未批先建' });
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=safety_project:${p.id}`)).length, 1);
});

test('what is banned does not come in; what is limited comes in with a leader’s reasons only; then the project goes on', async () => {
  const ban = await rec(bureau, 'ban_item', { name: '光气', code: '75-44-5', kind: 'ban', basis: '（用例）第一条' });
  const items = [{ name: '光气', code: '75-44-5', hit: ban.id }];
  const a = await rec(bureau, 'entry_check', { title: '甲项目', enterprise: firm.id, items, verdict: 'ban', clause: '第一条' });
  assert.equal((await move(bureau, 'entry_check', a.id, 'pass')).status, 409);
  assert.equal((await move(leader, 'entry_check', a.id, 'allow', { reason: '招商', password: PASSWORD })).status, 409);
  await done(bureau, 'entry_check', a.id, 'refuse', { clause: '第一条' });
  const p = await rec(ent, 'safety_project', { name: '甲项目', enterprise: firm.id, class: 'chemical', position: [118.9, 33.1], entry: a.id });
  assert.equal((await move(ent, 'safety_project', p.id, 'submit', { pre: [await file(ent)], assessor: '某评价', design: [await file(ent)] })).status, 409);
});
