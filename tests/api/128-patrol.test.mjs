// Railway: a patrol's track against its plan with the missed points, a guard that checks in, dangerous goods stopped, an audit whose faults become
// hazards, events shared with the railway and confirmed.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, v, bureau, ent, town, dept, duty, firm;
const LON = 118.3, LAT = 32.3, M = 1 / 111195;
const t0 = Math.floor(Date.now() / 1000) * 1000 - 3600e3;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const time = (sec) => new Date(t0 + sec * 1000).toISOString();

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept, duty] = await Promise.all(['bureau', 'enterprise', 'town', 'department', 'duty'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  v = await makeDevice(s, { code: 'PATROL-1', protocol: 'http', points: [
    { code: 'P-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'P-LAT', kind: 'latitude', unit: '°', address: 'lat' }] });
});
after(() => s.stop());

test('the track of a patrol is compared with its points: passed when, and which were missed; they are walked again or explained', async () => {
  const area = v.enterprise.area?.code ?? v.enterprise.area;
  const point = (name, north) => ({ name, lon: LON, lat: Number((LAT + north * M).toFixed(6)), radius: 30 });
  const r = await rec(bureau, 'patrol_route', { name: '京虚线 K12—K13', kind: 'rail', area, unit: '护路队', points: [point('K12', 0), point('K12+500', 500), point('K13', 1000)], device: v.device.id });
  const round = await rec(dept, 'patrol_round', { title: '上午', route: r.id });
  // Every 20 s 100 m along the first half of the section, 40 m beside the third point never.
  const rows = Array.from({ length: 7 }, (_, i) => [['P-LON', i * 20, LON], ['P-LAT', i * 20, LAT + i * 100 * M]]).flat().map(([point, sec, value]) => ({ point, value, time: time(sec) }));
  const sent = await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Bearer ${v.key}` } });
  assert.equal(sent.status, 200, sent.text);
  assert.ok((await ent.post(`/api/v1/patrols/${round.id}`, {})).status >= 403, "not the enterprise");
  const walk = (who) => done(who, 'patrol_round', round.id, 'walked', { who: '巡一', started: time(-10), ended: time(200) });

  await walk(town);
  assert.equal((await move(dept, 'patrol_round', round.id, 'confirm')).status, 409, 'not compared');
  const c = await dept.ok_post(`/api/v1/patrols/${round.id}`, {});
  assert.deepEqual([c.planned, c.passed, c.gaps, c.missed, c.positions, c.km], [3, 2, 1, 'K13', 7, 0.6]);
  assert.ok(c.passes.every((x, i) => Math.abs(x.nearest - [0, 0, 400][i]) <= 2), JSON.stringify(c.passes));
  assert.ok(Math.abs(Date.parse(`${c.passes[1].at}+08:00`) - (t0 + 100e3)) <= 1000, c.passes[1].at);
  assert.equal((await move(dept, 'patrol_round', round.id, 'confirm')).status, 409, 'a point was missed');
  assert.ok((await all(dept, 'patrol_round', '&list=gaps')).some((x) => x.id === round.id));
  await done(dept, 'patrol_round', round.id, 'again', { reason: '补巡 K13' });
  await done(dept, 'patrol_round', round.id, 'explain', { note: 'K13 施工封闭' });
  const rate = (await bureau.ok_get('/api/v1/indicators/patrol_points_rate')).total;
  assert.ok(rate.den >= 3 && rate.num === rate.den - 1, JSON.stringify(rate));
});

test('a post that is guarded day and night is over with its check-ins only', async () => {
  const r = await rec(town, 'patrol_route', { name: '虚构隧道口', kind: 'guard', unit: '护路队', checkins: 2 });
  const round = await rec(town, 'patrol_round', { title: '一昼夜', route: r.id });
  const one = { at: time(0), who: '甲' };
  await done(town, 'patrol_round', round.id, 'checkin', { checkins: [one] });
  assert.equal((await move(town, 'patrol_round', round.id, 'close')).status, 409, 'one of two');
  await done(town, 'patrol_round', round.id, 'checkin', { checkins: [one, { at: time(1800), who: '乙' }] });
  assert.equal((await done(town, 'patrol_round', round.id, 'close')).state, 'done');
});

test('goods that are not those declared do not pass and are a case; faults of an audit are hazards before it closes', async () => {
  const c = await rec(dept, 'rail_cargo_check', { title: '货场抽查', enterprise: firm.id, kind: 'consignment', station: '虚构站', waybill: 'YD-1', declared: '清洗剂', class: 'c3' });
  const fine = { licence: true, packing: true, apart: true };
  assert.equal((await move(dept, 'rail_cargo_check', c.id, 'pass', { ...fine, found: '甲苯' })).status, 409);
  await done(dept, 'rail_cargo_check', c.id, 'stop', { finding: '匿报甲苯', found: '甲苯' });
  assert.equal((await all(bureau, 'enforcement_case', `&where.origin=rail_cargo_check:${c.id}`)).length, 1);
  assert.deepEqual((await all(dept, 'rail_cargo_check', '&list=illegal')).map((x) => x.id), [c.id]);
  const clause = (n, conforms) => ({ clause: `条款${n}`, checked: '轨道几何', conforms });
  const a = await rec(dept, 'rail_audit', { title: '高铁标准检查', enterprise: firm.id, kind: 'high_speed', auditor: '审核组', items: [clause(1, 1), clause(2, 0), clause(3, 1)] });
  assert.equal(a.share, 66.7);
  assert.equal((await move(dept, 'rail_audit', a.id, 'clean', { next_on: day(300) })).status, 409);
  await done(dept, 'rail_audit', a.id, 'faults', { faults: [{ what: '轨距超限', clause: '条款2' }] });
  assert.equal((await all(bureau, 'hazard', `&where.origin=rail_audit:${a.id}`))[0].title, '轨距超限');
  assert.equal((await move(dept, 'rail_audit', a.id, 'close', { next_on: day(300) })).status, 409, 'a hazard is open');
});

test('an event goes to the railway and waits for its receipt; one that comes in becomes an emergency here', async () => {
  const p = await rec(dept, 'linkage_partner', { name: '虚构铁路局工务段', kind: 'railway', contacts: [{ post: '调度', phone: '0000-1' }], next_drill: day(60) });
  await done(duty, 'linkage_partner', p.id, 'share', { what: '上跨桥落石' });
  const [out] = await all(duty, 'event_share', `&where.partner=${p.id}`);
  assert.deepEqual([out.direction, out.state], ['outgoing', 'waiting']);
  assert.equal((await done(duty, 'event_share', out.id, 'receipt', { receipt: '调度李某已知' })).in_time, true);
  const into = await rec(duty, 'event_share', { title: '列车临时停车', partner: p.id, direction: 'incoming', content: '区间有人员上道', source_number: 'TL-9' });
  await done(duty, 'event_share', into.id, 'event');
  await until('the emergency', async () => (await all(duty, 'emergency_event', `&where.share=${into.id}`)).length === 1);
  assert.equal((await move(duty, 'event_share', into.id, 'event')).status, 409, 'once');
  await done(dept, 'linkage_partner', p.id, 'plan_drill', { next_drill: day(30) });
  assert.equal((await all(dept, 'drill', '&list=joint')).length, 1);
  assert.equal((await move(dept, 'linkage_partner', p.id, 'drilled', { drilled_on: day(), next_drill: day(200) })).status, 409, 'it was not held');
});
