// A case from the check on site to its closed file: two certified officers, nobody decides what he investigated, nothing is
// skipped; the lot is drawn so that anybody can draw it again.
import { createHash } from 'node:crypto';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, bureau, leader, legal, duty, ent, town, one, two, people, officers, items, rules, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const file = async (who, name = 'a.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const who of ['bureau3', 'bureau4', 'leader', 'legal']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [one, two, leader, legal] = await Promise.all(['bureau3', 'bureau4', 'leader', 'legal'].map((n) => s.login(n, PASSWORD)));
  [bureau, duty, ent, town] = await Promise.all(['bureau', 'duty', 'enterprise', 'town'].map((r) => s.as(r)));
  officers = Object.fromEntries((await all(bureau, 'enforcement_officer')).map((o) => [o.name, o]));
  items = Object.fromEntries((await all(bureau, 'enforcement_item')).map((o) => [o.code, o]));
  rules = Object.fromEntries((await all(bureau, 'discretion_rule')).map((o) => [o.title, o]));
  firm = (await bureau.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
});
after(() => s.stop());

test('a check is begun and recorded by one of two officers with certificates in force, with a photo or recording', async () => {
  const off = { officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id };
  const c = await rec(bureau, 'enforcement_check', { title: '用例检查', enterprise: firm.id, ...off });
  assert.equal((await rec(bureau, 'enforcement_check', { title: '同一人', enterprise: firm.id }).then((x) => move(one, 'enforcement_check', x.id, 'start', { officer_1: off.officer_1, officer_2: off.officer_1 }))).status, 400, 'two officers');
  const old = await rec(bureau, 'enforcement_check', { title: '证件过期', enterprise: firm.id, officer_1: off.officer_1, officer_2: officers['袁立新'].id });
  assert.equal((await move(one, 'enforcement_check', old.id, 'start')).status, 409, 'an expired certificate');
  assert.equal((await move(bureau, 'enforcement_check', c.id, 'start')).status, 409, 'somebody who is no officer of it');
  await done(one, 'enforcement_check', c.id, 'start');
  const record = { record: '现场查看罐区', attended: [{ name: '王某', post: '主要负责人', signed: true }], outcome: 'order', problems: [{ title: '静电接地失效', content: '2 号位' }] };
  const bare = await move(one, 'enforcement_check', c.id, 'record', record);
  assert.equal(bare.status, 409, `the record is not complete without a photo: ${bare.text}`);
  const full = await done(one, 'enforcement_check', c.id, 'record', { ...record, media: [await file(one)] });
  assert.equal(full.found, 1);
  const hazards = (await all(bureau, 'hazard', `&where.enforcement_check=${c.id}`));
  assert.deepEqual(hazards.map((h) => h.title), ['静电接地失效']);
  await done(bureau, 'enforcement_check', c.id, 'order');
  const o = (await all(bureau, 'correction_order', `&where.check=${c.id}`))[0];
  assert.equal((await move(one, 'correction_order', o.id, 'issue', { items: [{ what: '修复' }], due: day(-1), receiver: '王某', received: new Date().toISOString() })).status, 409, 'a day that has passed');
  await done(one, 'correction_order', o.id, 'issue', { items: [{ what: '修复' }], due: day(5), receiver: '王某', received: new Date().toISOString() });
  const paper = await one.ok_post(`/api/v1/records/correction_order/${o.id}/documents/correction_notice`, {});
  assert.match(paper.number, /^安应急责改〔\d{4}〕\d{4}号$/);
});

// A case that is filed, with evidence verified.
async function filed(item, title) {
  const c = await rec(one, 'enforcement_case', { title, enterprise: firm.id, source: 'hazard' });
  const off = { officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id, item: item.id };
  assert.equal((await move(two, 'enforcement_case', c.id, 'file', off)).status, 409, 'an officer approves his own case');
  await done(bureau, 'enforcement_case', c.id, 'file', off);
  return c.id;
}
const evidence = async (id) => {
  const e = await rec(one, 'case_evidence', { title: '现场照片', case: id, kind: 'record', place: '罐区', files: [await file(one)] });
  return e.id;
};
const served = async (id, paper) => {
  const r = await rec(one, 'case_service', { title: paper, case: id, paper, receiver: '王某' });
  await done(one, 'case_service', r.id, 'serve', { served: new Date().toISOString(), place: '企业办公室', proof: [await file(one)] });
};

test('a case goes from filing to its closed file; what is missing stops the next step', async () => {
  const id = await filed(items['虚构-CF-001'], '一般案件');
  const body = { facts: '两处隐患未消除', violated: '第四十一条', benchmark: rules['两处以上隐患（虚构）'].id, share: 25, reasons: '已部分整改', kinds: ['fine'], fine: 15000 };
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'no evidence');
  const e = await evidence(id);
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'evidence that nobody verified');
  assert.equal((await move(one, 'case_evidence', e, 'verify')).status, 403, 'verified by who took it');
  await done(two, 'case_evidence', e, 'verify');
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', { ...body, benchmark: rules['3 人以上未培训（虚构）'].id, fine: 25000 })).status, 400, 'a benchmark of another item');
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', { ...body, benchmark: rules['初次、及时改正、无后果（虚构）'].id, fine: 0 })).status, 400, 'conditions of leniency that do not hold');
  const c = await done(one, 'enforcement_case', id, 'conclude', body);
  assert.deepEqual([c.low, c.high, c.suggested, c.deviates, c.major, c.state], [10000, 30000, 15000, false, false, 'telling']);
  assert.equal((await move(one, 'enforcement_case', id, 'tell', { told_on: day() })).status, 409, 'no receipt of service');
  const notice = await bureau.ok_post(`/api/v1/records/enforcement_case/${id}/documents/penalty_notice`, {});
  assert.match(notice.number, /^安应急罚告/);
  await served(id, 'notice');
  await done(one, 'enforcement_case', id, 'tell', { told_on: day() });
  assert.equal((await move(one, 'enforcement_case', id, 'heard', { defence: 'none' })).status, 409, 'five days have not passed');
  assert.equal((await move(one, 'enforcement_case', id, 'heard', { defence: 'statement', defence_text: '已整改' })).status, 409, 'a statement without an answer');
  await done(one, 'enforcement_case', id, 'heard', { defence: 'statement', defence_text: '已整改', defence_review: '已在裁量时考虑' });
  const decision = { punished: true, decision: '罚款 15000 元', password: PASSWORD };
  for (const who of [bureau, one, two, legal]) assert.ok([403, 409].includes((await move(who, 'enforcement_case', id, 'decide', decision)).status), 'only the leader decides');
  assert.equal((await move(leader, 'enforcement_case', id, 'decide', { ...decision, password: 'wrong' })).status, 403, 'signed');
  const d = await done(leader, 'enforcement_case', id, 'decide', decision);
  assert.ok(d.decider && d.decided_on === day());
  const pdf = await bureau.ok_post(`/api/v1/records/enforcement_case/${id}/documents/penalty_decision`, {});
  assert.match(pdf.number, /^安应急罚〔\d{4}〕\d{3}号$/);
  assert.equal((await move(one, 'enforcement_case', id, 'serve', { served_on: day() })).status, 409, 'the decision was not served');
  await served(id, 'decision');
  const out = await done(one, 'enforcement_case', id, 'serve', { served_on: day() });
  assert.equal(out.pay_by, day(15));
  assert.equal((await move(one, 'enforcement_case', id, 'executed', { execution: '已缴', paid: 14999, paid_on: day() })).status, 409, 'a yuan is missing');
  const late = await done(one, 'enforcement_case', id, 'executed', { execution: '已缴', paid: 15000, paid_on: day(17) });
  assert.deepEqual([late.late_days, late.surcharge], [2, 900], '3 % a day of 15,000 yuan for two days');
  const closed = await done(leader, 'enforcement_case', id, 'close', { closing: '同意结案', password: PASSWORD });
  assert.equal(closed.state, 'closed');
  assert.equal((await all(bureau, 'penalty_filing', `&where.case=${id}`)).length, 0, 'not a major one');
  const open = (await s.call('GET', '/public/types/enforcement_case')).json;
  const shown = open.items.find((x) => x.number === closed.number);
  assert.ok(shown && shown.fine === 15000 && !('facts' in shown) && !('officer_1' in shown), 'published when it was served');
});

test('a major case waits for the legal review and the minutes, outside the benchmark somebody must allow it, and it is filed', async () => {
  const id = await filed(items['虚构-CF-002'], '重大案件');
  await done(two, 'case_evidence', await evidence(id), 'verify');
  const body = { facts: '三人未培训', violated: '第二十八条', benchmark: rules['3 人以上未培训（虚构）'].id, reasons: '情节严重', kinds: ['fine'], fine: 70000 };
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'it is major');
  assert.equal((await move(one, 'enforcement_case', id, 'to_review', body)).status, 409, 'outside the benchmark without a reason');
  const c = await done(one, 'enforcement_case', id, 'to_review', { ...body, deviation: '造成严重影响' });
  assert.deepEqual([c.major, c.deviates, c.state], [true, true, 'reviewing']);
  assert.ok([403, 409].includes((await move(one, 'enforcement_case', id, 'review_pass', { review_opinion: '同意', password: PASSWORD })).status), 'the officer does not review');
  const back = await done(legal, 'enforcement_case', id, 'review_back', { reason: '补充培训档案' });
  assert.equal(back.state, 'investigating');
  await done(one, 'enforcement_case', id, 'to_review', { deviation: '造成严重影响' });
  await done(legal, 'enforcement_case', id, 'review_pass', { review_opinion: '事实清楚', password: PASSWORD });
  await served(id, 'notice');
  await done(one, 'enforcement_case', id, 'tell', { told_on: day() });
  const at = (n) => new Date(Date.now() + n * 86400e3).toISOString();
  assert.equal((await move(one, 'enforcement_case', id, 'hear', { hearing_on: at(3), hearing_told: day(), hearing_chair: people.bureau2.id })).status, 409, 'told too late');
  assert.equal((await move(one, 'enforcement_case', id, 'hear', { hearing_on: at(9), hearing_told: day(), hearing_chair: people.bureau4.id })).status, 409, 'an officer of the case in the chair');
  await done(one, 'enforcement_case', id, 'hear', { hearing_on: at(9), hearing_told: day(), hearing_chair: people.legal.id });
  await done(legal, 'enforcement_case', id, 'hearing_done', { hearing_record: [await file(legal)], hearing_result: '维持' });
  const sign = { punished: true, decision: '罚款 70000 元', password: PASSWORD };
  assert.equal((await move(leader, 'enforcement_case', id, 'decide', { ...sign, meeting: [await file(leader)] })).status, 409, 'outside the benchmark');
  assert.equal((await move(leader, 'enforcement_case', id, 'decide_deviating', { ...sign, reason: '影响恶劣' })).status, 400, 'no minutes');
  const d = await done(leader, 'enforcement_case', id, 'decide_deviating', { ...sign, reason: '影响恶劣', meeting: [await file(leader)] });
  assert.ok(d.deviation_by);
  const filing = (await all(bureau, 'penalty_filing', `&where.case=${id}`));
  assert.equal(filing.length, 1);
  assert.ok(filing[0].deadline && filing[0].fine === 70000);
});
