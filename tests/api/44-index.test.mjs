// The risk index over the API: a hazard reaches its enterprise, town and county; the arithmetic adds up; alarms count, silence
// counts; what covers an area; scopes; rises, warnings and notices; history by day; another version; the back-test.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, duty, town, firm, admin, eid, where;
const day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const api = (who, path) => who.ok_get(`/api/v1/index/safety/${path}`);
const why = (who, kind, key) => api(who, `why?kind=${kind}&key=${key}`);
const near = (a, b, text, off = 0.06) => assert.ok(Math.abs(a - b) < off, `${text}: ${a} and ${b}`);
const part = (x, name) => x.parts.find((p) => p.component === name);

before(async () => {
  s = await Server.start();
  [bureau, duty, town, firm, admin] = await Promise.all(['bureau', 'duty', 'town', 'enterprise', 'admin'].map((r) => s.as(r)));
  eid = firm.me.enterprise.id;
  await until('the index to be there', async () => (await bureau.ok_get('/api/v1/index')).items.some((x) => x.name === 'safety'));
  where = (await why(bureau, 'enterprise', eid)).area;
});
after(() => s.stop());

test('every score is the sum of its parts, every area the sum of its members, and the formula is stated', async () => {
  const x = (await bureau.ok_get('/api/v1/index')).items[0];
  assert.deepEqual(x.levels.map((l) => l.color), ['red', 'orange', 'yellow', 'blue']);
  assert.ok(x.basis.zh && x.version && x.components.length > 8);
  const top = (await api(bureau, 'rank?kind=enterprise&size=500')).items;
  assert.equal(top.length, x.enterprises);
  for (const e of top.slice(0, 8)) {
    const w = await why(bureau, 'enterprise', e.key);
    near(Math.min(100, w.parts.reduce((n, p) => n + p.points, 0)), w.score, e.title);
    for (const p of w.parts) {
      const each = p.counts.map((c) => c.weight * c.amount);
      near(p.raw, p.take === 'max' ? Math.max(0, ...p.counts.map((c) => c.weight)) : each.reduce((a, b) => a + b, 0), p.component);
      near(p.points, Math.min(p.cap, p.raw), p.component);
    }
  }
  const a = x.areas;
  for (const t of (await api(bureau, 'rank')).items) {
    const mine = (await api(bureau, `rank?kind=enterprise&size=500&under=${t.key}`)).items.map((e) => e.score);
    const mean = (v) => v.reduce((p, q) => p + q, 0) / v.length;
    assert.equal(mine.length, t.enterprises);
    const w = await why(bureau, 'area', t.key);
    near(t.score, a.worst * mine[0] + a.top_share * mean(mine.slice(0, a.top)) + a.all_share * mean(mine) + w.formula.own, t.title);
    assert.equal(w.score, t.score);
    near(w.parts.reduce((n, p) => n + p.points, 0), t.score, `${t.title} by components`, 0.15); // parts and scores are rounded each
  }
});

test('the demo county has more than two colours', async () => {
  const n = (await bureau.ok_get('/api/v1/index')).items[0].counts;
  assert.ok(['red', 'orange', 'yellow', 'blue'].filter((c) => n[c] > 0).length >= 3, JSON.stringify(n));
  const towns = new Set((await api(bureau, 'rank')).items.map((t) => t.level));
  assert.ok(towns.size >= 3, [...towns].join());
});

test('a hazard raises its enterprise, its town and the county, and browsers are told', async () => {
  const plain = (await api(bureau, 'rank?kind=enterprise&size=500')).items.reverse().find((e) => e.sector === 'general' && e.score < 5);
  const townOf = `${plain.area.slice(0, 9)}000`;
  const was = { e: plain.score, t: (await why(bureau, 'area', townOf)).formula.all_mean };
  const ev = await bureau.events();
  const h = await bureau.ok_post('/api/v1/records/hazard', { title: '指数测试隐患', enterprise: Number(plain.key), level: 'general' });
  const told = await ev.wait('the map event', (e) => e.name === 'map' && e.data.kind === 'enterprise' && e.data.key === plain.key);
  ev.close();
  near(told.data.score, was.e + 2, 'weight of a general hazard');
  const now = await why(bureau, 'enterprise', plain.key);
  near(now.score, was.e + 2, 'its score');
  assert.equal(part(now, 'hazards').counts.find((c) => c.value === 'general').n, 1);
  const t = await why(bureau, 'area', townOf);
  near(t.formula.all_mean, was.t + 2 / t.formula.enterprises, 'the mean of the town');
  const behind = await api(bureau, `records?kind=enterprise&key=${plain.key}&component=hazards&value=general`);
  assert.deepEqual([behind.type, behind.items.map((r) => r.id)], ['hazard', [h.id]]);
  assert.equal((await bureau.get('/api/v1/index/safety/records?component=alarms&kind=enterprise&key=1')).status, 400);
});

test('an accident without an enterprise counts for its town and county, and for no enterprise', async () => {
  const key = '990121105000';
  const was = await why(bureau, 'area', key), firms = (await api(bureau, `rank?kind=enterprise&size=500&under=${key}`)).items.map((e) => e.score);
  const at = new Date(Date.now() - 3600e3).toISOString();
  await duty.ok_post('/api/v1/records/accident', { title: '路边沟槽坍塌', area: key, kind: 'fall', scope: 'production', happened: at, known: at, unit_reported: at, dead: 1, serious: 0, minor: 0 });
  const now = await until('the accident to count', async () => { const w = await why(bureau, 'area', key); return w.score > was.score ? w : null; });
  near(now.formula.own, was.formula.own + 12, 'own points');
  near(now.score, was.score + 12, 'the town');
  near(part(now, 'accidents').points, part(was, 'accidents').points + 12, 'its part');
  assert.deepEqual((await api(bureau, `rank?kind=enterprise&size=500&under=${key}`)).items.map((e) => e.score), firms);
});

test('who may see what: an enterprise itself, a town its own, and figures only of what one may see', async () => {
  const mine = (await api(firm, 'rank?kind=enterprise')).items;
  assert.deepEqual(mine.map((e) => e.key), [String(eid)]);
  assert.equal((await why(firm, 'enterprise', eid)).score, mine[0].score);
  const other = (await api(bureau, 'rank?kind=enterprise&size=500')).items.find((e) => !e.area.startsWith(town.me.area?.code?.slice(0, 9) ?? where.slice(0, 9)));
  for (const who of [firm, town]) assert.equal((await who.get(`/api/v1/index/safety/why?kind=enterprise&key=${other.key}`)).status, 404);
  assert.equal((await firm.get(`/api/v1/index/safety/why?kind=area&key=${where}`)).status, 404);
  assert.equal((await firm.ok_get('/api/v1/index/safety/rank')).total, 0);
  const seen = (await api(town, 'rank')).items;
  assert.equal(seen.length, 1, 'its own town');
  assert.equal((await town.get('/api/v1/index/safety/why?kind=area&key=990121000000')).status, 404, 'not the county');
  const own = (await api(town, 'rank?kind=enterprise&size=500')).items;
  assert.ok(own.every((e) => e.area.startsWith(seen[0].key.slice(0, 9))));
  assert.equal((await api(town, 'rank?kind=sector')).items.reduce((n, x) => n + x.enterprises, 0), own.length, 'sectors within the town');
  const none = await s.as('auditor');
  assert.equal((await none.get('/api/v1/index')).status, 403);
});

test('a live alarm counts, and so does silence; shelving does not lower the index', async () => {
  const dev = await bureau.ok_post('/api/v1/records/device', { code: 'IX-GW', name: '指数测试网关', enterprise: eid, protocol: 'http' });
  await bureau.ok_post('/api/v1/records/point', { code: 'IX-LT', name: '指数测试液位', device: dev.id, enterprise: eid, kind: 'level', unit: '%', h: 80, hh: 90, interval_s: 1 });
  const key = (await bureau.ok_post(`/api/v1/devices/${dev.id}/key`, {})).key;
  await until('the point', async () => (await bureau.get('/api/v1/points/IX-LT')).status === 200);
  const before = part(await why(bureau, 'enterprise', eid), 'alarms').points;
  const t0 = Date.now() - 40e3;
  const rows = Array.from({ length: 40 }, (_, i) => ({ point: 'IX-LT', time: new Date(t0 + i * 1000).toISOString(), value: i < 5 ? 70 : 95 + (i % 3) / 10 }));
  await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device IX-GW:${key}` } });
  const up = await until('the alarm to count', async () => { const p = part(await why(bureau, 'enterprise', eid), 'alarms'); return p.points > before ? p : null; });
  assert.ok(up.counts.some((c) => c.n >= 1));
  const a = (await duty.ok_get(`/api/v1/alarms?enterprise=${eid}`)).items.find((x) => x.point.code === 'IX-LT');
  await duty.ok_post(`/api/v1/alarms/${a.id}/shelve`, { reason: '试', until: new Date(Date.now() + 3600e3).toISOString() });
  const w = await why(bureau, 'enterprise', eid);
  assert.ok(part(w, 'alarms').points >= up.points); // more, if another rule has spoken of the same climb meanwhile
  assert.ok(w.alarms.some((x) => x.point_title === '指数测试液位'));
});

test('weather and key dates count for the area and sectors they name, and no others', async () => {
  const all = (await api(bureau, 'rank?kind=enterprise&size=500')).items;
  const metal = all.find((e) => e.sector === 'metal' && e.area.startsWith('990121102')), elsewhere = all.find((e) => e.sector === 'metal' && e.area.startsWith('990121105'));
  const n = await duty.ok_post('/api/v1/records/weather_notice', { title: '暴雨红色预警', kind: 'rain', level: 'red', area: '990121102000', sectors: ['metal'],
    starts: new Date(Date.now() - 60e3).toISOString(), ends: new Date(Date.now() + 3600e3).toISOString() });
  await until('the weather to count', async () => (await why(bureau, 'enterprise', metal.key)).score === metal.score + 12);
  assert.equal((await why(bureau, 'enterprise', elsewhere.key)).score, elsewhere.score);
  assert.equal(part(await why(bureau, 'enterprise', metal.key), 'weather').counts[0].value, 'red');
  await bureau.ok_delete(`/api/v1/records/weather_notice/${n.id}`, { reason: '解除' });
  await until('it to be over', async () => (await why(bureau, 'enterprise', metal.key)).score === metal.score);
});

test('a rise to red is told, opens one warning with its control plan, and stands in the changes', async () => {
  const ponds = (await api(bureau, 'rank?kind=enterprise&size=500')).items.filter((x) => x.sector === 'tailings' && x.level !== 'red');
  let e;
  for (const x of ponds) if (!e && part(await why(bureau, 'enterprise', x.key), 'hazards').points === 0) e = x;
  for (let i = 0; i < 4; i++) await bureau.ok_post('/api/v1/records/hazard', { title: `坝体渗漏 ${i}`, enterprise: Number(e.key), level: 'major' });
  const high = await until('the hazards to count', async () => { const w = await why(bureau, 'enterprise', e.key); return w.score >= e.score + 40 && part(w, 'hazards').raw >= 72 ? w : null; }); // all four
  near(part(high, 'hazards').points, 40, 'capped');
  near(part(high, 'hazards').raw, 72, 'before the cap');
  const changes = await until('the changes', async () => {
    const c = (await api(bureau, 'changes')).items.filter((x) => x.kind === 'enterprise' && x.key === e.key);
    return c.some((x) => x.what === 'level') ? c : null;
  });
  assert.ok(changes.every((x) => x.version === '2026.2'));
  const notice = await until('the notice', async () => (await duty.ok_get('/api/v1/notices')).items.find((x) => JSON.stringify(x).includes('安全风险指数') && JSON.stringify(x).includes('隐患')));
  assert.ok(notice);
  await duty.ok_post('/api/v1/records/weather_notice', { title: '暴雨', kind: 'rain', level: 'red', area: '990121000000', sectors: ['tailings'],
    starts: new Date(Date.now() - 60e3).toISOString(), ends: new Date(Date.now() + 3600e3).toISOString() });
  await until('red', async () => (await why(bureau, 'enterprise', e.key)).level === 'red');
  const warning = await until('the warning', async () => (await duty.ok_get(`/api/v1/records/warning?where.enterprise=${e.key}&where.source=index`)).items[0]);
  assert.equal(warning.level, 'red');
  const full = await duty.ok_get(`/api/v1/records/warning/${warning.id}`);
  assert.match(full.control_plan, /主要负责人/);
  assert.match(full.content, /未闭环隐患/);
  assert.equal(full.state, 'triggered');
  await bureau.ok_post('/api/v1/records/hazard', { title: '又一处', enterprise: Number(e.key), level: 'general' });
  assert.equal((await duty.ok_get(`/api/v1/records/warning?where.enterprise=${e.key}&where.source=index`)).total, 1, 'one warning until it is over');
});

test('the past: a trend, a day, and nothing before there was an index', async () => {
  const county = '990121000000';
  const t = await until('the county to have a history', async () => { const x = await api(bureau, `trend?kind=area&key=${county}`); return x.items.length ? x : null; });
  assert.ok(t.items.every((x) => x.version === '2026.2' && x.score >= 0));
  assert.ok(t.items[0].parts.inherent > 0, 'component values are kept');
  assert.equal((await api(bureau, `rank?day=${day(-400)}`)).total, 0);
  assert.ok((await api(bureau, `rank?day=${day(0)}`)).total >= 6);
  assert.equal((await bureau.get('/api/v1/index/safety/rank?day=yesterday')).status, 400);
  assert.equal((await bureau.get('/api/v1/index/nothing/rank')).status, 404);
  assert.equal((await api(firm, `trend?kind=area&key=${county}`)).items.length, 0, 'not for an enterprise');
});

test('the back-test counts and says that it is too few', async () => {
  const b = await api(bureau, 'backtest?days=7');
  assert.ok(b.events >= 4, 'the major hazards of this test');
  assert.equal(b.events_without_history, b.events, 'no history of seven days yet: nothing is judged');
  assert.deepEqual([b.hits.n, b.hits.rate, b.enough], [0, null, false]);
  assert.match(b.say.zh, /太少/);
});

test('another version of the weights is computed at once, is told as such, and alarms nobody', async () => {
  const path = 'risk/indexes/safety.yaml';
  const text = (await admin.ok_get(`/api/v1/config/file?path=${path}`)).text;
  const next = text.replace('version: "2026.2"', 'version: "2026.3"').replace('weights: {red: 12, orange: 8, yellow: 4, blue: 1}', 'weights: {red: 12, orange: 9, yellow: 5, blue: 3}');
  const wrong = await admin.ok_post('/api/v1/config/check', { path, text: next.replace('by: grade', 'by: grad') });
  assert.ok(JSON.stringify(wrong).includes('grad'));
  const notices = (await duty.ok_get('/api/v1/notices?size=500')).items.length;
  const blue = (await api(bureau, 'rank?kind=enterprise&size=500')).items.find((e) => e.sector === 'general' && e.score === 1);
  const c = await admin.ok_post('/api/v1/config/check', { path, text: next });
  await admin.ok_post('/api/v1/config/apply', { path, text: next, accept: c.digest });
  await until('the new version', async () => (await bureau.ok_get('/api/v1/index')).items[0].version === '2026.3');
  assert.equal((await why(bureau, 'enterprise', blue.key)).score, 3);
  assert.equal((await duty.ok_get('/api/v1/notices?size=500')).items.length, notices);
});

test('after a restart it is the same', async () => {
  const was = (await api(bureau, 'rank')).items.map((t) => [t.key, t.score]);
  await s.stopAndStart();
  bureau = s.again(bureau);
  await until('the index', async () => (await bureau.ok_get('/api/v1/index')).items.some((x) => x.name === 'safety'));
  assert.deepEqual((await api(bureau, 'rank')).items.map((t) => [t.key, t.score]), was);
});
