// Credit: a score that nobody types and everybody can check; commitments kept and broken; marks that end by themselves; an objection that
// stops an evaluation; the list of serious dishonesty with everything that must come before and after it; repair, red list, bans,
// platforms; and that a low grade is drawn more often.
import { createHash } from 'node:crypto';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, admin, bureau, bureau2, leader, legal, ent, boss, town, department, people, firm, orgs;
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
const why = () => bureau.ok_get(`/api/v1/index/credit/why?kind=enterprise&key=${firm.id}`);
const part = (w, name) => w.parts.find((p) => p.component === name);
const near = (a, b) => Math.abs(a - b) < 0.06;

before(async () => {
  s = await Server.start();
  admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  [bureau, ent, town, department] = await Promise.all(['bureau', 'enterprise', 'park', 'department'].map((r) => s.as(r === 'park' ? 'town' : r)));
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const principal = Object.values(people).find((p) => p.id === ent.me.id);
  for (const p of [people.leader, people.legal, people.bureau2, principal]) await admin.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  [leader, legal, bureau2, boss] = await Promise.all(['leader', 'legal', 'bureau2', principal.login].map((n) => s.login(n, PASSWORD)));
  orgs = Object.fromEntries((await all(admin, 'organisation')).map((o) => [o.name, o]));
});
after(() => s.stop());

const commitment = async (fields = {}) => {
  const c = await rec(boss, 'credit_commitment', { title: '安全投入承诺', items: [{ what: '年内完成改造', due: day(30) }], until: day(60), ...fields });
  await done(boss, 'credit_commitment', c.id, 'sign', { password: PASSWORD });
  return c.id;
};

test('a commitment is signed, public, and verified: broken it costs points only when somebody else has verified the mark', async () => {
  assert.equal((await boss.post('/api/v1/records/credit_commitment', { title: '准入', kind: 'admission', items: [{ what: '守法' }], until: day(60), course: '诚信教育', course_on: day(), course_score: 79 })).status, 400, 'the test was not passed');
  const id = await commitment();
  assert.ok((await s.call('GET', '/public/types/credit_commitment')).json.items.some((x) => x.title === '安全投入承诺'), 'public once signed');
  await refused(boss, 'credit_commitment', id, 'keep', { verified_note: '自己说' }, 'nobody verifies his own');
  await done(boss, 'credit_commitment', id, 'report', { fulfilled: '完成一半' });
  await refused(town, 'credit_commitment', id, 'false', { verified_note: 'x' }, 'only a declaration can be false');
  await done(town, 'credit_commitment', id, 'break', { verified_note: '未按期完成' });
  const [mark] = await all(bureau, 'credit_event', `&where.commitment=${id}`);
  assert.deepEqual([mark.kind, mark.state, mark.severity, mark.valid_to], ['commitment_broken', 'reported', 'general', day(730)]);
  assert.equal(part(await why(), 'bad_marks').points, 0, 'not verified, not counted');
  await refused(town, 'credit_event', mark.id, 'verify', { basis: 'x' }, 'the town does not verify');
  await done(bureau, 'credit_event', mark.id, 'verify', { basis: '县信用规定第三条（虚构）' });
  const w = await until('the mark to count', async () => { const x = await why(); return part(x, 'bad_marks').points > 0 && x; });
  assert.ok(near(part(w, 'bad_marks').points, 5), 'a general mark of today weighs 5');
  const behind = await bureau.ok_get(`/api/v1/index/credit/records?kind=enterprise&key=${firm.id}&component=bad_marks`);
  assert.deepEqual(behind.items.map((x) => x.id), [mark.id], 'the record behind the points');
});

test('what others say counts when it is accepted, and ends by itself on its last day', async () => {
  const claim = await rec(boss, 'credit_claim', { title: '市级荣誉', kind: 'honour', facts: '示范企业', source_unit: '虚构协会', happened: day(-20), valid_to: day(-1) });
  await refused(bureau, 'credit_claim', claim.id, 'accept', { opinion: '属实' }, 'without evidence');
  await boss.ok_patch(`/api/v1/records/credit_claim/${claim.id}`, { evidence: [await file(boss)], version: (await get(boss, 'credit_claim', claim.id)).version });
  await refused(boss, 'credit_claim', claim.id, 'accept', { opinion: '属实' }, 'who says it does not decide');
  await done(bureau, 'credit_claim', claim.id, 'accept', { opinion: '属实' });
  const [mark] = await all(bureau, 'credit_event', `&where.claim=${claim.id}`);
  assert.equal(mark.valid_to, day(-1));
  await done(bureau2, 'credit_event', mark.id, 'verify', { basis: '证书' });
  await until('the mark to expire', async () => (await get(bureau, 'credit_event', mark.id)).state === 'expired');
  await until('what has ended to give nothing back', async () => part(await why(), 'good_marks').points === 0);
});

let evaluation;
test('an evaluation is computed, says its arithmetic and records, and an objection stops it', async () => {
  const e = await rec(bureau, 'credit_evaluation', { enterprise: firm.id });
  await refused(bureau, 'credit_evaluation', e.id, 'tell', {}, 'not computed yet');
  assert.equal((await bureau.patch(`/api/v1/records/credit_evaluation/${e.id}`, { score: 100, version: e.version })).status, 400, 'nobody types a score');
  assert.equal((await boss.post(`/api/v1/credit/${e.id}`, {})).status, 403, 'the enterprise does not compute');
  const r = await bureau.ok_post(`/api/v1/credit/${e.id}`, {});
  const w = await why();
  assert.ok(near(r.score, 100 - w.score) && r.rule === `credit ${w.version}`);
  const row = r.items.find((x) => x.item === '失信信息');
  assert.match(row.how, /^一般 1 条（折 1\.00） × 5 = (5\.00|4\.99)$/, 'it weighs a little less by the hour');
  assert.match(row.records, /^XY-\d{4}-\d{6}$/);
  assert.ok(near(r.items.reduce((n, x) => n + x.points, 0), 100 - r.score), 'the items add up to what is taken off');
  await done(bureau, 'credit_evaluation', e.id, 'tell');
  assert.equal((await bureau.post(`/api/v1/credit/${e.id}`, {})).status, 409, 'not computed again behind its back');
  await done(boss, 'credit_evaluation', e.id, 'object', { reason: '承诺已完成' });
  const [o] = await all(bureau, 'credit_objection', `&where.evaluation=${e.id}`);
  await done(boss, 'credit_objection', o.id, 'add', { grounds: '承诺已完成，见附件', evidence: [await file(boss)] });
  await refused(bureau, 'credit_evaluation', e.id, 'uphold', {}, 'the objection is open');
  await refused(boss, 'credit_objection', o.id, 'uphold', { answer: '成立' }, 'who objects does not decide');
  await done(bureau, 'credit_objection', o.id, 'reject', { answer: '佐证不足' });
  const settled = await done(bureau, 'credit_evaluation', e.id, 'uphold');
  assert.deepEqual([settled.state, settled.effective, settled.valid_to], ['effective', day(), day(365)]);
  evaluation = settled;
  const paper = await bureau.ok_post(`/api/v1/records/enterprise/${firm.id}/documents/credit_report`, {});
  assert.match(paper.number, /^安信报〔\d{4}〕\d{5}号$/);
});

let listing;
test('the list of serious dishonesty: review, notice, statement, decision; published without persons; measures go to departments', async () => {
  const l = await rec(bureau, 'dishonesty_listing', { title: '拒不执行处罚', enterprise: firm.id, criterion: 'refuses', facts: '有能力而不缴（虚构）' });
  assert.equal(l.uscc, firm.uscc);
  await refused(legal, 'dishonesty_listing', l.id, 'pass', { review_opinion: '同意' }, 'nothing is behind it');
  await bureau.ok_patch(`/api/v1/records/dishonesty_listing/${l.id}`, { evidence: [await file(bureau)], version: l.version });
  await refused(bureau, 'dishonesty_listing', l.id, 'pass', { review_opinion: '同意' }, 'who proposes does not review');
  await done(legal, 'dishonesty_listing', l.id, 'pass', { review_opinion: '事实清楚' });
  await done(bureau, 'dishonesty_listing', l.id, 'tell', { told_on: day() });
  await refused(bureau, 'dishonesty_listing', l.id, 'heard', {}, 'five working days have not passed');
  await done(boss, 'dishonesty_listing', l.id, 'state', { defence: 'statement', defence_text: '资金困难，请求暂缓' });
  await refused(bureau, 'dishonesty_listing', l.id, 'heard', {}, 'the statement has no answer');
  await done(bureau, 'dishonesty_listing', l.id, 'heard', { defence_answer: '账户有履行能力' });
  const before = (await bureau.ok_get('/api/v1/indicators/joint_measures_rate')).total;
  const decision = { decision: '列入', password: PASSWORD, measures: [{ measure: 'bidding', organisation: orgs['安澜县住房和城乡建设局'].id }, { measure: 'finance', organisation: orgs['安澜县市场监督管理局'].id }] };
  await refused(bureau, 'dishonesty_listing', l.id, 'list', decision, 'only the leader decides');
  const pub = async () => (await s.call('GET', '/public/types/dishonesty_listing')).json.items.filter((x) => x.uscc === firm.uscc);
  assert.equal((await pub()).length, 0, 'nothing is published before the decision');
  listing = await done(leader, 'dishonesty_listing', l.id, 'list', decision);
  assert.deepEqual([listing.until, listing.early_from], [day(1095), day(365)]);
  const [shown] = await until('the publication', async () => { const v = await pub(); return v.length && v; });
  assert.ok(shown.uscc === firm.uscc && !('facts' in shown) && !('decider' in shown) && !('defence_text' in shown));
  const measures = await all(bureau, 'joint_measure', `&where.listing=${l.id}`);
  assert.equal(measures.length, 2);
  const housing = measures.find((m) => m.measure === 'bidding'), market = measures.find((m) => m.measure === 'finance');
  await refused(department, 'joint_measure', market.id, 'do', { since: day(), feedback: 'x' }, 'another department answers for itself');
  await refused(department, 'joint_measure', housing.id, 'do', { since: day(3), feedback: 'x' }, 'it has not begun');
  const did = await done(department, 'joint_measure', housing.id, 'do', { since: day(), feedback: '已限制投标' });
  assert.equal(did.executed_by.id, department.me.id);
  const rate = await bureau.ok_get('/api/v1/indicators/joint_measures_rate');
  assert.deepEqual([rate.total.num - before.num, rate.total.den - before.den], [1, 2]);
  await until('the listing to weigh', async () => part(await why(), 'listing').points === 60);
  assert.equal((await all(bureau, 'credit_exchange', `&where.listing=${l.id}`)).length, 1, 'told to the platform');
});

test('a repair needs the waiting time; a revoked decision ends the publication and lifts the measures', async () => {
  const promise = await commitment({ title: '修复承诺', kind: 'repair' });
  const r = await rec(boss, 'credit_repair', { title: '申请移出', listing: listing.id, corrected: '已缴清' });
  assert.deepEqual([r.of, r.from], [listing.number, day(365)]);
  const apply = { evidence: [await file(boss)], commitment: promise, educated: day() };
  await refused(boss, 'credit_repair', r.id, 'apply', apply, 'twelve months have not passed');
  await refused(leader, 'dishonesty_listing', listing.id, 'remove', { repair: r.id }, 'the repair was not granted');
  const minor = await rec(bureau, 'credit_event', { title: '轻微失信', enterprise: firm.id, kind: 'department_notice', severity: 'minor', facts: '迟报' });
  await done(bureau2, 'credit_event', minor.id, 'verify', { basis: '部门通报' });
  const m = await rec(boss, 'credit_repair', { title: '修复轻微失信', event: minor.id, corrected: '已补报' });
  await done(boss, 'credit_repair', m.id, 'apply', apply);
  await done(town, 'credit_repair', m.id, 'verify', { site: '现场属实' });
  await refused(town, 'credit_repair', m.id, 'grant', { decision: '准予', password: PASSWORD }, 'who verified does not decide');
  await done(leader, 'credit_repair', m.id, 'grant', { decision: '准予', password: PASSWORD });
  await refused(bureau, 'credit_event', minor.id, 'repaired', { repair: r.id }, 'the repair of something else');
  assert.equal((await done(bureau, 'credit_event', minor.id, 'repaired', { repair: m.id })).state, 'repaired');
  await done(leader, 'dishonesty_listing', listing.id, 'revoke', { contested: '复议撤销' });
  await until('the end of the publication', async () => !(await s.call('GET', '/public/types/dishonesty_listing')).json.items.some((x) => x.uscc === firm.uscc));
  const lifts = (await all(bureau, 'joint_measure', `&where.listing=${listing.id}`)).filter((x) => x.action === 'lift');
  assert.equal(lifts.length, 2, 'each department is told to lift');
  await until('the listing to weigh nothing', async () => part(await why(), 'listing').points === 0);
});

test('the red list asks for grade A and no listing; who is banned cannot be entered as a principal', async () => {
  const red = await rec(bureau, 'red_listing', { title: '连续三年无事故', enterprise: firm.id, evaluation: evaluation.id });
  const grade = (await get(bureau, 'credit_evaluation', evaluation.id)).grade;
  const shown = await move(bureau, 'red_listing', red.id, 'show', { incentives: '减少检查' });
  assert.equal(shown.status < 300, grade === 'a', `grade ${grade}: ${shown.text}`);
  if (shown.status < 300) await refused(leader, 'red_listing', red.id, 'list', {}, 'shown for less than five working days');
  const id = '11010519491231002X'; // the example of GB 11643-1999
  const ban = await rec(bureau, 'industry_ban', { title: '事故撤职', kind: 'principal', idcard: id, person_name: '某某', scope: '任何生产经营单位主要负责人', basis: '第九十四条', until: day(1830) });
  const person = { name: '某某', role: 'principal', idcard: id };
  await done(leader, 'industry_ban', ban.id, 'decide', { password: PASSWORD });
  const no = await boss.post('/api/v1/records/key_person', person);
  assert.equal(no.status, 400, no.text);
  assert.equal(no.json.error.field, 'idcard');
  assert.equal((await boss.get('/api/v1/records/industry_ban')).status, 404, 'the register of bans is not for enterprises');
  await done(leader, 'industry_ban', ban.id, 'lift', { reason: '期满' });
  assert.ok((await boss.post('/api/v1/records/key_person', person)).status < 300, 'a ban that ended blocks nobody');
});

test('an object of a low grade has more tickets, which anybody can draw again', async () => {
  const firms = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items.filter((f) => f.risk === 'red' && f.status === 'running');
  const low = firms[firms.length - 1];
  for (const n of [1, 2, 3, 4, 5]) { // 12 each, capped at 40: grade C
    const m = await rec(bureau, 'credit_event', { title: `严重失信 ${n}`, enterprise: low.id, kind: 'department_notice', severity: 'serious', facts: '虚构' });
    await done(bureau2, 'credit_event', m.id, 'verify', { basis: '部门通报' });
  }
  const opened = await until('an evaluation that the fall opens by itself', async () => (await all(bureau, 'credit_evaluation', `&where.enterprise=${low.id}`))[0]);
  assert.equal(opened.state, 'draft');
  const e = await until('its grade', async () => { const x = await bureau.ok_post(`/api/v1/credit/${opened.id}`, {}); return x.grade === 'c' && x; });
  await done(bureau, 'credit_evaluation', e.id, 'tell');
  const owner = Object.values(people).find((p) => p.enterprise?.id === low.id && p.role.includes('enterprise'));
  await admin.ok_post('/api/v1/password', { person: owner.id, new: PASSWORD });
  await done(await s.login(owner.login, PASSWORD), 'credit_evaluation', e.id, 'agree');
  const d = await rec(bureau, 'random_draw', { title: '差异化抽查', red: 3, orange: 0, yellow: 0, blue: 0 });
  await done(bureau, 'random_draw', d.id, 'lock');
  const r = await bureau.ok_post(`/api/v1/draws/${d.id}`, {});
  const pool = r.pool_red.split(',').map((x) => x.split('*').map(Number));
  assert.deepEqual(pool.filter((x) => x[1]).map((x) => x), [[low.id, 2]], 'grade C has two tickets');
  const sm3 = (t) => createHash('sm3').update(t).digest('hex');
  const best = ([id, many = 1]) => [...Array(many)].map((_, k) => sm3(`${r.seed}:object:${id}${k ? `:${k + 1}` : ''}`)).sort()[0];
  const again = pool.map((x) => [best(x), x[0]]).sort().slice(0, 3).map((x) => x[1]);
  assert.deepEqual(r.drawn.map((x) => x.enterprise.id ?? x.enterprise), again);
});

test('a platform that refuses gets it again; who asks for credit needs authorisation or a duty', async () => {
  const x = (await all(bureau, 'credit_exchange', '&where.state=due'))[0];
  await done(bureau, 'credit_exchange', x.id, 'send', { batch_no: 'B1', sent_on: day() });
  await done(bureau, 'credit_exchange', x.id, 'refused', { refused_for: '缺字段', reason: '缺字段' });
  await done(bureau, 'credit_exchange', x.id, 'send', { batch_no: 'B2', sent_on: day() });
  assert.equal((await done(bureau, 'credit_exchange', x.id, 'accept', { receipt: 'R-1' })).state, 'accepted');
  const q = await rec(department, 'credit_query', { title: '招标资格', enterprise: firm.id, purpose: 'bidding', asked_by: '住建局' });
  await refused(bureau, 'credit_query', q.id, 'answer', { answer: 'A 级' }, 'no authorisation and no duty');
  await department.ok_patch(`/api/v1/records/credit_query/${q.id}`, { legal_basis: '招标投标法实施条例', version: q.version });
  await refused(bureau, 'credit_query', q.id, 'answer_listed', { answer: '在名单' }, 'it is not on the list any more');
  const a = await done(bureau, 'credit_query', q.id, 'answer', { answer: '现行有效', evaluation: evaluation.id });
  assert.deepEqual([a.listed, a.grade], [false, evaluation.grade]);
  await done(department, 'credit_query', q.id, 'feedback', { used: '通过资格审查' });
});
