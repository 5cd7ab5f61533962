// Occupational health on a real server: limits imported as CSV, a value beyond its limit opens a hazard, the yearly declaration with its
// grade and rates, examinations that each role sees as far as its work needs and no further.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, until } from '../lib/server.mjs';

let s, bureau, town, firm, post, body, grades = 0;
const others = {};
const R = '/api/v1/records';
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const move = (who, t, id, name, b = {}) => who.post(`${R}/${t}/${id}/moves/${name}`, b);
const done = async (promise) => { const r = await promise; assert.ok(r.status < 300, r.text); return r.json; };
before(async () => {
  s = await Server.start();
  [bureau, town, firm] = await Promise.all(['bureau', 'town', 'enterprise'].map((r) => s.as(r)));
  for (const r of ['duty', 'leader', 'department', 'committee', 'grid', 'legal', 'seal', 'examiner', 'admin', 'security', 'auditor']) others[r] = await s.as(r);
  post = await done(firm.post(`${R}/post_card`, { post: '装卸工', risks: '中毒', controls: '通风', emergency: '撤离', factors: ['benzene'], exposed: 6 }));
  body = await done(bureau.post(`${R}/health_body`, { name: '虚构检测中心', kind: 'test', area: '990121000000', valid_to: day(300), staff: 8, required: 10 }));
});
after(() => s.stop());

test('limits come from the table of the pack, each marked as to be checked', async () => {
  const r = await fetch(`${s.url}/api/v1/imports?type=exposure_limit&format=csv&name=limits.csv&key=name`, { method: 'POST', body: readFileSync(join(root, 'packs/health/tables/exposure_limits.csv')), headers: { Authorization: `Bearer ${bureau.token}` } });
  const { id } = await r.json();
  const ready = await until('the check', async () => { const x = await bureau.ok_get(`/api/v1/imports/${id}`); return x.state === 'checked' && x; });
  assert.equal(ready.errors_total, 0, JSON.stringify(ready.errors));
  await done(bureau.post(`/api/v1/imports/${id}/run`, {}));
  await until('the import', async () => (await bureau.ok_get(`/api/v1/imports/${id}`)).state === 'done');
  assert.equal(body.gap, 2, 'staff required and present');
  const limits = (await bureau.ok_get(`${R}/exposure_limit?list=unchecked&size=100`)).items;
  assert.ok(limits.length >= 20 && limits.every((x) => /待核/.test(x.source)));
  assert.equal((await firm.post(`${R}/exposure_limit`, { name: '自定', factor: 'noise', unit: 'dB', twa: 200, source: '无' })).status, 403);
});

const limit = async (factor) => (await bureau.ok_get(`${R}/exposure_limit?where.factor=${factor}`)).items[0];
const measure = async (fields) => done(firm.post(`${R}/workplace_test`, { place: `测点 ${Math.random()}`, body: body.id, tested: day(0), next_due: day(365), post: post.id, ...fields }));
const hazards = async (t) => (await firm.ok_get(`${R}/hazard?where.origin=workplace_test:${t.id}`)).items;

test('a value is held against its own limit, and beyond it a hidden hazard opens once', async () => {
  const [benzene, co, chlorine, noise] = await Promise.all(['benzene', 'co', 'chlorine', 'noise'].map(limit));
  const cases = [
    [{ limit: benzene.id, twa: benzene.twa }, false, 1], [{ limit: benzene.id, twa: benzene.twa * 1.2 }, true, 1.2], [{ limit: benzene.id, stel: benzene.stel + 1 }, true],
    [{ limit: co.id, twa: co.twa / 2, stel: co.stel }, false, 0.5], [{ limit: chlorine.id, peak: chlorine.mac }, false], [{ limit: chlorine.id, peak: chlorine.mac * 2 }, true],
    [{ limit: noise.id, twa: 84.9 }, false, 1], [{ limit: noise.id, twa: 85.1 }, true, 1],
  ];
  for (const [fields, over, ratio] of cases) {
    const t = await measure(fields);
    assert.equal(t.over ?? false, over, JSON.stringify(fields));
    if (ratio !== undefined) assert.equal(t.ratio, ratio);
    assert.equal((await hazards(t)).length, over ? 1 : 0);
  }
  const t = await measure({ limit: benzene.id, twa: 5 });
  const [h] = await hazards(t);
  assert.deepEqual([h.category, h.source, h.level, h.state], ['health', 'monitoring', 'general', 'found']);
  await done(firm.patch(`${R}/workplace_test/${t.id}`, { version: t.version, twa: 6 }));
  assert.equal((await hazards(t)).length, 1, 'still beyond: no second one');
  assert.equal((await firm.post(`${R}/workplace_test`, { place: '空', limit: benzene.id, body: body.id, tested: day(0), next_due: day(1) })).json.error.field, 'twa');
  const old = await done(bureau.post(`${R}/health_body`, { name: '过期检测公司', kind: 'test', area: '990121000000', valid_to: day(-1), staff: 1 }));
  assert.equal((await firm.post(`${R}/workplace_test`, { place: '点', limit: benzene.id, body: old.id, tested: day(0), next_due: day(1), twa: 1 })).json.error.field, 'body');
});

test('the declaration is graded by what it says, filed by the town, and the rate counts who has not', async () => {
  const gap = async () => (await bureau.ok_get('/api/v1/indicators/declared_rate/records?part=gap&size=500')).items.map((r) => r.id);
  const year = Number(day(0).slice(0, 4)) + 1;
  const d = await done(firm.post(`${R}/health_declaration`, { title: '年度申报', year }));
  assert.equal((await firm.post(`${R}/health_declaration`, { title: '又一份', year })).status, 409, 'one a year');
  assert.equal((await move(firm, 'health_declaration', d.id, 'submit', {})).status, 409, 'no posts, and not said that there are none');
  assert.ok((await gap()).includes(d.id));
  await done(move(firm, 'health_declaration', d.id, 'submit', { posts: [{ post: post.id, factor: 'benzene', exposed: 6 }, { factor: 'noise', exposed: 6 }], toxic: true, worst: 0.4 }));
  const filed = await done(move(town, 'health_declaration', d.id, 'file', { receipt: 'HZ-1' }));
  assert.deepEqual([filed.exposed, filed.grade, filed.state], [12, 'c', 'filed']);
  assert.equal((await move(firm, 'health_declaration', d.id, 'file', { receipt: 'X' })).status, 409);
  assert.ok(!(await gap()).includes(d.id));
  for (const [fields, grade] of [[{ none: true }, 'a'], [{ toxic: true, worst: 0.1, posts: [{ factor: 'noise', exposed: 3 }] }, 'b'], [{ worst: 1.01, posts: [{ factor: 'noise', exposed: 3 }] }, 'c'], [{ worst: 0.2, posts: [{ factor: 'noise', exposed: 3 }] }, 'a']]) {
    const x = await done(firm.post(`${R}/health_declaration`, { title: '分级', year: year + ++grades, ...fields }));
    assert.equal(x.grade, grade, JSON.stringify(fields));
  }
});

test('medical data: the employer and the bureau see the conclusion, findings are masked and opened with a reason, a town sees only that it is done, others nothing', async () => {
  const clinic = await done(bureau.post(`${R}/health_body`, { name: '虚构体检中心', kind: 'examination', area: '990121000000', valid_to: day(300), staff: 5 }));
  const e = await done(firm.post(`${R}/employee`, { name: '受检工人', classes: ['other'], hired: day(-30), post: post.id }));
  assert.equal(e.needs_health, true);
  const x = await done(firm.post(`${R}/health_exam`, { employee: e.id, stage: 'during', factors: ['benzene'] }));
  assert.ok((await town.ok_get(`${R}/health_exam?list=due&size=200`)).items.some((r) => r.id === x.id));
  await done(move(firm, 'health_exam', x.id, 'record', { examined: day(0), body: clinic.id, conclusion: 'contraindication', findings: '白细胞减少 2.9', told: day(0) }));
  const read = async (who) => who.ok_get(`${R}/health_exam/${x.id}`);
  const [b, f, t] = [await read(bureau), await read(firm), await read(town)];
  for (const r of [b, f]) {
    assert.equal(r.conclusion, 'contraindication');
    assert.ok(!JSON.stringify(r).includes('2.9') && !JSON.stringify(r).includes('白细胞'), 'masked');
  }
  assert.deepEqual([t.state, 'conclusion' in t, 'findings' in t, 'told' in t], ['done', false, false, false]);
  assert.equal((await town.get(`${R}/health_exam?where.conclusion=contraindication`)).status, 403, 'nor by asking for it');
  assert.equal((await town.get(`${R}/health_exam?sort=conclusion`)).status, 400);
  assert.ok(!(await town.get(`${R}/health_exam?format=csv`)).text.includes('禁忌'));
  assert.ok(!(await town.get(`${R}/health_exam/${x.id}/history`)).text.includes('contraindication'));
  const reveal = (who, reason) => who.post(`${R}/health_exam/${x.id}/reveal`, { fields: ['findings'], reason });
  assert.equal((await reveal(bureau, '')).status, 400);
  assert.equal((await reveal(bureau, '核查职业禁忌调离')).json.values.findings, '白细胞减少 2.9');
  for (const who of [firm, town]) assert.ok((await reveal(who, '想看')).status >= 400);
  assert.ok(!(await bureau.get(`${R}/health_exam?format=csv`)).text.includes('2.9'), 'exports stay masked');
  assert.match((await bureau.get(`${R}/health_exam/${x.id}/history`)).text, /核查职业禁忌调离/);
  for (const [role, who] of Object.entries(others))
    for (const type of ['health_exam', 'health_followup'])
      for (const path of [`${R}/${type}`, `${R}/${type}/${x.id}`, `${R}/${type}/counts?by=state`])
        assert.equal((await who.get(path)).status, 404, `${role} ${path}`);
  assert.equal((await town.get(`${R}/health_followup`)).status, 404);
  for (const role of ['worker', 'union', 'expert', 'third_party', ...Object.keys(others), 'bureau', 'enterprise', 'town']) {
    const reach = (await others.auditor.ok_get(`/api/v1/roles/${role}/reach`)).types;
    const may = (type) => reach.find((x) => x.type === type).read;
    assert.deepEqual([may('health_exam'), may('health_followup')], [['bureau', 'enterprise', 'town'].includes(role), ['bureau', 'enterprise'].includes(role)], role);
  }
  // the conclusion asks for something, and it is done as the conclusion says
  const todo = (await firm.ok_get(`${R}/health_followup?where.health_exam=${x.id}`)).items[0];
  assert.deepEqual([todo.state, todo.kind], ['open', 'contraindication']);
  assert.equal((await move(firm, 'health_followup', todo.id, 'recheck', { rechecked: day(0) })).status, 409);
  await done(move(firm, 'health_followup', todo.id, 'transfer', { new_post: post.id }));
  const due = await done(firm.post(`${R}/health_exam`, { employee: e.id, stage: 'leaving' }));
  const part = async (p) => (await bureau.ok_get(`/api/v1/indicators/examined_rate/records?part=${p}&size=200`)).items.map((r) => r.id);
  assert.ok((await part('of')).includes(x.id) && (await part('gap')).includes(due.id) && !(await part('gap')).includes(x.id));
});

test('three simultaneities step by step, and a treatment that is not done while the test after is beyond the limit', async () => {
  const p = await done(firm.post(`${R}/health_project`, { title: '扩建罐区', hazard: 'serious', factors: ['benzene'] }));
  assert.equal((await move(firm, 'health_project', p.id, 'accept', {})).status, 409, 'no step is skipped');
  assert.ok((await move(firm, 'health_project', p.id, 'evaluate', { pre_on: day(0) })).status >= 400, 'the report is missing');
  const benzene = await limit('benzene');
  const [before, after, still] = [await measure({ limit: benzene.id, twa: benzene.twa * 2 }), await measure({ limit: benzene.id, twa: benzene.twa * 0.5 }), await measure({ limit: benzene.id, twa: benzene.twa * 1.5 })];
  const z = await done(town.post(`${R}/health_treatment`, { title: '苯治理', enterprise: firm.me.enterprise.id, factor: 'benzene', before: before.id, until: day(60) }));
  assert.equal((await move(town, 'health_treatment', z.id, 'finish', { after: still.id })).status, 409);
  assert.equal((await done(move(town, 'health_treatment', z.id, 'finish', { after: after.id }))).drop, 75);
});
