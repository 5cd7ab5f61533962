// Data that were hardly measured make a doubt and a grey point, never an alarm.
// A limit is said ahead on a real server: a climb is sent as devices send it, the server is killed in the middle of it, the
// limit is reached, another climb stops short. What is said is a function of the samples alone: another point that gets the same
// samples in one piece says the same at the same times.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, d, duty, bureau, points;
const rfc = (t) => new Date(t).toISOString();
const STEP = 20e3, MIN = 60e3;
const N = 6 * 180; // six hours
const t0 = Math.floor(Date.now() / MIN) * MIN - N * STEP - 5 * MIN;
const minute = (i) => (i * STEP) / MIN;
// quiet, a climb of an hour to 82 %, back, a climb that stops at 70, quiet
const value = (i) => {
  const m = minute(i);
  const climb = m < 60 ? 50 : m < 124 ? 50 + (m - 60) / 2 : m < 200 ? 50 : m < 240 ? 50 + (m - 200) / 2 : 70;
  return Math.round((climb + 0.15 * Math.sin(i * 2.3)) * 100) / 100;
};
const at = (m) => Math.round((m * MIN) / STEP);

async function send(code, from, to) {
  for (let i = from; i < to; i += 500) {
    const rows = Array.from({ length: Math.min(500, to - i) }, (_, k) => ({ point: code, time: rfc(t0 + (i + k) * STEP), value: value(i + k) }));
    const r = await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device EARLY-GW:${d.key}` } });
    assert.equal(r.status, 200, r.text);
  }
}
const warnings = async (p, who = duty) => (await who.ok_get(`/api/v1/records/early_warning?where.point=${p.id}&sort=raised&size=50`)).items;

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'EARLY-GW', protocol: 'http', points: [
    ...['A', 'B', 'C', 'D', 'E', 'F'].map((x) => ({ code: `EARLY-${x}`, kind: 'level', unit: '%', h: 80, hh: 95, interval_s: 20 })),
    { code: 'EARLY-G', kind: 'combustible_gas', unit: '%LEL', h: 25, hh: 50, interval_s: 600 }] });
  [duty, bureau] = await Promise.all(['duty', 'bureau'].map((r) => s.as(r)));
  points = d.points;
});
after(() => s.stop());

// The newest sample that the server has looked at.
async function looked(p, i) {
  const want = t0 + i * STEP;
  await until(`${p.code} at ${rfc(want)}`, async () => {
    const e = (await duty.ok_get(`/api/v1/detect/points/${p.id}`)).early[0];
    return e?.through && Date.parse(e.through) >= want - MIN;
  }, 60000);
}

test('a climb is said ahead, through a crash, and the limit is a hit with its lead time', async () => {
  const [a] = points;
  await send(a.code, 0, at(55));
  await looked(a, at(54));
  assert.deepEqual(await warnings(a), []);
  await send(a.code, at(55), at(95));
  const [w] = await until('the early warning', async () => { const v = await warnings(a); return v.length && v; }, 60000);
  assert.equal(w.state, 'coming');
  assert.equal(w.level, 'h');
  assert.equal(w.limit, 80);
  assert.match(w.content, /^按现在的趋势约 \d+(\.\d)?（\d+(\.\d)?–\d+(\.\d)?）分钟后到高限 80 %$/);
  assert.match(w.content_en, /^At the present trend about .* minutes to the high limit 80 %$/);
  const raised = (Date.parse(w.raised) - t0) / MIN;
  assert.ok(raised > 62 && raised < 95, `said at minute ${raised} of a climb that began at 60`);
  assert.ok((await duty.ok_get('/api/v1/notices?size=500')).items.some((n) => n.type === 'early_warning' && n.record === w.id), 'the duty officer is told');
  assert.ok(w.minutes_from <= w.minutes && w.minutes <= w.minutes_to && w.minutes <= 60);
  assert.ok(Math.abs(Date.parse(w.until) - Date.parse(w.raised) - w.minutes_to * MIN) < 6e3);
  s.kill();
  await s.exited;
  await s.spawn();
  [duty, bureau] = await Promise.all(['duty', 'bureau'].map((r) => s.as(r)));
  await send(a.code, at(95), at(170));
  const hit = await until('the hit', async () => (await warnings(a)).find((x) => x.state === 'hit'), 60000);
  assert.ok((await warnings(a)).every((x) => x.id === w.id || x.level === 'hh'), 'what was said before the crash is not said again');
  assert.equal(hit.id, w.id, 'one condition, one warning');
  const first = Array.from({ length: N }, (_, i) => i).find((i) => value(i) >= 80);
  assert.equal(Date.parse(hit.hit), t0 + first * STEP);
  assert.ok(Math.abs(hit.lead - (t0 + first * STEP - Date.parse(hit.raised)) / MIN) < 0.06);
  assert.ok(hit.lead >= 15, `${hit.lead} minutes ahead`);
});

test('a trend that ends is false when its time is over', async () => {
  const [a] = points;
  await send(a.code, at(170), N);
  const all = await until('all judged', async () => { const v = await warnings(a); return v.filter((x) => x.level === 'h').length > 1 && v.every((x) => ['hit', 'missed'].includes(x.state)) && v; }, 60000);
  assert.deepEqual([all[0].state, all.at(-1).state], ['hit', 'missed']);
  assert.equal(all.filter((x) => x.level === 'h').length, 2, 'one warning a climb');
  assert.ok(all.at(-1).over > all.at(-1).raised, 'the trend was over before');
});

test('the same samples in one piece say the same', async () => {
  const [a, b] = points;
  await send(b.code, 0, at(55));
  await looked(b, at(54));
  await send(b.code, at(55), N);
  const want = (await warnings(a)).map((x) => [x.raised, x.state, x.until, x.lead ?? null, x.content]);
  const got = await until('the same', async () => {
    const v = await warnings(b);
    return v.length === want.length && v.every((x) => ['hit', 'missed'].includes(x.state)) && v.map((x) => [x.raised, x.state, x.until, x.lead ?? null, x.content]);
  }, 60000);
  assert.deepEqual(got, want);
});

test('hits, false ones and lead times are counted, in the scope of who asks', async () => {
  const mine = [...await warnings(points[0]), ...await warnings(points[1])];
  const k = await duty.ok_get('/api/v1/detect');
  const r = k.early.rules.find((x) => x.rule === 'tank_level');
  assert.equal(r.within_min, 60);
  assert.equal(r.hits, mine.filter((x) => x.state === 'hit').length);
  assert.equal(r.missed, mine.filter((x) => x.state === 'missed').length);
  const leads = mine.filter((x) => x.lead != null).map((x) => x.lead).sort((x, y) => x - y);
  assert.equal(r.lead_median_min, (leads[leads.length >> 1] + leads[(leads.length - 1) >> 1]) / 2);
  assert.ok(r.points >= 2 && k.early.points >= 2);
  assert.ok(k.cost.samples >= 2 * (N - at(55)));
  const none = await duty.ok_get(`/api/v1/detect?from=${encodeURIComponent(rfc(t0 - 2 * 86400e3))}&to=${encodeURIComponent(rfc(t0 - 86400e3))}`);
  assert.equal(none.early.hits, 0);
  // a town elsewhere sees neither the warnings nor the points
  const town = await s.as('town');
  const mine_area = d.enterprise.area;
  if (!mine_area.startsWith(town.me.area ?? '')) {
    assert.equal((await warnings(points[0], town)).length, 0);
    assert.equal((await town.get(`/api/v1/detect/points/${points[0].id}`)).status, 404);
  }
  const nobody = await s.call('GET', '/api/v1/detect');
  assert.equal(nobody.status, 401);
});

// ---- doubts -------------------------------------------------------------------------------------

let seed = 5;
const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);
const push = async (rows) => {
  const r = await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device EARLY-GW:${d.key}` } });
  assert.equal(r.status, 200, r.text);
};
const live = Date.now() - 40 * MIN;
const row = (p, k, v) => ({ point: p.code, time: rfc(live + k * STEP), value: v });
const doubts = async (p, who = bureau) => (await who.ok_get(`/api/v1/records/data_doubt?where.point=${p.id}&sort=since&size=50`)).items;
const varied = () => Math.round((50 + 5 * random()) * 1000) / 1000;

// What the enterprise's risk index counts of doubts: as many as are open, and never less than nothing.
const index = () => duty.ok_get(`/api/v1/index/safety/why?kind=enterprise&key=${d.enterprise.id}`);
const counted = (x) => x.parts.find((p) => p.component === 'doubts')?.counts.reduce((n, c) => n + c.amount, 0) ?? 0;
async function raises(kind, was) {
  const open = (await bureau.ok_get(`/api/v1/records/data_doubt?where.enterprise=${d.enterprise.id}&list=open&size=50`)).items;
  assert.ok(open.some((x) => x.cause === kind), kind);
  const now = await until(`${kind} in the index`, async () => { const x = await index(); return counted(x) === open.length && x; }, 60000);
  const part = now.parts.find((p) => p.component === 'doubts');
  assert.equal(part.points, Math.min(part.cap, 2 * open.length));
  assert.ok(now.score >= was.score, `${kind}: ${was.score} became ${now.score}`);
}
const steady = async () => { // what was open before is counted
  const n = (await bureau.ok_get(`/api/v1/records/data_doubt?where.enterprise=${d.enterprise.id}&list=open&size=1`)).total;
  return until('a steady index', async () => { const x = await index(); return counted(x) === n && x; }, 60000);
};

test('a frozen point is grey and says why, and is no alarm; it clears when the point moves again', async () => {
  const c = points[2];
  const was = await steady();
  await push([...Array.from({ length: 60 }, (_, k) => row(c, k, varied())), ...Array.from({ length: 20 }, (_, k) => row(c, 60 + k, 51.5))]);
  const [x] = await until('the doubt', async () => { const v = await doubts(c); return v.length && v; }, 60000);
  assert.equal(x.state, 'open');
  assert.equal(x.cause, 'frozen');
  assert.equal(Date.parse(x.since), live + 60 * STEP);
  assert.match(x.content, /^连续 \d+ 次都是 51.5 %/);
  await raises('frozen', was);
  const p = await until('the mark', async () => { const q = await duty.ok_get(`/api/v1/points/${c.code}`); return q.doubt && q; }, 60000);
  assert.deepEqual(p.doubt, { reasons: ['frozen'], since: x.since });
  const [last] = (await duty.ok_get(`/api/v1/points?points=${c.code}`)).items;
  assert.deepEqual(last.doubt, p.doubt);
  const map = await duty.ok_get('/api/v1/map/objects');
  const here = map.points.find((q) => q.id === c.id);
  assert.equal(here.color, 'grey');
  assert.deepEqual(here.doubt, p.doubt);
  assert.ok(['blue', 'yellow', 'orange', 'red'].includes(map.enterprises.find((e) => e.id === d.enterprise.id).color), 'a doubt raises, it never lowers');
  assert.ok((await bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'EARLY-GW').doubts >= 1); // A and B above are copies, too
  assert.equal((await duty.ok_get(`/api/v1/alarms?point=${c.id}&state=all`)).items.length, 0);
  await push(Array.from({ length: 15 }, (_, k) => row(c, 80 + k, varied())));
  await until('it is over', async () => { const [v] = await doubts(c); return v.state === 'cleared' && v.over; }, 60000);
  await until('the mark is gone', async () => !(await duty.ok_get(`/api/v1/points/${c.code}`)).doubt, 60000);
});

test('two points that move alike to the last digit are copies; a person says what it was', async () => {
  const [, , , a, b] = points;
  const v = Array.from({ length: 30 }, varied);
  const was = await steady();
  await push(v.flatMap((x, k) => [row(a, k, x), row(b, k, x)]));
  const both = await until('two doubts', async () => { const [x, y] = [(await doubts(a))[0], (await doubts(b))[0]]; return x && y && [x, y]; }, 60000);
  assert.deepEqual(both.map((x) => x.cause), ['copied', 'copied']);
  await raises('copied', was);
  assert.deepEqual(both.map((x) => x.other.id), [b.id, a.id]);
  const bad = await bureau.post(`/api/v1/records/data_doubt/${both[0].id}/moves/dismiss`, {});
  assert.equal(bad.status, 400, bad.text);
  await bureau.ok_post(`/api/v1/records/data_doubt/${both[0].id}/moves/dismiss`, { found: '同一储罐的两个通道' });
  await until('no mark', async () => !(await duty.ok_get(`/api/v1/points/${a.code}`)).doubt, 60000);
  await until('a mark', async () => (await duty.ok_get(`/api/v1/points/${b.code}`)).doubt?.reasons[0] === 'copied', 60000);
});

test('values that cannot be are a doubt that raises the index', async () => {
  const p = points[5];
  const was = await steady();
  await push(Array.from({ length: 12 }, (_, k) => row(p, k, [3, 6, 9].includes(k) ? 140 : varied())));
  await until('the doubt', async () => (await doubts(p))[0]?.cause === 'impossible', 60000);
  await raises('impossible', was);
});

test('a level that wandered away is a doubt; when a person says that it is right it is learned anew', async () => {
  const p = points[6];
  const was = await steady();
  const begin = Math.floor(Date.now() / (10 * MIN)) * 10 * MIN - 180 * 10 * MIN;
  const span = (k, v) => ({ point: p.code, time: rfc(begin + k * 10 * MIN), value: Math.round((v + 0.2 * random()) * 100) / 100 });
  await push(Array.from({ length: 110 }, (_, k) => span(k, k < 80 ? 1 : 6)));
  const [x] = await until('the doubt', async () => { const v = await doubts(p); return v.length && v; }, 60000);
  assert.equal(x.cause, 'drift');
  assert.ok(Math.abs(Date.parse(x.since) - (begin + 80 * 10 * MIN)) <= 20 * MIN, x.since);
  assert.match(x.content, /^均值由平时的 1\.\d+ 变为 \d\.\d+ %LEL/);
  await raises('drift', was);
  const q = await until('the mark', async () => { const y = await duty.ok_get(`/api/v1/points/${p.code}`); return y.doubt && y; }, 60000);
  assert.deepEqual(q.doubt.reasons, ['drift']);
  assert.equal((await duty.ok_get(`/api/v1/alarms?point=${p.id}&state=all`)).items.filter((a) => a.state !== 'normal' && a.family === 'limit').length, 0);
  await bureau.ok_post(`/api/v1/records/data_doubt/${x.id}/moves/dismiss`, { found: '工艺已调整' });
  await until('no mark', async () => !(await duty.ok_get(`/api/v1/points/${p.code}`)).doubt, 60000);
  const seen = (await duty.ok_get('/api/v1/detect')).cost;
  assert.ok(seen.drift_watches >= 1);
  await push(Array.from({ length: 60 }, (_, k) => span(110 + k, 6)));
  await until('both watches of the point to have looked', async () => (await duty.ok_get('/api/v1/detect')).cost.samples >= seen.samples + 120, 60000);
  assert.equal((await doubts(p)).length, 1, 'the level it was said to be right at is the usual one');
});

test('a point that is taken out of service is watched no more: what was doubted is over, the others go on', async () => {
  const [, , , , b] = points, p = points[5];
  assert.equal((await doubts(b))[0].state, 'open');
  const rec = await bureau.ok_get(`/api/v1/records/point/${b.id}`), before = (await duty.ok_get('/api/v1/detect')).cost.doubt_watches;
  await bureau.ok_patch(`/api/v1/records/point/${b.id}`, { service: 'out_of_service', version: rec.version });
  await until('it is over', async () => (await doubts(b))[0].state === 'cleared', 60000);
  assert.equal((await duty.ok_get('/api/v1/detect')).cost.doubt_watches, before - 1);
  assert.equal((await doubts(p))[0].state, 'open');
});
