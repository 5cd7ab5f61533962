// Major hazard installations that live: the grade is computed, never typed; levels of tanks change it; who hears of it; filing from
// declaration to cancellation. Risk points graded by their method; a check that is missed is a hazard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, town, ent, device, unit, point;
const rec = (t, id) => bureau.ok_get(`/api/v1/records/${t}/${id}`);
const move = (who, t, id, name, body = {}) => who.post(`/api/v1/records/${t}/${id}/moves/${name}`, body);
const ok_move = async (...a) => { const r = await move(...a); assert.equal(r.status, 200, r.text); return r.json; };
let clock = Date.now() - 3600e3;
const level = async (value, p = point) => {
  const r = await s.call('POST', '/api/v1/readings', [{ point: p.code, time: new Date(clock += 1000).toISOString(), value }], { headers: { Authorization: `Device ${device.code}:${device.key}` } });
  assert.equal(r.status, 200, r.text);
};
const day = (days) => new Date(Date.now() + 8 * 3600e3 + days * 864e5).toISOString().slice(0, 10);
const ammonia = (quantity_t) => [{ name: '液氨', cas: '7664-41-7', state: 'liquefied', quantity_t }];

before(async () => {
  s = await Server.start();
  [bureau, town, ent] = await Promise.all(['bureau', 'town', 'enterprise'].map((r) => s.as(r)));
  const enterprise = ent.me.enterprise.id;
  device = await bureau.ok_post('/api/v1/records/device', { code: 'INST-GW', name: '储罐网关', enterprise, protocol: 'mqtt' });
  device.key = (await bureau.ok_post(`/api/v1/devices/${device.id}/key`)).key;
  point = await bureau.ok_post('/api/v1/records/point', { code: 'INST-LT', name: '氨罐液位', device: device.id, enterprise, kind: 'level', unit: '%', interval_s: 1 });
});
after(() => s.stop());

test('S, R, alpha and the grade come from the tables with the arithmetic; nobody types them', async () => {
  const base = { name: '氨罐区', unit: 'storage', enterprise: ent.me.enterprise.id, position: [113.1, 33.1], exposed: 40, substances: ammonia(50) };
  const typed = await ent.post('/api/v1/records/installation', { ...base, grade: '1' });
  assert.equal(typed.status, 400);
  assert.equal(typed.json.error.field, 'grade');
  assert.equal((await ent.post('/api/v1/records/installation', { ...base, r_value: 3 })).json.error.field, 'r_value');
  const odd = await ent.post('/api/v1/records/installation', { ...base, substances: [{ name: '不明物', quantity_t: 1 }] }, { lang: 'en' });
  assert.equal(odd.json.error.field, 'substances');
  assert.match(odd.json.error.message, /not in table 1; give its class/);

  unit = await ent.ok_post('/api/v1/records/installation', { ...base,
    tanks: [{ name: 'V-1', substance: '液氨', point: point.id, shape: 'vertical', volume_m3: 1000, density: 600 }] });
  let r = await rec('installation', unit.id);
  assert.equal(r.s_value, 5);
  assert.equal(r.alpha, 1.2);
  assert.equal(r.r_value, 12);
  assert.equal(r.design_grade, '3');
  assert.equal(r.grade, '3');
  assert.match(r.arithmetic, /R = 1\.2 × \(2×50\/10\) = 12 → 三级/);
  // places around count, and the boundaries are those of the standard
  const patch = async (body) => { r = await rec('installation', unit.id); return ent.ok_patch(`/api/v1/records/installation/${unit.id}`, { version: r.version, ...body }); };
  await patch({ neighbours: [{ name: '村庄', distance_m: 300, persons: 100 }] });
  r = await rec('installation', unit.id);
  assert.deepEqual([r.persons, r.alpha, r.r_value], [100, 2, 20]);
  await patch({ neighbours: [], substances: [...ammonia(4), { name: '硫化氢', quantity_t: 1 }] });
  r = await rec('installation', unit.id);
  assert.equal(r.s_value, 0.6);
  assert.equal(r.grade ?? null, null, 'S below 1 has no grade');
  assert.equal((await move(ent, 'installation', unit.id, 'declare', { assessed: day(0) })).status, 409);
  await patch({ substances: ammonia(50) });
});

test('declared, checked by the town, filed by the county: each by another person', async () => {
  const staff = (await bureau.ok_get('/api/v1/records/person?size=500')).items.filter((p) => p.enterprise?.id === ent.me.enterprise.id);
  const r = await rec('installation', unit.id);
  assert.equal((await move(ent, 'installation', unit.id, 'declare', { assessed: day(-5) })).status, 400, 'the three persons are missing');
  await ent.ok_patch(`/api/v1/records/installation/${unit.id}`, { version: r.version, principal: staff[0].id, technical: staff[0].id, operating: staff[0].id });
  await ok_move(ent, 'installation', unit.id, 'declare', { assessed: day(-5) });
  assert.equal((await move(ent, 'installation', unit.id, 'check', { town_note: '自己核查' })).status, 403);
  await ok_move(town, 'installation', unit.id, 'return_town', { reason: '缺平面图' });
  await ok_move(ent, 'installation', unit.id, 'declare', { assessed: day(-5) });
  await ok_move(town, 'installation', unit.id, 'check', { town_note: '与现场一致' });
  assert.equal((await move(bureau, 'installation', unit.id, 'accept', {})).status, 400, 'a number and a validity');
  await ok_move(bureau, 'installation', unit.id, 'accept', { filing_number: 'BA-TEST-1', valid_until: day(1095) });
  const f = await rec('installation', unit.id);
  assert.deepEqual([f.state, f.filed_grade, f.filing_number], ['filed', '3', 'BA-TEST-1']);
});

test('levels rise: what is there is graded again, with history, event and notice; above the grade on file it is re-assessed', async () => {
  const stream = await bureau.events();
  await level(8); // 48 t
  await until('the first grading', async () => (await rec('installation', unit.id)).live_r > 0);
  let r = await rec('installation', unit.id);
  assert.ok(Math.abs(r.live_r - 11.52) < 1e-9, r.live_r);
  assert.deepEqual([r.live_grade, r.grade, r.over_design, r.present[0].quantity_t, r.present[0].source], ['3', '3', false, 48, 'measured']);
  assert.match(r.live_arithmetic, /2×48\/10/);

  await level(7); // R 10.08: still grade 3
  await level(6.7); // R 9.648: below 10, but not by the dead band
  await level(6.2); // R 8.928: now it falls
  await until('the fall', async () => (await rec('installation', unit.id)).live_grade === '4');
  r = await rec('installation', unit.id);
  assert.deepEqual([r.live_grade, r.grade, r.state], ['4', '3', 'filed'], 'the design maximum keeps the grade');

  await level(50); // 300 t, R 72: more than was designed
  await until('the rise', async () => (await rec('installation', unit.id)).state === 'reassessing');
  r = await rec('installation', unit.id);
  assert.deepEqual([r.live_grade, r.grade, r.filed_grade, r.over_design], ['2', '2', '3', true]);
  const history = (await bureau.ok_get(`/api/v1/records/installation/${unit.id}/history`)).items;
  assert.ok(history.some((h) => h.action === 'update' && JSON.stringify(h).includes('液位变化')), JSON.stringify(history).slice(0, 2000));
  await stream.wait('the event', (e) => e.name === 'record' && e.data.type === 'installation' && e.data.id === unit.id && e.data.state === 'reassessing');
  stream.close();
  for (const who of [ent, bureau]) {
    const notices = (await who.ok_get('/api/v1/notices')).items;
    assert.ok(notices.some((n) => n.record === unit.id && /级别由三级变为二级/.test(n.text.zh)), JSON.stringify(notices).slice(0, 600));
  }
  // the duty: declared and filed again; then what is there is no news any more
  await ok_move(ent, 'installation', unit.id, 'declare', { assessed: day(0) });
  await ok_move(town, 'installation', unit.id, 'check', { town_note: '核查' });
  await ok_move(bureau, 'installation', unit.id, 'accept', { filing_number: 'BA-TEST-2', valid_until: day(1095) });
  r = await rec('installation', unit.id);
  assert.deepEqual([r.state, r.filed_grade], ['filed', '2']);
});

test('fewer persons: both grades follow, nothing rises', async () => {
  const r = await rec('installation', unit.id);
  assert.equal(r.live_r, 72);
  await bureau.ok_patch(`/api/v1/records/installation/${unit.id}`, { version: r.version, exposed: 10 });
  await until('the new alpha in what is there', async () => (await rec('installation', unit.id)).live_r === 60);
  const n = await rec('installation', unit.id);
  assert.deepEqual([n.r_value, n.state, n.live_grade], [10, 'filed', '2']);
});

test('a level of another enterprise counts for nothing', async () => {
  const theirs = (await bureau.ok_get('/api/v1/records/point?size=500&where.kind=level')).items.find((p) => p.enterprise.id !== ent.me.enterprise.id);
  const x = await bureau.ok_post('/api/v1/records/installation', { name: '别家的液位', unit: 'storage', enterprise: ent.me.enterprise.id, position: [113.1, 33.1], exposed: 0, substances: ammonia(50),
    tanks: [{ name: 'V-9', substance: '液氨', point: theirs.id, shape: 'vertical', volume_m3: 1000, density: 600 },
      { name: 'V-1', substance: '液氨', point: point.id, shape: 'sphere', volume_m3: 100, density: 600 }] });
  await level(50.5);
  await until('the grading', async () => (await rec('installation', x.id)).live_r > 0);
  const r = await rec('installation', x.id);
  assert.equal(r.present[0].source, 'partly');
  assert.equal(r.present[0].quantity_t, 50, 'a tank that is not seen counts up to the design maximum');
});

test('a gas holder of a smelter is a source like any other', async () => {
  const holder = await bureau.ok_post('/api/v1/records/installation', { name: '煤气柜', unit: 'storage', enterprise: ent.me.enterprise.id, position: [113.1, 33.1], exposed: 0, substances: [{ name: '煤气', state: 'gas', quantity_t: 60 }],
    tanks: [{ name: 'G-1', substance: '煤气', point: point.id, shape: 'vertical', volume_m3: 100000, density: 1.2 }] });
  await until('the grading', async () => (await rec('installation', holder.id)).live_r > 0);
  const r = await rec('installation', holder.id);
  assert.deepEqual([r.s_value, r.r_value, r.grade], [3, 3, '4'], 'alpha 0.5, beta 2, Q 20 t');
  assert.ok(Math.abs(r.present[0].quantity_t - 0.505 * 120) < 0.01, JSON.stringify(r.present));
});

test('what opens by itself: duties of the three persons, the yearly check, the month of dual prevention, the day of commitment', async () => {
  const mine = (t, more = '') => ent.ok_get(`/api/v1/records/${t}?size=200${more}`).then((r) => r.items);
  await until('the schedules', async () => (await mine('guarantee_duty')).length >= 3 && (await mine('risk_commitment')).length >= 1 && (await mine('dual_prevention')).length >= 1);
  const duties = await mine('guarantee_duty');
  assert.deepEqual([...new Set(duties.map((d) => d.role))].sort(), ['operating', 'principal', 'technical']);
  assert.ok(duties.every((d) => d.person?.id), 'each has the person of the installation');
  const duty = duties[0];
  await ok_move(ent, 'guarantee_duty', duty.id, 'finish', { done: ['patrol'], found: [{ title: '呼吸阀卡涩' }] });
  assert.ok((await mine('hazard')).some((h) => h.title === '呼吸阀卡涩' && h.origin?.type === 'guarantee_duty' && h.origin.id === duty.id));
  const [dual] = await mine('dual_prevention');
  assert.ok(dual.installations >= 1, 'counted from the records');
  assert.equal(dual.complete, false);
  assert.equal((await move(ent, 'dual_prevention', dual.id, 'confirm')).status, 409, 'what is missing must be said');
  await ok_move(ent, 'dual_prevention', dual.id, 'confirm', { gaps: '补齐岗位卡' });
  const c = await ent.ok_post('/api/v1/records/risk_commitment', { day: day(2) }); // today's may be over already
  assert.ok((await bureau.ok_get('/api/v1/records/installation_check?size=1')).total > 20);
  assert.equal((await move(ent, 'risk_commitment', c.id, 'publish', {})).status, 400);
});

test('reports are made from the records', async () => {
  const bytes = async (path) => {
    const r = await fetch(s.url + path, { headers: { Authorization: `Bearer ${bureau.token}` } });
    return [r.status, Buffer.from(await r.arrayBuffer()).toString('latin1', 0, 5)];
  };
  assert.deepEqual(await bytes(`/api/v1/records/enterprise/${ent.me.enterprise.id}/documents/enterprise_risk_analysis/preview`), [200, '%PDF-']);
  assert.deepEqual(await bytes('/api/v1/reports/major_risk_list/preview?period=2026-10'), [200, '%PDF-']);
  assert.deepEqual(await bytes('/api/v1/reports/area_risk_report/preview?period=2026-Q3'), [200, '%PDF-']);
});

test('cancelled with a signature; then it is not monitored any more', async () => {
  await ok_move(ent, 'installation', unit.id, 'ask_cancel', { cancel_reason: '储罐拆除' });
  assert.equal((await move(bureau, 'installation', unit.id, 'cancel')).status, 400, 'it is signed');
  const r = await rec('installation', unit.id);
  assert.equal(r.state, 'cancelling');
});
