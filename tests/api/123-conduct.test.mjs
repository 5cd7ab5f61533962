// Conduct of enforcement and of those who serve it: whose body may file, papers in the delegator's name, counsel, case files examined, appeals,
// public litigation, new business guided first, what is banned found by its code, service bodies by grade.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, bureau, second, leader, legal, one, two, ent, town, committee, people, officers, items, firm, county;
const work = mkdtempSync(join(tmpdir(), 'anlan-conduct-'));
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const file = async (who, name = 'a.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};
const paper = async (who, type, id, name) => {
  const r = await fetch(`${s.url}/api/v1/records/${type}/${id}/documents/${name}/preview`, { headers: { Authorization: `Bearer ${who.token}` } });
  assert.equal(r.status, 200, await r.clone().text());
  const at = join(work, `${name}.pdf`);
  writeFileSync(at, Buffer.from(await r.arrayBuffer()));
  return execFileSync('pdftotext', [at, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
};

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const who of ['bureau2', 'bureau3', 'bureau4', 'leader', 'legal']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [second, one, two, leader, legal] = await Promise.all(['bureau2', 'bureau3', 'bureau4', 'leader', 'legal'].map((n) => s.login(n, PASSWORD)));
  [bureau, ent, town, committee] = await Promise.all(['bureau', 'enterprise', 'town', 'committee'].map((r) => s.as(r)));
  officers = Object.fromEntries((await all(bureau, 'enforcement_officer')).map((o) => [o.name, o]));
  items = Object.fromEntries((await all(bureau, 'enforcement_item')).map((o) => [o.code, o]));
  firm = (await all(ent, 'enterprise'))[0];
  [county] = await all(bureau, 'enforcement_body');
});
after(async () => { await s.stop(); rmSync(work, { recursive: true }); });

const open = (title, enterprise = firm.id) => rec(one, 'enforcement_case', { title, enterprise, source: 'check' });
const filing = (body, more = {}) => ({ officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id, item: items['虚构-CF-001'].id, body: body.id, ...more });
const body_of = (more) => rec(bureau, 'enforcement_body', { name: '某镇综合执法队（用例）', organisation: people.bureau.organisation.id, area: '990121000000', basis: '（用例）', matters: '安全生产', from: day(-400), valid_to: day(300), ...more });

test('a body whose delegation has ended, or of another tier, files no case; papers of a delegated one are in the delegator’s name', async () => {
  const c = await open('用例：主体');
  const lapsed = await body_of({ name: '过期主体', valid_to: day(-1) }), other = await body_of({ tier: 'town' });
  assert.equal((await move(second, 'enforcement_case', c.id, 'file', filing(lapsed))).status, 409, 'its term is over');
  assert.equal((await move(second, 'enforcement_case', c.id, 'file', filing(other))).status, 409, 'an item of the county is not a town’s');
  const delegated = await body_of({ delegator: '安澜县应急管理局（委托机关）' });
  await done(second, 'enforcement_case', c.id, 'file', filing(delegated));
  await evidenced(c.id);
  await done(one, 'enforcement_case', c.id, 'conclude', await facts());
  const notice = await paper(bureau, 'enforcement_case', c.id, 'penalty_notice');
  assert.match(notice, /安澜县应急管理局（委托机关）/);
  assert.match(notice, /由受委托的某镇综合执法队（用例）办理/);
});

async function evidenced(id) {
  const e = await rec(one, 'case_evidence', { title: '照片', case: id, kind: 'record', place: '罐区', files: [await file(one)] });
  await done(two, 'case_evidence', e.id, 'verify');
}
async function facts(more = {}) {
  const rule = (await all(bureau, 'discretion_rule')).find((r) => r.title === '两处以上隐患（虚构）');
  return { facts: '隐患未消除', violated: '第四十一条', benchmark: rule.id, share: 25, reasons: '已部分整改', kinds: ['fine'], fine: 15000, ...more };
}
// A case up to its decision.
async function deciding(title, more = {}, item = items['虚构-CF-001'].id) {
  const c = await open(title);
  await done(second, 'enforcement_case', c.id, 'file', filing(county, { item }));
  await evidenced(c.id);
  await done(one, 'enforcement_case', c.id, 'conclude', await facts(more));
  const r = await rec(one, 'case_service', { title: '告知书', case: c.id, paper: 'notice', receiver: '王某' });
  await done(one, 'case_service', r.id, 'serve', { served: new Date().toISOString(), place: '办公室', proof: [await file(one)] });
  await done(one, 'enforcement_case', c.id, 'tell', { told_on: day() });
  await done(one, 'enforcement_case', c.id, 'heard', { defence: 'waived' });
  return c.id;
}
const decide = (id, punished = true) => move(leader, 'enforcement_case', id, 'decide', { punished, decision: '罚款', password: PASSWORD });

test('an opinion that counsel was asked for comes before the decision; who is no longer retained is not asked', async () => {
  const id = await deciding('用例：法律意见');
  const name = (n, to) => rec(bureau, 'legal_counsel', { name: n, firm: '某律师事务所', licence: `LS-${n}`, area: '990121000000', organisation: people.bureau.organisation.id, from: day(-300), valid_to: to });
  const [past, now] = [await name('前律师', day(-1)), await name('律师', day(200))];
  assert.equal((await legal.post('/api/v1/records/legal_opinion', { title: '裁量是否适当', case: id, counsel: past.id })).json.error.field, 'counsel');
  const o = await rec(legal, 'legal_opinion', { title: '裁量是否适当', case: id, counsel: now.id });
  assert.equal((await decide(id)).status, 409, 'the opinion is not there');
  assert.equal((await move(legal, 'legal_opinion', o.id, 'give', { opinion: '适当', paper: [await file(legal)], followed: false })).status, 409, 'not followed, and no reason');
  await done(legal, 'legal_opinion', o.id, 'give', { opinion: '适当', paper: [await file(legal)], followed: true });
  assert.equal((await decide(id)).status, 200);

  const before = { over: await value('penalties_overturned_rate'), repeat: await value('penalty_repeat_rate') };
  assert.equal((await bureau.post('/api/v1/records/case_appeal', { title: '撤销', case: (await open('未决')).id, kind: 'suit', authority: '某法院', filed_on: day() })).json.error.field, 'case', 'nothing is decided there');
  const a = await rec(bureau, 'case_appeal', { title: '请求撤销处罚', case: id, kind: 'reconsideration', authority: '某县人民政府', filed_on: day(-3) });
  assert.equal(a.due, day(57));
  const end = await done(legal, 'case_appeal', a.id, 'result', { result: 'revoked', result_on: day(), reasons: '证据不足' });
  assert.equal(end.overturned, true);
  const over = await value('penalties_overturned_rate');
  assert.deepEqual([over.num - before.over.num, over.den - before.over.den], [1, 0]);
  assert.ok(before.repeat.den >= 1 && before.repeat.num === before.repeat.den, 'first_time was not claimed');
});

test('the first slight violation of a new business under observation is not punished, but what is on the red list is', async () => {
  const lenient = (await all(bureau, 'discretion_rule')).find((r) => r.title === '两处以上隐患（虚构）');
  const n = await rec(bureau, 'new_business', { name: '储能电站（用例）', what: '新业态', enterprise: firm.id });
  const id = await deciding('用例：新业态', { first_time: true, slight: true, benchmark: lenient.id });
  assert.equal((await decide(id)).status, 409);
  const item = await bureau.ok_get(`/api/v1/records/enforcement_item/${items['虚构-CF-001'].id}`);
  const red = await bureau.patch(`/api/v1/records/enforcement_item/${item.id}`, { version: item.version, red_line: true });
  assert.equal(red.status, 200, red.text);
  assert.equal((await decide(id)).status, 200);
  await bureau.patch(`/api/v1/records/enforcement_item/${item.id}`, { version: red.json.version, red_line: false });
  await bureau.delete(`/api/v1/records/new_business/${n.id}`, { reason: '用例', version: n.version });
});

test('a case file is examined by somebody else: each step has its person without typing; errors are told, answered, decided', async () => {
  const [c] = (await all(bureau, 'enforcement_case')).filter((x) => x.title === '用例：法律意见');
  const q = await rec(bureau, 'case_quality', { title: '年度评查', case: c.id });
  assert.deepEqual([q.handler_1.id, q.handler_2.id, q.filed_by.id, q.decider.id], [people.bureau3.id, people.bureau4.id, people.bureau2.id, people.leader.id]);
  const told = await done(legal, 'case_quality', q.id, 'tell', { errors: [{ step: 'evidence', what: '照片没有时间', points: 5, person: people.bureau3.id }, { step: 'service', what: '回证缺签字', points: 10 }] });
  assert.deepEqual([told.score, told.wrong, told.state], [85, true, 'told']);
  await done(bureau, 'case_quality', q.id, 'state', { statement: '已补正' });
  assert.equal((await move(legal, 'case_quality', q.id, 'decide', { sanction: 'reminder', decision: '提醒' })).status, 403);
  assert.equal((await done(leader, 'case_quality', q.id, 'decide', { sanction: 'reminder', decision: '提醒', password: PASSWORD })).state, 'done');
  assert.ok((await value('case_errors_rate')).num >= 1);
});

test('public litigation: sent by a leader, answered, advised, rectified before the suit', async () => {
  const p = await rec(bureau, 'public_litigation', { title: '加油站占压管线', area: '990121000000', against: '某单位', harm: '周边居民' });
  assert.equal((await move(leader, 'public_litigation', p.id, 'send', { procurator: '县检察院', password: PASSWORD })).status, 400, 'no evidence');
  await done(leader, 'public_litigation', p.id, 'send', { procurator: '县检察院', evidence: [await file(leader)], password: PASSWORD });
  await done(bureau, 'public_litigation', p.id, 'accept', { answered_on: day(), receipt: [await file(bureau)] });
  assert.equal((await move(bureau, 'public_litigation', p.id, 'rectify', { rectified: '已迁移' })).status, 409, 'no advice yet');
  const advised = await done(bureau, 'public_litigation', p.id, 'advise', { advice: '限期迁移', advice_on: day(), advice_due: day(30) });
  assert.equal(advised.deadline.slice(0, 10), day(30));
  assert.equal((await done(bureau, 'public_litigation', p.id, 'rectify', { rectified: '已迁移' })).rectified_on, day());
  assert.equal((await value('litigation_rectified_rate')).value, 100);
});

test('a leader’s item of the year is done by a check that was led and is finished', async () => {
  const l = await rec(committee, 'duty_list', { title: '用例清单', area: '990121000000', role: 'town_leader', person: people.bureau2.id, organisation: people.bureau2.organisation.id, superior: people.leader.id, year: 2091, duties: [{ matter: '带队检查' }], work: [{ what: '带队检查', due: day(20), led: true }] });
  await done(committee, 'duty_list', l.id, 'submit');
  await done(second, 'duty_list', l.id, 'confirm', { password: PASSWORD });
  const [item] = await all(second, 'duty_item', `&where.list=${l.id}`);
  const finish = async () => move(second, 'duty_item', item.id, 'finish', { result: '已带队', evidence: [await file(second)] });
  assert.equal((await finish()).status, 409, 'no check was led');
  const off = { officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id };
  assert.equal((await bureau.post('/api/v1/records/enforcement_check', { title: '带队', enterprise: firm.id, kind: 'leader', ...off })).json.error.field, 'leader');
  const c = await rec(bureau, 'enforcement_check', { title: '带队检查', enterprise: firm.id, kind: 'leader', leader: people.bureau2.id, duty_item: item.id, ...off });
  await done(one, 'enforcement_check', c.id, 'start');
  assert.equal((await finish()).status, 409, 'it is not finished');
  await done(one, 'enforcement_check', c.id, 'record', { record: '未发现问题', attended: [{ name: '王某', post: '主要负责人', signed: true }], outcome: 'clean', media: [await file(one)] });
  await done(one, 'enforcement_check', c.id, 'finish', { feedback: '已反馈' });
  assert.equal((await finish()).status, 200);
  assert.deepEqual((await all(bureau, 'enforcement_check', '&list=led')).map((x) => x.id), [c.id]);
});

test('a body is up to the standard by what the data and the evidence say, and the rate has its targets', async () => {
  const b = await rec(bureau, 'body_standardisation', { body: county.id, area: '990121000000', year: 2026 });
  assert.equal((await move(bureau, 'body_standardisation', b.id, 'submit')).status, 409, 'nothing is scored');
  const sheet = `/api/v1/records/body_standardisation/${b.id}/sheet/sheet`;
  await bureau.ok_post(sheet, { fill: true, version: b.version });
  const leaves = (await bureau.ok_get(sheet)).sheet.items.filter((x) => x.leaf);
  assert.ok(leaves.find((x) => x.path === 'people.certified').auto > 0, 'certificates come from the data');
  const { version } = await bureau.ok_get(`/api/v1/records/body_standardisation/${b.id}`);
  await bureau.ok_post(sheet, { items: Object.fromEntries(leaves.map((x) => [x.path, { self: x.points, note: '见档案' }])), version });
  await done(bureau, 'body_standardisation', b.id, 'submit');
  assert.equal((await move(bureau, 'body_standardisation', b.id, 'reach')).status, 403, 'not by who scored it');
  const reached = await done(second, 'body_standardisation', b.id, 'reach');
  assert.deepEqual([reached.reached_on, reached.state], [day(), 'reached']);
  const rate = await bureau.ok_get('/api/v1/indicators/bodies_standard_rate?period=2026');
  assert.deepEqual([rate.total.num, rate.total.den], [1, 1]);
});

test('what is in the catalogue is found by its code, the model that is scrapped in the registers of equipment', async () => {
  const ban = await rec(bureau, 'ban_item', { name: '淘汰冲床', code: 'TT-J23', kind: 'limit', basis: '（用例）', model: 'J23-100' });
  const c = await rec(bureau, 'entry_check', { title: '扩建', enterprise: firm.id, code: 'TT-J23', items: [{ name: '冲床' }] });
  assert.equal((await move(bureau, 'entry_check', c.id, 'pass')).status, 409, 'no verdict, but the code is listed');
  assert.deepEqual((await all(bureau, 'entry_check', '&list=listed')).map((x) => x.id), [c.id]);
  const free = await rec(bureau, 'entry_check', { title: '另一', enterprise: firm.id, code: 'XX-1', items: [{ name: '叉车' }] });
  assert.equal((await done(bureau, 'entry_check', free.id, 'pass')).passed, true);
  const e = await rec(ent, 'equipment', { name: '冲床一', kind: (await ent.ok_get('/api/v1/types/equipment')).fields.find((f) => f.name === 'kind').items?.[0]?.value ?? 'tank', enterprise: firm.id, model: 'J23-100' });
  assert.deepEqual((await all(bureau, 'equipment', '&list=to_scrap')).map((x) => x.id), [e.id]);
  await bureau.delete(`/api/v1/records/ban_item/${ban.id}`, { reason: '用例', version: ban.version });
  assert.deepEqual(await all(bureau, 'equipment', '&list=to_scrap'), []);
});

test('who is banned, or has not been through the integrity education the item asks for, is not accepted', async () => {
  const item = await rec(bureau, 'licence_item', { name: '烟花爆竹经营许可', basis: '（用例）', papers: [{ paper: '申请书', original: true }], legal_days: 20, promised_days: 8, integrity: true });
  const a = await rec(ent, 'licence_application', { title: '经营许可', item: item.id, enterprise: firm.id, papers: [await file(ent)] });
  assert.equal((await move(bureau, 'licence_application', a.id, 'accept', { due: day(9) })).status, 409, 'no education');
  const k = await rec(ent, 'credit_commitment', { title: '准入承诺', enterprise: firm.id, kind: 'admission', items: [{ what: '守信经营' }], until: day(300), course: '诚信教育', course_on: day(-1), course_score: 90 });
  await ent.patch(`/api/v1/records/licence_application/${a.id}`, { version: a.version, integrity: k.id });
  assert.equal((await move(bureau, 'licence_application', a.id, 'accept', { due: day(9) })).status, 409, 'it is not signed');
  await (await s.as('admin')).ok_post('/api/v1/password', { person: ent.me.id, new: PASSWORD });
  ent = await s.login(Object.values(people).find((p) => p.id === ent.me.id).login, PASSWORD);
  await done(ent, 'credit_commitment', k.id, 'sign', { password: PASSWORD });
  const ban = await rec(bureau, 'industry_ban', { title: '市场禁入', area: '990121000000', kind: 'market', uscc: firm.uscc, scope: '烟花爆竹', basis: '（用例）', until: day(400) });
  assert.equal((await move(bureau, 'licence_application', a.id, 'accept', { due: day(9) })).status, 409, 'a ban is under way');
  await done(leader, 'industry_ban', ban.id, 'lift', { reason: '用例' });
  assert.equal((await done(bureau, 'licence_application', a.id, 'accept', { due: day(9) })).state, 'review');
});

test('a service body: marks are decided by another, the year’s score gives the grade, who has left the market delivers nothing', async () => {
  const [agency] = await all(bureau, 'service_agency', '&where.state=registered');
  const m = await rec(bureau, 'agency_mark', { title: '报告逾期', agency: agency.id, kind: 'late', points: 15, source: '用例', facts: '迟交 20 天' });
  assert.equal((await move(bureau, 'agency_mark', m.id, 'uphold')).status, 403, 'by who proposed it');
  await done(second, 'agency_mark', m.id, 'uphold');
  const e = await rec(bureau, 'agency_evaluation', { agency: agency.id, year: 2026, service: 70, marks: [{ mark: m.id, minus: 15 }] });
  assert.deepEqual([e.score, e.grade], [55, 'd']);
  assert.deepEqual((await all(bureau, 'agency_evaluation', '&list=d')).map((x) => x.id), [e.id]);
  await done(bureau, 'agency_evaluation', e.id, 'show');
  assert.equal((await move(second, 'agency_evaluation', e.id, 'effect')).status, 409, 'five working days have not passed');
  assert.ok((await (await fetch(`${s.url}/public/types/agency_evaluation`)).text()).includes(e.number), 'the rank is public');
  await done(bureau, 'service_agency', agency.id, 'suspend', { reason: '用例' });
  const p = await bureau.post('/api/v1/records/service_project', { title: '评价', kind: agency.kinds[0], enterprise: firm.id, area: '990121401001', content: '评价', agency: agency.id });
  assert.equal(p.json.error.field, 'agency', 'who has left the market');
});

test('the state audit reads duties, funds and hazards, changes nothing, and sees no cases', async () => {
  const admin = await s.as('admin');
  const p = await admin.ok_post('/api/v1/records/person', { login: 'shenji', name: '审计员（用例）', role: ['audit_office'], area: '990121000000' });
  await admin.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  const audit = await s.login('shenji', PASSWORD);
  const [item] = await all(audit, 'duty_item');
  for (const type of ['duty_list', 'fund', 'decision', 'tour_problem', 'hazard', 'safety_cost']) assert.ok((await audit.ok_get(`/api/v1/records/${type}?size=1`)).total >= 0, type);
  assert.ok([403, 404].includes((await audit.patch(`/api/v1/records/duty_item/${item.id}`, { version: item.version, title: 'x' })).status));
  assert.ok([403, 404].includes((await audit.get('/api/v1/records/enforcement_case')).status));
});

test('a card of a post adds up to 100, is signed, and each score of a quarter stays', async () => {
  const card = (points, more = {}) => ({ post: '装卸班长', enterprise: firm.id, holder: '王某', scope: '装卸区', duties: points.map((n) => ({ what: '班前检查', standard: '每班一次', points: n })), ...more });
  assert.equal((await ent.post('/api/v1/records/post_duty', card([60, 30]))).json.error.field, 'duties');
  const top = await rec(ent, 'post_duty', card([100], { post: '车间主任' }));
  const c = await rec(ent, 'post_duty', card([60, 40], { above: top.id }));
  assert.equal((await move(ent, 'post_duty', c.id, 'score', { period: '2026 三季度', score: 92 })).status, 409, 'it is not signed');
  await done(ent, 'post_duty', c.id, 'sign', { paper: [await file(ent)] });
  assert.equal((await done(ent, 'post_duty', c.id, 'score', { period: '2026 三季度', score: 92, reward: 200 })).last_score, 92);
  assert.ok((await move(ent, 'post_duty', c.id, 'score', { period: '2026 三季度', score: 100 })).status >= 400, 'once a period');
  assert.deepEqual((await all(ent, 'post_score', `&where.card=${c.id}`)).map((x) => [x.title, x.holder, x.score, x.reward]), [['装卸班长', '王某', 92, 200]]);
  const rate = await value('posts_signed_rate');
  assert.deepEqual([rate.num, rate.den], [1, 2]);
});

test('what a key process needs is ordered for an installation one by one, put into use, accepted', async () => {
  const [i] = (await all(bureau, 'installation')).filter((x) => x.state === 'filed' && x.enterprise.id === firm.id);
  assert.ok(i, 'the demo has an installation on file');
  const need = await rec(bureau, 'process_requirement', { process: 'polymerisation', requirement: '反应釜温度与进料联锁', basis: '（用例）' });
  const controls = [{ requirement: need.id, due: day(60) }];
  if (!i.key_processes?.length) assert.equal((await move(bureau, 'installation', i.id, 'order_controls', { controls })).status, 409, 'no key process here');
  const kept = await bureau.patch(`/api/v1/records/installation/${i.id}`, { version: i.version, key_processes: ['polymerisation'] });
  assert.equal(kept.status, 200, kept.text);
  await done(bureau, 'installation', i.id, 'order_controls', { controls });
  const [c] = await all(ent, 'process_control', `&where.installation=${i.id}`);
  assert.deepEqual([c.title, c.process, c.due, c.state], ['反应釜温度与进料联锁', 'polymerisation', day(60), 'due']);
  await done(ent, 'process_control', c.id, 'report', { how: '已联调', proof: [await file(ent)], used_on: day() });
  assert.equal((await value('process_controls_rate')).num, 0);
  await done(bureau, 'process_control', c.id, 'accept');
  assert.equal((await value('process_controls_rate')).value, 100);
});
