// Road, rail, waters: what lapsed or is not fitted does not go on, four parties answer for an overload, both sides close, every vessel confirms.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, duty, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const pdf = () => `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`;
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const file = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const photo = (who) => file(who, 'a.png', png);
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const hour = (n = 0) => new Date(Date.now() + n * 3600e3).toISOString();
// Counted in numerator and denominator beyond what the demo county has already.
const counted = async (name) => { const t = (await bureau.ok_get(`/api/v1/indicators/${name}`)).total; return [t.num ?? 0, t.den ?? 0]; };
const rates = ['vehicle_terminal_rate', 'vehicle_collision_rate', 'road_section_done_rate', 'junction_done_rate', 'overload_dealt_rate',
  'rail_problem_closed_rate', 'rail_transfer_rate', 'ship_equipped_rate', 'ship_terminal_rate', 'ship_returned_rate', 'water_facility_rate', 'helmet_worn_rate'];
const demo = {};
const rate = async (name) => (await counted(name)).map((n, i) => n - demo[name][i]);
const position = [118.9, 33.1];

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept, duty] = await Promise.all(['bureau', 'enterprise', 'town', 'department', 'duty'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  for (const name of rates) demo[name] = await counted(name);
});
after(() => s.stop());

let tanker;
test('a tank vehicle is let on the road with terminal, collision device and tank in force; a terminal switched off becomes a hazard', async () => {
  tanker = await rec(ent, 'vehicle_file', { plate: '澜A·D0001', enterprise: firm.id, kind: 'dangerous', model: '某牌 GYW', licence: 'YS-1', curb_t: 10, inspected_to: day(200) });
  const fitted = { terminal: 'online', medium: '苯', tank_to: day(100) };
  assert.equal((await move(ent, 'vehicle_file', tanker.id, 'admit', { ...fitted, collision: true })).status, 403, 'not by itself');
  assert.equal((await move(dept, 'vehicle_file', tanker.id, 'admit', fitted)).status, 409, 'no collision device');
  assert.deepEqual((await all(dept, 'vehicle_file', '&list=unfitted')).map((x) => x.id), [tanker.id]);
  assert.equal((await move(dept, 'vehicle_file', tanker.id, 'admit', { ...fitted, collision: true, tank_to: day(-1) })).status, 409, 'the tank has lapsed');
  assert.deepEqual(await rate('vehicle_collision_rate'), [0, 1]);
  await done(dept, 'vehicle_file', tanker.id, 'admit', { ...fitted, collision: true });
  assert.deepEqual([await rate('vehicle_collision_rate'), await rate('vehicle_terminal_rate')], [[1, 1], [1, 1]]);
  const told = await done(ent, 'vehicle_file', tanker.id, 'report', { terminal: 'closed', km: 2000, alarms: 5 });
  assert.equal(told.alarms_1000, 2.5);
  assert.equal((await ent.patch(`/api/v1/records/vehicle_file/${tanker.id}`, { tank_to: day(900), version: told.version })).status, 403, 'the company does not prolong its tank');
  assert.deepEqual(await rate('vehicle_terminal_rate'), [0, 1]);
  const [h] = await all(dept, 'hazard', `&where.origin=vehicle_file:${tanker.id}`);
  assert.equal(h.title, '澜A·D0001');
});

test('a mass above the certificate does not pass and becomes a case traced to the inspection station', async () => {
  const c = await rec(dept, 'vehicle_check', { title: '路面查验', vehicle: tanker.id, kind: 'road' });
  assert.equal((await move(dept, 'vehicle_check', c.id, 'pass', { curb_t: 12, brake: true })).status, 409);
  const r = await done(dept, 'vehicle_check', c.id, 'case', { curb_t: 12, station: '某检验站', photos: [await photo(dept)] });
  assert.equal(r.excess, 20);
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=vehicle_check:${c.id}`)).length, 1);
});

test('what is known of a driver is added after his consent; with 12 points he does not drive again', async () => {
  const d = await rec(ent, 'driver_file', { name: '白某', idcard: '110101199003070337', enterprise: firm.id, kind: 'dangerous', certificate: 'CY-1', valid_to: day(100) });
  const violations = [{ on: day(-3), what: '超速', points: 6 }, { on: day(-2), what: '疲劳驾驶', points: 6 }];
  assert.equal((await move(dept, 'driver_file', d.id, 'push', { violations })).status, 400, 'no consent');
  const r = await done(dept, 'driver_file', d.id, 'push', { violations, consent_on: day(-10) });
  assert.deepEqual([r.points, r.risk], [12, 12]);
  const tidy = (who) => who.patch(`/api/v1/records/driver_file/${d.id}`, { violations: violations.slice(1), version: r.version });
  assert.equal((await tidy(ent)).status, 403, 'the company does not tidy it');
  assert.ok((await tidy(dept)).status < 300, 'who entered it may correct it');
  const full = await ent.ok_get(`/api/v1/records/driver_file/${d.id}`);
  assert.equal(full.points, 6);
  await done(dept, 'driver_file', d.id, 'push', { violations });
  await done(ent, 'driver_file', d.id, 'ban', { reason: '记满 12 分' });
  assert.equal((await move(dept, 'driver_file', d.id, 'resume')).status, 409);
});

test('limit and rate of an overload are computed; four parties answer, one from elsewhere is notified home; the fourth in a year is a list', async () => {
  const base = { plate: '澜B·H0001', station: '城关站', body: 'train', axles: 6, source: '某砂石场' };
  const light = await dept.post('/api/v1/records/overload', { ...base, gross: 48, haulier: '外地车队' });
  assert.equal(light.status, 400, 'not over the limit');
  let last;
  for (let i = 0; i < 4; i++) {
    last = await rec(dept, 'overload', { ...base, gross: 98, haulier: '外地车队', ...(last && { earlier: last.id }) });
    if (i === 2) assert.equal((await all(dept, 'overload', '&list=often')).length, 0, 'three times');
  }
  assert.deepEqual([last.limit, last.over, last.rate, last.nth], [49, 49, 100, 4]);
  assert.deepEqual((await all(dept, 'overload', '&list=often')).map((x) => x.id), [last.id]);
  assert.equal((await dept.post('/api/v1/records/overload', { ...base, plate: '澜B·X9999', gross: 60, haulier: '另一家', earlier: last.id })).status, 400, 'another plate');
  const four = { for_vehicle: '卸载', for_driver: '记分', for_company: '罚款', for_source: '约谈' };
  assert.equal((await move(dept, 'overload', last.id, 'punish', four)).status, 409, 'not from here');
  assert.equal((await move(dept, 'overload', last.id, 'tell', { ...four, for_source: null, home: '某市交通局', told_on: day() })).status, 400, 'three parties');
  await done(dept, 'overload', last.id, 'tell', { ...four, home: '某市交通局', told_on: day() });
  await done(dept, 'overload', last.id, 'receipt', { receipt: '已收到' });
  const own = await rec(dept, 'overload', { ...base, plate: '澜A·H0002', body: 'truck', axles: 3, gross: 30, enterprise: firm.id });
  assert.equal(own.rate, 20);
  await done(dept, 'overload', own.id, 'punish', four);
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=overload:${own.id}`)).length, 1);
  assert.deepEqual(await rate('overload_dealt_rate'), [2, 5]);
});

test('a dangerous section is circulated, rectified, accepted by somebody else with a word to the public, and closed when accidents are fewer', async () => {
  const r = await rec(town, 'road_section', { name: '黄土岭急弯', position, class: 'county', faults: ['curve', 'cliff'], from_km: 3, to_km: 3.4, before: 4 });
  assert.equal(r.length, 0.4);
  assert.equal((await move(town, 'road_section', r.id, 'circulate', { responsible: '镇政府', due: day(60) })).status, 403);
  await done(dept, 'road_section', r.id, 'circulate', { responsible: '镇政府', due: day(60) });
  await done(town, 'road_section', r.id, 'finish', { items: [{ kind: 'guardrail', amount: '400 m' }], after_photos: [await photo(town)] });
  const word = { accepted_on: day(), prompt: '急弯已加护栏，请减速' };
  assert.equal((await move(dept, 'road_section', r.id, 'accept', word)).status, 409, 'the guardrail has no day');
  await done(dept, 'road_section', r.id, 'again', { reason: '补完成日期' });
  await done(town, 'road_section', r.id, 'finish', { items: [{ kind: 'guardrail', amount: '400 m', done_on: day() }] });
  await done(dept, 'road_section', r.id, 'accept', word);
  assert.deepEqual(await rate('road_section_done_rate'), [1, 1]);
  assert.equal((await move(dept, 'road_section', r.id, 'close', { after: 6 })).status, 409, 'more accidents');
  assert.equal((await done(dept, 'road_section', r.id, 'close', { after: 1 })).fewer, 3);
});

test('a junction is done with lamp and belt, and open again when one is broken; fog sets level and speed by what can be seen', async () => {
  const j = await rec(town, 'junction', { name: '石坪路口', position, kind: 'junction', lamp: 'good', belt: 'none' });
  const photos = [await photo(town)];
  assert.equal((await move(town, 'junction', j.id, 'finish', { photos })).status, 409);
  await done(town, 'junction', j.id, 'finish', { belt: 'good', photos });
  assert.deepEqual(await rate('junction_done_rate'), [1, 1]);
  await done(town, 'junction', j.id, 'damage', { lamp: 'broken', reason: '被撞' });
  assert.deepEqual(await rate('junction_done_rate'), [0, 1]);

  const fog = { road: '高速柳溪段', position, visibility: 80, level: 'two', speed: 40, board: '大雾限速 40' };
  assert.equal((await duty.post('/api/v1/records/fog_control', { ...fog, speed: 60 })).status, 400, 'too fast');
  assert.equal((await duty.post('/api/v1/records/fog_control', { ...fog, level: 'four' })).status, 400, 'not the level');
  const f = await rec(duty, 'fog_control', fog);
  const log = [{ at: hour(), visibility: 40, level: 'one', what: '封闭' }];
  await done(duty, 'fog_control', f.id, 'change', { visibility: 40, level: 'one', speed: 20, lane: 'closed', log });
  assert.equal((await move(duty, 'fog_control', f.id, 'end', { ended: hour(-5) })).status, 400, 'it would end before it starts');
  assert.equal((await done(duty, 'fog_control', f.id, 'end', { ended: hour(1) })).state, 'ended');
});

test('a line-side problem is closed by the town and the railway, not by one of them; a bridge is handed over to somebody', async () => {
  const p = await rec(town, 'rail_problem', { title: '彩钢瓦松动', line: '澜宁线', km: 12.3, kind: 'light', position, railway: '某工务段' });
  await done(dept, 'rail_problem', p.id, 'assign', { responsible: '镇政府', due: day(10) });
  assert.equal((await move(dept, 'rail_problem', p.id, 'local', { after_photos: [await photo(dept)] })).status, 403);
  await done(town, 'rail_problem', p.id, 'local', { after_photos: [await photo(town)] });
  assert.deepEqual(await rate('rail_problem_closed_rate'), [0, 1]);
  assert.equal((await move(dept, 'rail_problem', p.id, 'rail', { rail_by: '工长' })).status, 400, 'no paper of the railway');
  await done(dept, 'rail_problem', p.id, 'rail', { rail_by: '工长', rail_paper: [await file(dept, 'a.pdf', pdf())] });
  assert.deepEqual(await rate('rail_problem_closed_rate'), [1, 1]);

  const b = await rec(dept, 'rail_crossing', { name: '城北立交桥', kind: 'overpass', line: '澜宁线', km: 15, position, owner: '县交通局', facility: 'good', transfer: 'talking', checked_on: day() });
  const waiting = async () => (await all(dept, 'rail_crossing', '&list=transfer')).some((x) => x.id === b.id);
  assert.ok(await waiting());
  assert.equal((await move(dept, 'rail_crossing', b.id, 'transfer', { transfer: 'handed' })).status, 409, 'to whom');
  await done(dept, 'rail_crossing', b.id, 'transfer', { transfer: 'handed', handed_to: '某工务段' });
  assert.ok(!await waiting());
  assert.deepEqual(await rate('rail_transfer_rate'), [1, 1]);
});

let boat;
test('a vessel sails with survey, equipment and terminal; a recall ends when each has confirmed and everybody is ashore', async () => {
  const body = { owner: '林某', phone: '13900008001', hull: 'steel', port: '下坝码头', survey_to: day(100) };
  boat = await rec(town, 'ship', { ...body, name: '澜渔 001', kind: 'fishing', length: 15 });
  const equipment = (lacking) => [{ item: '救生衣', required: 6, lacking, valid_to: day(300) }];
  const on = { terminal: 'online', mmsi: '412000001' };
  assert.equal((await move(town, 'ship', boat.id, 'sail', { ...on, equipment: equipment(2) })).status, 409, 'two are lacking');
  assert.deepEqual(await rate('ship_equipped_rate'), [0, 1]);
  await done(town, 'ship', boat.id, 'sail', { ...on, equipment: equipment(0) });
  assert.deepEqual([await rate('ship_equipped_rate'), await rate('ship_terminal_rate')], [[1, 1], [1, 1]]);
  const ferry = await rec(town, 'ship', { ...body, name: '澜渡 002', kind: 'ferry', length: 11, load: 20, wind: 6 });
  await done(town, 'ship', ferry.id, 'sail', { equipment: equipment(0) });

  const r = await rec(dept, 'ship_recall', { title: '台风回港', cause: 'typhoon', fishing: true, by: hour(6), demand: '进港、人员上岸' });
  assert.equal((await move(dept, 'ship_recall', r.id, 'all')).status, 409);
  await done(dept, 'ship_recall', r.id, 'fishing');
  const [back, ...more] = await all(town, 'ship_return', '&list=open');
  assert.deepEqual([back.ship.id ?? back.ship, more.length], [boat.id, 0], 'the ferry is not a fishing vessel');
  assert.equal((await move(dept, 'ship_recall', r.id, 'end')).status, 409);
  assert.deepEqual(await rate('ship_returned_rate'), [0, 1]);
  const where = { where: 'port', place: '下坝码头', aboard: 5 };
  assert.equal((await move(town, 'ship_return', back.id, 'confirm', { ...where, ashore: 4 })).status, 409, 'one is on board');
  await done(town, 'ship_return', back.id, 'confirm', { ...where, ashore: 5 });
  assert.deepEqual(await rate('ship_returned_rate'), [1, 1]);
  await done(dept, 'ship_recall', r.id, 'end');
});

test('dangerous goods in port are declared 24 hours before and approved by the port authority; work on the water ends ashore', async () => {
  const body = { cargo: '甲醇', un: '1230', enterprise: firm.id, ship_name: '远洋 7', work: 'unload', tonnes: 3000, berth: '2 号泊位', measures: '围油栏、消防船待命', leader: '丁某' };
  assert.equal((await ent.post('/api/v1/records/port_operation', { ...body, starts: hour(10), ends: hour(20) })).status, 400, 'too late');
  const o = await rec(ent, 'port_operation', { ...body, starts: hour(30), ends: hour(40) });
  assert.equal((await move(ent, 'port_operation', o.id, 'start')).status, 409, 'not approved');
  assert.equal((await move(ent, 'port_operation', o.id, 'approve', { opinion: '同意' })).status, 403);
  await done(dept, 'port_operation', o.id, 'approve', { opinion: '同意' });
  await done(ent, 'port_operation', o.id, 'start');
  await done(dept, 'port_operation', o.id, 'check', { problems: [{ title: '软管未试压', place: '2 号泊位' }] });
  assert.equal((await all(dept, 'hazard', `&where.origin=port_operation:${o.id}`))[0].title, '软管未试压');
  await done(ent, 'port_operation', o.id, 'end');

  const w = await rec(town, 'water_works', { title: '水库清淤', unit: '某清淤队', kind: 'dredging', position, ships: [boat.id], people: 6, leader: '罗某', phone: '13900008002', starts: hour(1), ends: hour(9), wind: 6, visibility: 500, measures: '救生衣、警戒艇' });
  await done(town, 'water_works', w.id, 'start');
  await done(duty, 'water_works', w.id, 'stop', { reason: '大风黄色预警' });
  assert.equal((await move(town, 'water_works', w.id, 'ashore', { ashore: 5 })).status, 409);
  await done(town, 'water_works', w.id, 'ashore', { ashore: 6 });
});

test('an illegal vehicle is seized by two departments and watched for relapse; the lists are by kind', async () => {
  const c = await rec(town, 'illegal_transport', { title: '黑车揽客', kind: 'vehicle', plate: '澜A·Y0001', position, who: '某人' });
  await done(town, 'illegal_transport', c.id, 'verify', { findings: '无营运证载客' });
  const [a, b] = await all(dept, 'organisation');
  const seized = { seized_on: day(), seized: '车辆一台' };
  assert.equal((await move(dept, 'illegal_transport', c.id, 'seize', { ...seized, departments: [a.id] })).status, 409, 'one department');
  await done(dept, 'illegal_transport', c.id, 'seize', { ...seized, departments: [a.id, b.id] });
  assert.equal((await move(dept, 'illegal_transport', c.id, 'case')).status, 409, 'no registered company');
  await done(dept, 'illegal_transport', c.id, 'punish', { penalty: '罚款' });
  const back = await done(town, 'illegal_transport', c.id, 'relapse', { watched: [{ on: day(), found: '再次揽客' }], reason: '回潮' });
  assert.equal(back.state, 'verified');
  assert.deepEqual((await all(dept, 'illegal_transport', '&list=vehicles')).map((x) => x.plate), ['澜A·Y0001']);
  assert.equal((await all(dept, 'illegal_transport', '&list=stations')).length, 0);
});

test('a channel is closed when its depth is back; a broken aid counts until it is mended', async () => {
  const c = await rec(town, 'channel_damage', { title: '弃渣入河', channel: '澜河', position, kind: 'dumped', depth_due: 2.5, depth: 1.8, enterprise: firm.id });
  await done(dept, 'channel_damage', c.id, 'order', { order: '清除弃渣', due: day(20) });
  await done(dept, 'channel_damage', c.id, 'case');
  assert.equal((await move(dept, 'channel_damage', c.id, 'case')).status, 409, 'not twice');
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=channel_damage:${c.id}`)).length, 1);
  const after_photos = [await photo(dept)];
  assert.equal((await move(dept, 'channel_damage', c.id, 'close', { sounded: 2, after_photos })).status, 409);
  await done(dept, 'channel_damage', c.id, 'close', { sounded: 2.6, after_photos });

  const f = await rec(town, 'water_facility', { name: '3 号航标', kind: 'aid', port: '澜河', position, keeper: '航道站', status: 'good', next_check: day(30) });
  assert.deepEqual(await rate('water_facility_rate'), [1, 1]);
  await done(town, 'water_facility', f.id, 'fault', { status: 'broken' });
  assert.deepEqual(await rate('water_facility_rate'), [0, 1]);
  const repairs = [{ on: day(), what: '换灯器' }];
  assert.equal((await move(town, 'water_facility', f.id, 'mend', { repairs })).status, 409, 'it still says broken');
  await done(town, 'water_facility', f.id, 'mend', { status: 'good', repairs });
  assert.deepEqual(await rate('water_facility_rate'), [1, 1]);
});

test('helmets are counted: the rate is that of people, not of places', async () => {
  const body = { kind: 'helmet', on: day() };
  await rec(town, 'wear_survey', { ...body, place: '城关十字', sample: 90, worn: 81 });
  await rec(town, 'wear_survey', { ...body, place: '集市口', sample: 10, worn: 2 });
  await rec(town, 'wear_survey', { ...body, kind: 'belt', place: '集市口', sample: 50, worn: 50 });
  assert.equal((await town.post('/api/v1/records/wear_survey', { ...body, place: '桥头', sample: 5, worn: 6 })).status, 400);
  assert.deepEqual(await rate('helmet_worn_rate'), [83, 100]);
});
