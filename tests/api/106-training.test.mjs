// Training on a real server: a bank imported as CSV, a paper for each person from a seed that is kept, answers that outlive a kill,
// a clock that the server keeps, no right answer before the end, nobody who edits a result; classes, certificates and their gaps.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, town, firm, examiner, admin, place;
const R = '/api/v1/records';
const at = (h) => new Date(Date.now() + h * 3600e3).toISOString();
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const move = (who, t, id, name, body = {}) => who.post(`${R}/${t}/${id}/moves/${name}`, body);
const done = async (promise) => { const r = await promise; assert.ok(r.status < 300, r.text); return r.json; };
const sm3 = (text) => createHash('sm3').update(text).digest('hex');
before(async () => {
  s = await Server.start();
  [bureau, town, firm, examiner, admin] = await Promise.all(['bureau', 'town', 'enterprise', 'examiner', 'admin'].map((r) => s.as(r)));
  place = (await firm.ok_get(`${R}/enterprise/${firm.me.enterprise.id}`)).area;
});
after(() => s.stop());

let serial = 0;
async function worker(name) {
  const login = `w${++serial}`, password = 'Anlan-2026-worker';
  const p = await done(town.post(`${R}/person`, { login, name, role: ['worker'], area: place, enterprise: firm.me.enterprise.id }));
  await done(town.post('/api/v1/password', { person: p.id, new: password }));
  return Object.assign(await s.login(login, password), { person: p.id });
}
async function importCsv(who, type, text) {
  const r = await fetch(`${s.url}/api/v1/imports?type=${type}&format=csv&name=bank.csv`, { method: 'POST', body: text, headers: { Authorization: `Bearer ${who.token}` } });
  const { id } = await r.json();
  const ready = await until('the check', async () => { const x = await who.ok_get(`/api/v1/imports/${id}`); return x.state === 'checked' && x; });
  assert.equal(ready.errors_total, 0, JSON.stringify(ready));
  await done(who.post(`/api/v1/imports/${id}/run`, {}));
  return until('the import', async () => { const x = await who.ok_get(`/api/v1/imports/${id}`); return x.state === 'done' && x; });
}
// The right answers stand in the texts: question k of a subject is right with (k % 4).
const letters = ['A', 'B', 'C', 'D'];
const bank = (subject, n) => Array.from({ length: n }, (_, k) => `${subject} 第 ${k} 题：应选 ${letters[k % 4]},单选题,${subject},甲,乙,丙,丁,${letters[k % 4]},测试第 ${k} 条`);
const sure = (text) => [text.match(/应选 ([A-D])/)[1].toLowerCase()];
const later = { opens: at(-1), closes: at(5) };
const newExam = async (fields) => { const e = await done(examiner.post(`${R}/exam`, { title: `焊工考试 ${++serial}`, kind: 'qualification', ...later, minutes: 30, tries: 1, pass_mark: 8, roles: ['worker'], enterprise: firm.me.enterprise.id, rule: [{ subject: 'refrigeration', many: 8, points: 1 }, { subject: 'electric', kind: 'single', many: 2, points: 1 }], ...fields })); await done(move(examiner, 'exam', e.id, 'publish')); return e; };
const sit = (who, e) => who.post(`/api/v1/exams/${e.id}/sit`, {});

test('the bank comes as CSV, and its answers are for examiners alone', async () => {
  await importCsv(examiner, 'question', '题干,题型,科目,选项A,选项B,选项C,选项D,答案,依据条款\n' + [...bank('制冷与空调', 30), ...bank('电工作业', 6), '初起火灾可用灭火器扑救,判断题,消防与应急,,,,,正确,虚构', '灭火器要查哪些,多选题,消防与应急,压力,颜色,铅封,,A、C,虚构'].join('\n') + '\n');
  const one = (await examiner.ok_get(`${R}/question?q=${encodeURIComponent('第 7 题')}`)).items[0];
  assert.deepEqual(one.answer, ['d']);
  const fire = (await examiner.ok_get(`${R}/question?where.subject=fire&sort=kind`)).items;
  assert.deepEqual(fire.map((x) => [x.kind, x.answer]), [['judge', ['yes']], ['multiple', ['a', 'c']]]);
  for (const who of [bureau, town, firm]) assert.equal((await who.get(`${R}/question`)).status, 404);
  const wrong = await examiner.post(`${R}/question`, { text: '单选两个答案', kind: 'single', subject: 'law', option_a: '甲', option_b: '乙', answer: ['a', 'b'], clause: '无' });
  assert.equal(wrong.json.error.field, 'answer');
  assert.equal((await examiner.post(`${R}/question`, { text: '答案不在选项里', kind: 'single', subject: 'law', option_a: '甲', option_b: '乙', answer: ['d'], clause: '无' })).json.error.field, 'answer');
});

test('each gets a paper of his own, drawn from the seed that is kept: anybody draws it again', async () => {
  const e = await newExam({});
  const [a, b] = [await worker('祁大山'), await worker('姚小海')];
  const mine = (await a.ok_get('/api/v1/exams')).items.find((x) => x.id === e.id);
  assert.deepEqual([mine.now, mine.questions, mine.minutes, mine.sittings.length], [true, 10, 30, 0]);
  const [pa, pb] = [await done(sit(a, e)), await done(sit(b, e))];
  assert.equal(pa.paper.length, 10);
  assert.notDeepEqual(pa.paper.map((x) => x.question.text), pb.paper.map((x) => x.question.text));
  assert.ok(pa.left > 1700 && pa.left <= 1800);
  assert.ok(!/"key":\[|"answer":\["|score|got/.test(JSON.stringify(pa)), 'no right answer, no points');
  const rec = await examiner.ok_get(`${R}/exam_sitting/${pa.id}`);
  const all = (await examiner.ok_get(`${R}/question?size=200`)).items.filter((q) => q.subject === 'refrigeration');
  const lot = all.map((q) => [sm3(`${rec.seed}:question:${q.id}`), q.text]).sort().slice(0, 8).map((x) => x[1]);
  assert.deepEqual(pa.paper.slice(0, 8).map((x) => x.question.text), lot);
  // the second call is the same paper; nobody else's is to be seen while it is written
  assert.equal((await done(sit(a, e))).id, pa.id);
  for (const who of [b, firm, bureau, examiner]) assert.equal((await who.get(`/api/v1/sittings/${pa.id}`)).status, 404);
  assert.equal((await b.post(`/api/v1/sittings/${pa.id}/answers`, { n: 1, answer: ['a'] })).status, 404);
});

test('an answer that was acknowledged is there after kill -9; points are the server\'s, and nobody writes them', async () => {
  const e = await newExam({ tries: 2, part: 50 });
  let a = await worker('凌铁柱');
  const p = await done(sit(a, e));
  const ans = (n, answer) => a.post(`/api/v1/sittings/${p.id}/answers`, { n, answer });
  for (let n = 1; n <= 9; n++) assert.equal((await ans(n, n === 9 ? ['a'] : sure(p.paper[n - 1].question.text))).status, 200);
  await s.kill();
  await s.spawn();
  a = s.again(a);
  [bureau, firm, examiner, town, admin] = [bureau, firm, examiner, town, admin].map((x) => s.again(x));
  const again = await done(sit(a, e));
  assert.equal(again.id, p.id);
  assert.deepEqual(again.paper.map((x) => x.answer), p.paper.map((x, i) => (i === 9 ? [] : i === 8 ? ['a'] : sure(x.question.text))));
  assert.deepEqual(again.paper.map((x) => x.question), p.paper.map((x) => x.question), 'frozen as it was drawn');
  assert.equal((await ans(11, ['a'])).json.error.field, 'n');
  assert.equal((await ans(1, ['a', 'b'])).json.error.field, 'answer', 'one answer only');
  assert.equal((await ans(1, ['yes'])).json.error.field, 'answer', 'not an option of it');
  const right = sure(p.paper[8].question.text)[0] === 'a' ? 9 : 8;
  const end = await done(a.post(`/api/v1/sittings/${p.id}/hand_in`, {}));
  assert.deepEqual([end.state, end.score, end.full, end.answered, end.questions, end.right, end.paper.length], ['passed', right, 10, 9, 10, right, 0]);
  assert.equal((await ans(10, ['a'])).status, 409, 'nothing after the end');
  assert.equal((await done(a.post(`/api/v1/sittings/${p.id}/hand_in`, {}))).score, right, 'handing in again changes nothing');
  assert.equal((await sit(a, e)).status, 409, 'who has passed does not sit it again');
  for (const who of [examiner, bureau, firm]) {
    assert.ok((await who.patch(`${R}/exam_sitting/${p.id}`, { score: 10, version: 9 })).status >= 400);
    assert.ok((await move(who, 'exam_sitting', p.id, 'fail')).status >= 400);
    assert.ok((await who.delete(`${R}/exam_sitting/${p.id}`, { reason: '删除' })).status >= 400);
  }
  assert.equal((await examiner.post(`${R}/exam_sitting`, { exam: e.id })).status, 403);
  const paper = await done(examiner.post(`/api/v1/records/exam_sitting/${p.id}/documents/exam_result`, {}));
  assert.match(paper.number, /^考成〔\d{4}〕\d{5}号$/);
  // the firm's manager sees the result, not the doubts; the keys come when the exam is closed
  const seen = await firm.ok_get(`${R}/exam_sitting/${p.id}`);
  assert.deepEqual([seen.state, seen.score, 'fast' in seen, 'seed' in seen], ['passed', right, false, false]);
  assert.match(seen.digest, /^[0-9a-f]{64}$/);
  assert.equal((await examiner.ok_get(`${R}/exam_sitting/${p.id}`)).fast, true, '9 answers in less than 27 s');
  await done(move(examiner, 'exam', e.id, 'close'));
  const after = await a.ok_get(`/api/v1/sittings/${p.id}`);
  assert.deepEqual(after.paper[0].key, sure(after.paper[0].question.text));
  const stats = (await examiner.ok_get(`/api/v1/exams/${e.id}/statistics`)).items;
  assert.deepEqual([stats.length, stats.reduce((n, x) => n + x.answered, 0), stats.reduce((n, x) => n + x.right, 0), stats[0].hint], [10, 9, right, 'few']);
  assert.equal((await bureau.get(`/api/v1/exams/${e.id}/statistics`)).status, 403);
});

test('the clock is the server\'s: a paper nobody hands in is scored when its time is over, and an examiner can give more', async () => {
  const e = await newExam({ tries: 2, wait_days: 3 });
  const a = await worker('温小满'), b = await worker('包长顺');
  const p = await done(sit(a, e)), q = await done(sit(b, e));
  await done(a.post(`/api/v1/sittings/${p.id}/answers`, { n: 2, answer: sure(p.paper[1].question.text), away: 3 }));
  const rec = await examiner.ok_get(`${R}/exam_sitting/${p.id}`);
  assert.equal(rec.away, 3);
  assert.ok((await firm.patch(`${R}/exam_sitting/${p.id}`, { until: at(2), version: rec.version })).status >= 400);
  await done(examiner.patch(`${R}/exam_sitting/${q.id}`, { until: at(1), version: (await examiner.ok_get(`${R}/exam_sitting/${q.id}`)).version }));
  await done(examiner.patch(`${R}/exam_sitting/${p.id}`, { until: new Date(Date.now() + 300).toISOString(), version: rec.version }));
  const over = await until('its time is over', async () => { const x = await examiner.ok_get(`${R}/exam_sitting/${p.id}`); return x.state !== 'sitting' && x; });
  assert.deepEqual([over.state, over.score, over.answered], ['failed', 1, 1]);
  assert.equal((await a.post(`/api/v1/sittings/${p.id}/answers`, { n: 3, answer: ['a'] })).status, 409);
  assert.ok((await done(sit(b, e))).left > 3500);
  const again = await sit(a, e);
  assert.deepEqual([again.status, again.json.error.field], [409, 'wait_days']);
});

test('who is not meant does not sit, nor does anybody before it opens or when the bank is too small', async () => {
  const a = await worker('路过的人');
  assert.equal((await sit(bureau, await newExam({}))).status, 403);
  assert.equal((await sit(a, await newExam({ opens: at(1) }))).status, 409);
  const few = await sit(a, await newExam({ rule: [{ subject: 'electric', many: 7, points: 1 }] }));
  assert.deepEqual([few.status, few.json.error.field], [409, 'rule']);
  assert.match(few.json.error.message.zh ?? few.json.error.message, /要 7 题，只有 6 题/);
  const draft = await done(examiner.post(`${R}/exam`, { title: '未发布', kind: 'test', ...later, roles: ['worker'], rule: [{ subject: 'electric', many: 1, points: 1 }] }));
  assert.equal((await sit(a, draft)).status, 409);
});

// ---- certificates, new workers, classes --------------------------------------------------------------
const post_card = (fields) => done(firm.post(`${R}/post_card`, { post: `岗位 ${++serial}`, risks: '灼烫、火灾', controls: '持证上岗', emergency: '撤离报警', ...fields }));
const employee = (fields) => done(firm.post(`${R}/employee`, { name: `工人 ${++serial}`, classes: ['other'], hired: day(-30), ...fields }));

test('who stands on a post without its certificate is a gap with a deadline, and so is a certificate that runs out', async () => {
  const post = await post_card({ certificate: 'welding' });
  const e = await employee({ post: post.id, posted: day(-1) });
  assert.equal(e.needs, 'welding');
  const gap = (await firm.ok_get(`${R}/certificate_gap?where.employee=${e.id}`)).items[0];
  assert.deepEqual([gap.state, gap.needs, gap.deadline > at(24 * 6)], ['open', 'welding', true]);
  const listed = async () => (await bureau.ok_get(`${R}/employee?list=uncertified&size=200`)).items.some((x) => x.id === e.id);
  assert.ok(await listed());
  const missing = async () => (await bureau.ok_get('/api/v1/indicators/certified_rate/records?part=gap&size=500')).items.some((x) => x.id === e.id);
  assert.ok(await missing());
  const other = await done(firm.post(`${R}/certificate`, { holder: '别人', kind: 'welding', code: 'T0001', issued: day(-100), valid_to: day(900) }));
  const mine = await done(firm.post(`${R}/certificate`, { holder: e.name, kind: 'welding', code: 'T0002', issued: day(-100), valid_to: day(900) }));
  const of_kind = await done(firm.post(`${R}/certificate`, { holder: e.name, kind: 'height', code: 'T0003', issued: day(-100), valid_to: day(900) }));
  const take = (certificate) => firm.patch(`${R}/employee/${e.id}`, { version: e.version, certificate });
  assert.equal((await take(other.id)).json.error.field, 'certificate', 'somebody else\'s');
  assert.equal((await take(of_kind.id)).json.error.field, 'certificate', 'of another kind');
  assert.equal((await move(firm, 'certificate_gap', gap.id, 'certify', { renewed: of_kind.id })).status, 409);
  assert.equal((await done(take(mine.id))).certificate_until, day(900));
  await done(move(firm, 'certificate_gap', gap.id, 'certify', { renewed: mine.id }));
  assert.deepEqual([await listed(), await missing()], [false, false]);
  // revoked by the town: a new gap
  await done(move(town, 'certificate', mine.id, 'revoke', { reason: '查实伪造' }));
  assert.equal((await firm.ok_get(`${R}/certificate_gap?where.certificate=${mine.id}`)).items[0].state, 'open');
  // one that has run out lapses by itself
  const old = await done(firm.post(`${R}/certificate`, { holder: '过期的人', kind: 'height', code: 'T0004', issued: day(-3000), valid_to: day(-1) }));
  await until('it lapses', async () => (await firm.ok_get(`${R}/certificate/${old.id}`)).state === 'lapsed');
  await until('its gap', async () => (await firm.ok_get(`${R}/certificate_gap?where.certificate=${old.id}`)).total === 1);
});

test('a permit for hot work names somebody whose certificate holds to its end, or is not approved', async () => {
  const second = await (async () => { const login = `m${++serial}`, password = 'Anlan-2026-manager'; const p = await done(town.post(`${R}/person`, { login, name: '第二安全员', role: ['enterprise'], area: place, enterprise: firm.me.enterprise.id })); await done(town.post('/api/v1/password', { person: p.id, new: password })); return Object.assign(await s.login(login, password), { password }); })();
  const post = await post_card({ certificate: 'welding' });
  const make = async (valid_to) => {
    const name = `焊工 ${++serial}`;
    const c = await done(firm.post(`${R}/certificate`, { holder: name, kind: 'welding', code: `W${serial}`, issued: day(-100), valid_to }));
    return employee({ name, post: post.id, certificate: c.id });
  };
  const [good, short, none] = [await make(day(30)), await make(day(1)), await employee({ post: post.id })];
  const permit = (operator) => done(firm.post(`${R}/special_work`, { work: '管线焊接', kind: 'hot', place: 'T-101', workers: [{ name: '甲' }], guardian: '乙', operator, starts: at(1), ends: at(72), measures: '清理可燃物', gas_test: [{ at: at(-0.1), gas: '可燃气', value: 0 }] }));
  const approve = async (operator) => move(second, 'special_work', (await permit(operator)).id, 'approve', { password: second.password });
  assert.equal((await approve(none.id)).status, 409);
  assert.equal((await approve(short.id)).status, 409, 'it runs out before the work ends');
  assert.equal((await approve(undefined)).status, 409);
  assert.equal((await approve(good.id)).status, 200);
});

test('a new worker is educated on three levels with the hours of his trade before he works; who works earlier is listed', async () => {
  const chemical = (await firm.ok_get(`${R}/enterprise/${firm.me.enterprise.id}`)).sector === 'chemical';
  const e = await employee({ classes: ['new_worker'] });
  assert.equal(e.hours_first, chemical ? 72 : 24);
  const edu = (await firm.ok_get(`${R}/safety_education?where.employee=${e.id}`)).items[0];
  const hours = e.hours_first / 3;
  assert.equal((await move(firm, 'safety_education', edu.id, 'qualify', { company_hours: hours, workshop_hours: hours, team_hours: hours - 1, score: 90 })).status, 409, 'an hour short');
  assert.equal((await move(firm, 'safety_education', edu.id, 'qualify', { company_hours: hours, workshop_hours: hours, team_hours: hours, score: 79 })).status, 409, 'the test is not passed');
  const early = await employee({ classes: ['migrant'], posted: day(-1) });
  await done(move(firm, 'safety_education', edu.id, 'qualify', { company_hours: hours, workshop_hours: hours, team_hours: hours, score: 90 }));
  const at_work = await done(firm.patch(`${R}/employee/${e.id}`, { version: e.version, education_record: edu.id, posted: day(0) }));
  assert.equal(at_work.qualified_on, day(0));
  const names = (await town.ok_get(`${R}/employee?list=early&size=200`)).items.map((x) => x.id);
  assert.deepEqual([names.includes(early.id), names.includes(e.id)], [true, false]);
  const theirs = (await firm.ok_get(`${R}/safety_education?where.employee=${early.id}`)).items[0];
  assert.equal((await firm.patch(`${R}/employee/${early.id}`, { version: early.version, education_record: edu.id })).json.error.field, 'education_record', 'somebody else\'s education');
  assert.equal(theirs.state, 'open');
});

test('a class: no body past its validity, sign-in on the phone only while it runs, hours at most those of the class, no end before all are marked', async () => {
  const body = await done(bureau.post(`${R}/training_body`, { name: '过期培训机构', kind: ['institution'], area: '990121000000', valid_to: day(-1) }));
  const course = await done(bureau.post(`${R}/course`, { title: '焊工复训', subject: 'hot_work', hours: 4 }));
  const fields = { title: '焊工班', course: course.id, mode: 'skill', starts: at(-1), ends: at(4), hours: 4 };
  assert.equal((await bureau.post(`${R}/training_class`, { ...fields, area: '990121000000', body: body.id })).json.error.field, 'body');
  const c = await done(firm.post(`${R}/training_class`, fields));
  const w = await worker('签到的人');
  const e = await employee({ person: w.person });
  const m = await done(firm.post(`${R}/training_member`, { class: c.id, employee: e.id, person: w.person }));
  assert.equal((await firm.post(`${R}/training_member`, { class: c.id, employee: e.id })).status, 409, 'once a class');
  assert.equal((await move(w, 'training_member', m.id, 'sign_in')).status, 409, 'it has not started');
  await done(move(firm, 'training_class', c.id, 'start'));
  await done(move(w, 'training_member', m.id, 'sign_in'));
  assert.equal((await move(firm, 'training_class', c.id, 'finish')).status, 409);
  const out = await done(move(w, 'training_member', m.id, 'sign_out'));
  assert.ok(out.hours >= 0 && out.hours <= 4);
  assert.equal((await move(w, 'training_member', m.id, 'pass')).status, 403, 'nobody passes himself');
  await done(move(firm, 'training_member', m.id, 'pass', { score: 88 }));
  await done(move(firm, 'training_class', c.id, 'finish'));
});
