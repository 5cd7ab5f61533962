// Responsibility: a list of duties is signed by whom it names and says who answers for an enterprise; its work is done in time or not; a tour
// ends when its problems are verified; an agreement is signed by both and scored from the data; a veto stops an honour.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, admin, committee, bureau, leader, park, housing, market, people, firm, ent, boss;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const get = (who, type, id) => who.ok_get(`/api/v1/records/${type}/${id}`);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const refused = async (who, type, id, name, body, why) => { const r = await move(who, type, id, name, body); assert.ok(r.status >= 400 && r.status < 500, `${why}: ${r.status} ${r.text}`); };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const file = async (who) => {
  const r = await fetch(`${s.url}/api/v1/files?name=a.pdf`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const year = Number(day().slice(0, 4));
const rate = async (name, query = '') => (await committee.ok_get(`/api/v1/indicators/${name}${query}`)).total;
const sign = { password: PASSWORD };

before(async () => {
  s = await Server.start();
  admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const n of ['leader', 'park', 'department', 'department2']) await admin.ok_post('/api/v1/password', { person: people[n].id, new: PASSWORD });
  [leader, park, housing, market] = await Promise.all(['leader', 'park', 'department', 'department2'].map((n) => s.login(n, PASSWORD)));
  [committee, bureau, ent] = await Promise.all(['committee', 'bureau', 'enterprise'].map((r) => s.as(r)));
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const manager = Object.values(people).find((p) => p.id !== ent.me.id && p.enterprise?.id === firm.id && p.role.includes('enterprise'));
  await admin.ok_post('/api/v1/password', { person: manager.id, new: PASSWORD });
  boss = await s.login(manager.login, PASSWORD);
});
after(() => s.stop());

const list = (fields) => rec(committee, 'duty_list', { title: '责任清单', role: 'town_leader', area: '990121401000', person: people.parkb.id, organisation: people.park.organisation.id, superior: people.leader.id, year: 2090, duties: [{ matter: '全面负责', lead: true }], ...fields });

test('a list of duties is signed by whom it names, and an enterprise finds at once who answers for it', async () => {
  const before = await ent.ok_get(`/api/v1/responsible/${firm.id}`);
  const l = await list({ person: people.park.id, year: 2091, phone: '0900-8861400', work: [{ what: '园区封闭管理', due: day(20) }, { what: '上季度任务', due: day(-1) }] });
  assert.equal((await committee.post('/api/v1/records/duty_list', { title: 'x', role: 'industry', area: '990121000000', person: people.park.id, superior: people.park.id, organisation: l.organisation.id, year, duties: [{ matter: 'x' }] })).status, 400, 'nobody signs off himself');
  await done(committee, 'duty_list', l.id, 'submit');
  await refused(committee, 'duty_list', l.id, 'confirm', sign, 'signed by another');
  await refused(park, 'duty_list', l.id, 'confirm', { password: 'wrong' }, 'not signed');
  const mine = (await ent.ok_get(`/api/v1/responsible/${firm.id}`)).chain;
  assert.deepEqual(mine, before.chain, 'not signed, not in force');
  await done(park, 'duty_list', l.id, 'confirm', sign);
  const now = await ent.ok_get(`/api/v1/responsible/${firm.id}`);
  const holder = now.chain.find((x) => x.id === l.id);
  assert.deepEqual([holder.role, holder.person, holder.phone], ['town_leader', people.park.name, '0900-8861400']);
  assert.ok(!JSON.stringify(now).includes(people.park.phone), 'no mobile number of an official');
  assert.ok(!now.missing.includes('镇街党政负责人') && now.own.length >= 1);
  const far = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items.find((f) => f.area.startsWith('990121102'));
  assert.ok(!(await bureau.ok_get(`/api/v1/responsible/${far.id}`)).chain.some((x) => x.id === l.id), 'another town is not his');
  assert.equal((await ent.get(`/api/v1/responsible/${far.id}`)).status, 404, 'an enterprise sees who answers for itself');
  const industry = await list({ role: 'industry', area: '990121000000', sectors: [far.sector === 'construction' ? 'mine' : 'construction'], person: people.department.id, organisation: people.department.organisation.id });
  await done(committee, 'duty_list', industry.id, 'submit');
  await done(housing, 'duty_list', industry.id, 'confirm', sign);
  assert.ok(!(await bureau.ok_get(`/api/v1/responsible/${firm.id}`)).chain.some((x) => x.id === industry.id), 'of another sector');
  assert.ok((await s.call('GET', '/public/types/duty_list')).json.items.some((x) => x.number === l.number && !('person' in x)), 'public, without the person');
});

test('the work of the year is signed off by the superior; what was late counts as late', async () => {
  const items = (await all(committee, 'duty_item')).filter((x) => x.person.id === people.park.id && ['园区封闭管理', '上季度任务'].includes(x.title));
  assert.equal(items.length, 2);
  const before = await rate('duty_in_time_rate', `?period=${year}`);
  for (const i of items) {
    await refused(park, 'duty_item', i.id, 'finish', { result: '完成' }, 'no evidence');
    await done(park, 'duty_item', i.id, 'finish', { result: '完成', evidence: [await file(park)] });
    await refused(park, 'duty_item', i.id, 'accept', sign, 'signed off by himself');
    await done(leader, 'duty_item', i.id, 'accept', sign);
  }
  const now = await rate('duty_in_time_rate', `?period=${year}`);
  const inYear = items.filter((i) => i.due.startsWith(String(year)));
  assert.deepEqual([now.num - before.num, now.den - before.den], [inYear.filter((i) => i.due >= day()).length, 0], 'done in time: only what was not due before');
});

test('a report of duty is handed in by the person and rated by the superior', async () => {
  const [l] = await all(committee, 'duty_list', `&where.person=${people.park.id}&where.year=2091`);
  const r = await rec(committee, 'duty_report', { list: l.id, person: people.park.id, superior: people.leader.id });
  await refused(leader, 'duty_report', r.id, 'hand_in', { checks_led: 1, solved: 'x', problems: 'x' }, 'by another');
  await done(park, 'duty_report', r.id, 'hand_in', { checks_led: 6, solved: '罐区改造', problems: '人员不足' });
  assert.equal((await get(committee, 'duty_report', r.id)).duties.length, 1, 'the duties come along');
  await refused(park, 'duty_report', r.id, 'rate', { comment: '好', rating: 'excellent' }, 'rated by himself');
  assert.equal((await done(leader, 'duty_report', r.id, 'rate', { comment: '较好', rating: 'good' })).commented_by.id, people.leader.id);
});

test('a tour tells its problems as tasks, and is closed when each is verified', async () => {
  const t = await rec(committee, 'inspection_tour', { title: '园区巡查', area: '990121401000', organisation: people.park.organisation.id, cycle: '2090—2092', leader: people.leader.id, from: day(), to: day(5) });
  await done(leader, 'inspection_tour', t.id, 'start', { topics: '主体责任' });
  await done(leader, 'inspection_tour', t.id, 'tell', { findings: '总体较好', problems: [{ what: '封闭管理未完成', unit: people.park.organisation.id, due: day(10) }] });
  const [p] = await all(committee, 'tour_problem', `&where.tour=${t.id}`);
  await refused(leader, 'inspection_tour', t.id, 'close', { look_back: '已看' }, 'a problem is open');
  await refused(housing, 'tour_problem', p.id, 'report', { measures: 'x', evidence: [await file(housing)] }, 'another unit');
  await done(park, 'tour_problem', p.id, 'report', { measures: '已封闭', evidence: [await file(park)] });
  await refused(park, 'tour_problem', p.id, 'verify', { opinion: '好' }, 'verified by who rectified');
  await done(leader, 'tour_problem', p.id, 'verify', { opinion: '属实' });
  assert.equal((await done(leader, 'inspection_tour', t.id, 'close', { look_back: '复查无反弹' })).state, 'closed');
  const paper = await committee.ok_post(`/api/v1/records/inspection_tour/${t.id}/documents/tour_feedback`, {});
  assert.match(paper.number, /^安委巡〔\d{4}〕\d{3}号$/);
});

test('an interview is held before its reply; a letter goes by who is not its author', async () => {
  const n = await rec(committee, 'supervision_notice', { title: '隐患整改滞后', form: 'interview', area: '990121401000', organisation: people.park.organisation.id, requirement: '限期整改', due: day(10) });
  await refused(committee, 'supervision_notice', n.id, 'issue', sign, 'the leader issues');
  await done(leader, 'supervision_notice', n.id, 'issue', sign);
  await refused(park, 'supervision_notice', n.id, 'reply', { reply: '已改' }, 'the interview is not recorded');
  await done(committee, 'supervision_notice', n.id, 'meet', { met: day(), minutes: '约谈', promises: [{ what: '月底完成', due: day(8) }] });
  await done(park, 'supervision_notice', n.id, 'reply', { reply: '已改' });
  await done(committee, 'supervision_notice', n.id, 'close', { verified: '属实' });
});

test('an agreement is signed by both, scored from the data, and its result goes to the organisation department', async () => {
  const a = await rec(committee, 'duty_agreement', { title: '目标责任书', area: '990121401000', organisation: people.park.organisation.id, person: people.park.id, issuer: people.leader.id, year, targets: [{ what: '死亡事故', value: '0' }] });
  await done(committee, 'duty_agreement', a.id, 'submit');
  await refused(leader, 'duty_agreement', a.id, 'countersign', sign, 'the person has not signed');
  await done(park, 'duty_agreement', a.id, 'sign', sign);
  await done(leader, 'duty_agreement', a.id, 'countersign', sign);
  const paper = await committee.ok_post(`/api/v1/records/duty_agreement/${a.id}/documents/duty_agreement_paper`, {});
  assert.match(paper.number, /^安委责〔\d{4}〕\d{3}号$/);
  const sheet = `/api/v1/records/duty_agreement/${a.id}/sheet/sheet`;
  await park.ok_post(sheet, { fill: true, version: (await get(park, 'duty_agreement', a.id)).version });
  await done(committee, 'duty_agreement', a.id, 'score');
  const version = (await get(committee, 'duty_agreement', a.id)).version;
  const leaves = (await committee.ok_get(sheet)).sheet.items.filter((x) => x.leaf && !x.veto);
  assert.deepEqual(leaves.filter((x) => x.auto).map((x) => x.path), ['result.deaths', 'result.larger', 'process.duties', 'process.hazards', 'process.tours']);
  const body = Object.fromEntries(leaves.map((x) => [x.path, { review: x.points / 2 }]));
  await committee.ok_post(sheet, { items: body, version });
  assert.equal((await get(committee, 'duty_agreement', a.id)).score, 50);
  await done(committee, 'duty_agreement', a.id, 'scored');
  await refused(committee, 'duty_agreement', a.id, 'archive', {}, 'the leader decides');
  await done(leader, 'duty_agreement', a.id, 'archive');
  const [copy] = await all(committee, 'results_copy', `&where.agreement=${a.id}`);
  assert.deepEqual([copy.score, copy.grade, copy.year], [50, 'fail', year]);
  const before = await rate('results_copied_rate', `?period=${year}`);
  await done(committee, 'results_copy', copy.id, 'send', { sent_on: day() });
  await refused(committee, 'results_copy', copy.id, 'receive', { received_on: day(-1), receiver: '组织部' }, 'received before it was sent');
  await done(committee, 'results_copy', copy.id, 'receive', { received_on: day(), receiver: '组织部' });
  assert.equal((await rate('results_copied_rate', `?period=${year}`)).num, before.num + 1);
});

test('a unit under a veto gets no honour until the veto ends', async () => {
  const unit = people.department2.organisation.id;
  const v = await rec(committee, 'veto', { title: '挂牌督办逾期', cause: 'not_listed_done', area: '990121000000', organisation: unit, basis: '考核办法（虚构）', until: day(180) });
  const c = await rec(housing, 'commendation', { title: '先进单位', kind: 'unit', organisation: unit, merits: '成绩突出' });
  await refused(committee, 'commendation', c.id, 'show', {}, 'a veto is being decided');
  await done(market, 'veto', v.id, 'state', { statement: '已完成整改' });
  await refused(market, 'veto', v.id, 'decide', { decision: '否决', ...sign }, 'the leader decides');
  await done(leader, 'veto', v.id, 'decide', { decision: '否决半年', ...sign });
  await refused(committee, 'commendation', c.id, 'show', {}, 'a veto is in force');
  await done(leader, 'veto', v.id, 'lift', { reason: '整改到位' });
  await done(committee, 'commendation', c.id, 'show');
  await refused(leader, 'commendation', c.id, 'give', { award: 1000 }, 'shown for less than five working days');
});

test('a negative mark is told and answered, a fault is tolerated only if all conditions hold, and a town gets its answer', async () => {
  const n = await rec(bureau, 'negative_hit', { title: '警示函逾期', item: 'ignored_letter', area: '990121401000', organisation: people.park.organisation.id, person: people.park.id, points: 2, facts: '逾期三日', evidence: [await file(bureau)] });
  await refused(committee, 'negative_hit', n.id, 'uphold', { decision: 'x' }, 'he was not heard');
  await done(park, 'negative_hit', n.id, 'state', { statement: '系统故障' });
  assert.equal((await done(committee, 'negative_hit', n.id, 'cancel', { decision: '情况属实' })).state, 'cancelled');
  const t = await rec(committee, 'tolerance_case', { title: '先行先试', person: people.park.id, facts: '改造中停电' });
  await done(committee, 'tolerance_case', t.id, 'check', { conditions: ['no_ban', 'public', 'procedure', 'diligent'], opinion: '未及时纠正' });
  await refused(leader, 'tolerance_case', t.id, 'tolerate', { decision: '容错', ...sign }, 'one of five is missing');
  await done(leader, 'tolerance_case', t.id, 'refuse', { decision: '不予容错' });
  const g = await rec(park, 'grassroots_ticket', { title: '跨镇管线权属不清', content: '多次协调未果' });
  await done(committee, 'grassroots_ticket', g.id, 'assign', { organisation: people.department.organisation.id });
  await refused(market, 'grassroots_ticket', g.id, 'answer', { answer: 'x' }, 'another department');
  await done(housing, 'grassroots_ticket', g.id, 'answer', { answer: '由住建局管理' });
  await done(park, 'grassroots_ticket', g.id, 'reject', { reason: '没有明确时限' });
  await done(housing, 'grassroots_ticket', g.id, 'answer', { answer: '由住建局管理，月底交接' });
  await done(park, 'grassroots_ticket', g.id, 'close', { satisfied: 'good' });
  const c = await rec(committee, 'appointment_check', { title: '新任', person: people.park.id, area: '990121401000', appointed: day(-40) });
  assert.ok((await committee.ok_get('/api/v1/records/appointment_check?list=missing')).items.some((x) => x.id === c.id), 'late: in the list for the organisation department');
  await refused(committee, 'appointment_check', c.id, 'finish', { trained: day(), exam: 59, talked: day(), talker: people.leader.id, content: '提醒' }, 'the exam was not passed');
  await done(committee, 'appointment_check', c.id, 'finish', { trained: day(), exam: 60, talked: day(), talker: people.leader.id, content: '提醒' });
});

test('the twenty duties of an enterprise: scored by itself, checked by the town', async () => {
  const e = await rec(boss, 'enterprise_duty', { year: 2090 });
  await refused(boss, 'enterprise_duty', e.id, 'submit', {}, 'no score');
  const tree = await boss.ok_get('/api/v1/assessments/enterprise_duties');
  const leaves = tree.items.filter((x) => x.leaf);
  assert.deepEqual([leaves.length, leaves.filter((x) => x.path.startsWith('principal.')).length], [20, 7]);
  const sheet = `/api/v1/records/enterprise_duty/${e.id}/sheet/sheet`;
  const scored = await boss.ok_post(sheet, { items: Object.fromEntries(leaves.map((x) => [x.path, { self: 5, note: '见档案' }])) });
  assert.equal(scored.sheet.score, 100);
  await done(boss, 'enterprise_duty', e.id, 'submit', sign);
  await refused(boss, 'enterprise_duty', e.id, 'settle', { opinion: '合格' }, 'settled by itself');
  await park.ok_post(sheet, { items: { 'site.commit': { review: 1, note: '抽查缺三日' } } });
  const settled = await done(park, 'enterprise_duty', e.id, 'settle', { opinion: '抽查扣四分' });
  assert.deepEqual([settled.score, settled.grade], [96, 'excellent']);
});

test('what a professional committee decides in its meeting is a task with a unit and a day', async () => {
  const c = await rec(committee, 'professional_committee', { name: '建筑施工专业委员会', lead: people.department.organisation.id, chair: people.leader.id, members: [people.department2.organisation.id], sectors: ['construction'] });
  const m = await rec(committee, 'meeting', { title: '第四季度会议', kind: 'professional', committee: c.id });
  await refused(committee, 'meeting', m.id, 'hold', { on: new Date().toISOString(), attendees: '成员单位' }, 'no minutes');
  await done(committee, 'meeting', m.id, 'hold', { on: new Date().toISOString(), attendees: '成员单位', minutes: '研究塔吊安全', decisions: [{ what: '塔吊专项检查', unit: '住建局', due: day(20) }] });
  const [d] = await all(committee, 'decision', `&where.meeting=${m.id}`);
  assert.deepEqual([d.title, d.due, d.state], ['塔吊专项检查', day(20), 'open']);
  assert.equal((await done(housing, 'decision', d.id, 'finish', { result: '已检查 12 个工地' })).state, 'done');
});
