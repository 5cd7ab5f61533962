// Pipes: closing valves says who is cut off, a broken section says which valves to close; digging near a pipe, routes through plans; plans that meet.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const titles = (v) => v.map((x) => x.title).sort();

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept] = await Promise.all(['bureau', 'enterprise', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

//            V1        J          V2
//   source ──●────────┬──────────●──── U1 (hospital, 300)
//                     └── V3 ── U2 (80)      V4 ties U1 and a second source, closed as recorded
test('a network: cut off, parted, tied over, and what has no nodes is refused', async () => {
  const n = {}, p = {};
  const node = async (name, kind, more = {}) => { n[name] = await rec(ent, 'pipe_node', { name, kind, medium: 'water', ...more }); };
  for (const [name, kind, more] of [['S', 'source'], ['V1', 'valve'], ['J', 'junction'], ['V2', 'valve'], ['U1', 'user', { users: 300, key_user: '县医院' }],
    ['V3', 'valve'], ['U2', 'user', { users: 80 }], ['V4', 'valve', { closed: true }], ['S2', 'source']]) await node(name, kind, more);
  const pipe = async (a, b) => { p[a + b] = await rec(ent, 'pipeline_section', { name: `${a}-${b}`, medium: 'water', length: 1, built: 2010, next_inspection: day(90), from_node: n[a].id, to_node: n[b].id, diameter: 300, wall: 10 }); };
  for (const [a, b] of [['S', 'V1'], ['V1', 'J'], ['J', 'V2'], ['V2', 'U1'], ['J', 'V3'], ['V3', 'U2'], ['S2', 'V4'], ['V4', 'U1']]) await pipe(a, b);
  assert.ok(Math.abs(p.SV1.bore - Math.PI * 0.28 ** 2 / 4) < 0.0001, `cross-section ${p.SV1.bore}`);
  const close = (q) => bureau.ok_get(`/api/v1/pipes/close?${q}`);
  const one = await close(`valves=${n.V2.id}`);
  assert.deepEqual([one.users, titles(one.cut)], [300, ['U1', 'V2']]);
  assert.equal(one.cut.find((x) => x.title === 'U1').key_user, '县医院');
  assert.deepEqual(titles(one.sections), ['V2-U1', 'V4-U1']);
  const main = await close(`valves=${n.V1.id}`);
  assert.deepEqual([main.users, main.sections.length], [380, 6]);
  const parted = await close(`section=${p.JV3.id}`);
  assert.deepEqual(titles(parted.close), ['V1', 'V2', 'V3'], 'the nearest valves around it');
  assert.equal(parted.users, 380);
  assert.deepEqual(titles((await close(`section=${p.V3U2.id}`)).close), ['V3']);
  // with the tie open U1 is fed from the second source
  const tie = await ent.patch(`/api/v1/records/pipe_node/${n.V4.id}`, { closed: false, version: n.V4.version });
  assert.ok(tie.status < 300, tie.text);
  assert.deepEqual([(await close(`valves=${n.V1.id}`)).users, (await close(`valves=${n.V2.id}`)).users], [0, 0]);
  assert.equal((await close(`valves=${n.V1.id},${n.V4.id}`)).users, 380);
  assert.equal((await bureau.get(`/api/v1/pipes/close?valves=${n.J.id}`)).status, 400, 'no valve');
  const bare = await rec(ent, 'pipeline_section', { name: '无节点', medium: 'gas', length: 1, built: 2010, next_inspection: day(90) });
  assert.equal((await bureau.get(`/api/v1/pipes/close?section=${bare.id}`)).status, 400);
});

test('who digs is told the pipes near by with their distance; a route through a plan is a conflict that is settled', async () => {
  const line = (v) => ({ type: 'LineString', coordinates: v });
  const gas = await rec(ent, 'pipeline_section', { name: '中压干管', medium: 'city_gas', length: 1, built: 2010, next_inspection: day(90), line: line([[118.9, 33.1], [118.91, 33.1]]) });
  await rec(ent, 'pipeline_section', { name: '远处管', medium: 'oil', length: 1, built: 2010, next_inspection: day(90), line: line([[118.9, 33.2], [118.91, 33.2]]) });
  const near = await town.ok_get('/api/v1/pipes/near?lon=118.905&lat=33.1001&m=50');
  assert.deepEqual(near.items.map((x) => x.title), ['中压干管']);
  assert.ok(Math.abs(near.items[0].metres - 11.1) < 0.2, `${near.items[0].metres} m`);
  assert.equal((await town.ok_get('/api/v1/pipes/near?lon=118.905&lat=33.102&m=50')).items.length, 0);
  const square = { type: 'Polygon', coordinates: [[[118.902, 33.099], [118.906, 33.099], [118.906, 33.101], [118.902, 33.101], [118.902, 33.099]]] };
  const plan = await rec(dept, 'plan_area', { name: '东环路拓宽', kind: 'road', outline: square, basis: '（用例）' });
  const found = await dept.ok_get('/api/v1/pipes/conflicts?of=plan_area');
  const mine = found.items.filter((x) => x.zone.id === plan.id);
  assert.deepEqual(mine.map((x) => x.id), [gas.id]);
  const expected = 0.004 * 111195 * Math.cos(33.1 * Math.PI / 180);
  assert.ok(Math.abs(mine[0].metres - expected) < 3, `${mine[0].metres} for ${expected}`);
  const open = await done(dept, 'plan_area', plan.id, 'dispute', { section: gas.id, conflict: '管道在路面下 370 米', owner: '住建局', due: day(30) });
  assert.ok(open.deadline);
  assert.deepEqual((await all(bureau, 'plan_area', '&list=open')).map((x) => x.id), [plan.id]);
  assert.equal((await done(dept, 'plan_area', plan.id, 'settle', { outcome: '管道改线，费用由建设单位承担' })).state, 'clear');
});

test('two plans meet when contacts, evacuation and valves are matched, and are drilled together', async () => {
  const plan = (who, title, kind, more) => rec(who, 'emergency_plan', { title, kind, ...more });
  const ours = await plan(ent, '管道泄漏预案', 'enterprise', {}), theirs = await plan(bureau, '县油气管道预案', 'special', {});
  const link = await rec(bureau, 'plan_link', { title: '管道政企衔接', enterprise: firm.id, enterprise_plan: ours.id, government_plan: theirs.id });
  const item = (kind) => ({ kind, what: kind, ours: '值班室', theirs: '应急局' });
  await refused(bureau, 'plan_link', link.id, 'match', { items: [item('contact')] });
  await done(bureau, 'plan_link', link.id, 'match', { items: ['contact', 'evacuation', 'valve'].map(item) });
  const value = async () => (await bureau.ok_get('/api/v1/indicators/plans_linked_rate')).total.value;
  const drill = await rec(bureau, 'drill', { title: '政企联合演练', kind: 'functional', enterprise: firm.id, planned: day(1) });
  await refused(bureau, 'plan_link', link.id, 'drilled', { drill: drill.id });
  assert.equal(await value(), 0);
  await done(bureau, 'drill', drill.id, 'hold', { held: new Date().toISOString(), participants: 60 });
  await done(bureau, 'drill', drill.id, 'evaluate', { warn_score: 20, report_score: 20, start_score: 20, support_score: 20, conclusion: '（用例）' });
  await done(bureau, 'plan_link', link.id, 'drilled', { drill: drill.id });
  assert.equal(await value(), 100);
});
