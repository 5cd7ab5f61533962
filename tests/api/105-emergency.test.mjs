// Emergencies on a real server: a warning becomes one with everything it knows; who may start which level; linkage, dispatch, reports in time
// and late, a log that cannot be changed, the end that waits for open tasks, lessons that the plan waits for; resources and their stock;
// filing of plans, drills, indicators with their gaps.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, duty, bureau, leader, town, ent, dept, transport, firm;
const work = mkdtempSync(join(tmpdir(), 'anlan-emergency-'));
const R = '/api/v1/records';
const move = (who, t, id, name, body = {}) => who.ok_post(`${R}/${t}/${id}/moves/${name}`, body);
const tried = (who, t, id, name, body = {}) => who.post(`${R}/${t}/${id}/moves/${name}`, body);
const of = async (who, t, q) => (await who.ok_get(`${R}/${t}?size=100&${q}`)).items;
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const indicator = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total;
const field = { position: [119.05732, 33.08739] };
const open = (body = {}, who = duty) => who.ok_post(`${R}/emergency_event`, { title: '测试事件', category: 'leak', enterprise: firm, area: '990121401001', happened: at(-20), received: at(-10), content: '法兰泄漏', ...field, ...body });

before(async () => {
  s = await Server.start();
  [duty, bureau, leader, town, ent, dept] = await Promise.all(['duty', 'bureau', 'leader', 'town', 'enterprise', 'department'].map((r) => s.as(r)));
  firm = ent.me.enterprise.id;
  transport = (await of(bureau, 'organisation', `q=${encodeURIComponent('交通运输局')}`))[0];
});
after(async () => { await s.stop(); rmSync(work, { recursive: true }); });

test('a warning becomes an emergency with what it knows, once; the first report is due two hours after the call', async () => {
  const w = await duty.ok_post(`${R}/warning`, { title: '苯乙烯泄漏', level: 'orange', category: 'leak', enterprise: firm, content: '两台探测器超限', reach_m: 400, happened: at(-30) });
  await move(duty, 'warning', w.id, 'verify');
  await move(duty, 'warning', w.id, 'publish', { verify_note: '属实', control_plan: '停料' });
  await move(duty, 'warning', w.id, 'to_incident');
  const [e] = await of(duty, 'emergency_event', `where.warning=${w.id}`);
  assert.deepEqual([e.title, e.category, e.content, e.reach_m, e.happened, e.enterprise.id, e.state, e.thread], ['苯乙烯泄漏', 'leak', '两台探测器超限', 400, w.happened, firm, 'reported', w.thread]);
  assert.equal((await tried(duty, 'warning', w.id, 'to_incident')).status, 409, 'the second press finds the first');
  const [r, ...more] = await of(duty, 'info_report', `where.event=${e.id}`);
  assert.deepEqual([more.length, r.kind, r.state, Date.parse(r.due) - Date.parse(e.received)], [0, 'first', 'writing', 7200e3]);
  assert.deepEqual((await of(duty, 'event_log', `where.event=${e.id}`)).map((l) => [l.at, l.what]), [[e.received, '苯乙烯泄漏']]);
});

test('levels III and IV are the bureau\'s, I and II the leader\'s; the linkage list tells people and opens the departments\' tasks', async () => {
  const e = await open();
  assert.equal((await tried(bureau, 'emergency_event', e.id, 'start', { response: 'ii', control: '警戒' })).status, 409);
  assert.equal((await tried(town, 'emergency_event', e.id, 'start', { response: 'iv', control: '警戒' })).status, 403);
  assert.equal((await tried(bureau, 'emergency_event', e.id, 'start', { response: 'iv' })).json.error.field, 'control');
  const started = await move(leader, 'emergency_event', e.id, 'start_high', { response: 'ii', control: '警戒 500 米' });
  assert.deepEqual([started.state, started.response, started.start_min], ['responding', 'ii', 10]);
  const tasks = await of(duty, 'event_task', `where.event=${e.id}`);
  assert.deepEqual(tasks.map((t) => [t.task, t.organisation.id, t.level, t.state]), [['封控事故周边道路，引导绕行', transport.id, 'ii', 'ordered']]);
  assert.equal(Math.round((Date.parse(tasks[0].due) - Date.parse(started.started)) / 60e3), 30);
  assert.ok(tasks[0].deadline, 'nobody accepts: it climbs');
  const up = await move(leader, 'emergency_event', e.id, 'adjust', { response: 'i', response_why: '扩大' });
  assert.equal(up.response, 'i');
  assert.equal((await of(duty, 'event_task', `where.event=${e.id}`)).length, 1, 'an open task is not given twice');
  const log = (await of(duty, 'event_log', `where.event=${e.id}&where.kind=response&sort=at`)).map((l) => [l.response, l.what]);
  assert.deepEqual(log, [['ii', '警戒 500 米'], ['i', '扩大']]);
});

test('the nearest is sent: each step has its time, in the log too, and the end waits for it', async () => {
  const e = await open({ enterprise: (await of(bureau, 'enterprise', `q=${encodeURIComponent('泰澄化工')}`))[0].id });
  await move(duty, 'emergency_event', e.id, 'verify');
  await move(duty, 'emergency_event', e.id, 'start', { response: 'iii', control: '堵漏' });
  const found = (await duty.ok_get(`/api/v1/map/within?layer=emergency_resource&near=emergency_event:${e.id}&m=60000`)).items;
  assert.ok(/恒沣石化专职应急队/.test(found[0].title) && found.every((f, i) => !i || f.metres >= found[i - 1].metres), 'nearest first');
  const t = await duty.ok_post(`${R}/event_task`, { event: e.id, task: '调派 专职应急队', resource: found[0].id, company: firm, due: at(60) });
  const seen = (await of(ent, 'event_task', `where.event=${e.id}`)).map((x) => x.id);
  assert.deepEqual(seen, [t.id], 'an enterprise sees its own orders and no others');
  await move(ent, 'event_task', t.id, 'accept', { people: 8 });
  const there = await move(ent, 'event_task', t.id, 'arrive');
  assert.ok(there.accept_min >= 0 && there.arrive_min >= there.accept_min && there.people === 8);
  await move(ent, 'event_task', t.id, 'tell', { progress: '已堵住' });
  assert.equal((await tried(bureau, 'emergency_event', e.id, 'end', { end_why: '已控制' })).status, 409, 'tasks are open');
  for (const x of await of(duty, 'event_task', `where.event=${e.id}&where.state=ordered`)) await move(duty, 'event_task', x.id, 'recall', { reason: '解除' });
  await move(ent, 'event_task', t.id, 'finish', { result: '归队' });
  assert.deepEqual((await of(duty, 'event_log', `where.task=${t.id}&sort=id`)).map((l) => [l.kind, l.what]), [['order', '调派 专职应急队'], ['force', '调派 专职应急队'], ['feedback', '已堵住'], ['feedback', '归队']]);
  const ended = await move(bureau, 'emergency_event', e.id, 'end', { end_why: '泄漏停止，监测合格' });
  assert.equal(ended.state, 'ended');
  assert.deepEqual((await of(duty, 'info_report', `where.event=${e.id}&sort=id`)).map((r) => r.kind), ['first', 'final'], 'the final report is due by itself');
});

test('the log stands: nobody edits it, nobody takes it out, nobody writes of tomorrow', async () => {
  const e = await open();
  const l = await duty.ok_post(`${R}/event_log`, { event: e.id, kind: 'reading', what: '5%LEL' });
  for (const who of [duty, bureau, leader]) {
    assert.equal((await who.patch(`${R}/event_log/${l.id}`, { version: l.version, what: '0%LEL' })).status, 403);
    assert.equal((await who.delete(`${R}/event_log/${l.id}`, { reason: 'x', version: l.version })).status, 403);
  }
  assert.equal((await duty.post(`${R}/event_log`, { event: e.id, at: at(60), what: 'x' })).json.error.field, 'at');
  await move(duty, 'emergency_event', e.id, 'figures', { trapped: 2, evacuated: 40 });
  await move(duty, 'emergency_event', e.id, 'figures', { trapped: 0, minor: 2, evacuated: 120 });
  assert.deepEqual((await of(duty, 'event_log', `where.event=${e.id}&where.kind=casualty&sort=id`)).map((x) => [x.trapped, x.minor, x.evacuated]), [[2, 0, 40], [0, 2, 120]], 'casualties by time');
});

test('a report in time and one that is late, with the figures of the moment; the unit\'s own limit is an hour', async () => {
  const before = await indicator('event_report_rate');
  const early = await open({ known: at(-19), unit_reported: at(-5) });
  const late = await open({ happened: at(-400), received: at(-180), known: at(-390), unit_reported: at(-200) });
  assert.deepEqual([early.unit_late, late.unit_late], [false, true]);
  await move(duty, 'emergency_event', early.id, 'figures', { minor: 3 });
  const sent = {};
  for (const [name, e] of [['early', early], ['late', late]]) {
    const [r] = await of(duty, 'info_report', `where.event=${e.id}`);
    assert.equal((await tried(duty, 'info_report', r.id, 'send', { to: '市应急局' })).json.error.field, 'text');
    sent[name] = await move(duty, 'info_report', r.id, 'send', { to: '市应急局', text: '首报' });
  }
  assert.deepEqual([sent.early.late, sent.late.late, sent.early.minor], [false, true, 3]);
  await move(duty, 'emergency_event', early.id, 'figures', { minor: 5 });
  assert.equal((await duty.ok_get(`${R}/info_report/${sent.early.id}`)).minor, 3, 'what was sent stays');
  const now = await indicator('event_report_rate');
  assert.deepEqual([now.num - before.num, now.den - before.den], [1, 2], JSON.stringify(now));
});

test('lessons become tasks; the plan is not published again before they are done, nor is a drill\'s problem forgotten', async () => {
  const plan = await bureau.ok_post(`${R}/emergency_plan`, { title: '测试专项预案', kind: 'special', area: '990121000000', organisation: transport.id });
  const e = await open({ plan: plan.id });
  await move(duty, 'emergency_event', e.id, 'verify');
  await move(duty, 'emergency_event', e.id, 'settle', { end_why: '已处置' });
  assert.equal((await tried(duty, 'emergency_event', e.id, 'review', { review: '好' })).status, 403, 'who handled it does not review it');
  const r = await move(bureau, 'emergency_event', e.id, 'review', { review: '通知慢', lessons: [{ what: '联系表过期', section: '4.2', owner: transport.id, due: day(20) }] });
  assert.equal(r.state, 'reviewed');
  const [task] = await of(bureau, 'preparedness_task', `where.event=${e.id}`);
  assert.deepEqual([task.title, task.section, task.plan.id, task.owner.id, task.state], ['联系表过期', '4.2', plan.id, transport.id, 'open']);
  const publish = { review_on: day(-1), review_note: '通过' };
  assert.equal((await tried(bureau, 'emergency_plan', plan.id, 'publish', publish)).status, 409);
  await move(bureau, 'preparedness_task', task.id, 'report', { done_how: '已更新' });
  await move(bureau, 'preparedness_task', task.id, 'accept');
  const out = await move(bureau, 'emergency_plan', plan.id, 'publish', publish);
  assert.deepEqual([out.state, out.published], ['published', day(0)]);

  const d = await ent.ok_post(`${R}/drill`, { title: '测试演练', kind: 'tabletop', planned: day(1), area: '990121401001' });
  await move(ent, 'drill', d.id, 'hold', { held: at(-60), participants: 12, injects: [{ minute: 0, what: '报警', took_min: 3 }, { minute: 5, what: '扩大', took_min: 7.5 }] });
  const done = await move(ent, 'drill', d.id, 'evaluate', { warn_score: 20, report_score: 21, start_score: 22, support_score: 23, conclusion: '可', problems: [{ what: '广播听不清', due: day(9) }] });
  assert.deepEqual([done.total, done.slowest], [86, 7.5]);
  const [p] = await of(ent, 'preparedness_task', `where.drill=${d.id}`);
  assert.deepEqual([p.title, p.enterprise.id, p.state], ['广播听不清', firm, 'open'], 'and is the enterprise\'s own duty');
});

test('a plan is filed for three years; the rate counts it, and its gap is what is not filed', async () => {
  const inGap = async (id) => (await bureau.ok_get('/api/v1/indicators/plan_filed_rate/records?part=gap&size=200')).items.some((x) => x.id === id);
  const before = await indicator('plan_filed_rate');
  const p = await ent.ok_post(`${R}/emergency_plan`, { title: '测试企业预案', kind: 'enterprise_special', area: '990121401001' });
  await move(ent, 'emergency_plan', p.id, 'publish', { review_on: day(-2), review_note: '通过' });
  await move(ent, 'emergency_plan', p.id, 'apply');
  assert.equal((await tried(ent, 'emergency_plan', p.id, 'file', { filing_no: 'T-1' })).status, 403);
  await move(bureau, 'emergency_plan', p.id, 'refuse', { reason: '缺附件' });
  let v = await indicator('plan_filed_rate');
  assert.deepEqual([v.num - before.num, v.den - before.den], [0, 1]);
  assert.ok(await inGap(p.id));
  await move(ent, 'emergency_plan', p.id, 'apply');
  const filed = await move(bureau, 'emergency_plan', p.id, 'file', { filing_no: 'T-1' });
  assert.deepEqual([filed.state, filed.filed, filed.due], ['filed', day(0), day(1095)]);
  v = await indicator('plan_filed_rate');
  assert.deepEqual([v.num - before.num, v.den - before.den], [1, 1]);
  assert.ok(!(await inGap(p.id)));
});

test('stock moves only by its moves and the ledger adds up; what left is received and settled', async () => {
  const r = await bureau.ok_post(`${R}/emergency_resource`, { name: '测试吸油毡', kind: 'material', area: '990121401001', unit: '包', safety_stock: 50, ...field });
  assert.equal((await bureau.patch(`${R}/emergency_resource/${r.id}`, { version: r.version, quantity: 99 })).status, 400);
  await move(bureau, 'emergency_resource', r.id, 'stock_in', { change: 80, change_why: '采购' });
  assert.equal((await tried(duty, 'emergency_resource', r.id, 'allot', { change: 81, allot_to: '现场', change_why: '处置' })).status, 409);
  const left = await move(duty, 'emergency_resource', r.id, 'allot', { change: 60, allot_to: '现场', change_why: '处置' });
  assert.equal(left.quantity, 20);
  assert.deepEqual((await of(bureau, 'stock_entry', `where.resource=${r.id}&sort=id`)).map((x) => [x.change, x.balance, x.why]), [[80, 80, '采购'], [-60, 20, '处置']]);
  assert.ok((await of(bureau, 'emergency_resource', 'list=short')).some((x) => x.id === r.id), 'below its safety stock');
  const [a] = await of(duty, 'allotment', `where.resource=${r.id}`);
  assert.equal((await tried(duty, 'allotment', a.id, 'receive', { received_quantity: 61 })).json.error.field, 'received_quantity');
  await move(duty, 'allotment', a.id, 'receive', { received_quantity: 60 });
  assert.equal((await move(duty, 'allotment', a.id, 'settle', { returned_quantity: 12 })).state, 'settled');
  const unfit = await move(bureau, 'emergency_resource', r.id, 'unfit', { ready_note: '受潮' });
  assert.ok(unfit.state === 'unfit' && unfit.confirmer);
});

test('who has no valid certificate is not on call', async () => {
  const team = (await of(bureau, 'emergency_resource', 'where.kind=team'))[0];
  const bad = await bureau.post(`${R}/rescuer`, { name: '队员甲', team: team.id, certified_until: day(-1), on_call: true });
  assert.equal(bad.json.error.field, 'on_call', bad.text);
  assert.ok((await bureau.ok_post(`${R}/rescuer`, { name: '队员乙', team: team.id, certified_until: day(30), on_call: true })).id);
});

test('the duty room has a log each day, and signs in with its phone tested', async () => {
  const [log] = await of(duty, 'duty_day', 'list=open');
  assert.equal(log.state, 'waiting');
  assert.equal((await tried(duty, 'duty_day', log.id, 'sign_in')).json.error.field, 'phone_ok');
  const on = await move(duty, 'duty_day', log.id, 'sign_in', { phone_ok: true });
  assert.deepEqual([on.state, on.officer.id], ['on_duty', duty.me.id]);
});

test('an accident is opened once, with warning, times and casualties; the report is printed', async () => {
  const e = await open({ known: at(-18), unit_reported: at(-12) });
  await move(duty, 'emergency_event', e.id, 'verify');
  await move(duty, 'emergency_event', e.id, 'figures', { dead: 1, minor: 2 });
  await move(duty, 'emergency_event', e.id, 'accident', { accident_kind: 'leak' });
  const [a] = await of(duty, 'accident', `where.incident=${e.id}`);
  assert.deepEqual([a.title, a.kind, a.dead, a.minor, a.known, a.unit_reported, a.level], ['测试事件', 'leak', 1, 2, e.known, e.unit_reported, 'general']);
  assert.equal((await tried(duty, 'emergency_event', e.id, 'accident', { accident_kind: 'leak' })).status, 409);
  const pub = await move(bureau, 'emergency_event', e.id, 'notice', { notice_text: '泄漏已控制' });
  assert.ok(pub.noticed && pub.notice_h === 0.2);
  const pdf = await fetch(`${s.url}${R}/emergency_event/${e.id}/documents/event_report/preview`, { headers: { Authorization: `Bearer ${duty.token}` } });
  assert.equal(pdf.status, 200);
  const file = join(work, 'r.pdf');
  writeFileSync(file, Buffer.from(await pdf.arrayBuffer()));
  assert.match(execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' }).replace(/\s/g, ''), /突发事件报告[\s\S]*测试事件[\s\S]*法兰泄漏[\s\S]*大事记[\s\S]*泄漏已控制/);
});
