// Farm machines: a season opens a check for each owner, joint enforcement waits for the police, an inspector's volume counts by itself, accidents are on roads or in fields.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, town, dept, firm, area;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  [bureau, town, dept] = await Promise.all(['bureau', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(await s.as('enterprise'), 'enterprise'))[0];
  area = firm.area?.code ?? firm.area;
});
after(() => s.stop());

test('a season opens a check for each cooperative and big owner; it ends when they are done; the owner keeps the day', async () => {
  const owner = (name, kind, more) => rec(dept, 'farm_owner', { name, kind, area, contact: '某人', ...more });
  const a = await owner('丰收合作社', 'cooperative', { enterprise: firm.id }), b = await owner('某大户', 'big');
  await owner('维修点', 'service');
  const season = await rec(dept, 'farm_season', { title: '秋收检查', kind: 'autumn', area, starts: day(), ends: day(20), focus: '脱检、无证' });
  await done(dept, 'farm_season', season.id, 'begin');
  const checks = await all(dept, 'farm_check', `&where.season=${season.id}`);
  const of = (o) => checks.find((x) => (x.owner.id ?? x.owner) === o.id);
  assert.ok(of(a) && of(b) && checks.every((x) => x.title === '秋收检查' && x.due === day(20)));
  assert.equal(checks.length, (await all(dept, 'farm_owner')).filter((x) => x.kind !== 'service' && (x.area.code ?? x.area) === area).length, 'of the area of the season');
  assert.equal((await move(dept, 'farm_season', season.id, 'end', { summary: '完成' })).status, 409);
  for (const c of checks) await done(dept, 'farm_check', c.id, 'finish', { checked_on: day(), checked: 3 });
  assert.equal((await dept.ok_get(`/api/v1/records/farm_owner/${a.id}`)).checked_on, day());
  await done(dept, 'farm_season', season.id, 'end', { summary: '完成' });
  const joint = await rec(dept, 'farm_season', { title: '联合执法', kind: 'joint', area, starts: day(), ends: day(5), focus: '上路拖拉机', partners: [(await all(dept, 'organisation'))[0].id] });
  await done(dept, 'farm_season', joint.id, 'begin');
  const c = (await all(dept, 'farm_check', `&where.season=${joint.id}`)).find((x) => (x.owner.id ?? x.owner) === a.id);
  const found = { checked_on: day(), checked: 2, violations: [{ what: '无证驾驶', plate: '虚01-1', from_police: false, penalty: '扣留' }] };
  assert.equal((await move(dept, 'farm_check', c.id, 'finish', found)).status, 409, 'the police is not told');
  await done(dept, 'farm_check', c.id, 'tell', { ...found, told_on: day() });
  await done(dept, 'farm_check', c.id, 'receipt', { told_receipt: '交警已立案', violations: [...found.violations, { what: '载人', plate: '虚01-2', from_police: true, penalty: '罚款' }] });
  assert.equal((await all(dept, 'farm_check', '&list=violations')).find((x) => x.id === c.id).nviolations, 2);
  const grid = await value('farm_grid_rate');
  assert.ok(grid.num < grid.den, 'they have no grid member');
  await done(dept, 'farm_check', c.id, 'problem', { finding: '灯光不全' }).then(() => assert.fail('closed'), () => {});
});

test('an inspector whose certificate is in force passes machines, each counts; a lapsed one does not', async () => {
  const inspector = (name, to) => rec(dept, 'farm_inspector', { name, area, certificate: `JY-${name}`, valid_to: to });
  const good = await inspector('甲', day(300)), late = await inspector('乙', day(300));
  const machine = await rec(dept, 'farm_machine', { name: '某型拖拉机', kind: 'tractor', owner: '某人', area }).catch(async (e) => { throw e; });
  const passed = (i) => ({ plate: '虚02-1', inspected_on: day(), inspected_to: day(365), inspector: '甲', inspected_by: i.id });
  await done(dept, 'farm_machine', machine.id, 'inspect', passed(good));
  await done(dept, 'farm_machine', machine.id, 'inspect', passed(good));
  assert.equal((await dept.ok_get(`/api/v1/records/farm_inspector/${good.id}`)).volume, 2);
  await done(dept, 'farm_inspector', late.id, 'leave', { reason: '调离' });
  assert.equal((await move(dept, 'farm_machine', machine.id, 'inspect', passed(late))).status, 409);
  assert.equal((await move(dept, 'farm_inspector', good.id, 'renew', { valid_to: day(700) })).status, 409, 'no test was passed');
  await done(dept, 'farm_inspector', good.id, 'renew', { valid_to: day(700), training: [{ on: day(), what: '换证培训', hours: 8, score: 88 }] });
});

test('accidents of farm machines are a class of their own, on roads or in fields, with who is liable', async () => {
  const base = { area, kind: 'machine', scope: 'farm_machine', happened: `${day(-1)}T08:00:00+08:00`, known: `${day(-1)}T08:10:00+08:00`, serious: 0 };
  const no = await bureau.post('/api/v1/records/accident', { title: '缺场所', ...base, dead: 0 });
  assert.equal(no.status, 400, 'road or field');
  const before = [await value('farm_accidents_field'), await value('farm_accidents_road'), await value('deaths')].map((x) => x.value ?? 0);
  await rec(bureau, 'accident', { title: '田间翻车', ...base, farm_place: 'field', dead: 1, shares: [{ party: '机手', share: 'full' }] });
  const after = [await value('farm_accidents_field'), await value('farm_accidents_road'), await value('deaths')].map((x) => x.value ?? 0);
  assert.deepEqual(after, [before[0] + 1, before[1], before[2]], 'apart from production accidents');
  assert.ok((await all(bureau, 'accident', '&list=farm')).some((x) => x.title === '田间翻车'));
});
