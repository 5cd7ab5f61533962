// The city: corridors are entered with a good test, orders on lifelines are verified, zones of the metro, large places, whom rescue reaches in time, links.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, bureau, ent, town, dept, duty, firm;
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
  [bureau, ent, town, dept, duty] = await Promise.all(['bureau', 'enterprise', 'town', 'department', 'duty'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

const asset = (kind, name) => rec(ent, 'lifeline_asset', { name, kind, position: here, next_check: day(30) });

test('a corridor: bad air is not approved, a missing person is not closed', async () => {
  const corridor = await asset('corridor', '城南管廊'), bridge = await asset('bridge', '城南桥');
  const entry = (a) => ({ work: '电缆巡检', asset: a.id, cabin: '电力舱 3 区', people: [{ name: '甲' }, { name: '乙' }], guard: '丙', until: at(120) });
  assert.equal((await ent.post('/api/v1/records/corridor_entry', entry(bridge))).status, 400, 'a bridge is no corridor');
  const e = await rec(ent, 'corridor_entry', entry(corridor));
  await refused(ent, 'corridor_entry', e.id, 'enter');
  const air = { ventilated: true, oxygen: 20.8, lel: 0, h2s: 0, co: 0 };
  await done(ent, 'corridor_entry', e.id, 'test', { ...air, oxygen: 18.2 });
  await refused(ent, 'corridor_entry', e.id, 'enter');
  await done(ent, 'corridor_entry', e.id, 'test', air);
  await done(ent, 'corridor_entry', e.id, 'enter');
  assert.deepEqual((await all(bureau, 'corridor_entry', '&list=inside')).map((x) => [x.id, x.inside]), [[e.id, 2]]);
  await refused(ent, 'corridor_entry', e.id, 'leave', { out: 1 });
  assert.equal((await done(ent, 'corridor_entry', e.id, 'leave', { out: 2 })).state, 'closed');
});

test('an order on a lifeline: accepted, answered in time, returned, verified by another; systems connected and what is stale', async () => {
  const a = await asset('drain', '城北泵站');
  await done(dept, 'lifeline_asset', a.id, 'order', { finding: '泵站出水管渗漏' });
  const [o] = await all(ent, 'lifeline_order', `&where.asset=${a.id}`);
  await done(ent, 'lifeline_order', o.id, 'accept');
  const answer = { feedback: '已更换密封', photos: [await photo(ent)] };
  assert.equal((await done(ent, 'lifeline_order', o.id, 'answer', answer)).in_time, true);
  await done(dept, 'lifeline_order', o.id, 'return', { reason: '照片不清' });
  assert.equal(await value('lifeline_orders_in_time'), 0, 'it waits again');
  await done(ent, 'lifeline_order', o.id, 'answer', answer);
  await done(dept, 'lifeline_order', o.id, 'verify');
  assert.equal(await value('lifeline_orders_in_time'), 100);

  const office = (await all(bureau, 'organisation'))[0].id;
  const system = (name) => rec(bureau, 'city_system', { name, department: office, covers: 'drain', to_cover: 50, every_days: 1 });
  const x = await system('排水监测'), y = await system('桥梁监测');
  const on = await done(bureau, 'city_system', x.id, 'connect', { data_at: at(-60), covered: 40 });
  assert.deepEqual([on.share, on.state], [80, 'connected']);
  assert.equal(await value('city_systems_connected_rate'), 50);
  assert.ok((await all(bureau, 'city_system', '&list=unconnected')).some((z) => z.id === y.id));
  await done(bureau, 'city_system', y.id, 'connect', { data_at: at(-3 * 1440), covered: 1 });
  await until('old data to be stale', async () => (await all(bureau, 'city_system', '&list=stale')).some((z) => z.id === y.id), 20000);
});

test('drilling in the zone of the metro without consent is found by its place, stopped, a case; a large place has a plan', async () => {
  const outline = { type: 'Polygon', coordinates: [[[118.89, 33.09], [118.91, 33.09], [118.91, 33.11], [118.89, 33.11], [118.89, 33.09]]] };
  const zone = await rec(ent, 'metro_zone', { name: '1 号线 A—B', outline, next_patrol: day(3) });
  assert.ok((await all(bureau, 'metro_zone', '&list=unmeasured')).some((z) => z.id === zone.id));
  const work = (title, position) => rec(dept, 'metro_work', { title, zone: zone.id, builder: '某勘察', position, kind: 'drill', ends: day(10) });
  const inside = await work('地勘钻探', here), outside = await work('远处打桩', [118.95, 33.1]);
  const pairs = await until('the layer of works', async () => {
    const r = await bureau.ok_get('/api/v1/map/overlay?of=metro_zone&layer=metro_work');
    return r.items.length ? r.items : null;
  }, 20000);
  assert.deepEqual(pairs.map((z) => z.id), [inside.id]);
  assert.equal((await move(dept, 'metro_work', outside.id, 'allow', { clear: 60, plan: [await file(dept)], monitoring: '自动化' })).status, 403, 'who asks does not allow');
  assert.equal((await done(ent, 'metro_work', outside.id, 'allow', { clear: 60, plan: [await file(ent)], monitoring: '自动化' })).state, 'allowed');
  await done(dept, 'metro_work', inside.id, 'stop', { finding: '保护区内擅自钻探', photos: [await photo(dept)] });
  await done(dept, 'metro_work', inside.id, 'case', {});
  assert.deepEqual(await opened('enforcement_case', `metro_work:${inside.id}`), ['保护区内擅自钻探']);

  const tower = await rec(town, 'risk_spot', { name: '某大厦', kind: 'high_rise', position: here, responsible: '楼长', next_patrol: day(5), color: 'orange' });
  const seen = { patrolled_on: day(), next_patrol: day(20), photos: [await photo(town)] };
  await refused(town, 'risk_spot', tower.id, 'patrol', seen);
  assert.equal(await value('large_places_planned_rate'), 0);
  const plan = await rec(town, 'emergency_plan', { title: '某大厦预案', kind: 'grassroots' });
  await done(town, 'risk_spot', tower.id, 'patrol', { ...seen, plan: plan.id });
  assert.equal(await value('large_places_planned_rate'), 100);

  const home = await rec(town, 'property_community', { name: '安居苑', enterprise: firm.id, households: 800, next_check: day(5) });
  await done(town, 'property_community', home.id, 'report', { finding: '2 号楼消防通道被占' });
  assert.deepEqual(await opened('hazard', `property_community:${home.id}`), ['2 号楼消防通道被占']);
  const duties = ['物业', '业委会', '社区'].map((party) => ({ party, duty: '巡查', person: '某' }));
  const check = { checked_on: day(), next_check: day(60), bad: 10, photos: [await photo(town)] };
  await refused(town, 'property_community', home.id, 'check', check);
  assert.equal((await done(town, 'property_community', home.id, 'check', { ...check, duties })).score, 88);
});

test('rescue reaches whom it reaches: minutes, persons, and who is not covered', async () => {
  const cover = (q) => bureau.ok_get(`/api/v1/rescue/coverage?${q}`);
  const none = await cover('minutes=10&kind=base');
  assert.deepEqual([none.stations.length, none.persons_covered, none.uncovered.length], [0, 0, none.objects]);
  assert.ok(none.persons > 0, 'the places of the demo');
  const near = (await all(bureau, 'place'))[0];
  const [lon, lat] = near.position;
  const base = await rec(bureau, 'emergency_resource', { name: '危化品救援基地', kind: 'base', position: [lon, lat + 0.03], turnout_min: 2, speed: 60, members: 40, training: '实训塔' });
  const one = await cover('minutes=10&kind=base');
  const km = 0.03 * 111.195, minutes = 2 + km * 1.4;                                  // 60 km/h: a kilometre a minute
  assert.ok(minutes < 10 && one.stations[0].persons >= Math.max(near.day, near.night));
  assert.ok(Math.abs(one.stations[0].km - 8 / 1.4) < 0.06, 'its reach');
  assert.ok(!one.uncovered.some((o) => o.type === 'place' && o.id === near.id));
  const fewer = await cover('minutes=5&kind=base');
  const gap = fewer.uncovered.find((o) => o.type === 'place' && o.id === near.id);
  assert.ok(Math.abs(gap.minutes - minutes) < 0.1, `${gap.minutes} for ${minutes}`);
  assert.equal(gap.station, '危化品救援基地');
  await done(bureau, 'emergency_resource', base.id, 'unfit', { ready_note: '装备检修' });
  assert.equal((await cover('minutes=10&kind=base')).stations.length, 0, 'what is not ready covers nobody');
  assert.equal((await bureau.get('/api/v1/rescue/coverage?minutes=0')).status, 400);
});

test('a link that is down is an alarm, one that is slow too; its mean is the uptime', async () => {
  const d = await makeDevice(s, { code: 'PROBE-1', protocol: 'http', points: [{ code: 'up', address: 'up', kind: 'link_up' }, { code: 'rtt', address: 'rtt', kind: 'link_latency', h: 200 }, { code: 'loss', address: 'loss', kind: 'link_loss', h: 5 }] });
  const codes = (d.points ?? []).map((p) => p.code);
  const post = async (rows) => { const r = await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device PROBE-1:${d.key}` } }); assert.equal(r.status, 200, r.text); assert.deepEqual(r.json.rejected, []); };
  const code = (k) => codes.find((c) => c.endsWith(k)) ?? k;
  const t = Date.now();
  await post([3, 2, 1].flatMap((m) => [{ point: code('up'), time: new Date(t - m * 60e3).toISOString(), value: 1 }, { point: code('rtt'), time: new Date(t - m * 60e3).toISOString(), value: 12 }]));
  await post([{ point: code('up'), time: new Date(t).toISOString(), value: 0 }, { point: code('rtt'), time: new Date(t).toISOString(), value: 350 }, { point: code('loss'), time: new Date(t).toISOString(), value: 9 }]);
  for (const k of ['up', 'rtt', 'loss']) await until(`an alarm of ${k}`, async () => (await duty.ok_get(`/api/v1/alarms?state=all&point=${code(k)}`)).items[0], 20000);
  const w = await rec(bureau, 'network_asset', { name: '县—镇链路', kind: 'link', ends: '县局—镇站', bandwidth: 100, responsible: '任某', support_to: day(-1) });
  await until('support that ended', async () => (await bureau.ok_get(`/api/v1/records/network_asset/${w.id}`)).state === 'lapsed', 20000);
  assert.ok((await all(bureau, 'network_asset', '&list=unprobed')).some((x) => x.id === w.id));
});

test('a facility built for the city and for rescue together is not accepted before it is said who shares it', async () => {
  const committee = await s.as('committee');
  const p = await rec(committee, 'key_project', { title: '地下空间兼避难场所', due: day(60), shared: true });
  await done(bureau, 'key_project', p.id, 'begin', { unit: '城投', milestones: [{ name: '主体', planned: day(30) }] });
  await done(bureau, 'key_project', p.id, 'report', { progress: 100 });
  await done(bureau, 'key_project', p.id, 'complete');
  await refused(committee, 'key_project', p.id, 'accept', { acceptance: '合格' });
  await done(committee, 'key_project', p.id, 'accept', { acceptance: '合格', shared_use: [{ facility: '地下车库', user: '应急局', since: day(), purpose: '避难' }] });
  assert.deepEqual((await all(committee, 'key_project', '&list=shared')).map((x) => x.id), [p.id]);
});
