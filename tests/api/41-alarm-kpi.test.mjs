// How alarms load people: every number equals what the journal of each alarm says, counted here a second time.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, until } from '../lib/server.mjs';

let s, bureau, duty, town, packs, device, points, enterprises, T0, edges;
const MIN = 60e3, PERIOD = 10 * MIN;
const rfc = (t) => new Date(t).toISOString();
// a small generator of the same numbers every time (Park and Miller's)
let seed = 20261130;
const random = (n) => { seed = (seed * 48271) % 2147483647; return seed % n; };

before(async () => {
  packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  // without delays: an alarm may chatter
  writeFileSync(join(packs, 'monitoring', 'points', 'trial.yaml'), 'point: trial\nlabel: {zh: 试验量, en: Trial}\nunit: "%"\nmin: 0\nmax: 100\ndecimals: 1\ninterval: 10s\nstale_after: 10min\ndimension: process\n');
  writeFileSync(join(packs, 'chemical', 'rules', 'trial.yaml'), 'rule: trial\nlabel: {zh: 试验, en: Trial}\nwatch: {kind: trial}\nlevels:\n  hh: {above: 90, color: red, say: {zh: 高高, en: Very high}}\n  h: {above: 80, color: yellow, say: {zh: 高, en: High}}\n');
  s = await Server.start({ args: ['--packs', packs], copied: true });
  [bureau, duty, town] = await Promise.all(['bureau', 'duty', 'town'].map((r) => s.as(r)));
  const all = (await bureau.ok_get('/api/v1/records/enterprise?size=500&sort=id')).items;
  const far = all.find((e) => e.area !== all[0].area);
  enterprises = [all[0], far];
  points = [];
  device = [];
  for (const [k, e] of enterprises.entries()) {
    const d = await bureau.ok_post('/api/v1/records/device', { code: `KPI-GW${k}`, name: `报警统计网关 ${k}`, enterprise: e.id, protocol: 'http' });
    d.key = (await bureau.ok_post(`/api/v1/devices/${d.id}/key`, {})).key;
    for (let i = 0; i < 6; i++) {
      const code = `KPI-${k}-${i}`;
      points.push({ code, device: d });
      await bureau.ok_post('/api/v1/records/point', { code, name: `统计测点 ${k}-${i}`, device: d.id, enterprise: e.id, kind: 'trial', unit: '%', interval_s: 10 });
    }
    device.push(d);
  }
  await until('the last point', async () => (await bureau.get(`/api/v1/points/${points.at(-1).code}`)).status === 200);
  await feed();
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

// Five hours: quiet, random, one flood of everything within two minutes, one point that chatters.
async function feed() {
  T0 = Math.floor((Date.now() - 5 * 3600e3) / 1000) * 1000;
  const rows = points.flatMap((p, i) => {
    const out = [];
    let high = false;
    for (let m = 0; m < 290; m++) {
      if (random(40) === 0) high = !high;
      if (m === 119) high = false;
      if (m >= 120 && m < 122) high = true;
      if (m === 122) high = false;
      out.push({ p, time: T0 + m * MIN + i * 1000, value: high ? (i % 3 ? 85 : 95) : 50 });
      if (i === 2 && m >= 200 && m < 204)
        for (let k = 1; k < 6; k++) out.push({ p, time: T0 + m * MIN + i * 1000 + k * 9000, value: k % 2 ? 85 : 50 });
    }
    return out;
  }).sort((a, b) => a.time - b.time);
  // without delays each rise above the limit is an activation: when all of them are in the journals nothing is on its way
  edges = points.map((p) => rows.filter((r) => r.p === p)).reduce((n, own) => n + own.filter((r, i) => r.value > 80 && !(own[i - 1]?.value > 80)).length, 0);
  for (const d of device) {
    const own = rows.filter((r) => r.p.device === d).map((r) => ({ point: r.p.code, time: rfc(r.time), value: r.value }));
    for (let i = 0; i < own.length; i += 500) {
      const r = await s.call('POST', '/api/v1/readings', own.slice(i, i + 500), { headers: { Authorization: `Device ${d.code}:${d.key}` } });
      assert.equal(r.status, 200, r.text);
    }
  }
}

// Every activation that was announced, from the journals.
async function activations(who, own = true) {
  const alarms = (await who.ok_get('/api/v1/alarms?state=all&size=500')).items.filter((a) => !own || a.point.code.startsWith('KPI-'));
  const out = [];
  for (const a of alarms)
    for (const j of (await who.ok_get(`/api/v1/alarms/${a.id}/journal`)).items)
      if (j.what === 'raised' && j.to === 'unack') out.push({ alarm: a, at: Date.parse(j.at), id: j.id });
  return out;
}

function numbers(list, from, to) {
  const periods = Math.ceil((to - from) / PERIOD);
  const c = Array(periods).fill(0), hours = Array(Math.ceil(periods / 6)).fill(0);
  for (const x of list) { const p = Math.floor((x.at - from) / PERIOD); c[p]++; hours[Math.floor(p / 6)]++; }
  let flood = false, floods = 0, floodPeriods = 0;
  for (const n of c) {
    const now = n >= 10 || (flood && n >= 5);
    if (now && !flood) floods++;
    if (now) floodPeriods++;
    flood = now;
  }
  return { per_day: (24 * list.length) / ((to - from) / 3600e3), busy_hours_percent: (100 * hours.filter((n) => n > 30).length) / hours.length, activations: list.length, per_hour: list.length / ((to - from) / 3600e3), peak_10min: Math.max(...c), peak_hour: Math.max(...hours), floods,
    flood_percent: (100 * floodPeriods) / periods, above_percent: (100 * c.filter((n) => n > 1).length) / periods };
}
const near = (got, want, what) => { for (const k of Object.keys(want)) assert.ok(Math.abs(got[k] - want[k]) < 1e-6, `${what}.${k}: ${got[k]} is not ${want[k]}`); };
const inside = (list, from, to) => list.filter((x) => x.at >= from && x.at < to);

test('rates, floods, peaks and groups equal the journals', async () => {
  let from = T0 - 30 * MIN, to = T0 + 295 * MIN, all;
  await until('the alarms', async () => { all = await activations(duty); return all.length === edges; });
  for (const [a, b] of [[from, to], [T0 + 115 * MIN, T0 + 135 * MIN], [T0 + 7 * MIN, T0 + 201 * MIN]]) {
    // of all alarms of the county: the demo's devices are silent here
    const every = inside(await activations(duty, false), a, b);
    const k = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(a))}&to=${encodeURIComponent(rfc(b))}&by=enterprise`);
    near(k.total, numbers(every, a, b), 'total');
    const ids = [...new Set(every.map((x) => x.alarm.enterprise.id))];
    assert.deepEqual(k.groups.map((g) => Number(g.key)).sort(), ids.sort());
    for (const g of k.groups) near(g, numbers(every.filter((x) => x.alarm.enterprise.id === Number(g.key)), a, b), g.key);
    const colors = { red: 0, orange: 0, yellow: 0, blue: 0 };
    for (const x of every) colors[x.alarm.color]++;
    assert.deepEqual(k.priorities, colors);
    const actors = Object.values(every.reduce((m, x) => { const key = x.alarm.point.id; (m[key] ??= { point: key, n: 0 }).n++; return m; }, {})).sort((x, y) => y.n - x.n || x.point - y.point).slice(0, 10);
    assert.deepEqual(k.actors.map((x) => ({ point: x.point, n: x.n })), actors);
  }
  const burst = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(T0 + 115 * MIN))}&to=${encodeURIComponent(rfc(T0 + 135 * MIN))}`);
  assert.ok(burst.total.floods >= 1, 'twelve alarms within two minutes are a flood');
  const one = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(to))}&enterprise=${enterprises[1].id}`);
  near(one.total, numbers(inside(all, from, to).filter((x) => x.alarm.enterprise.id === enterprises[1].id), from, to), 'one enterprise');
  const area = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(to))}&area=${enterprises[0].area}`);
  near(area.total, numbers(inside(all, from, to).filter((x) => x.alarm.area === enterprises[0].area), from, to), 'one area');
});

test('three activations of one condition within a minute chatter; nothing else does', async () => {
  const all = await activations(duty);
  const want = {};
  for (const p of points) {
    const at = all.filter((x) => x.alarm.point.code === p.code).sort((a, b) => a.at - b.at || a.id - b.id).map((x) => x.at);
    const n = at.filter((t, i) => i >= 2 && t - at[i - 2] <= MIN).length;
    if (n) want[`${p.code}`] = n;
  }
  const k = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(T0 - MIN))}&to=${encodeURIComponent(rfc(T0 + 300 * MIN))}`);
  const code = (id) => all.find((x) => x.alarm.point.id === id).alarm.point.code;
  assert.deepEqual(Object.fromEntries(k.chattering.map((x) => [code(x.point), x.n])), want);
  assert.ok(want['KPI-0-2'] >= 1);
  const soon = {};
  for (const p of points) {
    const own = [...new Set(all.filter((x) => x.alarm.point.code === p.code).map((x) => x.alarm.id))];
    for (const id of own) {
      const j = (await duty.ok_get(`/api/v1/alarms/${id}/journal`)).items;
      for (const [i, x] of j.entries()) if (x.what === 'raised' && x.to === 'unack' && j.slice(i + 1).some((r) => r.what === 'returned' && Date.parse(r.at) - Date.parse(x.at) <= 10e3)) soon[p.code] = (soon[p.code] ?? 0) + 1;
    }
  }
  assert.deepEqual(Object.fromEntries(k.fleeting.map((x) => [code(x.point), x.n])), soon);
  assert.deepEqual(k.hidden, { shelved: 0, suppressed: 0, out_of_service: 0 });
  const rules = [...new Set(all.map((x) => x.alarm.rule))], bare = k.unrationalised.map((x) => x.rule);
  assert.ok(rules.length);
  for (const r of rules) {
    const has = (await duty.ok_get(`/api/v1/records/alarm_rationale?size=500`)).items.some((x) => x.rule === r);
    assert.equal(bare.includes(r), !has, r);
  }
});

test('who acknowledged how many, and how fast; the operator’s own load', async () => {
  const open = (await duty.ok_get('/api/v1/alarms?state=unack&size=500')).items.concat((await duty.ok_get('/api/v1/alarms?state=rtn_unack&size=500')).items).filter((a) => a.point.code.startsWith('KPI-'));
  assert.ok(open.length >= 3);
  for (const a of open.slice(0, 3)) await duty.ok_post(`/api/v1/alarms/${a.id}/ack`, {});
  const from = T0 - MIN, to = Date.now() + MIN;
  const k = await duty.ok_get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(to))}&by=operator`);
  const mine = k.operators.find((o) => o.person === duty.me.id);
  assert.equal(mine.acks, 3);
  const journals = await Promise.all(open.slice(0, 3).map(async (a) => (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items));
  const waits = journals.map((j) => { const ack = j.find((x) => x.what === 'ack'); return (Date.parse(ack.at) - Math.max(...j.filter((x) => x.what === 'raised' && x.id < ack.id).map((x) => Date.parse(x.at)))) / 1000; });
  assert.ok(Math.abs(mine.response_s - waits.reduce((x, y) => x + y) / 3) < 0.01);
  const load = inside(await activations(duty), from, to).filter((x) => open.slice(0, 3).some((a) => a.id === x.alarm.id));
  near(k.groups.find((g) => Number(g.key) === duty.me.id), numbers(load, from, to), 'operator');
});

test('a town counts its own alarms, the table is a file too, wrong questions are named', async () => {
  const from = T0 - MIN, to = T0 + 300 * MIN, ask = `from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(to))}`;
  near((await town.ok_get(`/api/v1/alarms/kpi?${ask}`)).total, numbers(inside(await activations(town, false), from, to), from, to), 'town');
  const csv = (await duty.get(`/api/v1/alarms/kpi?${ask}&by=enterprise&format=csv`)).text.trim().split('\n');
  assert.equal(csv.length, 1 + (await duty.ok_get(`/api/v1/alarms/kpi?${ask}&by=enterprise`)).groups.length);
  assert.equal((await duty.get(`/api/v1/alarms/kpi?${ask}&by=colour`)).json.error.field, 'by');
  assert.equal((await duty.get(`/api/v1/alarms/kpi?from=${encodeURIComponent(rfc(to))}&to=${encodeURIComponent(rfc(from))}`)).json.error.field, 'from');
  assert.equal((await (await s.as('admin')).get(`/api/v1/alarms/kpi?${ask}`)).status, 403);
});

test('a flood now: grouped, and what came first of each group', async () => {
  assert.equal((await duty.ok_get('/api/v1/alarms/flood')).flood, false);
  const now = Date.now() - 60e3;
  for (const [i, p] of points.entries())
    for (const [k, v] of [[0, 50], [1, 50], [2, 85]])
      await s.call('POST', '/api/v1/readings', [{ point: p.code, time: rfc(now + k * 2000 + i * 50), value: v }], { headers: { Authorization: `Device ${p.device.code}:${p.device.key}` } });
  const f = await until('the flood', async () => { const x = await duty.ok_get('/api/v1/alarms/flood'); return x.count >= 12 && x; });
  assert.equal(f.flood, true);
  assert.ok(Date.parse(f.since) <= Date.now(), 'since when');
  assert.equal(f.flood, true);
  assert.deepEqual(f.groups.map((g) => g.enterprise).sort(), enterprises.map((e) => e.id).sort());
  const recent = inside(await activations(duty), Date.now() - PERIOD, Date.now());
  for (const g of f.groups) {
    const own = recent.filter((x) => x.alarm.enterprise.id === g.enterprise).sort((a, b) => a.at - b.at || a.id - b.id);
    assert.equal(g.n, own.length);
    assert.equal(g.first.alarm, own[0].alarm.id);
  }
});

test('why an alarm exists is told with it: of its point before of its rule', async () => {
  const a = (await duty.ok_get('/api/v1/alarms?state=all&size=500')).items.find((x) => x.point.code === 'KPI-0-1');
  assert.equal((await duty.ok_get(`/api/v1/alarms/${a.id}/rationale`)).rationale, null);
  const why = (body) => bureau.ok_post('/api/v1/records/alarm_rationale', { name: '试验', rule: 'trial', priority: 'low', cause: '进料过快', consequence: '冒罐', response: '关进料阀', respond_min: 10, ...body });
  const rule = await why({});
  assert.equal((await duty.ok_get(`/api/v1/alarms/${a.id}/rationale`)).rationale.id, rule.id);
  const point = await why({ point: a.point.id, enterprise: a.enterprise.id, priority: 'high', respond_min: 3 });
  const got = (await duty.ok_get(`/api/v1/alarms/${a.id}/rationale`)).rationale;
  assert.equal(got.id, point.id);
  assert.equal(got.respond_min, 3);
  const other = (await duty.ok_get('/api/v1/alarms?state=all&size=500')).items.find((x) => x.point.code === 'KPI-1-1');
  assert.equal((await duty.ok_get(`/api/v1/alarms/${other.id}/rationale`)).rationale.id, rule.id);
});

test('rationales come in as a table, a wrong row is named, and go out as one', async () => {
  const text = '名称,规则,优先级,可能原因,不处置的后果,应对措施,可用处置时间\r\n导入理由（虚构）,trial,高,进料过快,冒罐,关进料阀,12\r\n坏行（虚构）,trial,没有这一级,甲,乙,丙,1\r\n';
  const post = await fetch(`${s.url}/api/v1/imports?type=alarm_rationale`, { method: 'POST', headers: { Authorization: `Bearer ${bureau.token}` }, body: text });
  const answer = await post.json(), { id } = answer;
  assert.ok(id, JSON.stringify(answer));
  const state = (want) => until(`the import to be ${want}`, async () => { const x = await bureau.ok_get(`/api/v1/imports/${id}`); return x.state === want && x; });
  const checked = await state('checked');
  assert.deepEqual([checked.rows, checked.created, checked.failed], [2, 1, 1]);
  await bureau.ok_post(`/api/v1/imports/${id}/run`, { skip_errors: true });
  await state('done');
  const got = (await bureau.ok_get('/api/v1/records/alarm_rationale?size=500')).items.find((x) => x.name === '导入理由（虚构）');
  assert.deepEqual([got.rule, got.priority, got.respond_min], ['trial', 'high', 12]);
  const csv = (await bureau.get('/api/v1/records/alarm_rationale?format=csv')).text;
  assert.match(csv, /导入理由（虚构）/);
});

test('an alarm of some days ago is found by its day, words, level and area; in the reader’s scope only', async () => {
  const alarms = (q, who = duty) => who.ok_get('/api/v1/alarms?state=all&size=500&' + new URLSearchParams(q));
  const every = (await alarms({})).items, a = every.find((x) => x.point.code === 'KPI-0-1'), at = Date.parse(a.raised_at);
  const iso = (ms) => new Date(ms).toISOString();
  const minute = await alarms({ from: iso(at), to: iso(at + 60000) });
  assert.deepEqual(minute.items.map((x) => x.id), every.filter((x) => Date.parse(x.raised_at) >= at && Date.parse(x.raised_at) < at + 60000).map((x) => x.id));
  assert.equal(minute.total, minute.items.length);
  assert.equal((await alarms({ from: iso(at + 1), to: iso(at + 2) })).items.some((x) => x.id === a.id), false, 'the beginning belongs to the span');
  assert.equal((await alarms({ to: iso(at) })).items.some((x) => x.id === a.id), false, 'its end does not');
  assert.deepEqual([...new Set((await alarms({ q: 'KPI-0-1' })).items.map((x) => x.point.code))], ['KPI-0-1']);
  assert.ok((await alarms({ q: a.enterprise.title })).items.every((x) => x.enterprise.id === a.enterprise.id));
  assert.equal((await alarms({ q: '没有这样的词' })).total, 0);
  assert.ok((await alarms({ color: a.color })).items.every((x) => x.color === a.color));
  assert.deepEqual((await alarms({ color: 'green' })).items, []);
  assert.ok((await alarms({ area: a.area })).items.some((x) => x.id === a.id));
  const one = await duty.ok_get(`/api/v1/alarms?state=all&size=1&q=KPI-&from=${iso(at)}`);
  const next = await duty.ok_get(`/api/v1/alarms?state=all&size=1&q=KPI-&from=${iso(at)}&before=${one.items[0].id}`);
  assert.ok(next.items[0].id < one.items[0].id && next.total === one.total, 'page by page');
  assert.equal((await duty.get(`/api/v1/alarms?from=${iso(at)}&to=${iso(at)}`)).status, 400);
  const ent = await s.as('enterprise');
  assert.ok((await alarms({ from: iso(0) }, ent)).items.every((x) => x.enterprise.id === ent.me.enterprise.id));
});
