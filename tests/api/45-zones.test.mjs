// Consequence zones over HTTP: outlines on the ground, who is inside, roads, the chain, live weather, a saved case that says what the
// models said and nothing else, its GeoJSON and PDF, and the scopes of who asks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server } from '../lib/server.mjs';

let s, duty, bureau, chlorine, methanol;
const weather = { u: 2.5, from: 250, stability: 'E', T: 18, RH: 60 };
const zones = (body, who = duty) => who.post('/api/v1/zones', body);
const ok = async (body, who) => {
  const r = await zones(body, who);
  assert.equal(r.status, 200, r.text);
  return r.json;
};
const find = async (type, q) => (await bureau.ok_get(`/api/v1/records/${type}?q=${encodeURIComponent(q)}&size=200&sort=id`)).items;
// by the ray rule, in degrees: small areas
const inside = (ring, [x, y]) => ring.reduce((odd, [ax, ay], i) => {
  const [bx, by] = ring[(i + ring.length - 1) % ring.length];
  return (ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax ? !odd : odd;
}, false);

before(async () => {
  s = await Server.start();
  [duty, bureau] = await Promise.all(['duty', 'bureau'].map((r) => s.as(r)));
  const enterprise = (await find('enterprise', '荣昌水处理'))[0].id;
  chlorine = (await find('equipment', '液氯储槽')).find((e) => e.enterprise.id === enterprise);
  methanol = (await find('equipment', '甲醇储罐'))[0];
});
after(() => s.stop());

test('scenarios, weather and 79 substances with levels are described', async () => {
  const d = await duty.ok_get('/api/v1/zones');
  assert.deepEqual(d.scenarios.map((x) => x.name), ['toxic-plume', 'toxic-puff', 'flash-fire', 'pool-fire', 'jet-fire', 'bleve', 'vce', 'vessel-burst', 'dust-explosion']);
  assert.equal(d.substances.filter((x) => x.toxic).length, 79);
  assert.ok(d.substances.find((x) => x.cas === '7782-50-5').names.includes('液氯'));
  for (const x of d.scenarios) for (const i of x.inputs) assert.ok(i.zh && i.en && (i.kind === 'menu' || i.max > i.min), `${x.name}.${i.name}`);
});

test('a release of chlorine: outlines downwind of the tank, places inside them, roads they cut, the arithmetic', async () => {
  const a = await ok({ equipment: chlorine.id, scenario: 'toxic-plume', inputs: { Q: 3 }, weather });
  assert.equal(a.substance.cas, '7782-50-5', 'the tank says what is in it');
  assert.deepEqual(a.source.at, chlorine.position);
  assert.deepEqual(a.zones.map((z) => z.key), ['aegl3', 'aegl2', 'aegl1']);
  const [severe, , mild] = a.zones;
  assert.ok(severe.reach > 100 && severe.reach < mild.reach);
  for (const z of a.zones) {
    assert.deepEqual(z.ring[0], z.ring.at(-1), 'a ring is closed');
    assert.ok(inside(z.ring, a.source.at) && inside(z.band, a.source.at), 'the source is inside');
    const tip = z.ring.reduce((far, p) => (p[0] > far[0] ? p : far));
    assert.ok(tip[0] > a.source.at[0] && tip[1] > a.source.at[1], 'wind from 250 blows to the north-east');
  }
  assert.deepEqual(a.fronts, [1500, 4500, 9000]);
  assert.equal(mild.then.length, 3);
  assert.ok(a.places.length > 2);
  for (const p of a.places) {
    const z = a.zones.find((x) => x.key === p.zone);
    assert.ok(inside(z.band, p.position), p.title);
    assert.equal(inside(z.ring, p.position), p.this_wind, p.title);
  }
  const sensitive = a.places.filter((p) => p.type === 'place');
  assert.ok(sensitive.some((p) => p.kind === 'school'), 'a school of the demo lies downwind');
  const rank = (p) => [a.zones.findIndex((z) => z.key === p.zone), p.type === 'place' ? 0 : 1];
  for (let i = 1; i < a.places.length; i++) assert.ok(rank(a.places[i - 1]) <= rank(a.places[i]) || rank(a.places[i - 1])[0] < rank(a.places[i])[0], 'the most severe first, people who need help before staff');
  assert.equal(mild.people.day, a.places.reduce((n, p) => n + p.day, 0));
  assert.ok(a.roads.length > 0 && a.roads.every((r) => r.name && r.length > 0));
  assert.ok(a.roads.some((r) => r.close.length));
  assert.ok(a.steps.some((x) => x.model === 'britter-mcquaid-plume') && a.warnings.length > 0);
  // the same numbers as the model by itself
  const step = a.steps.find((x) => x.model === 'britter-mcquaid-plume');
  const alone = await duty.ok_post('/api/v1/calc/britter-mcquaid-plume', step.inputs);
  assert.deepEqual(alone, step.answer);
  assert.equal(severe.reach, Math.round(alone.outputs.distance.value * 10) / 10);
  // E10: the external safety distance of the installation
  assert.equal(a.safety.required, 600);
  assert.ok(a.safety.nearer.every((p) => p.distance < 600 && p.type === 'place'));
  assert.equal(a.safety.register, undefined, 'a duty officer makes no record of relocation');
  const own = (await ok({ equipment: chlorine.id, scenario: 'toxic-plume', inputs: { Q: 3 }, weather }, bureau)).safety;
  assert.deepEqual(own.register.map((r) => [r.place, r.distance_m, r.required_m]), own.nearer.map((p) => [p.id, p.distance, 600]));
});

test('the wind turns, the zone turns; who is inside follows', async () => {
  const east = await ok({ equipment: chlorine.id, scenario: 'toxic-plume', inputs: { Q: 3 }, weather: { ...weather, from: 270 } });
  const west = await ok({ equipment: chlorine.id, scenario: 'toxic-plume', inputs: { Q: 3 }, weather: { ...weather, from: 90 } });
  const mean = (a) => a.zones[0].ring.reduce((n, p) => n + p[0], 0) / a.zones[0].ring.length;
  assert.ok(mean(east) > east.source.at[0] && mean(west) < west.source.at[0]);
  assert.equal(east.zones[0].reach, west.zones[0].reach);
  assert.notDeepEqual(east.places.map((p) => p.id), west.places.map((p) => p.id));
});

test('a fire among tanks: the chain that follows, to the second order, with load, limit and probability', async () => {
  const a = await ok({ equipment: methanol.id, scenario: 'vce', inputs: { m: 5000 }, weather });
  assert.ok(a.domino.length > 1);
  for (const d of a.domino) {
    assert.ok(d.load >= d.limit && d.to !== methanol.id && d.to_title && [1, 2].includes(d.order));
    assert.equal(d.limit, d.unit === 'kPa' ? 22 : 15);
  }
  assert.equal(a.domino[0].order, 1);
  assert.ok(a.domino.some((d) => d.scenario === 'pool-fire' && d.inputs.D > 0));
  assert.deepEqual(a.fronts, []);
});

test('what is wrong is refused with its field', async () => {
  const bad = async (body, field, status = 400) => {
    const r = await zones(body);
    assert.equal(r.status, status, r.text);
    assert.equal(r.json.error.field, field);
  };
  await bad({ scenario: 'vce', weather }, 'at');
  await bad({ at: [119], scenario: 'vce', weather }, 'at');
  await bad({ at: [119, 33], scenario: 'flood', weather }, 'scenario');
  await bad({ at: [119, 33], scenario: 'toxic-plume', substance: '水', weather }, 'substance');
  await bad({ at: [119, 33], scenario: 'toxic-plume', substance: '氨', inputs: { Q: 'much' }, weather }, 'inputs.Q');
  await bad({ at: [119, 33], scenario: 'toxic-plume', substance: '氨', weather: { u: 3 } }, 'weather.from');
  await bad({ at: [119, 33], scenario: 'toxic-plume', substance: '氨', weather, magic: 1 }, 'magic');
  await bad({ equipment: 99999999, scenario: 'vce', weather }, 'equipment', 404);
  await bad({ at: [10, 10], scenario: 'vce', substance: '丙烷', weather: { live: true } }, 'weather.live');
});

test('live weather: the newest wind of the nearest station, with its age', async () => {
  const [lon, lat] = chlorine.position;
  const d = await makeDevice(s, { code: 'ZONE-WX', points: [
    { code: 'ZONE-WS', kind: 'wind_speed', unit: 'm/s', position: [lon + 0.01, lat] }, { code: 'ZONE-WD', kind: 'wind_direction', unit: '°', position: [lon + 0.01, lat] },
    { code: 'ZONE-AT', kind: 'ambient_temperature', unit: '℃', position: [lon + 0.01, lat] }] });
  const time = new Date(Date.now() - 120e3).toISOString();
  const r = await s.call('POST', '/api/v1/readings', [['ZONE-WS', 3.4], ['ZONE-WD', 135], ['ZONE-AT', 11]].map(([point, value]) => ({ point, time, value })), { headers: { Authorization: `Device ZONE-WX:${d.key}` } });
  assert.equal(r.json.accepted, 3, r.text);
  const a = await ok({ equipment: chlorine.id, scenario: 'toxic-plume', weather: { live: true } });
  assert.deepEqual([a.weather.u, a.weather.from, a.weather.T, a.weather.live], [3.4, 135, 11, true]);
  assert.match(a.weather.station, /ZONE-WS/);
  assert.ok(a.weather.age_s >= 119 && a.weather.age_s < 900, `${a.weather.age_s}`);
  assert.ok(Math.abs(a.weather.station_distance - 934) < 10);
  // what is typed goes before what is measured
  const typed = await ok({ equipment: chlorine.id, scenario: 'toxic-plume', weather: { live: true, from: 10, stability: 'F' } });
  assert.deepEqual([typed.weather.u, typed.weather.from, typed.weather.stability], [3.4, 10, 'F']);
});

test('a case is computed again and saved; its numbers are the system\'s; GeoJSON, PDF, and the area of a warning', async () => {
  const ask = { equipment: chlorine.id, scenario: 'toxic-plume', inputs: { Q: 3 }, weather };
  const live = await ok(ask);
  const made = await duty.post('/api/v1/zones/cases', { ...ask, title: '液氯泄漏推演' });
  assert.equal(made.status, 201, made.text);
  const path = `/api/v1/records/consequence_case/${made.json.id}`;
  const c = await duty.ok_get(path);
  assert.equal(c.reach, Math.round(live.zones.at(-1).reach));
  assert.equal(c.day, live.zones.at(-1).people.day);
  assert.deepEqual(c.levels.map((l) => l.reach), live.zones.map((z) => Math.round(z.reach)));
  assert.equal(c.places.length, live.places.length);
  assert.equal(c.zone.type, 'Polygon');
  assert.deepEqual(c.zone.coordinates[0], live.zones.at(-1).band);
  assert.ok(c.steps.length === live.steps.length && c.warnings && c.weather.includes('稳定度 E'));
  assert.equal(c.equipment.id, chlorine.id);
  const forged = await duty.patch(path, { version: c.version, reach: 1 });
  assert.equal(forged.status, 400, 'nobody writes what was computed');
  assert.equal((await duty.post('/api/v1/records/consequence_case', { title: '假的', reach: 5 })).status, 400);
  const g = await duty.get(`/api/v1/zones/cases/${made.json.id}/geojson`);
  assert.match(g.headers.get('content-type'), /geo\+json/);
  assert.deepEqual(g.json.features.find((f) => f.properties.zone === 'aegl1' && f.properties.what === 'ring').geometry.coordinates[0], live.zones[2].ring);
  const pdf = await fetch(`${s.url}${path}/documents/consequence_report/preview`, { headers: { Authorization: `Bearer ${duty.token}` } });
  assert.equal(pdf.status, 200, 'the report on paper');
  assert.equal(Buffer.from(await pdf.arrayBuffer()).subarray(0, 5).toString(), '%PDF-');
  // the zone becomes the area of a warning
  const w = await duty.ok_post('/api/v1/records/warning', { title: '液氯泄漏', level: 'red', enterprise: chlorine.enterprise.id, happened: new Date().toISOString() });
  await duty.ok_patch(`/api/v1/records/warning/${w.id}`, { version: w.version, reach: c.zone });
  const linked = await duty.ok_patch(path, { version: c.version, warning: w.id, note: '按一级响应准备' });
  assert.equal(linked.warning.id, w.id);
});

test('two saved cases side by side: thresholds by name, what the second has more; of what the caller may see', async () => {
  const made = [];
  for (const [Q, scenario] of [[3, 'toxic-plume'], [6, 'toxic-plume'], [2, 'vessel-burst']])
    made.push(await duty.ok_post('/api/v1/zones/cases', { equipment: chlorine.id, scenario, inputs: scenario === 'toxic-plume' ? { Q } : {}, weather, title: `对比 ${Q}` }));
  const c = await duty.ok_get(`/api/v1/zones/compare?a=${made[0].id}&b=${made[1].id}`);
  const records = await Promise.all(made.map((m) => duty.ok_get(`/api/v1/records/consequence_case/${m.id}`)));
  assert.deepEqual(c.cases.map((x) => x.title), ['对比 3', '对比 6']);
  assert.deepEqual(c.levels.map((l) => l.level), records[0].levels.map((l) => l.level));
  c.levels.forEach((l, i) => {
    for (const k of ['reach', 'width', 'area', 'day', 'night']) {
      assert.deepEqual([l.a[k], l.b[k], l.more[k]], [records[0].levels[i][k], records[1].levels[i][k], records[1].levels[i][k] - records[0].levels[i][k]]);
    }
    assert.ok(l.more.reach > 0, 'twice as much goes farther');
  });
  for (const [i, x] of c.cases.entries()) {
    const rings = x.outlines.filter((o) => o.what === 'ring');
    assert.deepEqual(rings.map((o) => o.label), records[i].levels.filter((l) => l.reach > 0).map((l) => l.level));
    assert.deepEqual(rings.map((o) => o.ring), records[i].outlines.filter((o) => o.what === 'ring').map((o) => JSON.parse(o.ring)));
  }
  const other = await duty.ok_get(`/api/v1/zones/compare?a=${made[0].id}&b=${made[2].id}`);
  assert.ok(other.levels.some((l) => l.a && !l.b && !l.more) && other.levels.some((l) => l.b && !l.a), 'another scenario has other thresholds');
  const bad = async (q, field, status, who = duty) => {
    const r = await who.get(`/api/v1/zones/compare?${q}`);
    assert.deepEqual([r.status, r.json.error.field], [status, field]);
  };
  await bad(`a=${made[0].id}`, 'b', 400);
  await bad('a=x&b=1', 'a', 400);
  await bad(`a=${made[0].id}&b=99999999`, 'b', 404);
  const security = await s.as('security');
  assert.equal((await security.get(`/api/v1/zones/compare?a=${made[0].id}&b=${made[1].id}`)).status, 403);
});

test('the site of a plan: places around it measured, what was entered beside, and the rows to take over', async () => {
  const school = (await duty.ok_get('/api/v1/records/place?size=100')).items.find((p) => p.kind === 'school'), [lon, lat] = school.position;
  const metres = 111195 * 0.01; // a hundredth of a degree to the north
  const made = await bureau.ok_post('/api/v1/records/planning_assessment', { name: '新建储罐区', area: school.area, level: 'orange', required_m: 2000, position: [lon, lat + 0.01], targets: [{ name: school.name, persons: 5, distance_m: 3000 }, { name: '未登记的村庄', persons: 40, distance_m: 900 }] });
  const a = await bureau.ok_get(`/api/v1/siting/${made.id}`), p = a.places.find((x) => x.id === school.id);
  assert.ok(Math.abs(p.distance - metres) < metres * 0.005, `${p.distance}`);
  assert.deepEqual([p.entered, p.nearer_by, p.too_near], [3000, 3000 - p.distance, true]);
  assert.ok(a.places.every((x, i) => !i || a.places[i - 1].distance <= x.distance), 'the nearest first');
  assert.ok(!a.from_outline && a.required === 2000);
  // an outline: from its border, not from its middle
  const record = await bureau.ok_get(`/api/v1/records/planning_assessment/${made.id}`), [w, e, so, n] = [lon - 0.002, lon + 0.002, lat + 0.005, lat + 0.015];
  await bureau.ok_patch(`/api/v1/records/planning_assessment/${made.id}`, { version: record.version, outline: { type: 'Polygon', coordinates: [[[w, so], [e, so], [e, n], [w, n], [w, so]]] } });
  const b = await bureau.ok_get(`/api/v1/siting/${made.id}`);
  assert.ok(b.from_outline && Math.abs(b.places.find((x) => x.id === school.id).distance - metres / 2) < metres * 0.005);
  await bureau.ok_patch(`/api/v1/records/planning_assessment/${made.id}`, { version: b.version, [b.field]: b.rows });
  const after = await bureau.ok_get(`/api/v1/records/planning_assessment/${made.id}`);
  assert.ok(after.targets.some((t) => t.name === '未登记的村庄' && t.distance_m === 900), 'what no register knows stays');
  assert.equal(after.targets.find((t) => t.name === school.name).distance_m, b.places.find((x) => x.id === school.id).distance);
  assert.deepEqual([after.nearest_m, after.too_near], [Math.min(900, b.places[0].distance), true]);
  const bare = await bureau.ok_post('/api/v1/records/planning_assessment', { name: '没有位置', area: school.area });
  const none = await bureau.get(`/api/v1/siting/${bare.id}`);
  assert.deepEqual([none.status, none.json.error.field], [400, 'position']);
  const security = await s.as('security');
  assert.equal((await security.get(`/api/v1/siting/${made.id}`)).status, 404);
  // E10: what is too near goes into a register
  const r = await bureau.ok_post('/api/v1/records/relocation', { name: `${school.name}搬迁`, installation: chlorine.installation.id, place: school.id, required_m: 600, distance_m: 420, persons: 400 });
  const kept = await bureau.ok_get(`/api/v1/records/relocation/${r.id}`);
  assert.deepEqual([kept.missing_m, kept.state, kept.area], [180, 'found', chlorine.area]);
  const move = (body) => bureau.post(`/api/v1/records/relocation/${r.id}/moves/plan`, body);
  assert.equal((await move({ version: kept.version, measure: 'less' })).status, 400, 'a plan says what, who and until when');
  const planned = await move({ version: kept.version, measure: 'less', plan: '液氯储量减半', responsible: '企业', until: '2027-06-30' });
  assert.equal(planned.status, 200, planned.text);
  assert.equal((await bureau.ok_get(`/api/v1/records/relocation/${r.id}`)).state, 'planned');
});

test('who may: the right to calculate; what is seen is in the scope of who asks', async () => {
  const security = await s.as('security');
  assert.equal((await zones({ at: [119, 33], scenario: 'vce', substance: '丙烷', weather }, security)).status, 403);
  const enterprise = await s.as('enterprise');
  const r = await zones({ equipment: chlorine.id, scenario: 'toxic-plume', weather }, enterprise);
  assert.ok([403, 404].includes(r.status), 'not his equipment');
  const town = await s.as('town');
  const mine = await town.post('/api/v1/zones', { at: chlorine.position, scenario: 'toxic-plume', substance: '氯', inputs: { Q: 3 }, weather });
  if (mine.status === 200) {
    const all = await ok({ at: chlorine.position, scenario: 'toxic-plume', substance: '氯', inputs: { Q: 3 }, weather }, bureau);
    const areas = new Set((await town.ok_get('/api/v1/records/place?size=500')).items.map((p) => p.id));
    assert.ok(mine.json.places.filter((p) => p.type === 'place').every((p) => areas.has(p.id)));
    assert.ok(mine.json.places.length <= all.places.length);
  } else assert.equal(mine.status, 403);
});
