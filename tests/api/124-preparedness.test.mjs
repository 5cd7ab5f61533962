// Preparedness: who reports from the village, neighbours told at one press, volunteers, sessions, institutions, three in place, reviews, visits of
// rescue teams, the chain from risk to plan to drill, insurance and claims.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, duty, bureau, leader, town, ent, grid, firm, team, others;
const R = '/api/v1/records';
const rec = (who, type, body) => who.ok_post(`${R}/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`${R}/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const of = async (who, t, q = '') => (await who.ok_get(`${R}/${t}?size=200&${q}`)).items;
const get = (who, t, id) => who.ok_get(`${R}/${t}/${id}`);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total;
const gap = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}/records?part=gap&size=200`)).items.map((x) => x.id);
const VILLAGE = '990121401001';
const upload = async (who, name, bytes, more = '') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}${more}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: bytes });
  assert.ok(r.status < 300, await r.clone().text());
  return (await r.json()).id;
};
const pdf = (who) => upload(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);

before(async () => {
  s = await Server.start();
  [duty, bureau, leader, town, ent, grid] = await Promise.all(['duty', 'bureau', 'leader', 'town', 'enterprise', 'grid'].map((r) => s.as(r)));
  firm = ent.me.enterprise.id;
  team = (await of(bureau, 'emergency_resource', 'where.kind=team'))[0];
  others = (await of(bureau, 'enterprise')).filter((e) => e.id !== firm);
});
after(() => s.stop());

test('a village without a reporter is in the gap; one who is not confirmed for a year is doubtful by a deadline', async () => {
  const before = await value('reporter_coverage');
  const [area] = await of(bureau, 'area', `where.code=${VILLAGE}`);
  assert.ok((await gap('reporter_coverage')).includes(area.id));
  const r = await rec(bureau, 'info_reporter', { name: '李某', village: VILLAGE, code: VILLAGE, phone: '13800000000' });
  assert.ok(r.deadline.slice(0, 10) >= day(364));
  const now = await value('reporter_coverage');
  assert.deepEqual([now.num - before.num, now.den], [1, before.den]);
  assert.ok(!(await of(bureau, 'area', 'list=no_reporter')).some((x) => x.code === VILLAGE));
  await done(bureau, 'info_reporter', r.id, 'leave', { reason: '用例' });
  assert.ok((await gap('reporter_coverage')).includes(area.id), 'who has left does not count');
});

test('a quick report from the spot needs a picture that knows where it was taken; the duty room answers and it becomes an emergency once', async () => {
  const q = { what: '坡顶开裂', position: [119.05, 33.08], category: 'other' };
  assert.equal((await grid.post(`${R}/quick_report`, q)).json.error.field, 'photos');
  const photo = await upload(grid, 'spot.jpg', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]), Buffer.from('JFIF\0'), Buffer.from([1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xd9])]), `&taken_at=${at(-5)}&lon=119.05&lat=33.08`);
  const r = await rec(grid, 'quick_report', { ...q, photos: [photo] });
  assert.equal(r.state, 'sent');
  assert.equal((await move(grid, 'quick_report', r.id, 'emergency', { answer: '属实' })).status, 403);
  const t = await done(duty, 'quick_report', r.id, 'emergency', { answer: '属实，已封路', rating: 5 });
  assert.ok(t.answer_min >= 0);
  const [e] = await of(duty, 'emergency_event', `where.quick_report=${r.id}`);
  assert.deepEqual([e.title, e.content, e.happened], ['坡顶开裂', '属实，已封路', r.seen]);
  assert.equal((await value('quick_report_min')).den, 1);
});

test('one press tells every member of the group what, which substance, where the wind goes; each owes its own receipt', async () => {
  const members = [{ member: firm, phone: '12345' }, { member: others[0].id }];
  const g = await rec(bureau, 'aid_group', { name: '化工集中区互助组', area: '990121401000', enterprise: others[0].id, members });
  assert.equal((await move(duty, 'aid_group', g.id, 'alert', { what: '泄漏' })).status, 400, 'substance and wind are not left out');
  await done(duty, 'aid_group', g.id, 'alert', { source: others[0].id, what: '苯乙烯泄漏', substance: '苯乙烯', wind: '东北风 3 级', advice: '停止动火，关闭新风', exercise: true });
  assert.equal((await of(duty, 'aid_receipt', `where.group=${g.id}`)).length, 2);
  const mine = await of(ent, 'aid_receipt');
  assert.deepEqual(mine.map((x) => [x.title, x.substance, x.wind, x.advice, x.exercise, x.state]), [['苯乙烯泄漏', '苯乙烯', '东北风 3 级', '停止动火，关闭新风', true, 'told']]);
  assert.ok(Math.abs(Date.parse(mine[0].deadline) - Date.parse(mine[0].told) - 300e3) < 2e3, 'five minutes');
  const got = await done(ent, 'aid_receipt', mine[0].id, 'receive', { help: '2 台泡沫炮' });
  assert.ok(got.receipt_min >= 0 && got.state === 'received');
  await done(bureau, 'aid_group', g.id, 'lend', { loans: [{ what: '泡沫炮', lender: '甲', borrower: '乙', on: day(0) }] });
});

test('volunteers are called, come, sign in if insured, sign out with their hours', async () => {
  const who = (name, until) => rec(bureau, 'rescuer', { name, team: team.id, volunteer: true, on_call: true, certified_until: day(99), insured_until: until });
  const [a, b] = [await who('志愿甲', day(50)), await who('志愿乙', day(-1))];
  const c = await rec(duty, 'volunteer_call', { title: '疏散引导', kind: 'evacuation', area: team.area, place: '镇中学', at: at(30), wanted: 2 });
  await done(duty, 'volunteer_call', c.id, 'call');
  const turns = Object.fromEntries((await of(duty, 'volunteer_turn', `where.call=${c.id}`)).map((t) => [t.rescuer.id, t]));
  assert.ok(turns[a.id] && turns[b.id]);
  assert.equal((await move(duty, 'volunteer_call', c.id, 'call')).status, 409, 'once');
  await done(duty, 'volunteer_turn', turns[a.id].id, 'come');
  assert.equal((await move(duty, 'volunteer_turn', turns[b.id].id, 'sign_in')).status, 409, 'not insured');
  await done(duty, 'volunteer_turn', turns[a.id].id, 'sign_in');
  assert.equal((await move(duty, 'volunteer_call', c.id, 'close', { rating: 5, result: '完成' })).status, 409);
  const out = await done(duty, 'volunteer_turn', turns[a.id].id, 'sign_out');
  assert.ok(out.hours >= 0);
  for (const t of Object.values(turns)) if (t.id !== turns[a.id].id) await done(duty, 'volunteer_turn', t.id, 'cannot');
  assert.equal((await done(duty, 'volunteer_call', c.id, 'close', { rating: 5, result: '完成' })).state, 'closed');
});

test('a consultation has its link, and its minutes stand in the log of the emergency', async () => {
  const e = await rec(duty, 'emergency_event', { title: '会商事件', category: 'leak', enterprise: firm, area: VILLAGE, happened: at(-20), received: at(-10), content: '泄漏', position: [119.05, 33.08] });
  assert.equal((await duty.post(`${R}/remote_session`, { title: '处置会商', event: e.id, area: '990121000000' })).json.error.field, 'link');
  const v = await rec(duty, 'remote_session', { title: '处置会商', event: e.id, area: '990121000000', at: at(5), link: 'https://meeting.invalid/123' });
  await done(duty, 'remote_session', v.id, 'file', { minutes: '专家建议先堵漏后倒罐' });
  assert.deepEqual((await of(duty, 'event_log', `where.session=${v.id}`)).map((l) => [l.event.id, l.what]), [[e.id, '专家建议先堵漏后倒罐']]);
});

test('an institution of an enterprise closes its gap; three in place holds only when all three hold', async () => {
  const gapped = await gap('institutions_rate');
  assert.ok(gapped.includes(firm), 'a chemical enterprise without one');
  await rec(ent, 'emergency_institution', { name: '应急办', tier: 'enterprise', area: VILLAGE, head: '王某', duty_phone: '12345', full_time: 2 });
  assert.ok(!(await gap('institutions_rate')).includes(firm));

  const plan = await rec(ent, 'emergency_plan', { title: '三到位预案', kind: 'enterprise', area: VILLAGE });
  await done(ent, 'emergency_plan', plan.id, 'publish', { review_on: day(-2), review_note: '通过' });
  const first = await rec(ent, 'plan_in_place', {});
  const bad = await done(ent, 'plan_in_place', first.id, 'submit', { plan: plan.id, trained_on: day(-3), trained: 40 });
  assert.deepEqual([bad.written, bad.known, bad.drilled, bad.passed], [false, true, false, false]);
  assert.equal((await move(town, 'plan_in_place', first.id, 'pass', { opinion: '可' })).status, 409);
  await done(town, 'plan_in_place', first.id, 'fail', { opinion: '没有备案和演练' });
  await done(ent, 'emergency_plan', plan.id, 'apply');
  await done(bureau, 'emergency_plan', plan.id, 'file', { filing_no: 'SDW-1' });

  assert.ok((await of(bureau, 'emergency_plan', 'list=undrilled')).some((p) => p.id === plan.id) && (await gap('plans_drilled_rate')).includes(plan.id), 'on file and never drilled');
  const drill = await rec(ent, 'drill', { title: '三到位演练', kind: 'tabletop', planned: day(1), area: VILLAGE, plan: plan.id });
  await done(ent, 'drill', drill.id, 'hold', { held: at(-60), participants: 12 });
  assert.ok(!(await gap('plans_drilled_rate')).includes(plan.id), 'drilled');

  const again = await rec(ent, 'plan_in_place', {});
  const good = await done(ent, 'plan_in_place', again.id, 'submit', { plan: plan.id, trained_on: day(-3), trained: 40, drill: drill.id });
  assert.equal(good.passed, true);
  assert.ok((await gap('plans_in_place_rate')).includes(firm), 'entered is not yet checked');
  assert.equal((await done(town, 'plan_in_place', again.id, 'pass', { opinion: '到位' })).due, day(365));
  assert.ok(!(await gap('plans_in_place_rate')).includes(firm));
});

test('the preparedness of an enterprise: what the data know is filled in, a weak one names what is weak, and that becomes a task', async () => {
  const p = await rec(ent, 'preparedness_review', { year: 2026 });
  const sheet = `${R}/preparedness_review/${p.id}/sheet/sheet`;
  await ent.ok_post(sheet, { fill: true, version: p.version });
  const leaves = (await ent.ok_get(sheet)).sheet.items.filter((x) => x.leaf);
  assert.ok(leaves.find((x) => x.path === 'drill.held').auto != null, 'drills are counted');
  const { version } = await get(ent, 'preparedness_review', p.id);
  const self = await ent.ok_post(sheet, { items: Object.fromEntries(leaves.map((x) => [x.path, { self: x.points / 2, note: '见档案' }])), version });
  assert.equal(self.sheet.score, 50);
  await done(ent, 'preparedness_review', p.id, 'submit');
  assert.equal((await move(town, 'preparedness_review', p.id, 'settle', { opinion: '薄弱' })).status, 409, 'nothing is named');
  await done(town, 'preparedness_review', p.id, 'settle', { opinion: '薄弱', weak: [{ what: '没有队伍协议', due: day(30) }] });
  assert.deepEqual((await of(bureau, 'preparedness_review', 'list=weak')).map((x) => x.id), [p.id]);
  const [task] = await of(ent, 'preparedness_task', `where.review=${p.id}`);
  assert.ok(task, JSON.stringify(await of(bureau, 'preparedness_task', `where.review=${p.id}`)));
  assert.deepEqual([task.title, task.due, task.state], ['没有队伍协议', day(30), 'open']);
});

test('a rescue team visits before anything happens; what it finds is a hazard of the enterprise', async () => {
  const notTeam = (await of(bureau, 'emergency_resource')).find((r) => r.kind !== 'team');
  assert.equal((await bureau.post(`${R}/rescue_visit`, { title: '罐区服务', team: notTeam.id, enterprise: firm, planned: day(3) })).json.error.field, 'team');
  const v = await rec(bureau, 'rescue_visit', { title: '罐区服务', team: team.id, enterprise: firm, planned: day(3) });
  await done(duty, 'rescue_visit', v.id, 'visit', { visited: day(0), people: 4, work: '熟悉现场', found: [{ title: '消火栓被占', place: '东侧' }] });
  assert.deepEqual((await of(bureau, 'hazard', `where.origin=rescue_visit:${v.id}`)).map((h) => [h.title, h.enterprise.id]), [['消火栓被占', firm]]);
  assert.equal((await done(ent, 'rescue_visit', v.id, 'rate', { rating: 5 })).state, 'done');
  assert.equal((await value('rescue_visits')).value, 1);
});

test('a drill’s problem has its days until it was settled; who is insured is counted, a claim is granted by another', async () => {
  const d = await rec(ent, 'drill', { title: '用时演练', kind: 'tabletop', planned: day(1), area: VILLAGE });
  await done(ent, 'drill', d.id, 'hold', { held: at(-60 * 24 * 5), participants: 3 });
  await done(ent, 'drill', d.id, 'evaluate', { warn_score: 20, report_score: 20, start_score: 20, support_score: 20, conclusion: '可', problems: [{ what: '集合慢', due: day(9) }] });
  const [t] = await of(ent, 'preparedness_task', `where.drill=${d.id}`);
  await done(ent, 'preparedness_task', t.id, 'report', { done_how: '已改' });
  assert.equal((await done(bureau, 'preparedness_task', t.id, 'accept')).took, 5);
  assert.equal((await value('drill_to_change_days')).value, 5);

  const before = await value('officers_insured_rate');
  const [o] = (await of(bureau, 'enforcement_officer')).filter((x) => !x.insured_until);
  await bureau.patch(`${R}/enforcement_officer/${o.id}`, { version: o.version, insurer: '意外险', insured_until: day(100) });
  assert.equal((await value('officers_insured_rate')).num - before.num, 1);
  const claim = { title: '训练受伤', area: VILLAGE, on: day(-1), harm: '扭伤', claimed: 3000 };
  assert.equal((await bureau.post(`${R}/injury_claim`, claim)).json.error.field, 'rescuer', 'whose it is');
  const c = await rec(bureau, 'injury_claim', { ...claim, officer: o.id });
  assert.ok([403, 409].includes((await move(bureau, 'injury_claim', c.id, 'grant', { granted: 3000 })).status), 'not by who entered it');
  await done(leader, 'injury_claim', c.id, 'grant', { granted: 2500, comfort: 500 });
  assert.equal((await done(bureau, 'injury_claim', c.id, 'pay', { paid_on: day(0), papers: [await pdf(bureau)] })).state, 'paid');
});

test('works against natural hazards say whom they protect, before and after; expenses of a social force are not paid above the claim', async () => {
  const p = await rec(bureau, 'key_project', { title: '滑坡治理', area: '990121000000', disaster: (await bureau.ok_get('/api/v1/types/key_project')).fields.find((f) => f.name === 'disaster').items?.[0]?.value ?? 'flood', due: day(200), position: [119, 33], protected: [{ what: '村庄', persons: 120, before: 'red', after: 'yellow' }, { what: '学校', persons: 300, before: 'orange' }] });
  assert.equal(p.persons, 420);
  assert.ok((await of(bureau, 'key_project', 'list=natural')).some((x) => x.id === p.id));

  const e = await rec(duty, 'emergency_event', { title: '费用事件', category: 'leak', enterprise: firm, area: VILLAGE, happened: at(-20), received: at(-10), content: '泄漏', position: [119.05, 33.08] });
  await done(duty, 'emergency_event', e.id, 'verify');
  const task = await rec(duty, 'event_task', { event: e.id, task: '社会力量转运', resource: team.id, due: at(60) });
  const own = { event: e.id, owner: '某救援队', what: '车辆油费', kind: 'expenses', claimed: 800 };
  assert.equal((await bureau.post(`${R}/requisition`, own)).json.error.field, 'task');
  const q = await rec(bureau, 'requisition', { ...own, task: task.id });
  assert.equal((await move(bureau, 'requisition', q.id, 'value', { returned: day(0), value: 900, vouchers: [await pdf(bureau)] })).status, 409);
  assert.equal((await done(bureau, 'requisition', q.id, 'value', { returned: day(0), value: 700, vouchers: [await pdf(bureau)] })).state, 'valued');
});
