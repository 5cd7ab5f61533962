// At sea: a message goes to every fishing vessel and each owes a receipt; for a vessel in distress the nearest vessels and boats are found by the positions of
// their terminals, and who is sent is written down.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { makeDevice, Server } from '../lib/server.mjs';

let s, v, town, dept, duty;
const LON = 118.3, LAT = 32.3, KM = 1 / 111.195;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const hour = (n = 0) => new Date(Date.now() + n * 3600e3).toISOString();

before(async () => {
  s = await Server.start();
  [town, dept, duty] = await Promise.all(['town', 'department', 'duty'].map((r) => s.as(r)));
  v = await makeDevice(s, { code: 'BD-129', protocol: 'http', points: [
    { code: 'S-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'S-LAT', kind: 'latitude', unit: '°', address: 'lat' }] });
});
after(() => s.stop());

const ships = [];
const ship = async (name, more = {}) => {
  const r = await rec(dept, 'ship', { name, area: v.enterprise.area?.code ?? v.enterprise.area, owner: '船东', phone: '13900009129', kind: 'fishing', hull: 'steel', length: 11, port: '虚构港', survey_to: day(200), ...more });
  await done(dept, 'ship', r.id, 'sail', { terminal: 'online', mmsi: name, equipment: [{ item: '救生衣', required: 4, lacking: 0, valid_to: day(200) }], ...more });
  ships.push(r);
  return r;
};

test('a message asks for a receipt and nothing else; a recall is not answered by one', async () => {
  const one = await ship('虚渔 901');
  const m = await rec(dept, 'ship_recall', { title: '禁渔线提醒', area: one.area?.code ?? one.area, cause: 'notice', fishing: true, by: hour(2), demand: '勿越北纬 33 度' });
  await done(dept, 'ship_recall', m.id, 'message');
  const [r] = (await all(dept, 'ship_return', `&where.recall=${m.id}`)).filter((x) => x.ship?.id === one.id || x.ship === one.id);
  assert.equal(r.message, '勿越北纬 33 度');
  assert.equal((await move(dept, 'ship_recall', m.id, 'end')).status, 409, 'a receipt is missing');
  const answered = await done(town, 'ship_return', r.id, 'receipt', { receipt: '船长已收到' }).catch(() => done(duty, 'ship_return', r.id, 'receipt', { receipt: '船长已收到' }));
  assert.ok(answered.confirmed);
  const c = await rec(dept, 'ship_recall', { title: '大风', area: one.area?.code ?? one.area, cause: 'gale', fishing: true, by: hour(2), demand: '回港' });
  await done(dept, 'ship_recall', c.id, 'fishing');
  const [b] = (await all(dept, 'ship_return', `&where.recall=${c.id}`)).filter((x) => x.ship?.id === one.id || x.ship === one.id);
  assert.equal((await move(duty, 'ship_return', b.id, 'receipt', { receipt: '知道了' })).status, 409);
});

test('the nearest vessel by its terminal and the rescue boat are named in order; who is sent and when is kept', async () => {
  const near = await ship('虚渔 902');
  const bureau = await s.as('bureau');
  await bureau.ok_patch(`/api/v1/records/ship/${near.id}`, { device: v.device.id, version: (await bureau.ok_get(`/api/v1/records/ship/${near.id}`)).version });
  const area = near.area?.code ?? near.area;
  const sent = await s.call('POST', '/api/v1/readings', [{ point: 'S-LON', value: LON, time: hour() }, { point: 'S-LAT', value: LAT + 2 * KM, time: hour() }].map((x, _, a) => ({ ...x, time: a[0].time })), { headers: { Authorization: `Bearer ${v.key}` } });
  assert.equal(sent.status, 200, sent.text);
  await rec(dept, 'water_facility', { name: '虚构救助艇', area, kind: 'boat', port: '虚构港', position: [LON, Number((LAT - 5 * KM).toFixed(6))], keeper: '海事处', status: 'good', radius: 20, next_check: day(60) });
  const d = await rec(duty, 'ship_distress', { title: '机舱进水', area, unknown: '虚渔 777', by: '甚高频 16 频道', people: 3 });
  assert.equal((await duty.get(`/api/v1/distress/${d.id}`)).status, 409, 'where is it?');
  assert.equal((await move(duty, 'ship_distress', d.id, 'locate')).status, 400);
  await done(duty, 'ship_distress', d.id, 'locate', { position: [LON, LAT] });
  const { items } = await dept.ok_get(`/api/v1/distress/${d.id}`);
  const mine = items.filter((x) => ['虚渔 902', '虚构救助艇', '虚渔 901'].includes(x.title));
  assert.deepEqual(mine.map((x) => [x.type, Math.round(x.metres / 100) / 10]), [['ship', 2], ['water_facility', 5]], 'no position, not named');
  assert.ok(mine[0].age_s < 60 && mine[1].age_s === undefined);
  assert.equal((await move(duty, 'ship_distress', d.id, 'send')).status, 409, 'nobody');
  const r = await done(duty, 'ship_distress', d.id, 'send', { sent: [near.id] });
  assert.ok(r.sent_at && r.minutes >= 0);
  await done(duty, 'ship_distress', d.id, 'event');
  assert.equal((await all(duty, 'emergency_event', `&where.distress=${d.id}`)).length, 1);
  assert.equal((await move(duty, 'ship_distress', d.id, 'end', { result: 'rescued', saved: 3 })).status, 400, 'no log');
  await done(duty, 'ship_distress', d.id, 'end', { result: 'rescued', saved: 3, log: [{ at: hour(), what: '三人获救' }] });
});
