// Regional risk assessment on a real server: the invented park is computed as a record with progress, its answer fits its description and
// the command's; a source left out takes its risk away; rights; what is wrong in a register is said in the record. And the command.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { mismatches } from '../lib/contract.mjs';
import { Server } from '../lib/server.mjs';

const BIN = process.env.ANLAN_BIN ?? 'build/anlan';
let s, bureau, town, enterprise, third, doc, park, first;
before(async () => {
  s = await Server.start();
  [bureau, town, enterprise, third] = await Promise.all(['bureau', 'town', 'enterprise', 'department'].map((r) => s.as(r)));
  doc = (await s.call('GET', '/api/v1/openapi.json')).json;
  park = (await bureau.ok_get('/api/v1/records/qra_park')).items[0];
});
after(() => s.stop());

const retire = (type, id) => bureau.ok_delete(`/api/v1/records/${type}/${id}`, { reason: '试验' });
const list = async (type, who = bureau) => (await who.ok_get(`/api/v1/records/${type}?size=200`)).items;
// Computed in the core, however long that takes: asked again until it is there.
const until_over = async (id) => {
  const parts = [];
  for (let i = 0; i < 3000; i++) {
    const r = await bureau.ok_get(`/api/v1/qra/${id}`);
    parts.push(r.part);
    if (r.state !== 'queued') return { ...r, parts };
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail('the assessment does not end');
};
const begin = async (body) => until_over((await bureau.ok_post('/api/v1/qra', { park: park.id, ...body })).id);

test('the park is computed: contours, places, curve, ranking, what is planned', async () => {
  await bureau.ok_post(`/api/v1/records/qra_park`, { area: '990121401000', name: '别的园区', centre: [119, 33], half_km: 1, cell: 50, weather: [{ stability: 'D', u: 3, share: 100, day: 50 }], rose: 'NESW'.split('').map((from) => ({ from, share: 25 })) });
  first = await begin({ name: '现状与拟建' });
  assert.equal(first.state, 'done');
  assert.deepEqual(mismatches({ $ref: '#/components/schemas/QraRun' }, first, doc).filter((m) => !/parts/.test(m)), []);
  assert.ok(first.parts.every((p, i) => p >= 0 && p <= 1 && (!i || p >= first.parts[i - 1])), 'progress only rises');
  const a = first.answer;
  assert.equal(a.sources.length, (await list('qra_source')).length);
  assert.ok(a.pll > 0 && a.ir_max > 1e-6 && a.outcomes > 1000);
  assert.deepEqual(a.contours.map((c) => c.level), [3e-7, 3e-6, 1e-5, 3e-5]);
  assert.ok(a.contours[0].km2 > a.contours[1].km2 && a.contours[1].km2 > 0);
  const [lon, lat] = a.contours[0].polygons[0][0][0];
  assert.ok(Math.abs(lon - park.centre[0]) < 0.1 && Math.abs(lat - park.centre[1]) < 0.1, 'in degrees');
  for (const [n, f] of a.fn.points) assert.ok(n >= 1 && f > 0);
  assert.ok(a.fn.points.every(([n, f], i) => !i || (n > a.fn.points[i - 1][0] && f < a.fn.points[i - 1][1])));
  const sum = a.sources.reduce((x, y) => x + y.pll, 0);
  assert.ok(Math.abs(sum / a.pll - 1) < 1e-9);
  assert.ok(a.sources.every((x, i) => !i || x.pll <= a.sources[i - 1].pll), 'ranked');
  assert.deepEqual(a.compare.left_out, (await list('qra_source')).filter((x) => x.planned).map((x) => x.name).sort((x, y) => a.compare.left_out.indexOf(x) - a.compare.left_out.indexOf(y)));
  assert.ok(a.compare.pll.with > a.compare.pll.without);
  for (const p of a.places) assert.equal(p.met, p.ir <= p.limit);
  const left = Math.min(...a.places.map((p) => p.limit / p.ir));
  assert.ok(Math.abs(a.capacity.places / left - 1) < 1e-9);
});

test('natural triggers of the register: how often times how likely, ranked, and what is exposed must be able to break', async () => {
  const sources = await list('qra_source'), breaks = sources.find((x) => x.scenarios.some((c) => c.rupture) && !x.planned);
  const flood = await bureau.ok_post('/api/v1/records/qra_trigger', { name: '五十年一遇洪水（虚构）', park: park.id, kind: 'flood', return_years: 50, sources: [breaks.id], damage: 0.02, damage_source: '专家判断（虚构）' });
  const quake = await bureau.ok_post('/api/v1/records/qra_trigger', { name: '设防烈度地震（虚构）', park: park.id, kind: 'quake', return_years: 475, sources: [breaks.id], damage: 0.1, damage_source: '专家判断（虚构）' });
  const a = (await begin({ name: '含自然灾害' })).answer;
  assert.deepEqual(a.triggers.map((t) => t.trigger), ['五十年一遇洪水（虚构）', '设防烈度地震（虚构）'], 'the gravest first');
  const [f, q] = a.triggers, near = (x, y) => assert.ok(Math.abs(x / y - 1) < 1e-6, `${x} ${y}`);
  near(f.event, 1 / 50);
  near(f.deaths_per_event / q.deaths_per_event, 0.02 / 0.1); // the same ruptures
  near(f.pll, f.event * f.deaths_per_event);
  const was = first.answer.sources.find((x) => x.id === breaks.id), is = a.sources.find((x) => x.id === breaks.id);
  near(is.pll, was.pll + f.pll + q.pll);
  near(is.f - was.f, 0.02 / 50 + 0.1 / 475);
  assert.deepEqual(mismatches({ $ref: '#/components/schemas/QraRun' }, (await bureau.ok_get('/api/v1/qra/' + (await list('qra_run'))[0].id)), doc).filter((m) => !/parts/.test(m)), []);
  const stands = sources.find((x) => !x.scenarios.some((c) => c.rupture));
  if (stands) {
    const bad = await bureau.ok_post('/api/v1/records/qra_trigger', { name: '错', park: park.id, kind: 'other', return_years: 1, sources: [stands.id], damage: 0.1, damage_source: '无' });
    const r = await begin({ name: '错' });
    assert.equal(r.state, 'failed');
    assert.match((await bureau.ok_get(`/api/v1/records/qra_run/${r.id}`)).why, /受多米诺影响/);
    await retire('qra_trigger', bad.id);
  }
  assert.equal((await town.post('/api/v1/records/qra_trigger', { name: 'x', park: park.id, kind: 'flood', return_years: 1, sources: [breaks.id], damage: 1, damage_source: 'x' })).status, 403);
  for (const t of [flood, quake]) await retire('qra_trigger', t.id);
});

test('the record holds the figures, the curve as a table, a contour as its place, and prints', async () => {
  const r = await bureau.ok_get(`/api/v1/records/qra_run/${first.id}`);
  assert.equal(r.state, 'done');
  assert.ok(Math.abs(r.pll - first.answer.pll * 1e3) < 1e-3);
  assert.equal(r.zone, first.answer.fn.zone);
  assert.equal(r.over, first.answer.places.filter((p) => !p.met).length);
  assert.equal(r.contour.type, 'MultiPolygon');
  assert.ok(r.fn.length > 5 && r.fn.length <= 200 && r.places.length && r.sources.length && r.result.length === 1);
  const pdf = await s.call('GET', `/api/v1/records/qra_run/${first.id}/documents/qra_report/preview`, undefined, { token: bureau.token, raw: true });
  assert.equal(pdf.status, 200);
  const hist = await bureau.ok_get(`/api/v1/records/qra_run/${first.id}/history`);
  assert.ok(hist.items.some((h) => /finish/.test(JSON.stringify(h))));
});

test('a source that is left out takes exactly its own loss of life away', async () => {
  const worst = (await list('qra_source')).find((x) => x.name === first.answer.sources[0].name);
  const without = await begin({ name: '去掉最大风险源', without: [worst.id] });
  assert.equal(without.answer.sources.some((x) => x.name === worst.name), false);
  // escalation from it is gone too, so the others are at most what they were
  const others = first.answer.sources.slice(1).reduce((x, y) => x + y.pll, 0);
  assert.ok(without.answer.pll <= others * (1 + 1e-9) && without.answer.pll > 0.5 * others);
});

test('who may not, may not', async () => {
  assert.equal((await town.post('/api/v1/qra', { name: 'x', park: park.id })).status, 403);
  assert.equal((await enterprise.get(`/api/v1/qra/${first.id}`)).status, 404);
  assert.equal((await bureau.get('/api/v1/qra/999999')).status, 404);
  assert.equal((await s.call('POST', '/api/v1/qra', { name: 'x', park: park.id })).status, 401);
  assert.equal((await third.get(`/api/v1/qra/${first.id}`)).status === 200, (await third.get(`/api/v1/records/qra_run/${first.id}`)).status === 200);
  assert.equal((await bureau.post(`/api/v1/records/qra_run/${first.id}/moves/finish`, {})).status >= 400, true);
});

test('what is wrong in a register is said in the record, and computed again after it was mended', async () => {
  const src = (await list('qra_source'))[0];
  const full = await bureau.ok_get(`/api/v1/records/qra_source/${src.id}`);
  const edit = async (substance) => {
    const now = await bureau.ok_get(`/api/v1/records/qra_source/${src.id}`);
    const r = await bureau.patch(`/api/v1/records/qra_source/${src.id}`, { version: now.version, scenarios: full.scenarios.map((x) => ({ ...x, substance: substance ?? x.substance })) });
    assert.equal(r.status, 200, r.text);
  };
  await edit('不存在的物质');
  const r = await begin({ name: '会失败' });
  assert.equal(r.state, 'failed');
  const rec = await bureau.ok_get(`/api/v1/records/qra_run/${r.id}`);
  assert.match(rec.why, /sources\.\d+\.scenarios\.0\.substance/);
  assert.match(rec.why, /qra-substances/);
  await edit();
  assert.equal((await bureau.post(`/api/v1/records/qra_run/${r.id}/moves/again`, {})).status, 200);
  assert.equal((await until_over(r.id)).state, 'done');
});

test('what a stop interrupts is computed after the next start', async () => {
  const { id } = await bureau.ok_post('/api/v1/qra', { name: '断电', park: park.id });
  const twice = () => bureau.post('/api/v1/qra', { name: '只一次', park: park.id }, { headers: { 'Idempotency-Key': 'qra-once' } });
  assert.equal((await twice()).json.id, (await twice()).json.id);
  await s.stopAndStart(); // it stops in the middle, or before it began
  bureau = await s.as('bureau');
  assert.equal((await until_over(id)).state, 'done');
});

const cli = (input, ...args) => spawnSync(BIN, ['qra', '-', ...args], { input: JSON.stringify(input), encoding: 'utf8', maxBuffer: 1 << 26 });
const tiny = {
  grid: { x0: -500, y0: -500, cell: 50, nx: 21, ny: 21 },
  weather: [{ stability: 'D', u: 4, from: [0.25, 0.25, 0.25, 0.25] }],
  people: [[100, 0, 10, 10, 0]],
  places: [{ name: '学校', class: 'sensitive', x: 100, y: 0 }],
  sources: [{ name: 'a', x: 0, y: 0, scenarios: [{ name: 'c', f: 1e-6, circle: 200 }] }, { name: 'b', owner: '新厂', planned: true, x: 50, y: 0, scenarios: [{ name: 'c', f: 3e-6, circle: 200, lethal: 0.5 }] }],
};

test('the command: known circles, what is planned, refusals', () => {
  const r = cli(tiny);
  assert.equal(r.status, 0, r.stderr);
  const a = JSON.parse(r.stdout);
  const near = (x, y) => assert.ok(Math.abs(x / y - 1) < 1e-9, `${x} ${y}`);
  near(a.pll, 1e-6 * 10 + 3e-6 * 5);
  near(a.places[0].ir, 2.5e-6);
  near(a.capacity.places, 3e-6 / 2.5e-6);
  near(a.compare.pll.without, 1e-5);
  assert.deepEqual(a.compare.left_out, ['b']);
  near(JSON.parse(cli(tiny, '--without', 'a').stdout).compare.pll.without, 1.5e-5);
  const bad = cli({ ...tiny, sources: [] });
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /sources/);
  assert.equal(cli(tiny, '--without', 'nobody').status, 1);
  assert.equal(spawnSync(BIN, ['qra']).status, 2);
});

test('the bench prints its seconds and how far it is from the plain sum', () => {
  const r = spawnSync(BIN, ['bench', 'qra', '--sources', '2', '--scenarios', '6', '--side', '60', '--check', '4'], { encoding: 'utf8' });
  assert.equal(r.status, 0, r.stderr);
  const b = JSON.parse(r.stdout);
  assert.ok(b.seconds > 0 && b.worst_relative_difference_from_plain <= 1e-6);
});
