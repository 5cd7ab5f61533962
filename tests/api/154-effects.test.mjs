// What an enterprise's own data decide (GET /effects): how often it is inspected, what its liability insurance costs, by which way its
// applications go. Each figure is held against the record that the platform really makes from the same data, before and after.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, admin, bureau, leader, ent, ent2, firm, agency, rule, items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const effects = (who = ent) => who.ok_get(`/api/v1/effects/${firm.id}`);
const of = (e, name, item) => e.effects.find((x) => x.name === name && (!item || x.subject.id === item.id));
const said = (values) => Object.fromEntries(values.map((v) => [v.field, v.text]));
const input = (effect, field) => effect.inputs.find((x) => x.field === field);
const gives = (effect, field, value) => said(input(effect, field).if.find((x) => x.value.startsWith(value)).gives);
const num = (text) => Number(String(text).replace(/[^\d.]/g, ''));
const file = async (who) => {
  const r = await fetch(`${s.url}/api/v1/files?name=a.pdf`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};

before(async () => {
  s = await Server.start();
  [admin, bureau, leader, ent] = await Promise.all(['admin', 'bureau', 'leader', 'enterprise'].map((r) => s.as(r)));
  for (const login of ['leader', 'bureau']) {
    const [p] = await all(admin, 'person', `&where.login=${login}`);
    if (p) await admin.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  }
  [leader, bureau] = await Promise.all(['leader', 'bureau'].map((n) => s.login(n, PASSWORD)));
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  agency = (await all(bureau, 'service_agency', '&where.state=registered')).find((x) => x.kinds.includes('insurance'));
  for (const p of await all(bureau, 'insurance_policy', `&where.enterprise=${firm.id}`)) if (['in_force', 'ending'].includes(p.state)) await done(bureau, 'insurance_policy', p.id, 'cancel', { reason: '用例' });
  const f = await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}`);
  await bureau.ok_patch(`/api/v1/records/enterprise/${firm.id}`, { risk: 'orange', version: f.version });
  rule = await rec(bureau, 'insurance_rule', { title: '用例浮动费率', sector: firm.sector, premium: 200, sum: 400000, prevention: 21, basis: '用例', valid_from: day(), credit_a: 0.9, credit_c: 1.2, credit_d: 1.5, standardised: 0.9, claim: 0.1, least: 0.7, most: 1.6 });
  const item = (name, more) => rec(bureau, 'licence_item', { name, basis: '（用例）', papers: [{ paper: '申请书', original: true }], legal_days: 20, promised_days: 8, valid_years: 3, on_site: true, ...more });
  items = [await item('用例甲（可告知承诺）', { simple: true, simple_days: 1 }), await item('用例乙')];
});
after(() => s.stop());

test('without a grade everything is usual; every other grade says what it would give', async () => {
  const e = await effects();
  const i = of(e, 'inspection'), p = of(e, 'premium'), a = of(e, 'approval', items[0]);
  assert.match(input(i, 'credit').text, /^B/);
  assert.equal(input(i, 'credit').from, undefined, 'no evaluation is in effect');
  const now = num(said(i.now).per_year);
  assert.ok(num(gives(i, 'credit', 'D').per_year) > now && num(gives(i, 'credit', 'A').per_year) <= now, 'a worse grade is inspected more');
  assert.deepEqual([said(p.now).band, num(said(p.now).factor)], ['基准', 1]);
  assert.equal(num(said(p.now).usual), firm.staff * 200, 'as many persons as it employs by the rule');
  assert.deepEqual(['A', 'B', 'C', 'D'].map((g) => num(gives(p, 'credit', g).factor)), [0.9, 1, 1.2, 1.5]);
  assert.deepEqual([said(a.now).path, num(said(a.now).days)], ['一般程序', 8]);
  assert.match(gives(a, 'credit', 'A').path, /^告知承诺/);
  assert.equal(num(gives(a, 'credit', 'A').days), 1);
  assert.equal(num(gives(a, 'credit', 'D').days), 20);
  assert.equal(gives(of(e, 'approval', items[1]), 'credit', 'A').path, '一般程序', 'the item does not allow a commitment');
});

test('who may not see the enterprise gets nothing; the bureau sees what it sees', async () => {
  const other = (await all(bureau, 'enterprise')).find((x) => x.id !== firm.id);
  assert.equal((await ent.get(`/api/v1/effects/${other.id}`)).status, 404);
  assert.equal((await ent.get('/api/v1/effects/999999')).status, 404);
  assert.equal((await fetch(`${s.url}/api/v1/effects/${firm.id}`)).status, 401);
  assert.deepEqual((await effects(bureau)).effects.map((x) => x.name), (await effects()).effects.map((x) => x.name));
  const examiner = await s.as('examiner').catch(() => null);
  if (examiner) assert.equal(of(await effects(examiner), 'inspection'), undefined, 'classes are not the examiner’s');
});

let evaluation;
const mark = async (kind, severity, n) => {
  const [p] = await all(admin, 'person', '&where.login=bureau2');
  await admin.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  const other = await s.login('bureau2', PASSWORD);
  for (let k = 0; k < n; k++) {
    const m = await rec(bureau, 'credit_event', { title: `用例 ${kind} ${k}`, enterprise: firm.id, kind, severity, facts: '用例', happened: day(-1), source_unit: '用例' });
    await done(other, 'credit_event', m.id, 'verify', { basis: '用例' });
  }
};
const evaluate = async () => {
  const ev = (await all(bureau, 'credit_evaluation', `&where.enterprise=${firm.id}&where.state=draft`))[0] ?? await rec(bureau, 'credit_evaluation', { enterprise: firm.id });
  await bureau.ok_post(`/api/v1/credit/${ev.id}`, {});
  await done(bureau, 'credit_evaluation', ev.id, 'tell');
  return done(ent, 'credit_evaluation', ev.id, 'agree');
};

test('grade A on a commitment: granted without a check on site within the short time, and checked afterwards', async () => {
  await mark('honour', 'general', 4);
  await until('grade A', async () => (await effects()).credit.grade === 'a');
  assert.equal((await evaluate()).grade, 'a');
  const a = await rec(ent, 'licence_application', { title: '用例', item: items[0].id, enterprise: firm.id, papers: [await file(ent)] });
  assert.deepEqual([a.path, a.days], ['simple', 1]);
  await done(bureau, 'licence_application', a.id, 'accept', { due: day(1) });
  await done(bureau, 'licence_application', a.id, 'submit', { opinion: '符合' });
  await done(leader, 'licence_application', a.id, 'grant', { conditions: '用例', valid_to: day(900), password: PASSWORD });
  const [licence] = await all(bureau, 'licence', `&where.application=${a.id}`);
  const checks = await all(bureau, 'licence_check', `&where.licence=${licence.id}`);
  assert.deepEqual(checks.map((x) => [x.title, x.state]), [['告知承诺发证后核查', 'due']]);
});

test('the grade in effect is taken by the next class, policy and application, and each is what was said ahead', async () => {
  const said_ahead = await effects();
  await mark('department_notice', 'serious', 3);
  const e = await until('the marks to count', async () => { const x = await effects(); return x.credit.score < said_ahead.credit.score - 30 && x; });
  const live = e.credit.grade.toUpperCase();
  assert.ok(['C', 'D'].includes(live), live);
  const i = of(e, 'inspection');
  assert.match(input(i, 'credit').text, /^A/, 'a score binds nobody; what is in effect does');
  const step = i.steps.find((x) => x.component === 'bad_marks');
  assert.ok(Math.abs(step.score - Math.min(100, e.credit.score + step.points)) < 0.2, `${step.score} without ${step.points} of ${e.credit.score}`);
  assert.equal(step.score, (await effects()).effects.find((x) => x.name === 'premium').steps.find((x) => x.component === 'bad_marks').score);

  evaluation = await evaluate();
  assert.equal(evaluation.grade.toUpperCase(), live);
  assert.equal((await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}`)).credit_grade, evaluation.grade, 'it stands on the enterprise');
  assert.ok((await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}/history`)).items.some((h) => JSON.stringify(h).includes(evaluation.number)), 'and says by which evaluation');

  const after = await effects();
  assert.deepEqual([input(of(after, 'inspection'), 'credit').from.type, input(of(after, 'inspection'), 'credit').from.id], ['credit_evaluation', evaluation.id]);
  const k = await rec(bureau, 'enterprise_class', { enterprise: firm.id });
  const c = await done(bureau, 'enterprise_class', k.id, 'confirm');
  assert.equal(String(c.per_year), String(num(gives(i, 'credit', live).per_year)), 'as was said ahead of it');
  assert.equal(num(said(of(await effects(), 'inspection').holds).per_year), c.per_year);
  assert.equal(of(await effects(), 'inspection').record.id, c.id);
  assert.equal(of(await effects(), 'inspection').stale, false);

  const p = await rec(ent, 'insurance_policy', { policy: `P${Math.random()}`, kind: 'liability', insurer: agency.id, insured: 100, starts: day(-10), ends: day(355), rule: rule.id, sum: 500000, premium: 24000 });
  const factor = { C: 1.2, D: 1.5 }[live];
  assert.deepEqual([p.credit, p.factor, p.band, p.usual], [evaluation.grade, factor, 'raised', 20000 * factor]);
  assert.equal(num(gives(of(said_ahead, 'premium'), 'credit', live).factor), factor);

  const a = await rec(ent, 'licence_application', { title: '用例', item: items[1].id, enterprise: firm.id, papers: [await file(ent)] });
  assert.deepEqual([a.path, a.days], ['strict', 20]);
  await done(bureau, 'licence_application', a.id, 'accept', { due: day(20) });
  assert.equal((await move(bureau, 'licence_application', a.id, 'submit', { opinion: '符合' })).status, 409, 'strict: with a check on site');
  await done(bureau, 'licence_application', a.id, 'submit', { opinion: '符合', visit: '已现场核查' });
});

test('a claim that was paid raises the premium of the next policy; the one before keeps its terms', async () => {
  const [p] = await all(bureau, 'insurance_policy', `&where.enterprise=${firm.id}&where.state=in_force`);
  assert.equal(num(input(of(await effects(), 'premium'), 'claims_before').text || '0'), 0);
  await done(bureau, 'insurance_policy', p.id, 'claim');
  const [c] = await all(bureau, 'insurance_claim', `&where.policy=${p.id}`);
  await done(bureau, 'insurance_claim', c.id, 'fill', { happened: day(-2), what: '用例', claimed: 1000 });
  await done(bureau, 'insurance_claim', c.id, 'pay', { paid: 900, paid_on: day() });
  const now = await bureau.ok_get(`/api/v1/records/insurance_policy/${p.id}`);
  assert.deepEqual([now.claims, now.factor], [1, p.factor], 'its own factor stays');
  const e = of(await effects(), 'premium');
  assert.equal(num(said(e.now).factor), Math.min(Math.round(p.factor * 110) / 100, 1.6), 'the next one is dearer, within the ceiling of the rule');
  assert.deepEqual([input(e, 'claims_before').from.type, input(e, 'claims_before').from.id], ['insurance_policy', p.id]);
  assert.equal(num(gives(e, 'claims_before', '0').factor), p.factor);
});

test('standardisation lowers the premium and the inspections, and its end takes that back', async () => {
  const factor = async () => num(said(of(await effects(), 'premium').now).factor);
  const was = await factor();
  for (const x of await all(bureau, 'standardisation', `&where.enterprise=${firm.id}&where.state=valid`)) await done(bureau, 'standardisation', x.id, 'end', { reason: '用例' });
  const st = await rec(ent, 'standardisation', { target: 'three' });
  const report = [await file(ent)];
  await done(ent, 'standardisation', st.id, 'apply', { self_score: 90, self_report: report });
  await done(bureau, 'standardisation', st.id, 'review');
  await done(bureau, 'standardisation', st.id, 'grade', { review_score: 85, review_report: [await file(bureau)], grade: 'three', certificate: '用例-1', valid_to: day(900), password: PASSWORD });
  assert.equal((await effects()).effects[0].inputs.find((x) => x.field === 'standard').from.id, st.id);
  assert.ok(await factor() < was, 'a standardised enterprise pays less');
  await done(bureau, 'standardisation', st.id, 'revoke', { revoke_reason: '用例', password: PASSWORD });
  assert.equal((await bureau.ok_get(`/api/v1/records/enterprise/${firm.id}`)).standard_grade ?? null, null);
  assert.equal(await factor(), was);
});
