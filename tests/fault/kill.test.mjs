// Random kill -9 of core, gate and parent under load: every acknowledged reading is in the history once, and the alarms
// equal those of an undisturbed run.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';
import { Device } from '../lib/mqtt.mjs';

const KILLS = Number(process.env.KILLS || 100);
const DEVICES = 3, POINTS = 4, MESSAGES = 5000, BATCH = 8, WINDOW = 32;

let seed = 12345;
const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };

// The same readings in both runs: slow swings through the limits, so that alarms rise and return again and again.
const base = Math.floor((Date.now() - 4 * 3600e3) / 1000) * 1000;
const end = base + (MESSAGES * BATCH / POINTS - 1) * 1000;
const value = (d, p, i) => Math.round((50 + 48 * Math.sin((i + 37 * p + 11 * d) / (60 + 13 * p))) * 10) / 10;
const message = (d, i) => Array.from({ length: BATCH }, (_, k) => {
  const n = i * BATCH + k;
  const p = n % POINTS;
  const at = Math.floor(n / POINTS);
  return { point: `K${d}-P${p}`, time: new Date(base + at * 1000).toISOString(), value: value(d, p, at) };
});

async function prepare(s) {
  const made = [];
  for (let d = 0; d < DEVICES; d++)
    made.push(await makeDevice(s, { code: `KILL-${d}`, points: Array.from({ length: POINTS }, (_, p) => ({ code: `K${d}-P${p}`, kind: 'level', unit: '%', ll: 5, l: 12, h: 85, hh: 95 })) }));
  return made;
}

function children(pid) {
  const found = {};
  for (const p of readdirSync('/proc')) {
    if (!/^\d+$/.test(p)) continue;
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== pid) continue;
      const threads = readdirSync(`/proc/${p}/task`).length;
      found[threads > 1 ? 'core' : 'gate'] = Number(p);
    } catch { /* gone */ }
  }
  return found;
}

async function killOne(s, victim) {
  if (victim === 'parent') {
    await s.kill('SIGKILL');
    s.code = s.signal = null;
    await s.spawn();
    return;
  }
  const pid = children(s.child.pid)[victim];
  if (pid) try { process.kill(pid, 'SIGKILL'); } catch { /* just gone */ }
}

const running = []; // every server of this test, to be ended whatever happens

async function run(kills) {
  const s = await Server.start();
  running.push(s);
  const made = await prepare(s);
  const devices = made.map((m, d) => new Device({ port: s.mqtt, code: `KILL-${d}`, key: m.key, window: WINDOW }));
  let sent = 0, due = kills ? 0 : MESSAGES; // the load lasts as long as the kills
  const feed = setInterval(() => {
    for (let n = 0; n < 20 && sent < due && devices.every((dev) => dev.queue.length < 200); n++, sent++)
      devices.forEach((dev, d) => dev.publish(message(d, sent)));
  }, 5);
  const counts = { core: 0, gate: 0, parent: 0 };
  for (let k = 0; k < kills; k++) {
    await sleep(30 + random() * 220);
    const victim = ['core', 'gate', 'parent'][Math.floor(random() * 3)];
    counts[victim]++;
    due = Math.ceil(MESSAGES * (k + 1) / kills);
    await killOne(s, victim);
  }
  await until('everything to be sent', () => sent >= MESSAGES && devices.every((d) => d.idle), 120000);
  clearInterval(feed);
  devices.forEach((d) => d.close());
  return { s, devices, counts };
}

async function history(s, point) {
  const duty = await s.as('duty');
  const got = await duty.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(new Date(base - 1000).toISOString())}&max=1000000`);
  return got.items.map(([t, v]) => [Date.parse(t), v]);
}

// Every episode of a limit alarm, as the journal tells it. Not what happened after the last sample: a delay that still
// runs then ends by the clock, earlier or later in the two runs.
async function alarms(s) {
  const duty = await s.as('duty');
  const all = [];
  for (let before = ''; ;) {
    const page = (await duty.ok_get(`/api/v1/alarms?state=all&size=500${before}`)).items;
    for (const a of page) {
      if (!/^K\d-P\d$/.test(a.point.code) || a.family !== 'limit') continue;
      const journal = (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items;
      for (const j of journal) if (['raised', 'level', 'returned'].includes(j.what) && Date.parse(j.at) <= end) all.push(`${a.point.code} ${j.what} ${j.level} ${j.at}`);
    }
    if (page.length < 500) break;
    before = `&before=${page[page.length - 1].id}`;
  }
  return all.sort();
}

// What both runs say around the first difference, for whoever has to find out why.
function around(difference, got, want) {
  const [point, , , at] = difference.split(' ');
  const near = (x) => x.startsWith(point) && Math.abs(Date.parse(x.split(' ')[3]) - Date.parse(at)) < 300e3;
  const show = (v) => v.filter(near).sort((a, b) => (a.split(' ')[3] < b.split(' ')[3] ? -1 : 1)).join('\n  ');
  return `around ${difference}\n disturbed:\n  ${show(got)}\n calm:\n  ${show(want)}`;
}

function sameHistory(points, acked) {
  for (const { point, rows } of points) {
    assert.equal(new Set(rows.map(([t]) => t)).size, rows.length, 'no sample twice');
    assert.equal(rows.length, MESSAGES * BATCH / POINTS);
    for (const [t, v] of rows) assert.equal(v, acked.get(`${point} ${t}`));
  }
}

test(`${KILLS} random kills: nothing acknowledged is lost or doubled, and the alarms are the same`, { timeout: 900000 }, async (t) => {
  t.after(() => Promise.all(running.map((s) => s.stop())));
  const broken = await run(KILLS);
  const calm = await run(0);
  const acked = new Map();
  for (const dev of broken.devices) for (const m of dev.acked) for (const r of m) acked.set(`${r.point} ${Date.parse(r.time)}`, r.value);
  const points = [];
  for (let d = 0; d < DEVICES; d++) for (let p = 0; p < POINTS; p++) points.push({ point: `K${d}-P${p}`, rows: await history(broken.s, `K${d}-P${p}`) });
  sameHistory(points, acked);
  await sleep(1500);
  const [got, want] = [await alarms(broken.s), await alarms(calm.s)];
  const left = [...want], extra = [];
  for (const x of got) { const i = left.indexOf(x); if (i >= 0) left.splice(i, 1); else extra.push(x); }
  const differences = [...left.map((x) => `missing ${x}`), ...extra.map((x) => `extra ${x}`)];
  assert.deepEqual(differences, [], differences.length ? around(differences[0].slice(differences[0].indexOf(' ') + 1), got, want) + '\n' + differences.join('\n') : '');
  console.log(`# kills ${JSON.stringify(broken.counts)}, reconnects ${broken.devices.reduce((n, d) => n + d.connects, 0)}, acknowledged readings ${acked.size}, changes of alarms ${got.length}`);
});
