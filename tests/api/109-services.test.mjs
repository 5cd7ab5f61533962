// Insurance, services, experts and technology: who is not covered is counted from policies in force, what insurers do becomes hazards,
// a body that is not registered takes nothing, experts are drawn by lot without conflicts.
import { createHash } from 'node:crypto';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, bureau, ent, admin, insurer, expert, auditor, orgs, firm, agency, rule, policy;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=500${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const value = async (name, q = '') => (await bureau.ok_get(`/api/v1/indicators/${name}?period=${day().slice(0, 4)}${q}`)).total;
const file = async (who) => {
  const r = await fetch(`${s.url}/api/v1/files?name=a.pdf`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};
const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28], signs = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const uscc = (body) => body + signs[(31 - ([...body].reduce((sum, x, i) => sum + signs.indexOf(x) * weights[i], 0) % 31)) % 31];
const person = async (login, role, organisation) => {
  const p = await rec(admin, 'person', { login, name: login, role: [role], area: '990121000000', organisation });
  await admin.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  return [await s.login(login, PASSWORD), p.id];
};

before(async () => {
  s = await Server.start();
  [admin, bureau, ent, auditor] = await Promise.all(['admin', 'bureau', 'enterprise', 'auditor'].map((r) => s.as(r)));
  const org = await rec(admin, 'organisation', { name: '虚构保险公司', kind: 'department', area: '990121000000' });
  orgs = { insurer: org.id };
  [insurer] = await person('insurer1', 'third_party', org.id);
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  agency = await rec(bureau, 'service_agency', { name: '虚构保险公司', uscc: uscc('91990121MA7XXXXXX'.replaceAll('X', '1')), organisation: org.id, kinds: ['insurance', 'consulting'], qualification: '虚构', scope: '责任保险', valid_to: day(400), seat: '990121000000' });
  rule = await rec(bureau, 'insurance_rule', { title: '用例费率', sector: firm.sector, premium: 200, sum: 400000, prevention: 21, basis: '用例', valid_from: day(-10) });
});
after(() => s.stop());

const apply = (body) => ent.post('/api/v1/records/insurance_policy', { policy: `P${Math.random()}`, kind: 'liability', insurer: agency.id, insured: 100, starts: day(-10), ends: day(355), rule: rule.id, sum: 500000, premium: 21000, ...body });

test('who must be insured and is not is a gap list; a policy in force takes the enterprise off it, one that has ended does not', async () => {
  assert.equal((await apply({})).status, 400, 'the insurer is not registered yet');
  await done(bureau, 'service_agency', agency.id, 'register');
  for (const [body, why] of [[{ sum: 100 }, 'below the least sum'], [{ ends: day(-20) }, 'ends before it begins'], [{ rule: null }, 'no rule']]) assert.equal((await apply(body)).status, 400, why);
  const gap = async () => (await bureau.ok_get('/api/v1/indicators/liability_coverage/records?part=gap&size=500')).items.map((x) => x.id);
  const had = (await all(bureau, 'insurance_policy', `&where.enterprise=${firm.id}`)).filter((p) => p.kind === 'liability' && ['in_force', 'ending'].includes(p.state));
  assert.equal(had.length, 0, 'not insured in the demo');
  const [missing, was] = [await gap(), await value('liability_coverage')];
  assert.ok(missing.includes(firm.id));
  assert.equal(missing.length, was.den - was.num);
  const old = (await apply({ starts: day(-400), ends: day(-1) })).json;
  const ended = async () => (await bureau.ok_get(`/api/v1/records/insurance_policy/${old.id}`)).state;
  await until('the policy to end by itself', async () => (await ended()) === 'expired');
  assert.ok((await gap()).includes(firm.id), 'what has ended covers nobody');
  policy = (await apply({})).json;
  assert.deepEqual([policy.state, policy.usual, policy.deviation, policy.prevention, policy.gap], ['in_force', 20000, 5, 4410, Math.max(firm.staff - 100, 0)]);
  assert.ok(!(await gap()).includes(firm.id));
  assert.equal((await value('liability_coverage')).num, was.num + 1);
});

test('a policy becomes a duty of the enterprise sixty days before it ends', async () => {
  const soon = (await apply({ starts: day(-330), ends: day(30) })).json;
  const duties = async () => (await ent.ok_get('/api/v1/duties')).items.filter((d) => d.type === 'insurance_policy').map((d) => d.id);
  await until('the policy to be a duty', async () => (await duties()).includes(soon.id));
  assert.deepEqual(await duties(), [soon.id], 'the one with a year left is none');
  await done(ent, 'insurance_policy', soon.id, 'renew');
  assert.deepEqual(await duties(), []);
});

test('the insurer does what it owes: hours and findings are recorded by its own people, the enterprise rates, rates are computed', async () => {
  const was = await value('prevention_service_rate');
  await done(ent, 'insurance_policy', policy.id, 'serve');
  const v = (await all(insurer, 'prevention_service', `&where.policy=${policy.id}`))[0];
  const body = { kind: 'hazard', done_on: day(), hours: 6, cost: 1800, evidence: [await file(insurer)], found: [{ title: '静电接地断开', place: '装卸区' }] };
  assert.equal((await move(ent, 'prevention_service', v.id, 'report', body)).status, 403, 'not by who is served');
  assert.equal((await move(insurer, 'prevention_service', v.id, 'report', { ...body, done_on: day(3) })).status, 409, 'a day to come');
  assert.equal((await move(insurer, 'prevention_service', v.id, 'report', { ...body, evidence: [] })).status, 400, 'without evidence');
  await done(insurer, 'prevention_service', v.id, 'report', body);
  assert.equal((await all(ent, 'hazard', `&where.origin=prevention_service:${v.id}`))[0].source, 'service');
  assert.equal((await move(ent, 'prevention_service', v.id, 'rate', { rating: 2 })).status, 400, 'who is not satisfied says why');
  await done(ent, 'prevention_service', v.id, 'rate', { rating: 5 });
  const [rate, hours] = [await value('prevention_service_rate'), await value('prevention_hours', `&area=${firm.area}`)];
  assert.deepEqual([rate.num - was.num, rate.den - was.den, hours.value], [1, 1, 6]);
  const spent = await value('prevention_spent', `&area=${firm.area}`);
  assert.equal(spent.num, 1800);
});

test('a claim with casualties and no accident is on the list of what was perhaps not reported, until the bureau has looked', async () => {
  await done(insurer, 'insurance_policy', policy.id, 'claim');
  const c = (await all(bureau, 'insurance_claim', `&where.policy=${policy.id}`))[0];
  const body = { what: '装卸时摔伤', claimed: 50000, injured: 1 };
  assert.equal((await move(insurer, 'insurance_claim', c.id, 'fill', { ...body, happened: day(-30) })).status, 400, 'before the policy began');
  await done(insurer, 'insurance_claim', c.id, 'fill', { ...body, happened: day(-2) });
  const list = async () => (await bureau.ok_get('/api/v1/records/insurance_claim?list=unreported')).items.map((x) => x.id);
  assert.ok((await list()).includes(c.id));
  const n = (await value('claims_without_accident')).value;
  await done(bureau, 'insurance_claim', c.id, 'reconcile', { reconciled: '轻伤，企业已按规定记录，不构成事故报告' });
  assert.ok(!(await list()).includes(c.id));
  assert.equal((await value('claims_without_accident')).value, n - 1);
  await done(insurer, 'insurance_claim', c.id, 'pay', { paid: 42000, paid_on: day() });
});

test('a service is taken only by who is qualified and registered; a false report is worth nothing; who is on the black list gets no work', async () => {
  const ask = (kind) => rec(ent, 'service_project', { title: '罐区评估', way: 'order', kind, content: '评估储罐区', area: firm.area });
  const wrong = await ask('testing'), p = await ask('consulting');
  assert.equal((await move(bureau, 'service_project', wrong.id, 'match', { agency: agency.id, due: day(20) })).status, 400, 'not qualified for testing');
  assert.ok((await s.call('GET', '/public/types/service_project')).json.items.some((x) => x.number === wrong.number), 'everybody sees what is asked for');
  await done(bureau, 'service_project', p.id, 'match', { agency: agency.id, due: day(20), fee: 8000 });
  const body = { summary: '储罐区可接受', report: [await file(insurer)], found: [{ title: '围堰裂缝', place: '南侧' }] };
  await done(insurer, 'service_project', p.id, 'deliver', body);
  assert.equal((await all(ent, 'hazard', `&where.origin=service_project:${p.id}`)).length, 1);
  await done(bureau, 'service_project', p.id, 'checked', { quality: 90 });
  const full = await done(ent, 'service_project', p.id, 'rate', { rating: 5 });
  assert.equal(full.points, 40 + 36 + 20);
  const f = await ask('consulting');
  await done(bureau, 'service_project', f.id, 'match', { agency: agency.id, due: day(20) });
  await done(insurer, 'service_project', f.id, 'deliver', { summary: '没有到过现场', report: [await file(insurer)] });
  await done(bureau, 'service_project', f.id, 'checked', { quality: 80, false_report: true });
  assert.equal((await done(ent, 'service_project', f.id, 'rate', { rating: 4 })).points, 0);
  const mean = await value('agency_points');
  assert.ok(mean.den >= 2 && Math.abs(mean.value - mean.num / mean.den) < 0.06);
  await done(bureau, 'service_agency', agency.id, 'blacken', { black_until: day(300), reason: '虚假报告' });
  const late = await ask('consulting');
  assert.equal((await move(bureau, 'service_project', late.id, 'match', { agency: agency.id, due: day(20) })).status, 400);
  assert.equal((await apply({})).status, 400, 'nor does it insure');
  assert.equal((await move(bureau, 'service_agency', agency.id, 'restore', { reason: '改正' })).status, 409, 'its time is not over');
  const shown = (await s.call('GET', '/public/types/service_agency')).json.items.find((x) => x.name === agency.name);
  assert.equal(shown.state, 'black');
});

test('experts are drawn once, by lot, without who works there, has an interest, is away or of another field; anybody draws the same again', async () => {
  const made = {};
  const names = { a: {}, b: {}, c: {}, d: {}, works: { employer: firm.id }, avoids: { avoid: [firm.id] }, away: { away: true }, other: { fields: ['law'] }, short: { valid_to: day(3) } };
  const [cl, id] = await person('expert1', 'expert', orgs.insurer);
  expert = cl;
  for (const [n, more] of Object.entries(names)) made[n] = (await rec(bureau, 'expert', { name: n, fields: ['mine'], grade: 'county', unit: '虚构学院', area: '990121000000', valid_to: day(300), ...(n === 'a' ? { person: id } : {}), ...more })).id;
  const d = await rec(bureau, 'expert_draw', { title: '储罐区会诊', enterprise: firm.id, area: firm.area, field: 'mine', count: 3, on: day(10) });
  assert.equal((await bureau.post(`/api/v1/draws/experts/${d.id}`)).status, 409, 'the conditions are not fixed');
  await done(bureau, 'expert_draw', d.id, 'lock');
  assert.equal((await ent.post(`/api/v1/draws/experts/${d.id}`)).status, 404);
  const r = await bureau.ok_post(`/api/v1/draws/experts/${d.id}`);
  const pool = r.pool.split(',').map(Number);
  assert.deepEqual(pool.sort((x, y) => x - y), ['a', 'b', 'c', 'd'].map((n) => made[n]).sort((x, y) => x - y));
  const ticket = (x) => createHash('sm3').update(`${r.seed}:expert:${x}`).digest('hex');
  const want = pool.slice().sort((x, y) => (ticket(x) < ticket(y) ? -1 : 1)).slice(0, 3);
  assert.deepEqual(r.drawn.map((x) => x.expert.id ?? x.expert), want);
  const chain = (await auditor.get(`/api/v1/audit/export?from=${r.seed_entry}&size=1`)).text;
  assert.ok(chain.includes(r.seed) && chain.includes('pool'));
  assert.equal((await bureau.post(`/api/v1/draws/experts/${d.id}`)).status, 409, 'once');
  const many = await rec(bureau, 'expert_draw', { title: '太多', area: firm.area, field: 'mine', count: 20, on: day(10) });
  await done(bureau, 'expert_draw', many.id, 'lock');
  const few = await bureau.post(`/api/v1/draws/experts/${many.id}`);
  assert.deepEqual([few.status, few.json.error.field], [409, 'count']);
  await done(bureau, 'expert_draw', d.id, 'dispatch');
  assert.deepEqual((await all(bureau, 'expert_task', `&where.draw=${d.id}`)).map((x) => x.expert.id).sort((x, y) => x - y), want.sort((x, y) => x - y));
});

test('an expert gives his opinion, it becomes hazards; he takes no task at his employer', async () => {
  const experts = await all(bureau, 'expert');
  const [mine, works] = ['a', 'works'].map((n) => experts.find((x) => x.name === n));
  assert.equal((await bureau.post('/api/v1/records/expert_task', { title: '本厂', expert: works.id, enterprise: firm.id, area: firm.area })).status, 400, 'his own employer');
  const t = await rec(bureau, 'expert_task', { title: '远程会诊', expert: mine.id, person: mine.person.id, enterprise: firm.id, area: firm.area, remote: true });
  await done(expert, 'expert_task', t.id, 'accept');
  await done(expert, 'expert_task', t.id, 'report', { opinion: '建议增设紧急切断', hours: 3, found: [{ title: '未设紧急切断', place: '进料管' }] });
  assert.equal((await all(ent, 'hazard', `&where.origin=expert_task:${t.id}`))[0].title, '未设紧急切断');
  assert.equal((await move(expert, 'expert_task', t.id, 'rate', { rating: 5, fee: 600 })).status, 403);
  await done(bureau, 'expert_task', t.id, 'rate', { rating: 5, fee: 600 });
});

test('machines for people: accepted, built, inspected by the bureau; persons taken away from danger are counted', async () => {
  const bad = await ent.post('/api/v1/records/technology_project', { title: '换人', kind: 'replace', content: '自动装车', area: firm.area, due: day(90) });
  assert.deepEqual([bad.status, bad.json.error.field], [400, 'before']);
  const p = await rec(ent, 'technology_project', { title: '自动装车', kind: 'replace', content: '鹤管自动对位', area: firm.area, before: 12, due: day(), cost: 800000 });
  await done(bureau, 'technology_project', p.id, 'accept');
  assert.equal((await move(ent, 'technology_project', p.id, 'finish', { effect: '已投用', evidence: [await file(ent)] })).status, 409, 'how many are left?');
  assert.equal((await move(ent, 'technology_project', p.id, 'finish', { effect: '已投用', evidence: [await file(ent)], after: 13 })).status, 400);
  await done(ent, 'technology_project', p.id, 'finish', { effect: '已投用', evidence: [await file(ent)], after: 3 });
  const was = (await value('persons_from_danger')).value ?? 0;
  await done(bureau, 'technology_project', p.id, 'pass');
  assert.equal((await value('persons_from_danger')).value, was + 9);
});

test('a laboratory and its research project: what it is about, milestones, outcome, accepted by somebody else', async () => {
  const lab = await rec(bureau, 'safety_technology', { title: '粉尘实验室', kind: 'laboratory', content: '粉尘爆炸特性', basis: '县科技局', owner: '虚构学院', contact: '0900-1', leader: '抑爆课题', seat: '990121000000' });
  assert.ok((await s.call('GET', '/public/types/safety_technology')).json.items.some((x) => x.title === '粉尘实验室' && !('leader' in x)));
  const p = await rec(bureau, 'technology_project', { title: '抑爆攻关', kind: 'research', technology: lab.id, content: '抑爆剂', area: '990121000000', due: day(200), milestones: [{ what: '小试', until: day(50) }] });
  await done(bureau, 'technology_project', p.id, 'accept');
  await done(bureau, 'technology_project', p.id, 'report', { progress: 60, milestones: [{ what: '小试', until: day(50), done: true }] });
  await done(bureau, 'technology_project', p.id, 'finish', { effect: '抑爆剂定型', evidence: [await file(bureau)] });
  assert.equal((await move(bureau, 'technology_project', p.id, 'pass')).status, 403, 'not by who runs it');
  const old = await bureau.post('/api/v1/records/safety_technology', { title: '旧设备', kind: 'phase_out', sectors: ['dust'], content: '淘汰', basis: '目录', owner: '局', seat: '990121000000' });
  assert.equal(old.json.error.field, 'stop_by');
});
