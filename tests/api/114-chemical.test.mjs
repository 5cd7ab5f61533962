// Chemical plants, parks, fireworks, industry and illegal activity: what is not shown, too near or too much does not go on.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, firm, park, chlorine, missing;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const make = (who, type, body) => who.post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (status, why, ...a) => { const r = await move(...a); assert.equal(r.status, status, `${why}: ${r.text}`); };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const upload = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const file = (who) => upload(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const photo = (who) => upload(who, 'a.png', png);
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const time = (h) => new Date(Date.now() + h * 3600e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const square = { type: 'Polygon', coordinates: [[[118.9, 33.1], [118.92, 33.1], [118.92, 33.12], [118.9, 33.1]]] };

before(async () => {
  s = await Server.start();
  [bureau, ent, town] = await Promise.all(['bureau', 'enterprise', 'town'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  const manager = (await all(bureau, 'organisation'))[0].id;
  missing = await value('park_posts_missing');
  park = await rec(bureau, 'park', { name: '测试化工园区', kind: 'chemical', area: firm.area.code || firm.area, manager, ban: ['phosgenation'],
    staff: [{ post: '安全监管员', planned: 6, filled: 4, certified: 4 }], measures: [{ what: '建卡口', unit: '管委会', due: day(30), progress: 40 }, { what: '补消防水池', unit: '管委会', due: day(60), progress: 20 }] });
  chlorine = await rec(bureau, 'chemical', { name: '测试氯', cas: '7782-50-5', un: 1017, groups: ['toxic'], apart: ['flammable_gas'], critical_t: 5, source: 'GB 18218-2018 表1' });
});
after(() => s.stop());

test('a plant goes to its next stage when every item of this one is confirmed with proof; the exit disposes of what is left', async () => {
  const g = await rec(ent, 'stage_gate', { name: '氯化装置', enterprise: firm.id, park: park.id, products: [chlorine.id] });
  const items = await all(ent, 'gate_item', `&where.gate=${g.id}&list=open`);
  assert.equal(items.length, 2, 'siting has its items by itself');
  await refused(409, 'items are open', bureau, 'stage_gate', g.id, 'to_entry');
  await refused(403, 'an enterprise does not let itself go on', ent, 'stage_gate', g.id, 'to_entry');
  await refused(400, 'no proof', ent, 'gate_item', items[0].id, 'submit', { what: '已核对' });
  await done(ent, 'gate_item', items[0].id, 'submit', { what: '已核对', proof: [await file(ent)] });
  await done(bureau, 'gate_item', items[0].id, 'confirm');
  await done(bureau, 'gate_item', items[1].id, 'waive', { reason: '不涉及' });
  assert.equal((await done(bureau, 'stage_gate', g.id, 'to_entry')).state, 'entry');
  assert.equal((await all(ent, 'gate_item', `&where.gate=${g.id}&list=open`)).length, 2, 'and so has entry');
});

test('the criticality of a reaction follows from the order of its temperatures; 4 and 5 need measures', async () => {
  const grade = async (mtsr, mtt, td24) => (await rec(ent, 'reaction_assessment', { name: '硝化', enterprise: firm.id, tp: 60, rise: 250, tmr: 4, mtsr, mtt, td24 }));
  const got = [];
  for (const t of [[80, 100, 120], [80, 130, 110], [110, 100, 150], [140, 100, 120], [140, 160, 120], [140, 130, 120]]) got.push((await grade(...t)).criticality);
  assert.deepEqual(got, [1, 2, 3, 4, 5, 5]);
  assert.equal((await rec(ent, 'reaction_assessment', { name: '未测', enterprise: firm.id })).criticality, 0, 'no figures, no grade');
  const cold = await make(ent, 'reaction_assessment', { name: '错', enterprise: firm.id, tp: 90, mtsr: 80 });
  assert.equal(cold.status, 400);
  const four = (await all(ent, 'reaction_assessment', '&list=high')).find((x) => x.criticality === 4);
  assert.deepEqual([four.severity, four.likelihood], [3, 3]);
  const body = { assessor: '某评估中心', assessed: day(-3), report: [await file(ent)] };
  await refused(409, 'no measures', ent, 'reaction_assessment', four.id, 'submit', body);
  await done(ent, 'reaction_assessment', four.id, 'submit', { ...body, measures: [{ title: '增设紧急冷却' }] });
  await done(bureau, 'reaction_assessment', four.id, 'pass', { note: '同意', review_on: day(900), lacking: [{ title: '紧急冷却未投用' }] });
  assert.equal((await all(bureau, 'hazard', `&where.origin=reaction_assessment:${four.id}`))[0].title, '紧急冷却未投用');
  assert.equal(Math.round(await value('reaction_assessed_rate') * 7), 100, 'one of seven');
});

test('a reading over the threshold is a leak until a test after the repair is below it', async () => {
  const p = await rec(ent, 'leak_point', { tag: 'V-101', enterprise: firm.id, kind: 'valve', unit: '氯化工段', chemical: chlorine.id, limit: 2000 });
  const t = { tested: day(-1), tester: '检测员', next_on: day(90) };
  await refused(409, 'over the threshold is no pass', ent, 'leak_point', p.id, 'pass', { ...t, reading: 2600 });
  assert.equal((await done(ent, 'leak_point', p.id, 'leak', { tested: day(-1), tester: '检测员', reading: 2600 })).leaks, 1);
  assert.equal(await value('leak_rate'), 100);
  assert.deepEqual((await all(town, 'leak_point', '&list=leaking')).map((x) => x.tag), ['V-101']);
  await refused(409, 'tested before the repair', ent, 'leak_point', p.id, 'retest', { repair: '换填料', repaired_on: day(), tested: day(-1), reading: 40, next_on: day(90) });
  await done(ent, 'leak_point', p.id, 'retest', { repair: '换填料', repaired_on: day(), tested: day(), reading: 40, next_on: day(90) });
  assert.equal(await value('leak_rate'), 0);
});

test('less on site is counted against the threshold quantity; an enterprise that moves says where', async () => {
  const inst = (await all(bureau, 'installation'))[0];
  const c = await rec(bureau, 'inventory_cut', { name: '液氯储罐', installation: inst.id, chemical: chlorine.id, kind: 'storage', baseline_t: 40, target_t: 20, now_t: 30, route: '减少罐容', due: day(100) });
  assert.deepEqual([c.cut_t, c.cut_rate, c.less_s], [10, 25, 2]);
  assert.equal(await value('inventory_cut_rate'), 25);
  const a = await rec(bureau, 'chemical_adjust', { name: '城区搬迁', enterprise: firm.id, urban: true, why: '距居民区近', mode: 'move', due: day(200), capacity_t: 1000 });
  const end = { proof: [await file(town)], capacity_after_t: 800 };
  await refused(409, 'no destination', town, 'chemical_adjust', a.id, 'finish', end);
  const at = await town.ok_patch(`/api/v1/records/chemical_adjust/${a.id}`, { destination: park.id, version: a.version });
  assert.equal(at.destination.id ?? at.destination, park.id);
  await done(town, 'chemical_adjust', a.id, 'finish', end);
  await done(bureau, 'chemical_adjust', a.id, 'accept');
  assert.equal(await value('adjust_done_rate'), 100);
});

test('a hydrogen station runs with a licence and an inspection in force and points; what stands too near stops it', async () => {
  const h = await rec(ent, 'hydrogen_station', { name: '一号加氢站', enterprise: firm.id, position: [118.9, 33.1], storage_kg: 500, pressure: 45 });
  const plan = await rec(ent, 'emergency_plan', { title: '加氢站预案', enterprise: firm.id });
  const papers = { licence: 'JQ-1', licence_to: day(300), inspected_to: day(100), emergency_plan: plan.id, distances: [{ target: '居民楼', required_m: 30, actual_m: 42, kept: true }] };
  await refused(409, 'no points', bureau, 'hydrogen_station', h.id, 'run', papers);
  const points = (await all(bureau, 'point', `&where.enterprise=${firm.id}`)).slice(0, 1).map((x) => x.id);
  await refused(409, 'the inspection has lapsed', bureau, 'hydrogen_station', h.id, 'run', { ...papers, points, inspected_to: day(-1) });
  await done(bureau, 'hydrogen_station', h.id, 'run', { ...papers, points });
  assert.equal((await done(bureau, 'hydrogen_station', h.id, 'near', { too_near: [{ title: '加油岛间距不足' }] })).state, 'stopped');
  assert.equal((await all(town, 'hazard', `&where.origin=hydrogen_station:${h.id}`)).length, 1);
});

test('a park: class by points and experts, a banned process stays out, a hazardous vehicle needs papers, route and parking', async () => {
  assert.deepEqual([park.gap, park.progress], [2, 30]);
  assert.equal(await value('park_posts_missing'), missing + 2);
  const items = (got) => [{ group: '规划', item: '外部防护距离', points: 50, got: got / 2 }, { group: '应急', item: '消防', points: 50, got: got / 2 }];
  const g = await rec(bureau, 'park_grade', { park: park.id });
  const sent = await done(bureau, 'park_grade', g.id, 'submit', { items: items(66), evidence: [await file(bureau)] });
  assert.deepEqual([sent.score, sent.class, sent.reached], [66, 'b', false]);
  const experts = [1, 2, 3].map((n) => ({ name: `专家${n}`, opinion: '同意' }));
  await refused(409, 'class B without tasks', bureau, 'park_grade', g.id, 'grade', { experts });
  const end = await done(bureau, 'park_grade', g.id, 'grade', { items: items(72), experts });
  assert.equal(end.class, 'c');
  assert.equal(await value('park_class_rate'), 100);
  const project = (process, distance_m) => rec(bureau, 'park_project', { name: '新项目', park: park.id, enterprise: firm.id, process, distance_m, required_m: 500 });
  for (const [p, d] of [['phosgenation', 900], ['nitration', 300]]) await refused(409, `${p} at ${d} m`, bureau, 'park_project', (await project(p, d)).id, 'admit', { opinion: '不符合' });
  await done(bureau, 'park_project', (await project('nitration', 900)).id, 'admit', { opinion: '符合' });
  const visit = { park: park.id, enterprise: firm.id, title: '苏A12345', kind: 'hazmat', from: time(1), to: time(3), chemical: chlorine.id };
  assert.equal((await make(ent, 'park_entry', visit)).status, 400, 'papers');
  const e = await rec(ent, 'park_entry', { ...visit, papers_to: day(30) });
  await refused(409, 'no route', town, 'park_entry', e.id, 'enter');
  await done(town, 'park_entry', e.id, 'enter', { route: '南门—2 号路', parking: 'P3' });
  assert.deepEqual((await all(town, 'park_entry', '&list=inside')).map((x) => x.title), ['苏A12345']);
});

test('fireworks: no outlet beyond the quota or too near; deliveries only to a licence in force; too much in the warehouse is a hazard', async () => {
  const quota = await rec(bureau, 'fireworks_quota', { name: '春节布点', area: firm.area.code || firm.area, from: day(-1), to: day(200), allowed: 1 });
  const outlet = { name: '一号点', owner: '周某某', position: [118.9, 33.1], address: '前街', quota: quota.id, seat: 1, key_m: 80, next_m: 60, max_kg: 100, enterprise: firm.id };
  assert.equal((await make(town, 'fireworks_outlet', { ...outlet, seat: 2 })).status, 400, 'beyond the number');
  const near = await rec(town, 'fireworks_outlet', outlet);
  await refused(409, 'too near', bureau, 'fireworks_outlet', near.id, 'license', { licence: 'LS-1', licence_to: day(100) });
  assert.ok((await make(town, 'fireworks_outlet', { ...outlet, name: '二号点' })).status >= 400, 'the place is taken');
  await town.ok_patch(`/api/v1/records/fireworks_outlet/${near.id}`, { key_m: 160, version: near.version });
  const store = await rec(ent, 'fireworks_store', { name: '1 号库', enterprise: firm.id, limit_kg: 1000, licence: 'PF-1', licence_to: day(300), stock: [{ product: '爆竹', boxes: 10, kg: 1200 }] });
  assert.equal(store.over, true);
  assert.equal((await all(town, 'hazard', `&where.origin=fireworks_store:${store.id}`)).length, 1);
  const goods = [{ product: '爆竹', code: 'LX-1', boxes: 4, kg: 40 }];
  const order = { store: store.id, outlet: near.id, vehicle: '苏B00001', goods };
  await done(bureau, 'fireworks_outlet', near.id, 'license', { licence: 'LS-1', licence_to: day(100) });
  assert.equal((await make(ent, 'fireworks_delivery', { ...order, goods: [{ ...goods[0], kg: 140 }] })).status, 400, 'more than the outlet may hold');
  const d = await rec(ent, 'fireworks_delivery', order);
  await refused(409, 'one box is missing', ent, 'fireworks_delivery', d.id, 'receive', { received: 3 });
  await done(ent, 'fireworks_delivery', d.id, 'short', { received: 3, reason: '少一箱' });
  assert.equal((await all(bureau, 'illegal_clue', `&where.origin=fireworks_delivery:${d.id}`))[0].kind, 'fireworks_move');
  await done(bureau, 'fireworks_outlet', near.id, 'mark', { marks: [{ what: '超量存放', on: day(), points: 7 }] });
  await refused(409, 'five points left', bureau, 'fireworks_outlet', near.id, 'renew', { licence_to: day(150) });
  const zone = await rec(bureau, 'discharge_zone', { name: '老城区', kind: 'ban', area: quota.area.code || quota.area, outline: square, bounds: '环城路以内', basis: '通告 1 号', from: day() });
  await done(bureau, 'discharge_zone', zone.id, 'enact');
  await done(town, 'discharge_zone', zone.id, 'breach', { seen: '北门有人燃放' });
  assert.equal((await all(bureau, 'illegal_clue', `&where.origin=discharge_zone:${zone.id}`))[0].kind, 'discharge');
});

test('an illegal works: a crime goes to the police before the ban, what starts again is banned again, it is closed after a visit', async () => {
  const c = await rec(town, 'illegal_clue', { title: '村后小化工', kind: 'small_chemical', source: 'power', area: firm.area.code || firm.area });
  assert.equal((await ent.get(`/api/v1/records/illegal_clue/${c.id}`)).status, 404);
  await done(town, 'illegal_clue', c.id, 'verify', { found: '私设反应釜', photos: [await photo(town)], crime: true, firm: firm.id });
  const ban = { measure: '断电、查封', recheck_on: day(10), seized: [{ what: '硝基苯', quantity: 2, unit: '桶', kg: 400 }] };
  await refused(409, 'not handed over', town, 'illegal_clue', c.id, 'ban', ban);
  assert.deepEqual((await all(town, 'illegal_clue', '&list=unhanded')).map((x) => x.id), [c.id]);
  await done(bureau, 'illegal_clue', c.id, 'hand', { police: '县公安局', handed_on: day(), receipt: [await file(bureau)] });
  await done(bureau, 'illegal_clue', c.id, 'file');
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=illegal_clue:${c.id}`)).length, 1);
  assert.equal((await done(town, 'illegal_clue', c.id, 'ban', ban)).seized_kg, 400);
  await refused(409, 'nobody has been there again', bureau, 'illegal_clue', c.id, 'close');
  const seen = { again: '设备又在', again_photos: [await photo(town)] };
  assert.equal((await done(town, 'illegal_clue', c.id, 'relapse', seen)).relapses, 1);
  assert.equal(await value('illegal_relapse_rate'), 100);
  await done(town, 'illegal_clue', c.id, 'ban', ban);
  await done(town, 'illegal_clue', c.id, 'clean', { ...seen, again: '已拆除', recheck_on: day(30) });
  assert.equal((await done(bureau, 'illegal_clue', c.id, 'close')).state, 'closed');
});

test('industry: what fails of the 4 or 6 items becomes hazards; level 2 needs the certificate', async () => {
  const place = (kind, more = {}) => rec(ent, 'key_place', { name: `${kind} 场所`, enterprise: firm.id, kind, persons: 12, allowed: 9, risk: 'orange', responsible: '李某', ...more });
  const dust = await place('dust');
  assert.equal(dust.over, true);
  assert.equal(await value('places_over'), 1);
  assert.equal((await make(ent, 'key_place', { name: '污水罐', enterprise: firm.id, kind: 'env', persons: 1, risk: 'orange', responsible: '李某' })).status, 400, 'who designed it');
  const { fields } = await bureau.ok_get('/api/v1/types/key_check');
  const items = (name) => fields.find((f) => f.name === name).items.length;
  assert.deepEqual([items('confined_failed'), items('dust_failed')], [4, 6]);
  const k = await rec(town, 'key_check', { place: dust.id });
  assert.equal(k.kind, 'dust');
  const photos = [await photo(town)];
  await refused(409, 'failed without a problem', town, 'key_check', k.id, 'finish', { dust_failed: ['relief', 'cleaning'], photos });
  const f = await done(town, 'key_check', k.id, 'finish', { dust_failed: ['relief', 'cleaning'], problems: [{ title: '除尘器无泄爆' }], photos });
  assert.equal(f.failed, 2);
  assert.equal((await all(town, 'hazard', `&where.origin=key_check:${k.id}`))[0].title, '除尘器无泄爆');
  await done(bureau, 'key_check', k.id, 'file');
  assert.equal(await value('key_check_passed_rate'), 0);
  const plan = await rec(bureau, 'standard_plan', { enterprise: firm.id, year: 2026, turnover: 150000000, target: 'two', due: day(100) });
  assert.equal(plan.big, true);
  const st = await rec(ent, 'standardisation', { enterprise: firm.id, target: 'two' });
  await refused(409, 'no certificate yet', bureau, 'standard_plan', plan.id, 'reach', { result: st.id });
  assert.equal(await value('level2_rate'), 0);
});
