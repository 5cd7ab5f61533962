// Mines, tailings ponds and contractors: what is not licensed or not safe is found, nothing is skipped, the banned come in nowhere.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, firm, mine, goaf, pond;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const file = async (who, name = 'a.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  return (await r.json()).id;
};
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const at = (h) => new Date(Date.now() + h * 3600e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;

before(async () => {
  s = await Server.start();
  [bureau, ent, town] = await Promise.all(['bureau', 'enterprise', 'town'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  mine = (await all(bureau, 'mine'))[0];
  goaf = (await all(bureau, 'goaf'))[0];
  pond = (await all(bureau, 'tailings_pond'))[0];
});
after(() => s.stop());

test('a mine that produces needs a licence; a lapsed one, missing systems and missing parties are lists and a number', async () => {
  const none = await bureau.post('/api/v1/records/mine', { name: '无证矿', enterprise: firm.id, kind: 'open_pit', mineral: '石灰石', status: 'producing' });
  assert.equal(none.status, 400);
  assert.equal(none.json.error.field, 'licence');
  const m = await rec(bureau, 'mine', { name: '过期矿', enterprise: firm.id, kind: 'open_pit', mineral: '石灰石', status: 'producing', licence: 'L-2', licence_to: day(-1) });
  const listed = async (list) => (await all(bureau, 'mine', `&list=${list}`)).map((x) => x.id);
  assert.deepEqual(await listed('lapsed'), [m.id]);
  assert.deepEqual((await listed('systems')).sort(), [mine.id, m.id].sort());
  assert.equal(await value('mine_systems_rate'), 0);
  const system = (name) => ({ system: name, built: day(-9), accepted: true });
  await bureau.ok_patch(`/api/v1/records/mine/${m.id}`, { version: m.version, systems: ['positioning', 'video', 'online'].map(system) });
  assert.equal(await value('mine_systems_rate'), 50);
});

test('a goaf whose risk stays orange is accepted only with points that watch it', async () => {
  const own = await rec(bureau, 'mine', { name: '甲矿', enterprise: firm.id, kind: 'open_pit', mineral: '石灰石', status: 'stopped' });
  const g = await rec(ent, 'goaf', { name: '二号采空区', mine: own.id, position: [118.9, 33.1], depth: 80, volume: 1.5, above: '厂区道路', level: 'orange' });
  assert.equal((await move(ent, 'goaf', g.id, 'plan', { method: '充填' })).status, 400, 'a plan has a day');
  await done(ent, 'goaf', g.id, 'plan', { method: '充填', due: day(60) });
  const photo = (await all(bureau, 'goaf', `&q=${encodeURIComponent('一号')}`))[0];
  assert.equal(photo.id, goaf.id, 'the bureau sees the other mine’s too');
  assert.equal((await ent.get(`/api/v1/records/goaf/${goaf.id}`)).status, 404, 'an enterprise sees its own only');
});

test('a pond with people within a kilometre stands above heads; treated means that nobody lives below it any more if they were to move', async () => {
  assert.equal(pond.head, true);
  assert.deepEqual((await all(bureau, 'tailings_pond', '&list=head')).map((x) => x.id), [pond.id]);
  assert.equal(await value('pond_connected_rate'), 100);
  const far = await rec(ent, 'tailings_pond', { name: '二号库', enterprise: firm.id, position: [118.9, 33.1], class: 5, height: 12, volume: 30, distance: 3000, residents: 40 });
  assert.equal(far.head, false);
  assert.equal((await move(bureau, 'tailings_pond', far.id, 'begin')).status, 409, 'sound and above nobody');
  const near = await rec(ent, 'tailings_pond', { name: '三号库', enterprise: firm.id, position: [118.9, 33.1], class: 4, height: 30, volume: 90, distance: 800, residents: 25 });
  await done(bureau, 'tailings_pond', near.id, 'begin');
  await done(ent, 'tailings_pond', near.id, 'plan', { path: 'move', measures: '整体搬迁二十五人', due: day(90) });
  await done(ent, 'tailings_pond', near.id, 'finish', { reports: [await file(ent)] });
  const result = { result: '已搬迁', grade: 'normal', graded_on: day() };
  assert.equal((await move(bureau, 'tailings_pond', near.id, 'accept', result)).status, 409, 'twenty-five still live there');
  await done(bureau, 'tailings_pond', near.id, 'again', { reason: '尚有居民' });
  await done(ent, 'tailings_pond', near.id, 'finish', { reports: [await file(ent)], residents: 0 });
  await done(bureau, 'tailings_pond', near.id, 'accept', result);
  assert.equal(await value('head_pond_rate'), 100);
});

test('a boundary check that found nothing has nothing to hand over', async () => {
  const dept = (await all(bureau, 'organisation'))[0];
  const c = await rec(bureau, 'mining_check', { title: '石坪铁矿边界核查', mine: mine.id, area: '990121102000', departments: [dept.id], position: [118.73, 33.02], due: day(10) });
  assert.equal((await move(bureau, 'mining_check', c.id, 'hand', { finding: 'within', record: '未越界' })).status, 409);
});

test('a mine is closed step by step', async () => {
  const c = await rec(bureau, 'mine_closure', { title: '石坪铁矿关闭', mine: mine.id, cause: 'exhausted', basis: '（用例）', due: day(30) });
  const r = await move(bureau, 'mine_closure', c.id, 'done', { licence_on: day(-5), power_on: day(-4), explosives_on: day(-1), sealed_on: day(-3) });
  assert.equal(r.status, 400, 'explosives after the sealing, and no photos');
  assert.match(r.text, /before_photos|sealed_on/);
});

test('who is banned is admitted by nobody; a job begins briefed, on a live permit', async () => {
  const [waiting] = await all(ent, 'contractor');
  const [ban] = await all(ent, 'contractor_ban');
  const staff = [{ name: '丁工', post: '油漆工', trained: true }];
  const apply = (uscc) => rec(ent, 'contractor', { name: '某队', uscc, enterprise: firm.id, scope: '安装', qualification: '三级', qualified_to: day(90), from: day(-1), to: day(60), manager: '曹某', leader: '丁某' });
  const admit = async (c) => move(ent, 'contractor', c.id, 'admit', { agreement: [await file(ent)], agreed_on: day(-1), staff });
  const bad = await apply(ban.uscc);
  assert.equal((await admit(bad)).status, 409);
  assert.equal((await admit(waiting)).status, 200);
  const job = await rec(ent, 'contractor_job', { work: '罐顶动火', contractor: waiting.id, place: 'T-101', starts: at(1), ends: at(5), special: true, hazards: '油气', guardian: '赵某' });
  const briefed = [{ name: '丁工', signed: true }];
  assert.equal((await move(ent, 'contractor_job', job.id, 'brief', { briefed })).status, 409, 'hot work without a permit');
  const permit = await rec(ent, 'special_work', { work: '动火', enterprise: firm.id, kind: 'height', place: 'T-101', workers: [{ name: '丁工' }], guardian: '赵某', starts: at(1), ends: at(5) });
  assert.equal((await move(ent, 'contractor_job', job.id, 'brief', { briefed, permit: permit.id })).status, 409, 'a permit that is not live');
  const plain = await rec(ent, 'contractor_job', { work: '外壁刷漆', contractor: waiting.id, place: 'T-102', starts: at(1), ends: at(5), hazards: '高处', guardian: '赵某' });
  await done(ent, 'contractor_job', plain.id, 'brief', { briefed });
  const leave = await move(ent, 'contractor', waiting.id, 'leave', { score: 80, evaluation: '尚可' });
  assert.equal(leave.status, 409, 'work is still going on');
});

test('a check finds contract instead of management; its problems become hazards that say where they came from', async () => {
  const [c] = await all(ent, 'contractor', '&list=here');
  const check = await rec(town, 'contractor_check', { title: '承包商抽查', contractor: c.id });
  await done(town, 'contractor_check', check.id, 'finish', { signs: ['no_one', 'no_briefing'], problems: [{ title: '脚手架无挂牌' }] });
  const seen = (await all(town, 'contractor_check', '&list=signs'))[0];
  assert.equal(seen.found, 3);
  const [h] = await all(town, 'hazard', `&where.origin=contractor_check:${check.id}`);
  assert.equal(h.title, '脚手架无挂牌');
  assert.equal(h.origin.type, 'contractor_check');
});

test('an enterprise proposes a ban, the bureau confirms it and may lift it', async () => {
  const [c] = await all(ent, 'contractor', '&list=here');
  await done(ent, 'contractor', c.id, 'ban', { evaluation: '屡次无证动火' });
  const [b] = (await all(bureau, 'contractor_ban')).filter((x) => x.uscc === c.uscc);
  assert.equal((await move(ent, 'contractor_ban', b.id, 'lift', { reason: '误报' })).status, 403);
  await done(bureau, 'contractor_ban', b.id, 'confirm', { until: day(365) });
  await done(bureau, 'contractor_ban', b.id, 'lift', { reason: '已整改' });
});
