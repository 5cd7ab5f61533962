// Registers of sectors: what is not inspected, certified, balanced or guarded does not go on; what is found becomes a hazard or a case.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const lacks = async (...a) => assert.equal((await move(...a)).status, 400, a[3]);
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

test('special equipment is used while its inspection, its people and the care of a lift are in force; a rescue is timed', async () => {
  const lift = await rec(ent, 'special_equipment', { name: '综合楼 1 号梯', kind: 'lift', code: 'T-0001' });
  const papers = { registration: '梯11', inspected_on: day(-1), next_inspection: day(300), maintainer: '某维保' };
  await refused(ent, 'special_equipment', lift.id, 'use', { ...papers, maintained_to: day(-1) });
  await done(ent, 'special_equipment', lift.id, 'use', { ...papers, maintained_to: day(10) });
  const crane = await rec(ent, 'special_equipment', { name: '行车', kind: 'crane', code: 'Q-0001' });
  const use = (to) => move(ent, 'special_equipment', crane.id, 'use', { registration: '起12', inspected_on: day(-1), next_inspection: day(300), operators: [{ name: '司机', certificate: 'Q2-1', valid_to: to }] });
  assert.equal((await use(day(-1))).status, 409, 'a certificate that has lapsed');
  assert.ok((await use(day(100))).status < 300);
  assert.equal(await value('special_inspected_rate'), 100);
  await done(town, 'special_equipment', crane.id, 'halt', { reason: '限位失灵' });
  assert.equal(await value('special_inspected_rate'), 50);
  await done(town, 'special_equipment', crane.id, 'problem', { finding: '限位开关失灵' });
  assert.deepEqual(await opened('hazard', `special_equipment:${crane.id}`), ['限位开关失灵']);

  const wrong = await ent.post('/api/v1/records/lift_rescue', { title: '困人', lift: crane.id, people: 1 });
  assert.equal(wrong.status, 400, 'a crane traps nobody');
  const rescue = async (minutes) => {
    const r = await rec(ent, 'lift_rescue', { title: `${minutes} 分钟`, lift: lift.id, people: 2, called: at(-90) });
    await done(ent, 'lift_rescue', r.id, 'arrive', { arrived: at(minutes - 90) });
    return done(ent, 'lift_rescue', r.id, 'free', { freed: at(minutes - 80) });
  };
  assert.deepEqual([(await rescue(20)).in_time, (await rescue(45)).arrive_min], [true, 45]);
  assert.equal(await value('rescue_in_time_rate'), 50);
  assert.deepEqual((await all(bureau, 'lift_rescue', '&list=late')).map((x) => x.title), ['45 分钟']);
});

test('a restaurant without a working gas alarm is not safe; refusal, danger and cut-off are states of their own', async () => {
  const user = (name, kind) => rec(ent, 'gas_user', { name, kind, supply: 'cylinder', visit_due: day(30), area: firm.area });
  const shop = await user('老街面馆', 'restaurant');
  const visit = async () => ({ visited_on: day(), visit_due: day(180), photos: [await photo(ent)] });
  await refused(ent, 'gas_user', shop.id, 'safe', await visit());
  assert.deepEqual((await all(town, 'gas_user', '&list=alarms')).map((x) => x.id), [shop.id]);
  await done(ent, 'gas_user', shop.id, 'danger', { visited_on: day(), photos: [await photo(ent)], finding: '无报警装置' });
  await done(ent, 'gas_user', shop.id, 'cut', { finding: '无报警装置，停气' });
  assert.equal(await value('gas_alarm_rate'), 0);
  await done(ent, 'gas_user', shop.id, 'safe', { ...await visit(), alarm: true, alarm_online: true });
  assert.equal(await value('gas_alarm_rate'), 100);
  const home = await user('北街 3 号', 'household');
  assert.equal((await done(ent, 'gas_user', home.id, 'refuse', { finding: '三次到访无人' })).state, 'refused');
  assert.equal(await value('gas_visited_rate'), 50);
  assert.equal((await done(ent, 'gas_user', home.id, 'safe', await visit())).state, 'served');
  assert.equal((await done(ent, 'gas_user', home.id, 'pipe', { photos: [await photo(ent)] })).supply, 'pipe');
  await refused(ent, 'gas_user', home.id, 'pipe', { photos: [await photo(ent)] });
});

test('an own supply is ready when it is large enough and was tried', async () => {
  const u = await rec(ent, 'power_user', { name: '循环水泵', grade: 'first', feeders: 1, load_kw: 100, own_kw: 110, test_due: day(5) });
  assert.equal(u.enough, false);
  const trial = { tested_on: day(), test_due: day(90), start_s: 12 };
  await refused(ent, 'power_user', u.id, 'try', trial);
  await done(ent, 'power_user', u.id, 'fail', { finding: '启动电池亏电' });
  assert.equal((await done(ent, 'power_user', u.id, 'try', { ...trial, own_kw: 120 })).state, 'ready');
  assert.ok((await all(bureau, 'power_user', '&list=weak')).some((x) => x.id === u.id), 'one feeder only');
});

test('the three rates of farm machines come from the register; a machine is scrapped when dismantled and its plate is cancelled', async () => {
  const machine = (name, more) => rec(town, 'farm_machine', { name, kind: 'tractor', owner: '孙某某', area: firm.area, ...more });
  const a = await machine('东方红 504', { drivers: [{ name: '孙某某', licence: 'J-1', valid_to: day(500) }, { name: '孙小某' }] });
  const b = await machine('雷沃谷神', {});
  assert.deepEqual([await value('farm_plated_rate'), await value('farm_licensed_rate')], [0, 50]);
  const papers = { plate: '鲁01-00001', inspected_on: day(-1), inspected_to: day(364), inspector: '韩某 NJ-7' };
  const r = await move(dept, 'farm_machine', a.id, 'inspect', papers);
  assert.ok(r.status < 300, r.text);
  assert.deepEqual([await value('farm_plated_rate'), await value('farm_inspected_rate')], [50, 50]);
  await refused(town, 'farm_machine', a.id, 'problem', { finding: '灯光不全' });
  await done(town, 'farm_machine', b.id, 'apply', { photos: [await photo(town)] });
  await lacks(dept, 'farm_machine', b.id, 'scrap', { dismantled_on: day() });
  assert.equal((await done(dept, 'farm_machine', b.id, 'scrap', { dismantled_on: day(), cancelled_on: day(), subsidy: 6000 })).state, 'scrapped');
  assert.equal(await value('farm_plated_rate'), 100);
});

test('explosives never leave more than is there, and a blast that does not balance is a case', async () => {
  const line = (more) => ({ on: day(), paper: 'GM-1', kg_in: 0, kg_out: 0, det_in: 0, det_out: 0, by: '甲、乙', ...more });
  const store = await rec(ent, 'explosive_store', { name: '1 号库', permit: 'BP-1', permit_to: day(300), limit_kg: 500, limit_det: 1000 });
  const book = (ledger) => move(ent, 'explosive_store', store.id, 'book', { ledger });
  assert.equal((await book([line({ kg_in: 600 })])).status, 400, 'above what was approved');
  assert.ok((await book([line({ kg_in: 300, det_in: 200 })])).status < 300);
  assert.equal((await book([line({ kg_in: 300 }), line({ kg_out: 400 })])).status, 400, 'more than is there');
  await refused(ent, 'explosive_store', store.id, 'count', { counted_on: day(), counted_kg: 299, counted_det: 200 });
  await done(ent, 'explosive_store', store.id, 'count', { counted_on: day(), counted_kg: 300, counted_det: 200 });
  const people = (to) => [{ name: '爆破员', post: '爆破', certificate: 'B-1', valid_to: to }];
  const plan = (to) => rec(ent, 'blast_job', { name: '采场 3 号台阶', store: store.id, position: here, starts: at(300), guard_m: 300, plan_kg: 120, people: people(to) });
  await refused(dept, 'blast_job', (await plan(day(-1))).id, 'approve');
  const job = await plan(day(90));
  await done(dept, 'blast_job', job.id, 'approve');
  await refused(ent, 'blast_job', job.id, 'issue', { kg: 130, det: 20 });
  await done(ent, 'blast_job', job.id, 'issue', { kg: 100, det: 20 });
  const balance = { used_kg: 90, used_det: 18, back_kg: 10, back_det: 1 };
  await refused(ent, 'blast_job', job.id, 'settle', { ...balance, photos: [await photo(ent)] });
  const missing = await done(ent, 'blast_job', job.id, 'miss', { ...balance, finding: '雷管短少一发' });
  assert.deepEqual([missing.state, missing.missing_det], ['missing', 1]);
  assert.deepEqual(await opened('enforcement_case', `blast_job:${job.id}`), ['雷管短少一发']);
  assert.equal((await town.get(`/api/v1/records/explosive_store/${store.id}`)).status, 404, 'where explosives lie is not for everybody');
});

test('waste is identified before it moves, stored a year at most, and weights that differ are explained', async () => {
  const waste = { name: '不明废液', form: 'liquid', produced_on: day(-10), kg: 1000, place: '危废间' };
  assert.equal((await ent.post('/api/v1/records/waste_batch', { ...waste, store_until: day(400) })).status, 400);
  const w = await rec(ent, 'waste_batch', { ...waste, store_until: day(100) });
  const transfers = [{ on: day(), manifest: 'LD-1', carrier: '某运输', receiver: '某处置 WF-1', sent: 1000, received: 990 }];
  await refused(ent, 'waste_batch', w.id, 'ship', { transfers });
  await done(ent, 'waste_batch', w.id, 'identify', { code: '900-402-06', identified: '含卤有机溶剂，某检测' });
  await refused(ent, 'waste_batch', w.id, 'leave', { transfers });
  const gone = await done(ent, 'waste_batch', w.id, 'leave', { transfers, gap_why: '桶壁残留' });
  assert.deepEqual([gone.left_kg, gone.gap_kg], [0, 10]);
  await done(ent, 'waste_batch', w.id, 'dispose', { disposed_on: day(), disposal: '焚烧', receipt: [await file(ent)] });
  assert.equal(await value('waste_in_time_rate'), 100);
});

test('a consequence area is watched, occupation counts until cleared, digging wants a guard and a briefing', async () => {
  const p = await rec(ent, 'pipeline_section', { name: 'K3—K5', medium: 'gas', length: 2, built: 2009, hca: 'iii', hca_why: '沿线小学', next_inspection: day(30) });
  const inspected = { inspected_on: day(-1), next_inspection: day(360) };
  const before = await value('pipeline_inspected_rate');
  await refused(ent, 'pipeline_section', p.id, 'inspect', inspected);
  await done(ent, 'pipeline_section', p.id, 'inspect', { ...inspected, watched: true });
  assert.ok(await value('pipeline_inspected_rate') > before);
  const on = (place, cleared) => ({ place, owner: '某户', found: day(-40), due: day(20), cleared });
  assert.equal((await done(town, 'pipeline_section', p.id, 'occupy', { occupations: [on('K3+200'), on('K4+100', day(-1))] })).occupied, 1);
  assert.deepEqual((await all(bureau, 'pipeline_section', '&list=occupied')).map((x) => x.id), [p.id]);
  const dig = await rec(town, 'dig_notice', { title: '道路拓宽', section: p.id, builder: '某市政', position: here, unnotified: true, starts: day(-1), ends: day(5) });
  await done(town, 'dig_notice', dig.id, 'stop', { finding: '距管道 2 米机械开挖' });
  await done(bureau, 'dig_notice', dig.id, 'case', {});
  assert.deepEqual(await opened('enforcement_case', `dig_notice:${dig.id}`), ['距管道 2 米机械开挖']);
  await refused(ent, 'dig_notice', dig.id, 'agree', { guard: '巡线员', distance: 6 });
  assert.equal((await done(ent, 'dig_notice', dig.id, 'agree', { guard: '巡线员', distance: 6, briefed_on: day(), plan: [await file(ent)] })).state, 'digging');
});

test('a bridge of grade D is limited, not normal; an express point is measured by its samples', async () => {
  const bridge = await rec(ent, 'lifeline_asset', { name: '滨河桥', kind: 'bridge', position: here, next_check: day(20) });
  await done(bureau, 'lifeline_asset', bridge.id, 'limit', { grade: 'd', finding: '支座脱空' });
  const check = { checked_on: day(), next_check: day(90), photos: [await photo(ent)] };
  await refused(ent, 'lifeline_asset', bridge.id, 'check', check);
  assert.equal((await done(ent, 'lifeline_asset', bridge.id, 'check', { ...check, grade: 'b' })).state, 'used');

  const point = await rec(ent, 'express_point', { name: '城东网点', kind: 'outlet', xray: 1, next_check: day(10) });
  const sample = { on: day(), sampled: 50, opened: 50, named: 49, scanned: 45 };
  const body = (checks) => ({ checks: [checks], next_check: day(60) });
  assert.equal((await move(town, 'express_point', point.id, 'check', body({ ...sample, opened: 51 }))).status, 400, 'no more than were sampled');
  const seen = await done(town, 'express_point', point.id, 'check', body(sample));
  assert.deepEqual([seen.opened_rate, seen.named_rate, seen.scanned_rate], [100, 98, 90]);
  assert.deepEqual((await all(bureau, 'express_point', '&list=weak')).map((x) => x.id), [point.id]);
  await done(town, 'express_point', point.id, 'problem', { finding: '安检机停用' });
  assert.deepEqual(await opened('hazard', `express_point:${point.id}`), ['安检机停用']);
});

test('a place to watch is in order when what its kind needs is there; only one behind which an enterprise stands becomes a hazard', async () => {
  const place = (name, kind, more) => rec(town, 'risk_spot', { name, kind, area: firm.area, position: here, responsible: '钱某某', next_patrol: day(3), ...more });
  const patrol = async () => ({ patrolled_on: day(), next_patrol: day(30), photos: [await photo(town)] });
  const water = await place('北河拐弯处', 'water');
  await refused(town, 'risk_spot', water.id, 'patrol', await patrol());
  await done(town, 'risk_spot', water.id, 'patrol', { ...await patrol(), sign: true });
  await refused(town, 'risk_spot', water.id, 'problem', { finding: '护栏缺失' });
  const { next_patrol, ...seen } = await patrol();
  assert.equal((await done(town, 'risk_spot', water.id, 'danger', { ...seen, finding: '护栏缺失' })).state, 'fixing');
  assert.equal((await ent.get(`/api/v1/records/risk_spot/${water.id}`)).status, 404);
  const hall = await place('储运部控制楼', 'lightning', { enterprise: firm.id });
  await refused(town, 'risk_spot', hall.id, 'patrol', await patrol());
  assert.equal(await value('spot_patrolled_rate'), 50);
  await done(town, 'risk_spot', hall.id, 'patrol', { ...await patrol(), report: 'FL-1' });
  assert.equal(await value('spot_patrolled_rate'), 100);
  await done(town, 'risk_spot', hall.id, 'problem', { finding: '接地电阻超标' });
  assert.deepEqual(await opened('hazard', `risk_spot:${hall.id}`), ['接地电阻超标']);
  assert.equal((await ent.post('/api/v1/records/risk_spot', { name: '甲', kind: 'rental', area: firm.area })).status, 404, 'an enterprise does not know these');
});

test('what is past its day lapses by itself and stays on its list until somebody deals with it', async () => {
  const past = day(-1);
  const made = await Promise.all([
    rec(ent, 'gas_user', { name: '南街 9 号', kind: 'household', supply: 'pipe', visit_due: past, area: firm.area }),
    rec(town, 'farm_machine', { name: '旧机', kind: 'combine', owner: '冯某某', area: firm.area, inspected_to: past }),
    rec(ent, 'waste_batch', { name: '废活性炭', code: '900-039-49', form: 'solid', produced_on: day(-300), kg: 50, place: '危废间', store_until: past }),
    rec(ent, 'pipeline_section', { name: 'K9—K10', medium: 'heat', length: 1, built: 1998, next_inspection: past }),
    rec(ent, 'lifeline_asset', { name: '站前窨井', kind: 'manhole', position: here, next_check: past }),
    rec(ent, 'express_point', { name: '城西网点', kind: 'outlet', xray: 0, next_check: past }),
    rec(ent, 'power_user', { name: '消防泵', grade: 'second', feeders: 2, load_kw: 10, own_kw: 20, test_due: past }),
  ]);
  const types = ['gas_user', 'farm_machine', 'waste_batch', 'pipeline_section', 'lifeline_asset', 'express_point', 'power_user'];
  const states = () => Promise.all(types.map(async (t, n) => (await bureau.ok_get(`/api/v1/records/${t}/${made[n].id}`)).state));
  await until('everything lapsed', async () => (await states()).every((x) => ['missed', 'lapsed', 'late'].includes(x)));
  for (const [n, list] of [[0, 'missed'], [1, 'lapsed'], [2, 'late'], [3, 'lapsed'], [4, 'lapsed']])
    assert.ok((await all(bureau, types[n], `&list=${list}`)).some((x) => x.id === made[n].id), types[n]);
});
