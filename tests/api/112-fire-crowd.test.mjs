// Fire files, facilities, places and stations, and what gathers crowds: what is not tested, filed or counted says so by itself.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, grid, firm;
const at = [118.9, 33.1];
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (text, ...a) => { const r = await move(...a); assert.equal(r.status, 409, `${a[3]}: ${r.text}`); assert.match(r.text, text); };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const ids = async (...a) => (await all(...a)).map((x) => x.id);
const file = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const pdf = (who) => file(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const photo = (who) => file(who, 'a.png', png);
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept, grid] = await Promise.all(['bureau', 'enterprise', 'town', 'department', 'grid'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('a unit is on file when three filings and a maintenance in force are there; who supervises it is said by the authority', async () => {
  const u = await rec(ent, 'fire_unit', { name: '仓储综合楼', enterprise: firm.id, use: '办公', responsible: '甲', manager: '乙' });
  assert.equal(u.complete, false);
  assert.ok((await ids(town, 'fire_unit', '&list=unassigned')).includes(u.id));
  const filing = { people_on: day(-3), care_on: day(-2), self_on: day(-1), keeper: '某维保' };
  await refused(/维保合同已过期/, ent, 'fire_unit', u.id, 'file', { ...filing, care_to: day(-1) });
  assert.equal((await done(ent, 'fire_unit', u.id, 'file', { ...filing, care_to: day(200) })).complete, true);
  assert.equal((await move(ent, 'fire_unit', u.id, 'assign', { class: 'key', duty: '自己查自己' })).status, 403);
  const person = (await all(town, 'person'))[0];
  await done(town, 'fire_unit', u.id, 'assign', { class: 'key', inspector: person.id, duty: '每季一次' });
  assert.ok(!(await ids(town, 'fire_unit', '&list=unassigned')).includes(u.id));
});

test('a facility that was not tested is a list, a fault has a day and becomes one hazard; the rate counts what is good', async () => {
  const f = await rec(ent, 'fire_facility', { name: '1 号消防泵', enterprise: firm.id, kind: 'supply', place: '泵房', installed_on: '2020-01-01', keeper: '某维保' });
  assert.deepEqual(await ids(town, 'fire_facility', '&list=untested'), [f.id]);
  assert.equal(await value('fire_facility_good_rate'), 0);
  const tested = (to) => ({ tested_on: day(), tested_to: day(to), tests: [{ on: day(), what: '启泵试验', result: 'good', by: '丙' }] });
  await refused(/下次检测/, ent, 'fire_facility', f.id, 'test', tested(-1));
  await done(ent, 'fire_facility', f.id, 'test', tested(365));
  assert.equal(await value('fire_facility_good_rate'), 100);
  const broken = await done(town, 'fire_facility', f.id, 'break', { fault: '不能自动启泵', repair_by: day(3) });
  assert.equal(broken.state, 'fault');
  assert.equal(new Date(new Date(broken.deadline).getTime() + 8 * 3600e3 - 1000).toISOString().slice(0, 10), day(3));
  await done(town, 'fire_facility', f.id, 'hazard');
  assert.equal((await all(town, 'hazard', `&where.origin=fire_facility:${f.id}`))[0].content, '不能自动启泵');
  await refused(/已有未销号/, town, 'fire_facility', f.id, 'hazard');
  await done(ent, 'fire_facility', f.id, 'repair', { ...tested(365), photos: [await photo(ent)] });
  assert.equal(await value('fire_facility_good_rate'), 100);
});

test('a place asks for the measures of its kind; it is checked in its cycle, cleared, and its relapse is counted', async () => {
  const body = { name: '沿街三合一', kind: 'three_in_one', position: at, owner: '丁某某', measures: '分隔、独立式报警器', cycle: 30, next_check: day(1) };
  assert.equal((await town.post('/api/v1/records/fire_place', body)).status, 400, 'who sleeps there is not said');
  const p = await rec(town, 'fire_place', { ...body, sleepers: 3, split: false });
  await refused(/须检查过/, town, 'fire_place', p.id, 'clear');
  await refused(/检查周期/, town, 'fire_place', p.id, 'check', { next_check: day(60) });
  await done(town, 'fire_place', p.id, 'check', { next_check: day(30) });
  const [c] = await all(town, 'fire_check', `&where.place=${p.id}`);
  assert.deepEqual([c.kind, c.title], ['list331', '沿街三合一']);
  const sheet = { items: [{ item: '住宿分隔', points: 10, got: 2 }], problems: [{ title: '二层住人' }], photos: [await photo(town)] };
  await refused(/限期整改/, town, 'fire_check', c.id, 'finish', sheet);
  assert.equal((await done(town, 'fire_check', c.id, 'order', { ...sheet, fix_by: day(7) })).score, 20);
  await refused(/没有未办结的检查/, town, 'fire_place', p.id, 'clear');
  await done(town, 'fire_check', c.id, 'recheck', { after: [await photo(town)] });
  await done(town, 'fire_place', p.id, 'clear');
  assert.equal(await value('fire_place_cleared_rate'), 50);
  const back = await done(town, 'fire_place', p.id, 'relapse', { reason: '又有人留宿', next_check: day(5) });
  assert.deepEqual([back.state, back.relapses], ['watched', 1]);
  assert.deepEqual(await ids(town, 'fire_place', '&list=relapsed'), [p.id]);
});

test('four abilities: three of four is not enough; problems of an enterprise become its hazards', async () => {
  const c = await rec(town, 'fire_check', { title: firm.name, kind: 'abilities', enterprise: firm.id });
  const r = await done(town, 'fire_check', c.id, 'finish', { items: [{ item: '疏散', points: 10, got: 10 }], passed: ['find', 'put_out', 'lead_out'], problems: [{ title: '未开展培训' }], photos: [await photo(town)] });
  assert.equal(r.able, false);
  assert.deepEqual(await ids(town, 'fire_check', '&list=unable'), [c.id]);
  const [h] = await all(ent, 'hazard', `&where.origin=fire_check:${c.id}`);
  assert.deepEqual([h.title, h.enterprise.id], ['未开展培训', firm.id]);
  assert.equal(await value('fire_able_rate'), 0);
});

test('a blocked passage has a day and counts how often; hydrants and call-outs give their rates with real minutes', async () => {
  const w = await rec(grid, 'fire_passage', { name: '东门消防车道', kind: 'lane', position: at });
  const b = await done(grid, 'fire_passage', w.id, 'block', { blocked_by: '停车', before: [await photo(grid)] });
  assert.ok(b.deadline && b.blocked_at && b.blockings === 1);
  await refused(/管理单位/, bureau, 'fire_passage', w.id, 'case');
  await done(grid, 'fire_passage', w.id, 'clear', { after: [await photo(grid)] });

  const h = await rec(town, 'hydrant', { name: '人民路 1', position: at, keeper: '水务公司' });
  for (const n of [2, 3]) await rec(town, 'hydrant', { name: `人民路 ${n}`, position: at, keeper: '水务公司' });
  await done(town, 'hydrant', h.id, 'try', { pressure: 0.25, checked_on: day(), next_on: day(180) });
  assert.equal(await value('hydrant_good_rate'), 50, 'two of four, one of them of the demo');
  await rec(town, 'fire_provision', { title: '配建', year: Number(day().slice(0, 4)), basis: '县消防专项规划', hydrants_due: 8, stations_due: 2, stations: 1, vehicles_due: 4, vehicles: 4 });
  assert.equal(await value('hydrant_built_rate'), 50);

  const st = await rec(town, 'fire_station', { name: '城东微型站', kind: 'micro', position: at, covers: '城东社区', minutes: 3, leader: '戊', members: [{ name: '己' }] });
  await refused(/出动记录/, town, 'fire_station', st.id, 'ready', { next_test: day(30), gear: [{ name: '水带', count: 4, good: 4 }] });
  const forged = await town.post('/api/v1/records/fire_callout', { station: st.id, place: '东门', arrived: '2026-01-01T00:00:00Z' });
  assert.ok(forged.status >= 400, 'nobody writes the times');
  const o = await rec(town, 'fire_callout', { station: st.id, place: '东门' });
  const there = await done(town, 'fire_callout', o.id, 'arrive', { people: 4 });
  assert.deepEqual([there.in_time, there.due_minutes], [true, 3]);
  await done(town, 'fire_callout', o.id, 'close', { result: '合格' });
  const m = await rec(town, 'fire_callout', { station: st.id, place: '西门' });
  await done(town, 'fire_callout', m.id, 'miss', { reason: '无人应答' });
  assert.equal(await value('callout_in_time_rate'), 50);
  assert.equal((await done(town, 'fire_station', st.id, 'ready', { next_test: day(30), gear: [{ name: '水带', count: 4, good: 4 }] })).state, 'ready');
});

test('special works do not begin without a design that passed; other works are filed and may be drawn', async () => {
  const works = async (kind) => rec(ent, 'fire_works', { name: `${kind} 工程`, kind, enterprise: firm.id, designer: '某院', drawings: [await pdf(ent)] });
  const a = await works('special');
  await refused(/先审查合格/, ent, 'fire_works', a.id, 'begin');
  await done(dept, 'fire_works', a.id, 'pass', { design_opinion: '同意' });
  await done(ent, 'fire_works', a.id, 'apply', { own_on: day(-1) });
  const failed = await done(dept, 'fire_works', a.id, 'fail', { items: [{ item: '防火分区', result: 'failed' }], opinion: '不合格' });
  assert.deepEqual([failed.state, failed.result], ['failed', 'failed']);
  const b = await works('other');
  await done(ent, 'fire_works', b.id, 'begin');
  assert.equal((await done(dept, 'fire_works', b.id, 'draw', { own_on: day(-1) })).drawn, true);
});

test('a plan of an area ends when every measure is done; people taught cannot be more than are due', async () => {
  const item = (progress) => ({ problem: '车道窄', measure: '拓宽', unit: '住建局', due: day(40), progress });
  const y = await rec(town, 'fire_policy', { title: '老城区一区一策', items: [item(50), item(100)] });
  assert.equal(y.progress, 75);
  await done(town, 'fire_policy', y.id, 'issue', { papers: [await pdf(town)] });
  await refused(/还有措施未完成/, bureau, 'fire_policy', y.id, 'finish');
  await done(town, 'fire_policy', y.id, 'report', { items: [item(100), item(100)] });
  await done(bureau, 'fire_policy', y.id, 'finish');

  const t = await rec(town, 'fire_teaching', { title: '独居老人', group: 'old', level: 'basic', ends: day(60), due: 80 });
  const held = (came) => ({ sessions: [{ on: day(), course: '用火用电', came }] });
  assert.ok((await move(town, 'fire_teaching', t.id, 'hold', held(81))).status >= 400);
  await done(town, 'fire_teaching', t.id, 'hold', held(60));
  assert.equal(await value('fire_taught_rate'), 75);
});

test('a venue holds what space and exits allow; an event is never permitted beyond it, and the count says when there were more', async () => {
  const v = await rec(ent, 'venue', { name: '体育馆', enterprise: firm.id, kind: 'stadium', position: at, manager: '庚', space: 3000, each: 0.75, exits: 10, flow: 40, minutes: 8, basis: '设计文件' });
  assert.deepEqual([v.by_space, v.by_exits, v.capacity], [4000, 3200, 3200]);
  const equipment = (n) => [{ name: '扶梯', valid_to: day(n) }];
  await refused(/已过期/, town, 'venue', v.id, 'approve', { equipment: equipment(-1), drilled_on: day(-10) });
  const event = { name: '演唱会', venue: v.id, kind: 'concert', organiser: '某公司', head: '辛', starts: `${day(3)}T11:00:00Z`, ends: `${day(3)}T14:00:00Z`, expected: 3000 };
  const e = await rec(ent, 'event_permit', event);
  const scheme = { risks: [{ risk: '拥挤', level: 'high', measure: '分区' }], risk: 'high', posts: [{ post: '东门', people: 20, head: '壬' }], routes: '东进西出', scheme: [await pdf(ent)], certificates: [await pdf(ent)] };
  await done(ent, 'event_permit', e.id, 'assess', scheme);
  await refused(/核定开放/, dept, 'event_permit', e.id, 'permit', { approved: 3100 });
  await done(town, 'venue', v.id, 'approve', { equipment: equipment(100), drilled_on: day(-10) });
  assert.equal(await value('venue_valid_rate'), 100);
  assert.ok((await move(dept, 'event_permit', e.id, 'permit', { approved: 3300 })).status >= 400, 'more than the venue holds');
  assert.equal((await done(dept, 'event_permit', e.id, 'permit', { approved: 3100 })).staff, 20);
  await refused(/不合格项/, dept, 'event_permit', e.id, 'open', { checklist: [{ item: '舞台', bad: 1 }] });
  await done(dept, 'event_permit', e.id, 'open', { checklist: [{ item: '舞台', bad: 0 }], problems: [{ title: '西门灭火器缺失', place: '西门' }] });
  assert.equal((await all(town, 'hazard', `&where.origin=event_permit:${e.id}`)).length, 1);
  const counts = [{ at: `${day(3)}T11:00:00Z`, count: 2900 }, { at: `${day(3)}T11:30:00Z`, count: 3150, action: 'stop' }];
  const run = await done(ent, 'event_permit', e.id, 'count', { counts });
  assert.deepEqual([run.peak, run.over], [3150, true]);
  assert.deepEqual(await ids(town, 'event_permit', '&list=over'), [e.id]);
});

test('a ride opens only when it was checked today and its papers are in force', async () => {
  const [v] = await all(ent, 'venue');
  const r = await rec(ent, 'ride', { name: '玻璃滑道', venue: v.id, kind: 'slide', standard: '企业标准', inspected_to: day(100), insured_to: day(100), people: [{ name: '癸', certificate: 'C-1', valid_to: day(100) }], most: 10 });
  await refused(/当日检查/, ent, 'ride', r.id, 'check', { checks: [{ on: day(-1), by: '癸' }] });
  const open = await done(ent, 'ride', r.id, 'check', { checks: [{ on: day(), by: '癸' }] });
  assert.ok(open.deadline, 'tomorrow it is shut unless checked again');
  assert.equal((await done(town, 'ride', r.id, 'stop', { reason: '护栏松动' })).state, 'stopped');
  assert.equal((await move(ent, 'ride', r.id, 'resume', { reason: '已修' })).status, 403);
});
