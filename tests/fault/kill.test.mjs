// Random kill -9 of core, gate and parent under load: every acknowledged reading is in the history once, and the alarms
// equal those of an undisturbed run.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';
import { Device } from '../lib/mqtt.mjs';

const KILLS = Number(process.env.KILLS || 100);
const DEVICES = 3, POINTS = 4, MESSAGES = 1500, BATCH = 8;

let seed = 12345;
const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };

// The same readings in both runs: slow swings through the limits, so that alarms rise and return again and again.
const base = Math.floor((Date.now() - 4 * 3600e3) / 1000) * 1000;
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

async function run(kills) {
  const s = await Server.start();
  const made = await prepare(s);
  const devices = made.map((m, d) => new Device({ port: s.mqtt, code: `KILL-${d}`, key: m.key }));
  let sent = 0;
  const feed = setInterval(() => {
    for (let n = 0; n < 5 && sent < MESSAGES && devices.every((dev) => dev.queue.length < 200); n++, sent++)
      devices.forEach((dev, d) => dev.publish(message(d, sent)));
  }, 5);
  const counts = { core: 0, gate: 0, parent: 0 };
  for (let k = 0; k < kills; k++) {
    await sleep(30 + random() * 220);
    const victim = ['core', 'gate', 'parent'][Math.floor(random() * 3)];
    counts[victim]++;
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

// Every episode of a limit alarm, as the journal tells it.
async function alarms(s) {
  const duty = await s.as('duty');
  const all = [];
  for (let before = ''; ;) {
    const page = (await duty.ok_get(`/api/v1/alarms?state=all&size=500${before}`)).items;
    for (const a of page) {
      if (!/^K\d-P\d$/.test(a.point.code) || a.family !== 'limit') continue;
      const journal = (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items;
      for (const j of journal) if (['raised', 'level', 'returned'].includes(j.what)) all.push(`${a.point.code} ${j.what} ${j.level} ${j.at}`);
    }
    if (page.length < 500) break;
    before = `&before=${page[page.length - 1].id}`;
  }
  return all.sort();
}

test(`${KILLS} random kills: nothing acknowledged is lost or doubled, and the alarms are the same`, { timeout: 900000 }, async () => {
  const broken = await run(KILLS);
  const calm = await run(0);
  await sleep(1500);
  let acked = 0;
  for (let d = 0; d < DEVICES; d++) {
    const want = new Map();
    for (const m of broken.devices[d].acked) for (const r of m) { want.set(`${r.point} ${Date.parse(r.time)}`, r.value); acked++; }
    for (let p = 0; p < POINTS; p++) {
      const rows = await history(broken.s, `K${d}-P${p}`);
      assert.equal(new Set(rows.map(([t]) => t)).size, rows.length, 'no sample twice');
      assert.equal(rows.length, MESSAGES * BATCH / POINTS);
      for (const [t, v] of rows) assert.equal(v, want.get(`K${d}-P${p} ${t}`));
    }
  }
  const [got, want] = [await alarms(broken.s), await alarms(calm.s)];
  const missing = want.filter((x) => !got.includes(x)), extra = got.filter((x) => !want.includes(x));
  assert.deepEqual({ missing, extra, n: got.length }, { missing: [], extra: [], n: want.length });
  console.log(`# kills ${JSON.stringify(broken.counts)}, reconnects ${broken.devices.reduce((n, d) => n + d.connects, 0)}, acknowledged readings ${acked}`);
  await broken.s.stop();
  await calm.s.stop();
});
