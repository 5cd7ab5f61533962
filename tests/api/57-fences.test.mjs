// Fences and routes: a vehicle that leaves its area, a tag away from its post; one alarm for each fence, with a dead band; in force and
// out of force while the server runs; late data wake nobody; what lasts outlives a killed server; a trial says what it would have said.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, v, bureau, duty, own, admin, town;
const LON = 118.3, LAT = 32.3, M = 1 / 111195; // degrees of latitude a metre
const square = (half) => { const y = half * M, x = y / Math.cos((LAT * Math.PI) / 180); return { type: 'Polygon', coordinates: [[[LON - x, LAT - y], [LON + x, LAT - y], [LON + x, LAT + y], [LON - x, LAT + y], [LON - x, LAT - y]]] }; };
const t0 = Math.floor(Date.now() / 1000) * 1000 - 300e3;

before(async () => {
  s = await Server.start();
  [bureau, duty, own, admin, town] = await Promise.all(['bureau', 'duty', 'enterprise', 'admin', 'town'].map((r) => s.as(r)));
  v = await makeDevice(s, { code: '13800000057', protocol: 'http', points: [
    { code: 'F-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'F-LAT', kind: 'latitude', unit: '°', address: 'lat' }, { code: 'F-SPD', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' },
    { code: 'F-T-LON', kind: 'longitude', unit: '°', address: 'T57.longitude' }, { code: 'F-T-LAT', kind: 'latitude', unit: '°', address: 'T57.latitude' }] });
});
after(() => s.stop());

const send = async (rows) => {
  const r = await s.call('POST', '/api/v1/readings', rows.map(([point, sec, value]) => ({ point, value, time: new Date(t0 + sec * 1000).toISOString() })), { headers: { Authorization: `Bearer ${v.key}` } });
  assert.equal(r.status, 200, r.text);
};
const drive = (from, n, north, kmh = 30) => send(Array.from({ length: n }, (_, i) => [['F-LON', from + i, LON], ['F-LAT', from + i, LAT + north * M], ['F-SPD', from + i, kmh]]).flat());
const walk = (from, n, north) => send(Array.from({ length: n }, (_, i) => [['F-T-LON', from + i, LON], ['F-T-LAT', from + i, LAT + north * M]]).flat());
const fenceOf = (who, fields) => who.ok_post('/api/v1/records/fence', { drawn_as: 'area', outline: square(500), area: v.enterprise.area?.code ?? v.enterprise.area, enterprise: v.enterprise.id, holds_for: 'vehicles', ...fields });
const alarms = async (id) => (await duty.ok_get('/api/v1/alarms?state=all')).items.filter((a) => a.family.startsWith(`fence:${id}:`));
const alarm = (id, what, fits = () => true) => until(`the alarm ${what}`, async () => (await alarms(id)).find((a) => a.family === `fence:${id}:${what}` && fits(a)));
const inForce = async (n) => until(`${n} fences in force`, async () => (await admin.get('/metrics')).text.includes(`anlan_fences ${n}\n`));

let stay, forbid;
test('a vehicle that leaves its fence is an alarm of the fence; a second fence has its own; both end by the dead band', async () => {
  stay = await fenceOf(bureau, { name: '厂区', kind: 'in' });
  forbid = await fenceOf(bureau, { name: '北区禁入', kind: 'out', drawn_as: 'circle', outline: undefined, centre: [LON, LAT + 1000 * M], radius_m: 200 });
  await inForce(2);
  await drive(0, 3, 0);
  await drive(10, 2, 900);
  await drive(12, 1, 0);
  await drive(13, 3, 1000);
  const [a, b] = [await alarm(stay.id, 'left'), await alarm(forbid.id, 'entered')];
  assert.deepEqual([a.level, a.active, a.state, a.color, a.point.code, a.point.unit], ['fence', true, 'unack', 'yellow', 'F-LON', 'm']);
  assert.ok(a.say.zh.includes('厂区') && b.say.zh.includes('北区禁入') && a.guide.zh, a.say.zh);
  assert.equal(Date.parse(a.raised_at), t0 + 15e3, 'the third position in a row, in the time of the device');
  assert.ok(Math.abs(a.value - 500) < 5 && Math.abs(a.position[1] - (LAT + 1000 * M)) < 1e-6, JSON.stringify(a));
  await duty.ok_post(`/api/v1/alarms/${a.id}/ack`, {});
  await drive(20, 3, 510); // within 20 m of the outline: neither here nor there for the one, far from the other
  await alarm(forbid.id, 'entered', (x) => !x.active);
  assert.equal((await alarms(stay.id))[0].state, 'acked');
  await drive(30, 3, 400);
  await alarm(stay.id, 'left', (x) => x.state === 'normal');
  assert.equal((await alarms(stay.id)).length, 1);
});

test('who is away from his post for too long, and what came late wakes nobody', async () => {
  const post = await fenceOf(bureau, { name: '值守岗', kind: 'post', holds_for: 'people', tags: 'T57, T58', minutes: 1, drawn_as: 'circle', outline: undefined, centre: [LON, LAT], radius_m: 50 });
  await inForce(3);
  await walk(40, 3, 0);
  await walk(50, 3, 300);
  await walk(111, 1, 300);
  const a = await alarm(post.id, 'off_post');
  assert.deepEqual([Date.parse(a.raised_at), a.value, a.limit, a.point.unit], [t0 + 110e3, 1, 1, 'min']);
  await walk(112, 3, 0);
  await alarm(post.id, 'off_post', (x) => !x.active);
  await drive(31, 1, 900); // between positions that were judged: too old now
  await drive(-4000, 5, 900);
  await drive(33, 1, 400);
  await drive(40, 4, 900);
  await alarm(stay.id, 'left', (x) => x.active);
  assert.equal((await alarms(stay.id)).length, 2, 'the late ones made none');
});

test('what lasts outlives a killed server, and a fence that is put out of force ends its alarm without a restart', async () => {
  const before = (await alarms(stay.id)).find((a) => a.active);
  await s.kill();
  await s.spawn();
  const a = await alarm(stay.id, 'left', (x) => x.active);
  assert.deepEqual([a.id, a.raised_at, a.count], [before.id, before.raised_at, before.count]);
  await bureau.ok_patch(`/api/v1/records/fence/${stay.id}`, { in_force: false, version: stay.version });
  await alarm(stay.id, 'left', (x) => !x.active);
});

test('a trial on stored tracks says what it would have said, saves nothing, and sees only the caller’s own', async () => {
  const span = { from: new Date(t0 - 60e3).toISOString(), to: new Date(t0 + 200e3).toISOString() };
  const fields = { name: '试', kind: 'in', drawn_as: 'area', outline: square(500), area: '', enterprise: v.enterprise.id, holds_for: 'vehicles' };
  delete fields.area;
  const r = await bureau.ok_post('/api/v1/fences/try', { fence: fields, ...span });
  assert.deepEqual([r.movers, r.alarms, r.items.map((x) => [x.what, Date.parse(x.from) - t0, x.to && Date.parse(x.to) - t0])], [1, 2, [['left', 15e3, 32e3], ['left', 42e3, null]]]);
  const loose = await bureau.ok_post('/api/v1/fences/try', { fence: { ...fields, dead_band_m: 450, positions: 1 }, ...span });
  assert.equal(loose.alarms, 1, 'farther than 450 m outside it was once only');
  assert.equal((await bureau.ok_post('/api/v1/fences/try', { id: forbid.id, ...span })).alarms, 2);
  const bad = await bureau.post('/api/v1/fences/try', { fence: { ...fields, outline: { type: 'Polygon', coordinates: [[[1, 1], [2, 2]]] } }, ...span });
  assert.equal(bad.status, 400);
  assert.ok(bad.json.error.message && bad.json.error.field === 'outline', bad.text);
  const drawn = (await bureau.ok_get('/api/v1/map/fences')).items;
  assert.deepEqual(drawn.sort((a, b) => a.id - b.id).map((f) => [f.kind, f.shape.type, f.in_force]), [['in', 'Polygon', false], ['out', 'Point', true], ['post', 'Point', true]]);
  const mine = (await own.get(`/api/v1/records/device/${v.device.id}`)).status === 200;
  const theirs = await own.post('/api/v1/fences/try', { fence: { ...fields, enterprise: undefined }, ...span });
  assert.equal(theirs.status === 200 && theirs.json.movers > 0, mine);
});

test('a latched alarm stays after its return until it is acknowledged and reset by who may', async () => {
  const g = await makeDevice(s, { code: 'HOLDER-57', protocol: 'http', points: [{ code: 'GH-LEVEL', kind: 'gas_holder_level', unit: '%', h: 85, hh: 92 }] });
  const push = (sec, value) => s.call('POST', '/api/v1/readings', [{ point: 'GH-LEVEL', value, time: new Date(t0 + sec * 1000).toISOString() }], { headers: { Authorization: `Bearer ${g.key}` } });
  const now = (fits) => until('the alarm of the holder', async () => (await duty.ok_get('/api/v1/alarms?state=all&point=GH-LEVEL')).items.find(fits));
  await push(0, 70);
  await push(10, 95);
  const a = await now((x) => x.state === 'unack'), path = `/api/v1/alarms/${a.id}`;
  assert.equal((await duty.post(`${path}/reset`, {})).status, 409, 'it lasts');
  await push(20, 60);
  await push(90, 60);
  await now((x) => x.state === 'latch_unack' && !x.active && x.latch);
  assert.equal((await duty.post(`${path}/reset`, {})).status, 409, 'nobody has seen it');
  assert.equal((await duty.ok_post(`${path}/ack`, {})).state, 'latch_acked');
  assert.ok((await duty.ok_get('/api/v1/alarms?state=latch_acked')).items.some((x) => x.id === a.id));
  assert.equal((await town.post(`${path}/reset`, {})).status, 403);
  const done = await duty.ok_post(`${path}/reset`, {});
  assert.ok(done.state === 'normal' && done.closed_at && !done.latch);
  const journal = (await duty.ok_get(`${path}/journal`)).items.map((x) => `${x.what} ${x.to}`);
  assert.deepEqual(journal.slice(-3), ['returned latch_unack', 'ack latch_acked', 'reset normal']);
});
