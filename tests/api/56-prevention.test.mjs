// Prevention on a real server: subscriptions that never give more than who asks may read, public bulletins that are withdrawn, the
// registry beside the supervised list, outlines laid over the map, the data pack of a meeting, the evaluation of the city.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, town, ent, dept, committee, duty, leader, admin;
const work = mkdtempSync(join(tmpdir(), 'anlan-pdf-'));
before(async () => {
  s = await Server.start();
  [bureau, town, ent, dept, committee, duty, leader, admin] = await Promise.all(['bureau', 'town', 'enterprise', 'department', 'committee', 'duty', 'leader', 'admin'].map((r) => s.as(r)));
});
after(async () => { await s.stop(); rmSync(work, { recursive: true }); });

const R = '/api/v1/records';
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const move = (who, t, id, name, body = {}) => who.ok_post(`${R}/${t}/${id}/moves/${name}`, body);
const feed = (who, id, opt) => who.get(`/api/v1/subscriptions/${id}`, undefined, opt);
const history = async (who, t, id) => (await who.ok_get(`${R}/${t}/${id}/history`)).items.map((h) => h.action);
const square = (lon, lat, d) => ({ type: 'Polygon', coordinates: [[[lon - d, lat - d], [lon + d, lat - d], [lon + d, lat + d], [lon - d, lat + d], [lon - d, lat - d]]] });
async function pdf(who, path, body) {
  const r = await fetch(s.url + path, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${who.token}`, 'Content-Type': 'application/json' } });
  assert.equal(r.status, 200, path);
  const file = join(work, 'a.pdf');
  writeFileSync(file, Buffer.from(await r.arrayBuffer()));
  return execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
}
async function subscribe(who, fields) {
  const sub = await who.ok_post(`${R}/subscription`, { title: '测试订阅', until: day(30), ...fields });
  await move(bureau, 'subscription', sub.id, 'approve');
  return sub.id;
}

test('a subscription gives its unit what its people may read, names and no fields, and each delivery is in the history', async () => {
  const own = ent.me.enterprise.id;
  const other = (await bureau.ok_get(`${R}/enterprise?size=2&sort=id`)).items.find((e) => e.id !== own);
  const mine = await duty.ok_post(`${R}/warning`, { title: '订阅测试 本企业', level: 'red', enterprise: own, content: '内容不外传' });
  await duty.ok_post(`${R}/warning`, { title: '订阅测试 别家', level: 'red', enterprise: other.id });
  const waiting = await ent.ok_post(`${R}/subscription`, { title: '未批准', until: day(30), streams: ['warning'] });
  assert.equal((await feed(ent, waiting.id)).status, 409, 'not before it is approved');
  const id = await subscribe(ent, { streams: ['warning', 'joint_risk'], levels: ['red'] });
  const before = await history(bureau, 'subscription', id);
  const first = await feed(ent, id);
  assert.equal(first.status, 200, first.text);
  const item = first.json.items.find((i) => i.id === mine.id && i.type === 'warning');
  assert.deepEqual(Object.keys(item).sort(), ['area', 'area_title', 'changed_at', 'enterprise', 'id', 'label', 'level', 'level_label', 'number', 'path', 'sector', 'state', 'state_label', 'title', 'type']);
  assert.deepEqual([item.level, item.state_label, item.enterprise], ['red', '触发', ent.me.enterprise.title]);
  assert.ok(!first.text.includes('别家') && !first.text.includes('内容不外传'));
  assert.deepEqual(first.json.refused, ['joint_risk'], 'a stream its people may not read is named, not given');
  // who has the newest is told so, and nothing is noted
  const again = await feed(ent, id, { headers: { 'If-None-Match': first.headers.get('etag') } });
  assert.deepEqual([again.status, again.text], [304, '']);
  const atom = await ent.get(`/api/v1/subscriptions/${id}?format=atom`, undefined, { lang: 'en' });
  assert.match(atom.headers.get('content-type'), /^application\/atom\+xml/);
  assert.match(atom.text, /<feed xmlns="http:\/\/www.w3.org\/2005\/Atom">[\s\S]*<title>订阅测试 本企业<\/title>[\s\S]*Triggered/);
  assert.equal((await history(bureau, 'subscription', id)).filter((a) => a === 'delivered').length - before.filter((a) => a === 'delivered').length, 2);
  // nobody of another unit, not even who approved it
  assert.equal((await feed(bureau, id)).status, 403);
  assert.equal((await feed(dept, id)).status, 403);
  assert.equal((await ent.get(`/api/v1/subscriptions/${id}?format=csv`)).json.error.field, 'format');
  await move(ent, 'subscription', id, 'end', { reason: '不再需要' });
  assert.equal((await feed(ent, id)).status, 409);
});

test('what is delivered follows the scope that the reader has at that moment', async () => {
  const id = await subscribe(dept, { organisation: dept.me.organisation?.id ?? (await dept.ok_get(`${R}/person/${dept.me.id}`)).organisation.id, streams: ['joint_risk'] });
  const seen = async () => (await feed(dept, id)).json.items.map((i) => i.sector);
  assert.ok((await seen()).includes('transport'));
  const person = await admin.ok_get(`${R}/person/${dept.me.id}`);
  await admin.ok_patch(`${R}/person/${dept.me.id}`, { version: person.version, sectors: ['construction'] });
  await until('the narrower scope', async () => !(await seen()).includes('transport'));
});

test('a bulletin is public with the fields that are shown, as page data and as Atom; withdrawn it is gone, its history stays', async () => {
  const b = await town.ok_post(`${R}/risk_bulletin`, { title: '测试罐区公告', sector: 'chemical', place: '北侧', hazard: '泄漏 <火灾>', precautions: '禁火\n禁打电话', contact: '值班室 0900-1', note: '内部说明不公开' });
  await move(town, 'risk_bulletin', b.id, 'submit');
  const open = async (p) => (await s.call('GET', `/public/types/${p}`)).text;
  assert.ok(!(await open('risk_bulletin')).includes('测试罐区公告'), 'not before it is approved');
  await move(bureau, 'risk_bulletin', b.id, 'publish');
  for (const p of ['risk_bulletin?size=50', 'risk_bulletin/feed']) {
    const text = await open(p);
    assert.ok(text.includes('测试罐区公告') && !text.includes('内部说明不公开') && !text.includes(bureau.me.title), p);
  }
  assert.match(await open('risk_bulletin/feed'), /泄漏 &lt;火灾&gt;/);
  const screen = await s.call('GET', '/public/types/risk_bulletin/feed?format=text');
  assert.match(screen.headers.get('content-type'), /^text\/plain; charset=utf-8/);
  const lines = screen.text.trimEnd().split('\n').filter((l) => l.includes('测试罐区公告'));
  assert.equal(lines.length, 1, 'a line a record');
  assert.match(lines[0], /；测试罐区公告；.*：北侧；.*：泄漏 <火灾>；.*：禁火 禁打电话；/);
  assert.ok(!lines[0].includes('内部说明'));
  assert.equal((await s.call('GET', '/public/types/risk_bulletin/feed?format=led')).status, 400);
  await move(bureau, 'risk_bulletin', b.id, 'take_down', { reason: '已整治' });
  assert.ok(!(await open('risk_bulletin/feed')).includes('测试罐区公告'));
  const events = (await s.call('GET', '/public/types/risk_bulletin_event?size=50')).json.items.filter((e) => e.title === '测试罐区公告');
  assert.deepEqual(events.map((e) => e.what).sort(), ['published', 'withdrawn']);
  assert.equal((await s.call('GET', '/public/types/hazard/feed')).status, 404);
});

test('who is registered and not supervised is listed, counted and gone when his file is made', async () => {
  const names = async (list, who = bureau) => (await who.ok_get(`${R}/business_registry?list=${list}&size=100`)).items.map((r) => r.name);
  const missing = await bureau.ok_get(`${R}/business_registry?list=unmatched&size=100`);
  const one = missing.items.find((r) => r.name.includes('木器'));
  assert.ok(one && !(await names('unmatched')).includes('安澜泰澄化工有限公司'));
  assert.ok((await names('lost')).includes('安澜万澜水产冷冻有限公司'));
  const gap = async () => (await bureau.ok_get('/api/v1/indicators/registry_match_rate/records?part=gap')).total;
  const open = await gap();
  assert.equal((await bureau.ok_get('/api/v1/indicators/registry_unmatched')).total.value, missing.total);
  assert.equal((await bureau.post(`${R}/business_registry/${one.id}/moves/include`, {})).status, 409, 'not while there is no file');
  const file = await bureau.ok_post(`${R}/enterprise`, { name: '安澜远山木器加工厂', uscc: one.uscc, sector: 'dust', area: one.area, position: [118.76, 33.05] });
  assert.ok(!(await names('unmatched')).includes(one.name));
  assert.equal(await gap(), open - 1);
  await move(bureau, 'business_registry', one.id, 'include');
  const row = await bureau.ok_get(`${R}/enterprise/${file.id}`);
  assert.equal((await bureau.delete(`${R}/enterprise/${file.id}`, { reason: '测试', version: row.version })).status, 200);
  assert.equal(await gap(), open, 'a file that is retired is none');
});

test('outlines laid over the map give the pairs that conflict, in the rights of who asks', async () => {
  const e = (await bureau.ok_get(`${R}/enterprise?size=1&sort=id`)).items[0];
  const [lon, lat] = e.position;
  await bureau.ok_post(`${R}/natural_zone`, { name: '测试洪泛区', kind: 'flood', level: 'red', area: e.area, outline: square(lon, lat, 0.0004), source: '测试' });
  const path = '/api/v1/map/overlay?of=natural_zone&layer=enterprise,installation';
  const pairs = async (who) => (await who.ok_get(path)).items.filter((p) => p.zone.title === '测试洪泛区');
  const found = await until('the layer', async () => { const v = await pairs(bureau); return v.length ? v : null; });
  assert.ok(found.some((p) => p.type === 'enterprise' && p.id === e.id));
  assert.ok(found.every((p) => p.zone.level === 'red' && Math.abs(p.position[0] - lon) <= 0.0004 && Math.abs(p.position[1] - lat) <= 0.0004));
  for (const p of (await ent.ok_get(path)).items) assert.ok(p.type !== 'enterprise' || p.id === ent.me.enterprise.id);
  assert.equal((await bureau.get('/api/v1/map/overlay?of=enterprise&layer=enterprise')).json.error.field, 'of');
  const csv = await bureau.get(path + '&format=csv', undefined, { lang: 'en' });
  assert.ok(csv.text.startsWith('\ufeffzone,zone level,type') || csv.text.startsWith('zone,zone level,type'));
  assert.ok(csv.text.includes('测试洪泛区'));
});

test('a meeting is planned each quarter; its data pack has what happened in its period and nothing else', async () => {
  const planned = (await bureau.ok_get('/api/v1/schedules')).items.map((x) => x.name);
  for (const name of ['situation_meeting_quarterly', 'warning_letter_hazards', 'warning_letter_commitments', 'elevated_control_monthly', 'installation_check_first', 'installation_check_second']) assert.ok(planned.includes(name), name);
  const county = (await committee.ok_get(`${R}/area?where.tier=county&size=1`)).items[0];
  const accident = (title, date) => duty.ok_post(`${R}/accident`, { title, area: county.code, kind: 'fire', happened: `${date}T02:00:00Z`, known: `${date}T02:10:00Z` });
  await accident('期内火灾', '2025-06-30');
  await accident('期外火灾', '2025-07-01');
  const m = await committee.ok_post(`${R}/situation_meeting`, { title: '二季度形势分析', county: county.id, first_day: '2025-04-01', last_day: '2025-06-30' });
  const text = await pdf(bureau, `${R}/situation_meeting/${m.id}/documents/situation_pack/preview`);
  assert.ok(text.includes('期内火灾') && !text.includes('期外火灾'), text);
  assert.match(text, /重点工程/);
});

test('accidents of years come apart into trend and season; with too few months it says so', async () => {
  const season = (query = '') => bureau.ok_get(`/api/v1/indicators/accidents/season?years=10&sector=mine${query}`);
  assert.deepEqual([(await season()).enough, (await season()).factors], [false, []]);
  const year = Number(day(0).slice(0, 4));
  for (const y of [year - 4, year - 3, year - 2, year - 1])
    for (const [month, n] of [['01', 1], ['07', 3]])
      for (let i = 0; i < n; i++) await duty.ok_post(`${R}/accident`, { title: `季节 ${y}-${month}`, sector: 'mine', area: '990121101000', kind: 'fire', happened: `${y}-${month}-15T02:00:00Z`, known: `${y}-${month}-15T02:00:00Z` });
  const s1 = await season();
  assert.equal(s1.enough, true);
  assert.equal(s1.factors.indexOf(Math.max(...s1.factors)), 6, 'July');
  assert.ok(Math.abs(s1.factors.reduce((a, b) => a + b)) < 1e-9 && s1.strength > 0.9, JSON.stringify(s1));
  assert.equal(s1.months.find((m) => m.period === `${year - 2}-07`).value, 3);
  assert.equal(s1.months[0].period, `${year - 4}-01`, 'from the first month with a record on');
  assert.equal((await bureau.get('/api/v1/indicators/warnings_open/season')).status, 400);
});

test('the city is evaluated by itself, by experts and by who confirms; the report has what they said', async () => {
  const c = await committee.ok_post(`${R}/city_evaluation`, { title: '安全发展评估（测试）', year: Number(day(0).slice(0, 4)), experts: [bureau.me.id] });
  const sheet = (who, body) => who.ok_post(`${R}/city_evaluation/${c.id}/sheet/sheet`, body);
  const version = async () => (await committee.ok_get(`${R}/city_evaluation/${c.id}`)).version;
  await sheet(committee, { fill: true, version: await version() });
  const points = { 'sources.planning': 8, 'sources.infrastructure': 7, 'sources.industry': 5, 'supervision.leaders': 8, 'guarantee.science': 7, 'guarantee.services': 4,
    'guarantee.culture': 4, 'emergency.platform': 5, 'emergency.teams': 5, 'emergency.drills': 5 };
  await sheet(committee, { items: Object.fromEntries(Object.keys(points).map((k) => [k, { self: points[k], note: '已落实' }])), version: await version() });
  await move(committee, 'city_evaluation', c.id, 'submit');
  await sheet(bureau, { items: { 'supervision.leaders': { review: 5 }, 'prevention.checks': { review: 3 } }, version: await version() });
  assert.equal((await bureau.post(`${R}/city_evaluation/${c.id}/moves/scored`, { problems: '问题甲' })).json.error.field, 'proposals');
  await move(bureau, 'city_evaluation', c.id, 'scored', { problems: '问题甲', proposals: '建议乙' });
  assert.equal((await committee.post(`${R}/city_evaluation/${c.id}/moves/publish`, {})).status, 403);
  await move(leader, 'city_evaluation', c.id, 'publish');
  const done = await committee.ok_get(`${R}/city_evaluation/${c.id}`);
  const auto = (k, full) => (done.sheet.items[k].auto ?? 0) * full;
  const want = Object.values(points).reduce((a, b) => a + b) - 3 + 3 + auto('prevention.risks_assessed', 8) + auto('prevention.dual', 8) + auto('prevention.zones', 4) +
    auto('prevention.registry', 4) + auto('supervision.hazards', 8) + auto('supervision.notices', 4);
  assert.ok(Math.abs(done.score - want) < 1e-6, `${done.score} ${want}`); // the word of the experts counts, what the indicators say is frozen
  assert.equal(done.grade, want >= 90 ? 'excellent' : want >= 80 ? 'good' : want >= 60 ? 'pass' : 'fail');
  const text = await pdf(committee, `${R}/city_evaluation/${c.id}/documents/city_evaluation_report/preview`);
  assert.ok(text.includes('问题甲') && text.includes('建议乙') && text.includes('监管覆盖率'));
});

test('an installation is shared with a neighbour for as long as it is shared, with what was approved', async () => {
  const src = (await bureau.ok_get(`${R}/installation?size=50`)).items.find((i) => i.enterprise.id !== ent.me.enterprise.id);
  assert.equal((await ent.get(`${R}/installation/${src.id}`)).status, 404, 'the neighbour cannot read it itself');
  const share = await bureau.ok_post(`${R}/installation_share`, { title: '相邻企业应急联动', installation: src.id, receiver: ent.me.enterprise.id, until: day(30) });
  const id = await subscribe(ent, { streams: ['installation_share'] });
  await move(bureau, 'installation_share', share.id, 'share', { substances: '苯乙烯', contact: '0900-2' });
  const seen = await ent.ok_get(`${R}/installation_share/${share.id}`);
  assert.deepEqual([seen.state, seen.grade, seen.substances], ['shared', src.grade, '苯乙烯']);
  assert.ok((await feed(ent, id)).json.items.some((i) => i.id === share.id));
  assert.equal((await bureau.post(`${R}/installation_share`, { title: 'x', installation: src.id, until: day(3) })).json.error.field, 'receiver');
  await move(bureau, 'installation_share', share.id, 'end', { reason: '结束' });
  const ended = await ent.ok_get(`${R}/installation_share/${share.id}`);
  assert.deepEqual([ended.state, ended.grade ?? null, ended.substances ?? null, ended.owner ?? null], ['ended', null, null, null]);
});

test('a shift is handed over when somebody else takes it, and an enterprise does not see it', async () => {
  const h = await duty.ok_post(`${R}/shift_handover`, { name: '夜班', situation: '1号罐液位报警未消除，已通知企业', todo: [{ what: '8 时前回访' }] });
  assert.deepEqual([h.state, h.area.length], ['waiting', 12]); // the officer's own
  assert.equal((await duty.post(`${R}/shift_handover/${h.id}/moves/take`, {})).status, 403, 'not from himself');
  const got = await move(bureau, 'shift_handover', h.id, 'take', { note: '已接' });
  assert.deepEqual([got.state, got.taker.id, !!got.taken_at], ['taken', bureau.me.id, true]);
  assert.equal((await ent.get(`${R}/shift_handover`)).status, 404);
});
