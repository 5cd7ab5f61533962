// The plan pack: figures that five plans print come out of the indicator engine as printed; targets with their lights, shares, changes
// with a trail; the ledger from clause to closing; evaluation, third party and circular.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, bureau, committee, leader, department;
const county = '990121000000', town = '990121101000';
const year = new Date(Date.now() + 8 * 3600e3).getUTCFullYear();
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
before(async () => {
  s = await Server.start();
  [bureau, committee, leader, department] = await Promise.all(['bureau', 'committee', 'leader', 'department'].map((r) => s.as(r)));
});
after(() => s.stop());

const total = async (name, period) => (await bureau.ok_get(`/api/v1/indicators/${name}?period=${period}`)).total;
const value = async (name, period) => (await total(name, period)).value;
const all = async (type, who = bureau) => (await who.ok_get(`/api/v1/records/${type}?size=100`)).items;
const create = (who, type, fields) => who.ok_post(`/api/v1/records/${type}`, { area: county, ...fields });
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => {
  const r = await move(who, type, id, name, body);
  assert.ok(r.status < 300, `${type} ${name}: ${r.status} ${r.text}`);
  return r.json;
};
const record = (type, id, who = bureau) => who.ok_get(`/api/v1/records/${type}/${id}`);
const upload = async (who) => {
  const r = await fetch(`${s.url}/api/v1/files?name=${encodeURIComponent('佐证.pdf')}`, { method: 'POST', body: Buffer.from('%PDF-1.5\n1 0 obj\n<<>>\nendobj\n'), headers: { 'Content-Type': 'application/octet-stream', Authorization: `Bearer ${who.token}` } });
  return (await r.json()).id;
};

test("Qin'an 2016–2020: the table, its totals and its changes as printed; direct loss does not only fall", async () => {
  const table = { 2016: [7, 7, 7, 72.6], 2017: [5, 6, 4, 12.21], 2018: [5, 5, 1, 13.8], 2019: [3, 4, 1, 10.18], 2020: [3, 3, 0, 14] };
  const names = ['qinan_accidents', 'qinan_deaths', 'qinan_injuries', 'qinan_loss'];
  for (const [y, row] of Object.entries(table))
    assert.deepEqual(await Promise.all(names.map((n) => value(n, y))), row, y);
  const totals = await Promise.all(names.map((n) => value(`${n}_total`, 2020)));
  assert.deepEqual(totals.map((v) => Math.round(v * 100) / 100), [23, 25, 13, 122.79]);
  const changes = await Promise.all(names.slice(0, 3).map((n) => value(`${n}_change`, 2020)));
  assert.deepEqual(changes.map((v) => v.toFixed(1)), ['-57.1', '-57.1', '-100.0']);
  const yearly = await Promise.all([2017, 2018, 2019, 2020].map((y) => value('qinan_loss_yearly', y)));
  assert.deepEqual(yearly.map(Math.sign), [-1, 1, -1, 1]); // the text claims a fall for the other three only
  for (const n of names.slice(0, 3))
    for (const y of [2017, 2018, 2019, 2020]) assert.ok((await value(`${n}_yearly`, y)) <= 0, `${n} ${y}`);
});

test('Yangjiang 2010 → 2014: the four printed percentages, to two decimals', async () => {
  const printed = { deaths: '-5.81', gdp_rate: '-48.13', worker_rate: '-53.74', road_rate: '-16.53' };
  for (const [n, p] of Object.entries(printed)) assert.equal((await value(`yangjiang_${n}_change`, 2014)).toFixed(2), p, n);
  assert.equal((await value('licheng_fines_change', 2020)).toFixed(1), '84.6');
});

test("targets of five plans are loaded as printed and none of them reaches the county's own indicators", async () => {
  const t = await all('plan_target');
  assert.equal(t.filter((r) => r.place !== 'own').length, 26);
  assert.ok(t.filter((r) => r.place !== 'own').every((r) => r.indicator.startsWith(`${r.place}_`) && r.source));
  const yj = t.filter((r) => r.indicator === 'yangjiang_gdp_rate').map((r) => [r.year, r.value]).sort();
  assert.deepEqual(yj, [[2018, 19.3], [2020, 30]]);
  assert.ok(t.filter((r) => r.place === 'qinan').every((r) => r.property === 'binding' && r.kind === 'drop' && r.value === 10));
  assert.equal((await all('past_result')).filter((r) => r.place === 'anshan').map((r) => r.result).sort((a, b) => a - b).join(), '-35,-25,-20,-15,-15,-10');
  assert.equal((await all('plan')).filter((r) => r.place !== 'own').length, 5);
});

test('a drop is measured from a base that is computed or entered: 10 % below 3 deaths is 2.7', async () => {
  const f = (await total('qinan_deaths', 2020));
  assert.deepEqual([f.target.base, f.target.year, Math.round(f.target.last * 10) / 10], [3, 2025, 2.7]);
});

test('a light is green, amber or red against the target of the year; a rate needs its denominator', async () => {
  const y = year - 3;
  const accident = (dead, more = {}) => create(bureau, 'accident', { title: '事故', kind: 'fall', happened: `${y}-05-01T08:00:00+08:00`, known: `${y}-05-01T08:10:00+08:00`, dead, serious: 0, ...more });
  const target = await create(committee, 'plan_target', { title: '死亡人数', indicator: 'deaths', kind: 'ceiling', year: y, value: 10 });
  await accident(2), await accident(2), await accident(2), await accident(2), await accident(2);
  await accident(5, { scope: 'student_drowning' }); // recorded apart, never in the figures of production
  assert.deepEqual([(await value('accidents', y)), (await value('deaths', y)), (await total('deaths', y)).light], [5, 10, 'green']);
  await accident(1);
  assert.equal((await total('deaths', y)).light, 'amber'); // 11 is within 10 % of 10
  await accident(3);
  assert.deepEqual([(await total('deaths', y)).light, await value('larger_accidents', y), await value('grave_accidents', y)], ['red', 1, 0]);
  assert.equal((await value('deaths', `${y}-05`)), 14);
  assert.equal(await value('deaths_per_gdp', y), null);
  await create(bureau, 'stat_value', { series: 'gdp', year: y, value: 280, source: '统计公报' });
  await create(bureau, 'stat_value', { series: 'gdp', place: 'anshan', year: y, value: 1700, source: '他地' });
  assert.equal(await value('deaths_per_gdp', y), 14 / 280);
  await create(bureau, 'stat_value', { series: 'employed', year: y, value: 70000, source: '统计公报' });
  assert.ok(Math.abs(await value('deaths_per_100k_workers', y) - 20) < 1e-9);
  await accident(1, { scope: 'commercial_vehicle' });
  await create(bureau, 'stat_value', { series: 'commercial_vehicles', year: y, value: 2500, source: '统计公报' });
  assert.ok(Math.abs(await value('deaths_per_10k_commercial_vehicles', y) - 4) < 1e-9);
  assert.equal(await value('deaths_per_10k_special_equipment', y), null);
  assert.ok(Math.abs((await value('road_deaths_per_10k_vehicles', 2025)) - 11 / 84300 * 1e4) < 1e-9);
  assert.equal((await bureau.post('/api/v1/records/plan_target', { title: '重复', indicator: 'deaths', kind: 'ceiling', year: y, value: 9, area: county })).status >= 400, true);
  await leader.get(`/api/v1/records/plan_target/${target.id}`).then((r) => assert.equal(r.status, 200));
});

test('shares may not be more than the parent; issued, each is the target of its area', async () => {
  const parent = await create(committee, 'plan_target', { title: '受伤人数', indicator: 'injuries', kind: 'ceiling', year, value: 10 });
  const share = (values) => committee.post('/api/v1/records/target_share', { title: '分解', target: parent.id, shares: values.map((v, i) => ({ area: `99012110${i + 1}000`, value: v, weight: 30 })) });
  const over = await share([6, 5]);
  assert.equal(over.status, 400, over.text);
  assert.match(over.text, /不得超过上级|more than the limit/);
  const ok = await share([6, 4]);
  assert.ok(ok.status < 300, ok.text);
  assert.equal(ok.json.total, 10);
  await done(committee, 'target_share', ok.json.id, 'issue');
  const own = (await all('plan_target')).filter((t) => t.indicator === 'injuries' && t.share);
  assert.deepEqual(own.map((t) => [t.area, t.value, t.kind]).sort(), [[town, 6, 'ceiling'], ['990121102000', 4, 'ceiling']].sort());
  const by = await bureau.ok_get(`/api/v1/indicators/injuries?period=${year}&by=area`);
  assert.ok(by.items.filter((i) => [town, '990121102000'].includes(i.key)).every((i) => ['green', 'amber', 'red'].includes(i.light)), JSON.stringify(by.items));
});

test('a target changes only by a change that was reviewed, approved and is in force; version and ground stay', async () => {
  const target = await create(committee, 'plan_target', { title: '直接损失', indicator: 'direct_loss', kind: 'ceiling', year, value: 100 });
  const change = async (effective) => (await create(bureau, 'target_change', { title: '调整损失目标', target: target.id, old_value: 100, new_value: 80, grounds: '中期评估', effective, area: undefined })).id;
  const c = await change(day(0));
  assert.ok((await move(committee, 'plan_target', target.id, 'adjust', { change: c })).status >= 400, 'not yet approved');
  assert.equal((await move(bureau, 'target_change', c, 'approve')).status >= 400, true);
  await done(committee, 'target_change', c, 'review', { opinion: '同意' });
  await done(leader, 'target_change', c, 'approve', { decision: '同意' });
  assert.ok((await move(committee, 'target_change', c, 'done')).status >= 400, 'not yet carried out');
  await done(committee, 'plan_target', target.id, 'adjust', { change: c });
  const t = await record('plan_target', target.id);
  assert.deepEqual([t.value, t.edition], [80, 2]);
  assert.equal((await total('direct_loss', year)).target.goal, 80);
  await done(committee, 'target_change', c, 'done');
  const later = await change(day(30));
  await done(committee, 'target_change', later, 'review', { opinion: '同意' });
  await done(leader, 'target_change', later, 'approve');
  assert.ok((await move(committee, 'plan_target', target.id, 'adjust', { change: later })).status >= 400, 'before its date');
});

test('the ledger: taken up, reported, sent back, verified; nothing closes without evidence; the rate follows', async () => {
  const task = await create(committee, 'plan_task', { title: '危大工程检查', lead_unit: '县住建局', due: day(20), clause: '3.9' });
  assert.equal((await move(department, 'plan_task', task.id, 'take_up')).status, 400, 'measures are needed');
  await done(department, 'plan_task', task.id, 'take_up', { measures: '逐项目检查' });
  const waits = async (who) => (await who.ok_get('/api/v1/duties')).items.some((x) => x.type === 'plan_task' && x.id === task.id);
  assert.deepEqual([await waits(department), await waits(bureau), await waits(committee)], [true, false, false], 'it waits for the unit that took it up');
  await done(department, 'plan_task', task.id, 'report', { progress: 60, problem: '两个项目停工' });
  assert.equal((await move(department, 'plan_task', task.id, 'finish')).status, 400);
  await done(department, 'plan_task', task.id, 'finish', { evidence: [await upload(department)] });
  assert.ok((await move(department, 'plan_task', task.id, 'confirm')).status >= 400, 'not by the unit itself');
  await done(committee, 'plan_task', task.id, 'return', { reason: '缺两个项目' });
  await done(department, 'plan_task', task.id, 'finish', { evidence: [await upload(department)] });
  const was = await total('plan_task_done_rate', year);
  await done(committee, 'plan_task', task.id, 'confirm');
  const now = await total('plan_task_done_rate', year);
  const t = await record('plan_task', task.id);
  assert.deepEqual([t.state, t.progress, t.done_on], ['done', 100, day(0)]);
  if (day(20).startsWith(String(year))) assert.deepEqual([now.num, now.den], [was.num + 1, was.den]);
  assert.equal((await all('plan_task')).filter((r) => r.source === 'fifteen_measures').length, 15);
});

test('an annual plan is approved and issued, and its rows are tasks of the ledger', async () => {
  const plan = (await all('plan')).find((p) => p.place === 'own');
  assert.equal(plan.state, 'in_force');
  const annual = await create(committee, 'annual_plan', { title: `${year} 年实施计划`, plan: plan.id, year });
  assert.equal((await move(committee, 'annual_plan', annual.id, 'submit')).status, 400, 'no rows');
  await done(committee, 'annual_plan', annual.id, 'submit', { items: [{ title: '任务甲', lead_unit: '县应急管理局', due: day(40), clause: '3.1' }, { title: '任务乙', lead_unit: '县住建局', due: day(50) }] });
  await done(leader, 'annual_plan', annual.id, 'issue');
  const tasks = (await all('plan_task')).filter((t) => ['任务甲', '任务乙'].includes(t.title));
  assert.deepEqual(tasks.map((t) => [t.source, t.state]), [['annual_plan', 'assigned'], ['annual_plan', 'assigned']]);
  const d = await create(committee, 'plan_dispatch', { title: '一季度调度', annual: annual.id });
  assert.ok((await move(committee, 'annual_plan', annual.id, 'close')).status >= 400, 'a dispatch table is open');
  await done(committee, 'plan_dispatch', d.id, 'report', { lines: [{ task: '任务甲', result: 'delayed', reason: '资金未到位' }] });
  await done(committee, 'annual_plan', annual.id, 'close');
});

test('evaluations stand when a plan is put into force; report, problems as tasks, third party, own score beside it', async () => {
  const e = (await all('plan_evaluation')).find((r) => r.kind === 'mid');
  assert.equal(e.due, '2028-12-31');
  await done(bureau, 'plan_evaluation', e.id, 'submit', { results: '总体按期', score: 92, problems: [{ what: '园区救援站用地', unit: '园区管委会', due: day(60) }], proposals: '加快' });
  const pdf = await fetch(`${s.url}/api/v1/records/plan_evaluation/${e.id}/documents/plan_evaluation_report/preview`, { headers: { Authorization: `Bearer ${committee.token}` } });
  assert.equal(pdf.status, 200);
  assert.equal(Buffer.from(await pdf.arrayBuffer()).subarray(0, 4).toString(), '%PDF');
  await done(leader, 'plan_evaluation', e.id, 'approve');
  assert.ok((await all('plan_task')).some((t) => t.title === '园区救援站用地' && t.lead_unit === '园区管委会'));
  const r = await create(committee, 'third_party_review', { title: '第三方评估', evaluation: e.id, agency: '某研究院', scope: '主要任务', until: day(30), area: undefined });
  await done(committee, 'third_party_review', r.id, 'commission');
  await done(committee, 'third_party_review', r.id, 'deliver', { sheet: [{ item: '任务', full: 60, score: 50 }, { item: '工程', full: 40, score: 36 }] });
  await done(committee, 'third_party_review', r.id, 'accept');
  const t = await record('third_party_review', r.id, committee);
  assert.deepEqual([t.full, t.score, t.percent, t.own_score, t.difference], [100, 86, 86, 92, -6]);
});

test('a circular is approved by another, numbered as a document and published', async () => {
  const c = await create(committee, 'circular', { title: '三季度通报', period: `${year} 年三季度`, content: '总体平稳', receivers: '各镇街', ranking: [{ rank: 1, unit: '城关镇', progress: 96 }] });
  await done(committee, 'circular', c.id, 'submit');
  assert.ok((await move(committee, 'circular', c.id, 'issue')).status >= 400);
  await done(leader, 'circular', c.id, 'issue');
  const doc = await committee.post(`/api/v1/records/circular/${c.id}/documents/plan_circular`, {});
  assert.ok(doc.status < 300, doc.text);
  await done(committee, 'circular', c.id, 'publish');
  assert.deepEqual([(await record('circular', c.id)).state, (await record('circular', c.id)).published], ['published', day(0)]);
  const open = (await s.call('GET', '/public/indicators')).json.items.map((i) => i.name);
  assert.ok(['accidents', 'deaths', 'plan_task_done_rate', 'key_project_done_rate'].every((n) => open.includes(n)), open.join());
});

test('a project goes to acceptance only at 100 %; a matter of coordination counts until it is solved', async () => {
  const p = (await all('key_project')).find((r) => r.state === 'building');
  assert.ok((await move(bureau, 'key_project', p.id, 'complete')).status >= 400);
  await done(bureau, 'key_project', p.id, 'report', { progress: 100 });
  await done(bureau, 'key_project', p.id, 'complete');
  await done(committee, 'key_project', p.id, 'accept', { acceptance: '合格' });
  assert.equal((await record('key_project', p.id)).state, 'accepted');
  const before = await value('coordination_open', year);
  const i = (await all('coordination_issue'))[0];
  await done(department, 'coordination_issue', i.id, 'solve', { answer: '用地已批' });
  assert.equal(await value('coordination_open', year), before - 1);
  assert.equal((await record('coordination_issue', i.id)).age, 20);
});

test('the score of the plan enters the appraisal with its weight, after review and the time for objections', async () => {
  const own = (await all('plan')).find((p) => p.place === 'own');
  const who = await s.as('town');
  const p = await create(committee, 'plan_score', { title: '年度评价', plan: own.id, year, weight: 15, area: '990121401000' });
  const sheet = `/api/v1/records/plan_score/${p.id}/sheet/sheet`;
  await who.ok_post(sheet, { fill: true });
  await who.ok_post(sheet, { items: { tasks: { self: 45 }, overdue: { self: 20 }, projects: { self: 18, note: '照片' }, reporting: { self: 10 } } });
  await done(who, 'plan_score', p.id, 'submit');
  await committee.ok_post(sheet, { items: { reporting: { review: 7, note: '迟报一次' } } });
  await done(committee, 'plan_score', p.id, 'reviewed');
  await done(who, 'plan_score', p.id, 'object', { objection: '迟报有说明' });
  assert.ok((await move(leader, 'plan_score', p.id, 'confirm')).status >= 400, 'an objection is open');
  await done(committee, 'plan_score', p.id, 'answered', { answer: '维持' });
  await done(leader, 'plan_score', p.id, 'confirm');
  const r = await record('plan_score', p.id);
  assert.deepEqual([r.score, r.grade, r.weighted], [90, 'excellent', 13.5]);
});
