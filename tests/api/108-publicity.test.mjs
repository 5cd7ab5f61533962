// What the public says and is told: a call taken down in one request and sealed, doubles merged with one click, the fate of a report
// by its receipt, satisfaction that says nothing of who; what had to be published by when; cases sent to whom they concern.
import { createHash } from 'node:crypto';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9', NAME = '欧阳来电', PHONE = '13812340001', TOWN = '990121101000';
let s, bureau, duty, ent, town, leader, committee, one, orgs, firm, example;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=500${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const nonce = (x) => createHash('sm3').update(x).digest('hex').slice(0, 32);
const open = (path) => s.call('GET', path);
const query = async (receipt) => (await s.call('POST', '/public/reports/query', { receipt })).json;
const value = async (name, q = '') => (await bureau.ok_get(`/api/v1/indicators/${name}?period=${day().slice(0, 4)}${q}`)).total;

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  const people = Object.fromEntries((await all(admin, 'person')).map((p) => [p.login, p]));
  for (const who of ['bureau3', 'town1']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [one, town, bureau, duty, ent, leader, committee] = await Promise.all([s.login('bureau3', PASSWORD), s.login('town1', PASSWORD), ...['bureau', 'duty', 'enterprise', 'leader', 'committee'].map((r) => s.as(r))]);
  orgs = Object.fromEntries((await all(bureau, 'organisation')).map((o) => [o.title, o.id]));
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  example = await rec(bureau, 'accident_case', { title: '储罐溢流（用例）', happened: '2025-03-01', sector: firm.sector, kind: 'vehicle', source: '测试' });
});
after(() => s.stop());

test('a call to 12350 is one request: who called is sealed, the town office is put down, the operator reads the receipt out', async () => {
  const call = { nonce: nonce('call'), kind: 'hazard', area: TOWN, content: `${NAME}说仓库里堆满烟花`, object: '城关某仓库', name: NAME, phone: PHONE, insider: true };
  assert.equal((await town.post('/api/v1/reports/desk', call)).status, 403, 'a town takes no calls down');
  const web = await duty.post('/api/v1/reports/desk', { ...call, channel: 'web' });
  assert.deepEqual([web.status, web.json.error.field], [400, 'channel']);
  const r = await duty.ok_post('/api/v1/reports/desk', call);
  const record = (await all(bureau, 'danger_report', `&where.number=${r.number}`))[0];
  assert.deepEqual([record.channel, record.named, record.owner.title], ['hotline', true, '城关镇安全生产监督管理站']);
  assert.ok(!JSON.stringify(record).includes(NAME) && !JSON.stringify(record).includes(PHONE));
  assert.equal((await query(r.receipt)).number, r.number);
  assert.deepEqual(await (await s.as('seal')).ok_post(`/api/v1/reports/${record.id}/identity`, { reason: '核实打击报复线索（用例）' }), { name: NAME, phone: PHONE });
});

test('an order of 12345 that comes twice is one report', async () => {
  const order = { kind: 'fire', area: TOWN, content: '小区通道被占用多日', channel: 'citizen', channel_number: '12345-77' };
  await duty.ok_post('/api/v1/reports/desk', { nonce: nonce('o1'), ...order });
  assert.equal((await duty.post('/api/v1/reports/desk', { nonce: nonce('o2'), ...order })).status, 409);
  const seen = (await bureau.ok_get('/api/v1/records/danger_report?list=citizen')).items;
  assert.equal(seen.filter((x) => x.channel_number === '12345-77').length, 1);
});

let first, second;
test('doubles are offered to who handles them with what agrees, and merged with one move; the second receipt tells the fate of the first', async () => {
  const tell = async (x, body) => (await s.call('POST', '/public/reports', { nonce: nonce(x), kind: 'illegal', area: TOWN, ...body })).json;
  first = await tell('d1', { content: '化工厂夜里偷偷往河边排放有刺鼻气味的废液', position: [118.9, 33.12] });
  second = await tell('d2', { content: '夜里化工厂往河边排放刺鼻气味废液', position: [118.9005, 33.1204] });
  const other = await tell('d3', { content: '工地塔吊没有证件的人在开', kind: 'work', area: '990121102000', position: [118.76, 33.04] });
  const id = async (r) => (await all(bureau, 'danger_report', `&where.number=${r.number}`))[0].id;
  const [a, b, c] = await Promise.all([first, second, other].map(id));
  const found = (await bureau.ok_get(`/api/v1/reports/${b}/similar`)).items;
  assert.deepEqual([found[0].id, found[0].why], [a, ['near', 'words', 'kind']]);
  assert.ok(!found.some((x) => x.id === c));
  assert.equal((await ent.get(`/api/v1/reports/${b}/similar`)).status, 404);
  await done(bureau, 'danger_report', b, 'merge', { same_as: a, public_reply: `与 ${first.number} 反映同一问题，合并办理` });
  const state = await query(second.receipt);
  assert.deepEqual([state.number, state.merged, state.ended, state.state], [second.number, first.number, false, 'received']);
  const early = await s.call('POST', '/public/reports/rate', { receipt: second.receipt, satisfaction: 'yes' });
  assert.equal(early.status, 409, 'not answered yet');
  await done(bureau, 'danger_report', a, 'accept', { owner: orgs['城关镇安全生产监督管理站'] });
  await done(town, 'danger_report', a, 'verify', { verified: day(), result: 'upheld', found: '属实' });
  await done(bureau, 'danger_report', a, 'reply', { public_reply: '已查封排放口' });
  for (const r of [first, second]) assert.equal((await query(r.receipt)).reply, '已查封排放口');
});

test('who reported says once by receipt whether he is satisfied; the rate is computed and nothing says who', async () => {
  const rate = (receipt, satisfaction) => s.call('POST', '/public/reports/rate', { receipt, satisfaction });
  assert.equal((await rate(first.receipt, 'very')).status, 400);
  assert.equal((await rate('AAAAA-AAAAA-AAAAA-AAAAA', 'yes')).status, 404);
  assert.equal((await rate(first.receipt, 'no')).status, 200);
  assert.equal((await rate(first.receipt, 'yes')).status, 409, 'once');
  assert.equal((await rate(second.receipt, 'fair')).status, 200, 'whose report was merged, too');
  const t = await value('reports_satisfaction');
  assert.deepEqual([t.num, t.den, t.value], [1, 2, 50]);
  assert.equal((await query(first.receipt)).satisfaction, 'no');
});

test('retaliation is a case of its own that neither towns nor enterprises see', async () => {
  const id = (await all(bureau, 'danger_report', `&where.number=${first.number}`))[0].id;
  await done(bureau, 'danger_report', id, 'retaliation', { reason: '举报人凭回执反映被调岗' });
  const c = (await all(bureau, 'retaliation_case'))[0];
  assert.ok(c.deadline);
  assert.equal((await move(bureau, 'retaliation_case', c.id, 'close', { outcome: '已恢复原岗位' })).status, 409, 'not before it is verified');
  await done(bureau, 'retaliation_case', c.id, 'verify', { what: '被调离原岗位', found: '属实', upheld: true, handed_to: '人社局' });
  await done(bureau, 'retaliation_case', c.id, 'close', { outcome: '已恢复原岗位' });
  for (const who of [ent, town, duty]) assert.ok([403, 404].includes((await who.get(`/api/v1/records/retaliation_case/${c.id}`)).status));
});

test('what had to be published by a day is counted from the records: waiting, missing, late, in time', async () => {
  const of = async () => (await open('/public/catalogue')).json.items.find((x) => x.name === 'consultation').due;
  const before0 = await of();
  const make = async (ends) => { const c = await rec(bureau, 'consultation', { title: `征求意见 ${ends}`, summary: '草案', channels: '来信', starts: day(-80), ends: day(ends) }); await done(bureau, 'consultation', c.id, 'open'); return c; };
  const [late, soon] = [await make(-60), await make(-2)];
  const now = await of();
  assert.deepEqual([now.missing - before0.missing, now.waiting - before0.waiting, now.days, now.working], [1, 1, 20, true]);
  const mine = (await bureau.ok_get('/api/v1/publications')).items.find((x) => x.name === 'consultation');
  assert.deepEqual([mine.items[0].id, mine.items[0].title, mine.items[0].is], [late.id, late.title, 'missing'], 'what is missing comes first');
  const idea = await rec(bureau, 'public_opinion', { title: '建议增加条款', kind: 'draft', consultation: soon.id, content: '增加一条', who_said: '张三' });
  assert.equal((await move(bureau, 'consultation', soon.id, 'close', { feedback: '采纳' })).status, 409, 'an opinion is open');
  await done(bureau, 'public_opinion', idea.id, 'give', { owner: orgs['城关镇安全生产监督管理站'], due: day(5), area: TOWN });
  await done(town, 'public_opinion', idea.id, 'answer', { answer: '已增加', adopted: true });
  assert.equal((await move(bureau, 'public_opinion', idea.id, 'close', { satisfaction: 'no' })).status, 409, 'not satisfied: again');
  await done(bureau, 'public_opinion', idea.id, 'close', { satisfaction: 'yes', open_answer: true });
  const shown = (await open('/public/types/public_opinion')).json.items.find((x) => x.number === idea.number);
  assert.ok(shown && shown.answer === '已增加' && !('who_said' in shown) && !('content' in shown));
  await done(bureau, 'consultation', soon.id, 'close', { feedback: '采纳一条' });
  await done(bureau, 'consultation', late.id, 'close', { feedback: '没有意见' });
  const end = await of();
  assert.deepEqual([end.in_time - before0.in_time, end.late - before0.late, end.missing - before0.missing], [1, 1, 0]);
  const t = await value('opinions_answered_rate');
  assert.ok(t.num >= 1 && t.den >= t.num);
});

test('the public page of a place: only what lies there, and a code that is none is refused', async () => {
  const count = async (area) => (await open(`/public/types/publicity_activity?area=${area}`)).json.total;
  const a = await rec(bureau, 'publicity_activity', { theme: '用例咨询日', kind: 'advice_day', into: 'community', organisation: orgs['城关镇安全生产监督管理站'], area: TOWN, on: day() });
  const [here, there] = [await count(TOWN), await count('990121105000')];
  assert.equal((await open('/public/catalogue?area=' + TOWN)).json.items.find((x) => x.name === 'publicity_activity').here, here);
  assert.ok(here >= 1 && here > there);
  for (const bad of ['99', '99012110100x', "' OR 1=1 --x"]) assert.equal((await open(`/public/types/publicity_activity?area=${encodeURIComponent(bad)}`)).status, 400, bad);
  const was = (await value('into_community', `&area=${TOWN}`)).value;
  await done(bureau, 'publicity_activity', a.id, 'hold', { reached: 120, tested: 40, passed: 38 });
  assert.equal((await value('into_community', `&area=${TOWN}`)).value, was + 1);
  const future = await rec(bureau, 'publicity_activity', { theme: '下月活动', kind: 'month', into: 'school', organisation: orgs['城关镇安全生产监督管理站'], area: TOWN, on: day(20) });
  assert.equal((await move(bureau, 'publicity_activity', future.id, 'hold', { reached: 9 })).status, 409, 'it has not been held');
  assert.equal((await move(bureau, 'publicity_activity', a.id, 'hold', { reached: 9 })).status, 409);
});

test('a case goes to each running enterprise of its sector and to no other; what they find at home becomes hazards', async () => {
  const lesson = await rec(bureau, 'case_lesson', { title: '苯乙烯罐溢流案例', case: example.id, sector: firm.sector, area: '990121000000', questions: '液位联锁为什么没有动作？' });
  await done(bureau, 'case_lesson', lesson.id, 'send');
  const due = (await all(bureau, 'enterprise', `&where.sector=${firm.sector}`)).filter((e) => e.status !== 'stopped').map((e) => e.id).sort((x, y) => x - y);
  const sent = (await all(bureau, 'case_learning', `&where.lesson=${lesson.id}`)).map((x) => x.enterprise.id).sort((x, y) => x - y);
  assert.deepEqual(sent, due);
  const mine = (await all(ent, 'case_learning', `&where.lesson=${lesson.id}`));
  assert.deepEqual([mine.length, mine[0].enterprise.id], [1, firm.id], 'an enterprise sees its own');
  assert.equal((await move(ent, 'case_learning', mine[0].id, 'learn', { discussed: '学习', attended: 5, passed: 6 })).status, 400, 'more passed than came');
  await done(ent, 'case_learning', mine[0].id, 'learn', { discussed: '讨论了联锁', attended: 12, passed: 11, found: [{ title: '本厂联锁未试验', place: '罐区' }] });
  assert.ok((await all(ent, 'hazard', `&where.origin=case_learning:${mine[0].id}`)).some((h) => h.title === '本厂联锁未试验'));
  const gap = (await bureau.ok_get(`/api/v1/indicators/case_learning_rate/records?period=${day().slice(0, 4)}&part=gap&size=500`)).items.map((x) => x.id);
  assert.ok(!gap.includes(mine[0].id));
  assert.equal(gap.length, (await value('case_learning_rate')).den - (await value('case_learning_rate')).num);
});

test('what the media say has the time of its level, and is followed up in public', async () => {
  const item = (level, x) => rec(duty, 'media_item', { title: '网传某厂爆炸', kind: 'social', level, outlet: '某平台', link: `https://example.org/${x}`, seen: new Date(Date.now() - 3600e3).toISOString(), area: TOWN, firm: firm.id, problem: '视频称有爆炸声' });
  const m = await item('major', 1), hours = (r) => Math.round((new Date(r.deadline) - new Date(r.created_at)) / 3600e3);
  assert.equal(hours(m), 5);
  assert.equal(hours(await item('usual', 2)), 48);
  assert.equal((await duty.post('/api/v1/records/media_item', { title: '再登一次', kind: 'web', outlet: '某网', link: 'https://example.org/1', problem: '同一条' })).status, 409, 'one address, once');
  const r = await done(duty, 'media_item', m.id, 'respond', { response: '没有爆炸，系泄压', responded: new Date().toISOString() });
  assert.equal(r.hours, 1);
  await done(bureau, 'media_item', m.id, 'close', { true_or_not: 'partly', follow_up: '泄压阀已校验', problems: [{ title: '泄压阀未按期校验', enterprise: firm.id }] });
  const h = (await all(bureau, 'hazard', `&where.origin=media_item:${m.id}`))[0];
  assert.equal(h.source, 'media');
  assert.ok((await open('/public/types/media_item')).json.items.some((x) => x.number === m.number && x.follow_up === '泄压阀已校验'));
});

test('a demonstration is scored by its standard, shown, and awarded only when it was shown long enough', async () => {
  const c = await rec(ent, 'culture_creation', { title: firm.title, target: 'enterprise', level: 'county', year: Number(day().slice(0, 4)), area: firm.area });
  assert.equal((await move(ent, 'culture_creation', c.id, 'apply')).status, 409, 'no own score yet');
  const sheet = `/api/v1/records/culture_creation/${c.id}/sheet/sheet`;
  const manual = ['promise', 'rules', 'learning.training', 'information', 'people'], points = [15, 15, 15, 15, 15];
  await ent.ok_post(sheet, { fill: true });
  const items = (column) => Object.fromEntries(manual.map((p, i) => [p, { [column]: points[i] }]));
  await ent.ok_post(sheet, { items: items('self') });
  await done(ent, 'culture_creation', c.id, 'apply');
  assert.equal((await move(ent, 'culture_creation', c.id, 'reviewed', { site_note: '好' })).status, 403, 'not by the applicant');
  await bureau.ok_post(sheet, { items: { 'learning.cases': { review: 8 }, hazards: { review: 12 } } });
  await done(bureau, 'culture_creation', c.id, 'reviewed', { site_note: '现场核实' });
  const full = await committee.ok_get(`/api/v1/records/culture_creation/${c.id}`);
  assert.deepEqual([full.score, full.grade], [75 + 8 + 12, 'excellent']);
  await done(committee, 'culture_creation', c.id, 'show', { show_until: day(5) });
  const award = { certificate: '虚构-001', valid_to: day(1000) };
  assert.equal((await move(bureau, 'culture_creation', c.id, 'award', award)).status, 409, 'it is still on show');
  assert.ok((await open('/public/types/culture_creation')).json.items.some((x) => x.number === c.number));
});

test('a supervisor whose term has ended is no longer in office; his opinion is answered; a collected work needs its licence to be shown', async () => {
  const helper = (kind, to) => rec(bureau, 'public_helper', { name: '监督员甲', kind, area: TOWN, valid_from: day(-300), valid_to: day(to) });
  const [now, ended] = [await helper('supervisor', 100), await helper('model', -1)];
  const ids = (await bureau.ok_get('/api/v1/records/public_helper?list=all&size=100')).items.map((x) => x.id);
  assert.ok(ids.includes(now.id) && !ids.includes(ended.id));
  assert.equal((await bureau.post('/api/v1/records/public_opinion', { title: '意见', kind: 'supervisor', content: '照明不足' })).json.error.field, 'helper', 'whose opinion?');
  await rec(bureau, 'public_opinion', { title: '意见', kind: 'supervisor', helper: now.id, content: '照明不足', area: TOWN });
  const work = { title: '安全歌', form: '歌曲', topic: '用电', area: TOWN, collected: true, shown: true };
  assert.equal((await bureau.post('/api/v1/records/publicity_material', work)).json.error.field, 'licence');
  const m = await rec(bureau, 'publicity_material', { ...work, licence: '可自由传唱', copies: [{ on: day(), channel: '电视台', copies: 900 }, { on: day(), channel: '网站', copies: 100 }] });
  assert.equal(m.given, 1000);
  assert.ok((await open('/public/types/publicity_material')).json.items.some((x) => x.title === '安全歌' && x.given === 1000));
});
