// Hazardous chemicals: users and traders, the waybill from consignor to receiver, berths and tanks of the port.
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

test('a user balances its ledger, a trader without storage stores nothing', async () => {
  const goods = [{ name: '甲苯', kg: 200 }];
  const u = await rec(ent, 'chemical_user', { name: '化验室', kind: 'enterprise', address: '厂区', keeper: '甲、乙', goods, next_check: day(5) });
  const line = (i, o) => ({ on: day(), name: '甲苯', proof: 'GM-1', kg_in: i, kg_out: o, by: '甲' });
  await refused(ent, 'chemical_user', u.id, 'book', { ledger: [line(300, 0)] });
  assert.equal((await move(ent, 'chemical_user', u.id, 'book', { ledger: [line(100, 0), line(0, 120)] })).status, 400, 'more than came in');
  await done(ent, 'chemical_user', u.id, 'book', { ledger: [line(150, 0), line(0, 30)] });
  await refused(dept, 'chemical_user', u.id, 'check', { counted: 118, counted_on: day(), next_check: day(90) });
  assert.equal((await done(dept, 'chemical_user', u.id, 'differ', { counted: 118, problems: [{ title: '甲苯短少 2 kg' }] })).state, 'differs');
  assert.deepEqual(await opened('hazard', `chemical_user:${u.id}`), ['甲苯短少 2 kg']);
  assert.equal((await done(dept, 'chemical_user', u.id, 'check', { counted: 120, counted_on: day(), next_check: day(90) })).state, 'current');
  const t = await rec(dept, 'chemical_user', { name: '平台入驻商户', enterprise: firm.id, kind: 'trader', platform: '某能源交易平台', licence: 'JY-1', licence_to: day(60), address: '写字楼 3 层', goods, next_check: day(5) });
  await refused(ent, 'chemical_user', t.id, 'book', { ledger: [line(1, 0)] });
  await refused(dept, 'chemical_user', t.id, 'check', { address_ok: false, next_check: day(90) });
  await done(dept, 'chemical_user', t.id, 'check', { address_ok: true, next_check: day(90) });
  assert.ok((await all(bureau, 'chemical_user', '&list=traders')).some((x) => x.id === t.id));
});

test('nothing is loaded unless vehicle, tank, driver, escort and goods agree', async () => {
  const v = await rec(ent, 'vehicle_file', { plate: '澜A·W0001', enterprise: firm.id, kind: 'dangerous', model: '某牌', licence: 'YS-1', curb_t: 10, inspected_to: day(200) });
  const person = (name, idcard) => rec(ent, 'driver_file', { name, idcard, enterprise: firm.id, kind: 'dangerous', certificate: 'CY', valid_to: day(100) });
  const [driver, escort] = [await person('白某', '110101199003070337'), await person('黑某', '11010119900307109X')].map((x) => x.id);
  const order = { goods: '甲醇', un: '1230', tonnes: 28, receiver: '某厂', to: '邻县', carrier: '某运输 1 号证', scope_ok: true, vehicle: v.id, planned: at(60), arrive_by: at(600) };
  assert.equal((await ent.post('/api/v1/records/hazmat_waybill', { ...order, driver, escort: driver })).status, 400, 'the driver is not the escort');
  const w = await rec(ent, 'hazmat_waybill', { ...order, driver, escort });
  const load = async () => ({ label_ok: true, seal_ok: true, medium_ok: true, loaded_t: 27.5, photos: [await photo(ent)] });
  await refused(ent, 'hazmat_waybill', w.id, 'load', await load());
  await done(dept, 'vehicle_file', v.id, 'admit', { terminal: 'online', collision: true, medium: '甲醇', tank_to: day(100) });
  await refused(ent, 'hazmat_waybill', w.id, 'load', { ...await load(), loaded_t: 29 });
  assert.equal((await done(ent, 'hazmat_waybill', w.id, 'load', await load())).state, 'moving');
  await done(ent, 'hazmat_waybill', w.id, 'report', { events: [{ at: at(0), what: '服务区停留' }] });
  await refused(ent, 'hazmat_waybill', w.id, 'unload', { unloaded_t: 28, unload_ok: true });
  assert.equal((await done(ent, 'hazmat_waybill', w.id, 'unload', { unloaded_t: 27.4, unload_ok: true })).loss_t, 0.1);
  const x = await rec(ent, 'hazmat_waybill', { ...order, driver, escort });
  await done(ent, 'hazmat_waybill', x.id, 'refuse', { refusal: '阀门渗漏' });
  assert.deepEqual(await opened('hazard', `hazmat_waybill:${x.id}`), ['甲醇 不予装货']);
});

test('a tank of the port too near to people is a list; an operation names a berth of its own company', async () => {
  const t = await rec(ent, 'port_storage', { name: 'T-101', tank: true, position: here, goods: [{ name: '柴油', t: 4000 }, { name: '汽油', t: 1000 }], targets: [{ name: '学校', m: 180 }, { name: '村', m: 400 }], required: 200, permit_to: day(100), next_check: day(20) });
  assert.deepEqual([t.most, t.nearest, t.too_near], [5000, 180, true]);
  assert.ok((await all(bureau, 'port_storage', '&list=near')).some((x) => x.id === t.id));
  await done(dept, 'port_storage', t.id, 'check', { next_check: day(90), problems: [{ title: '围堰裂缝' }] });
  assert.deepEqual(await opened('hazard', `port_storage:${t.id}`), ['围堰裂缝']);
  const op = await rec(ent, 'port_operation', { cargo: '汽油', un: '1203', ship_name: '外轮', work: 'pipe', tonnes: 500, berth: 'T-101', storage: t.id, starts: at(60 * 30), ends: at(60 * 40), measures: '围油栏', leader: '值班长' });
  assert.equal(op.storage.id ?? op.storage, t.id);
});
