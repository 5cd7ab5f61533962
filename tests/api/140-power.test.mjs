// Power: key works are monitored before they begin, nodes are released one by one, orders come back with what was shed, plants of others
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const send = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const file = (who) => send(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const photo = (who) => send(who, 'a.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const opened = async (type, from) => (await all(bureau, type, `&where.origin=${from}`)).map((x) => x.title);
const here = [118.9, 33.1];

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept] = await Promise.all(['bureau', 'enterprise', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('key works begin when they are monitored, and a node is released when no condition is open', async () => {
  const camera = await rec(ent, 'camera', { name: '塔吊球机', part: 'other', position: here });
  const base = await value('power_works_monitored_rate');
  const p = await rec(ent, 'power_project', { name: '110 kV 变电站', kind: 'key_works', position: here, due: day(200), voltage_kv: 110 });
  const was = await value('power_works_monitored_rate');
  assert.ok(was < 100, `${base} ${was}`);
  assert.ok((await all(bureau, 'power_project', '&list=dark')).some((x) => x.id === p.id));
  await refused(ent, 'power_project', p.id, 'begin', {});
  await done(ent, 'power_project', p.id, 'begin', { cameras: [camera.id], risks: [{ what: '深基坑坍塌', consequence: 'collapse', level: 'red', control: '监测、支护' }], nodes: [{ name: '主变吊装', due: day(20) }] });
  assert.ok(await value('power_works_monitored_rate') > was);
  const [node] = await all(ent, 'power_node', `&where.project=${p.id}`);
  await done(ent, 'power_node', node.id, 'show', { conditions: [{ what: '吊车检验', open: 0 }, { what: '专项方案', open: 1 }] });
  await refused(dept, 'power_node', node.id, 'release');
  assert.equal((await move(ent, 'power_node', node.id, 'release')).status, 403, 'who builds does not release');
  await done(dept, 'power_node', node.id, 'refuse', { reason: '方案未论证' });
  await done(ent, 'power_project', p.id, 'report', { progress: 100 });
  await refused(ent, 'power_project', p.id, 'finish');
  await done(ent, 'power_node', node.id, 'show', { conditions: [{ what: '吊车检验', open: 0 }, { what: '专项方案', open: 0 }] });
  assert.equal((await done(dept, 'power_node', node.id, 'release')).state, 'released');
  assert.equal((await done(ent, 'power_project', p.id, 'finish')).state, 'accepting');
});

test('ammonia is gone before the project ends, storage has measures against thermal runaway', async () => {
  const a = await rec(ent, 'power_project', { name: '尿素替代液氨', kind: 'ammonia', position: here, due: day(90), replaced_by: '尿素水解', tanks: [{ name: 'A1', m3: 50, tonnes: 26.5 }, { name: 'A2', m3: 50, tonnes: 26.5 }] });
  assert.equal(a.ammonia_t, 53);
  await done(ent, 'power_project', a.id, 'begin');
  await done(ent, 'power_project', a.id, 'report', { progress: 100 });
  await refused(ent, 'power_project', a.id, 'finish');
  await done(ent, 'power_project', a.id, 'finish', { emptied_on: day() });
  assert.equal((await done(dept, 'power_project', a.id, 'accept', { accepted_on: day(), papers: [await file(dept)] })).state, 'running');

  const point = (await all(ent, 'point'))[0];
  const e = await rec(ent, 'power_project', { name: '100 MWh 储能', kind: 'storage', position: here, due: day(90), energy_mwh: 100, chemistry: '磷酸铁锂' });
  await done(ent, 'power_project', e.id, 'begin', { risks: [{ what: '热失控', consequence: 'fire', level: 'red', control: '簇级探测' }] });
  await done(ent, 'power_project', e.id, 'report', { progress: 100 });
  await done(ent, 'power_project', e.id, 'finish');
  const papers = { accepted_on: day(), papers: [await file(dept)] };
  await refused(dept, 'power_project', e.id, 'accept', papers);
  await done(dept, 'power_project', e.id, 'back', { reason: '缺测点和热失控措施' });
  await done(ent, 'power_project', e.id, 'report', { progress: 100, points: [point.id] });
  await done(ent, 'power_project', e.id, 'finish', { runaway: '可燃气体探测、断电、泄爆、细水雾、24 小时复燃监视' });
  assert.equal((await done(dept, 'power_project', e.id, 'accept', papers)).monitored, true);
});

test('an overloaded transformer is listed until its load is below 80 %', async () => {
  const t = await rec(dept, 'power_asset', { name: '桥南 2 号公变', kind: 'transformer', area: firm.area, keeper: '供电所', capacity: 400, load: 420, due: day(60) });
  assert.deepEqual([t.load_rate, t.level], [105, 'red']);
  assert.ok((await all(bureau, 'power_asset', '&list=over')).some((x) => x.id === t.id));
  const photos = [await photo(dept)];
  await refused(dept, 'power_asset', t.id, 'close', { measure: '轮换', photos });
  const r = await done(dept, 'power_asset', t.id, 'close', { measure: '增容', capacity: 630, photos });
  assert.deepEqual([r.state, r.load_rate, r.level], ['done', 66.7, 'blue']);
});

test('an order goes to each party; what was shed in fact is compared with what was asked', async () => {
  const t = await rec(dept, 'power_task', { title: '迎峰度夏', kind: 'shortage', period: 'once', area: firm.area, level: 'orange', starts: at(600), ends: at(6000), analysis: '缺口 30 MW', gap_mw: 30 });
  const parties = [{ enterprise: firm.id, kind: 'orderly', what: '错峰', kw: 500 }];
  await refused(dept, 'power_task', t.id, 'issue', { parties });
  await done(dept, 'power_task', t.id, 'issue', { parties, contacts: [{ tier: 1, unit: '县供电公司', name: '调度', phone: '13800000000' }] });
  const [o] = await all(ent, 'power_order', `&where.task=${t.id}`);
  assert.equal(o.asked_kw, 500);
  await done(ent, 'power_order', o.id, 'receive');
  await refused(ent, 'power_order', o.id, 'answer', { done: '二线停机' });
  await refused(dept, 'power_task', t.id, 'close', { review: '平稳' });
  const short = await done(ent, 'power_order', o.id, 'answer', { done: '二线停机', shed_kw: 300 });
  assert.deepEqual([short.in_time, short.met], [true, false]);
  assert.deepEqual((await all(bureau, 'power_order', '&list=short')).map((x) => x.id), [o.id]);
  await done(dept, 'power_order', o.id, 'back', { reason: '不到位' });
  assert.equal((await done(ent, 'power_order', o.id, 'answer', { done: '二线、三线停机', shed_kw: 520 })).met, true);
  await done(dept, 'power_order', o.id, 'accept');
  assert.equal((await done(dept, 'power_task', t.id, 'close', { review: '平稳' })).state, 'closed');
});

test('a plant supervised above counts in no rate; what a check finds becomes a hazard', async () => {
  const plant = (name, more) => rec(dept, 'power_plant', { name, enterprise: firm.id, kind: 'coal', power_mw: 300, next_check: day(10), ...more });
  const own = await plant('本地热电', {});
  const other = await plant('直管电厂', { excluded: true, excluded_why: '省级直管（示例）' });
  assert.ok(!(await all(bureau, 'power_plant', '&list=unrated')).some((x) => x.id === other.id));
  assert.ok((await all(bureau, 'power_plant', '&list=unrated')).some((x) => x.id === own.id));
  const gap = await bureau.ok_get('/api/v1/indicators/power_plant_checked_rate');
  assert.equal(gap.total.value, 100);
  await done(dept, 'power_plant', own.id, 'check', { checks: [{ on: day(), by: '能源局', found: 1 }], problems: [{ title: '煤仓测温缺失' }], next_check: day(180) });
  assert.deepEqual(await opened('hazard', `power_plant:${own.id}`), ['煤仓测温缺失']);
});

test('a control system is under control only with all four separations and an assessment in force', async () => {
  const sys = await rec(ent, 'power_system', { name: '厂站监控', grade: 3, assess_due: day(5) });
  const papers = { assessed_on: day(-1), assessor: '测评机构', assess_due: day(364), checked_on: day(-1), report: [await file(ent)], zones: true, network: true, sideways: true };
  await refused(ent, 'power_system', sys.id, 'assess', papers);
  assert.equal((await done(ent, 'power_system', sys.id, 'assess', { ...papers, upwards: true })).isolated, true);
  const rate = await value('power_system_sound_rate');
  await done(dept, 'power_system', sys.id, 'problem', { finding: '纵向加密装置旁路' });
  assert.ok(await value('power_system_sound_rate') < rate);
  assert.deepEqual(await opened('hazard', `power_system:${sys.id}`), ['纵向加密装置旁路']);
});

test('people of the power safety month are added up by enterprise', async () => {
  await rec(ent, 'culture_activity', { theme: '电力安全月开放日', kind: 'power_month', on: day(), audience: 120 });
  await rec(ent, 'culture_activity', { theme: '班组讲堂', on: day(), audience: 30 });
  assert.equal(await value('power_month_people'), 120);
});
