// Mines: five sub-systems on the same data, when a slope that accelerates may fail, five systems scored with their gaps.
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

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

const mine = () => all(bureau, 'mine').then((v) => v[0]);
const get = (who, type, id) => who.ok_get(`/api/v1/records/${type}/${id}`);

test('a mine is smart with all five sub-systems, each on what this platform holds', async () => {
  const m = await mine();
  const camera = await rec(bureau, 'camera', { name: '采场', enterprise: m.enterprise.id, part: 'dam', position: here });
  assert.ok((await all(bureau, 'mine', '&list=smart')).some((x) => x.id === m.id));
  const r = await bureau.patch(`/api/v1/records/mine/${m.id}`, { cameras: [camera.id], version: m.version });
  assert.ok(r.status < 300, r.text);
  assert.equal(r.json.smart, (m.smart ?? 0) + 1);
  assert.ok(await value('smart_mine_rate') < 100);
});

test('the time of failure comes with its interval; the warning opens by the earliest, and what happened is kept beside it', async () => {
  const m = await mine();
  const readings = (n, tf) => Array.from({ length: n }, (_, t) => ({ t, u: Number((-40 * Math.log(1 - t / tf)).toFixed(2)) }));
  const far = await rec(bureau, 'slope_forecast', { title: '东帮', mine: m.id, readings: readings(8, 40), last_at: at(0) });
  assert.ok(Math.abs(far.t_failure - 40) < 1 && far.t_earliest <= far.t_failure && far.t_failure <= far.t_latest, JSON.stringify(far));
  assert.deepEqual([far.near, far.accelerating], [false, true]);
  const near = await done(bureau, 'slope_forecast', far.id, 'again', { readings: readings(12, 15), last_at: at(0) });
  assert.ok(Math.abs(near.left - 4) < 0.1 && near.near, JSON.stringify(near));
  const warned = await all(bureau, 'warning', `&where.slope_forecast=${far.id}`);
  assert.deepEqual(warned.map((x) => [x.level, x.title]), [['red', '东帮 边坡可能在七天内破坏']]);
  await lacks(bureau, 'slope_forecast', far.id, 'close', { happened: 'failed' });
  const end = await done(bureau, 'slope_forecast', far.id, 'close', { happened: 'failed', failed_t: 14.5 });
  assert.ok(Math.abs(end.error - 0.5) < 0.1);

  const steady = await rec(bureau, 'slope_forecast', { title: '西帮', mine: m.id, readings: Array.from({ length: 9 }, (_, t) => ({ t, u: t * 2 + (t % 2) * 0.2 })), last_at: at(0) });
  assert.deepEqual([steady.t_failure ?? null, steady.accelerating, steady.near ?? false], [null, false, false], 'what does not accelerate has no time');
  const few = await bureau.post('/api/v1/records/slope_forecast', { title: '南帮', mine: m.id, readings: readings(5, 15), last_at: at(0) });
  assert.equal(few.status, 400);
});

test('the five systems are scored by the mine and by the bureau; gaps become tasks, the certificate ends', async () => {
  const r = await rec(ent, 'safety_rating', { title: '五大体系', kind: 'mine', year: 2026 });
  await refused(ent, 'safety_rating', r.id, 'submit');
  const sheet = `/api/v1/records/safety_rating/${r.id}/sheet/mine_sheet`;
  const manual = { 'culture.idea': 12, 'training.plan': 12, 'training.special': 8, 'rules.written': 10, 'rules.kept': 10, 'equipment.upkeep': 12, 'management.outside': 10 };
  await ent.ok_post(sheet, { fill: true });
  await ent.ok_post(sheet, { items: Object.fromEntries(Object.entries(manual).map(([k, v]) => [k, { self: v }])) });
  const own = (await get(ent, 'safety_rating', r.id)).score;
  assert.ok(own >= 74, `${own}`);
  await done(ent, 'safety_rating', r.id, 'submit');
  await bureau.ok_post(sheet, { items: { 'rules.kept': { review: 2 }, 'culture.cases': { review: 8 }, 'equipment.systems': { review: 8 }, 'management.hazards': { review: 8 } } });
  const s2 = await done(bureau, 'safety_rating', r.id, 'show', { opinion: '达标', gaps: [{ what: '制度执行记录', due: day(60) }], show_until: day() });
  assert.deepEqual([s2.score, s2.grade], [90, 'excellent']);
  const [task] = await all(ent, 'rating_task', `&where.rating=${r.id}`);
  assert.equal(task.title, '制度执行记录');
  await done(bureau, 'safety_rating', r.id, 'certify', { certificate: 'WD-1', valid_to: day(365) });
  assert.ok((await all(bureau, 'safety_rating', '&list=mines')).some((x) => x.id === r.id));
});
