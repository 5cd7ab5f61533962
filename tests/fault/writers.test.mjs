// 16 writers (10 over MQTT, 6 over HTTP) against random kill -9 of core, gate and the whole server; each sends again what was not
// acknowledged. In the end the alarms (point, raised, level changes, returned, each with its time) are those of two oracles that
// evaluate the same readings one after another: a naive one written here, and the server's own back-test on its history.
//   READINGS=1000000 KILLS=60 CALM=10 node --test tests/fault/writers.test.mjs
// READINGS of each writer; of CALM messages one moves, the others stand still. With all of them moving a change comes with every ninth
// reading: more than the table of alarms takes in, so that a start after a kill has minutes of it to do again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDevice, root, Server, sleep, until } from '../lib/server.mjs';
import { Device } from '../lib/mqtt.mjs';

const MQTT = 10, HTTP = 6, WRITERS = MQTT + HTTP, BATCH = 24, QUIET = 6;
const MESSAGES = Math.ceil(Number(process.env.READINGS || 1200) / BATCH), KILLS = Number(process.env.KILLS || 8), CALM = Number(process.env.CALM || 1);
const LIMITS = [{ level: 'h', limit: 80, clear: 76, on: 3, off: 4 }, { level: 'hh', limit: 90, clear: 84, on: 2, off: 3 }];
const RULE = `rule: writers\nlabel: {zh: 试验, en: Trial}\nwatch: {kind: writers}\nlevels:\n${LIMITS.map((l) =>
  `  ${l.level}: {above: ${l.limit}, clear: ${l.clear}, for: ${l.on}s, off: ${l.off}s, color: ${l.level === 'h' ? 'orange' : 'red'}, say: {zh: 高, en: High}}\n`).join('')}`;
const base = Math.floor((Date.now() - 6 * 3600e3 - (MESSAGES * BATCH) * 1000) / 1000) * 1000;

// Park and Miller's generator, one a writer: message n of a writer is the same whenever it is made.
const generator = (seed) => { let s = seed % 2147483646 + 1; return (n) => { s = (s * 48271) % 2147483647; return s % n; }; };

// Short spikes and dips around the delays, values inside the dead band, long episodes. The last samples of a message stand still for
// longer than every delay: what a pause between two messages does to a delay that runs would otherwise depend on the clock.
function values(writer, n) {
  const random = generator(writer * 1000003 + n * 7919 + 17), out = [];
  if (n % CALM) return Array(BATCH).fill(60);
  const pick = () => [50, 60, 75, 77, 79.5, 80, 82, 84.5, 88, 89.9, 90, 95][random(12)];
  while (out.length < BATCH - QUIET) { const v = pick(); for (let k = 1 + random(5); k > 0 && out.length < BATCH - QUIET; k--) out.push(v); }
  const last = pick();
  while (out.length < BATCH) out.push(last);
  return out;
}
const code = (w) => `W${w}`;
const message = (w, n) => values(w, n).map((value, k) => ({ point: code(w), time: new Date(base + (n * BATCH + k) * 1000).toISOString(), value }));

// ---- the naive oracle: second by second, a state changes when the opposite held for its whole delay ----------
function oracle(w) {
  const run = [0, 0], active = [false, false], said = [];
  let held = 0, was = -1;
  const look = (at, sampled) => {
    LIMITS.forEach((l, k) => {
      const wants = active[k] ? held < l.clear : held >= l.limit;
      if (!sampled && run[k] > 0) run[k]++;
      else if (sampled) run[k] = wants ? Math.max(run[k], 1) : 0;
      if (run[k] > (active[k] ? l.off : l.on)) { active[k] = !active[k]; run[k] = 0; }
    });
    const is = active[1] ? 1 : active[0] ? 0 : -1;
    if (is !== was) said.push(`${code(w)} ${was < 0 ? 'raised' : is < 0 ? 'returned' : 'level'} ${LIMITS[is < 0 ? was : is].level} ${at}`);
    was = is;
  };
  for (let n = 0; n < MESSAGES; n++)
    values(w, n).forEach((v, k) => {
      const at = base + (n * BATCH + k) * 1000;
      look(at, false);
      held = v;
      look(at, true);
    });
  return said;
}

// ---- the writers ----------------------------------------------------------------------------------------------
class HttpWriter {
  constructor(s, key, w) { Object.assign(this, { s, key, w, next: 0, tries: 0 }); }
  async run() {
    for (; this.next < MESSAGES;) {
      this.tries++;
      const r = await fetch(`${this.s.url}/api/v1/readings`, { method: 'POST', body: JSON.stringify(message(this.w, this.next)), headers: { 'Content-Type': 'application/json', Authorization: `Device WR-${this.w}:${this.key}` }, signal: AbortSignal.timeout(20000) }).catch(() => null);
      if (r) await r.arrayBuffer().catch(() => null);
      if (r?.status === 200) this.next++;
      else await sleep(20);
    }
  }
}

async function feedMqtt(d, w) {
  for (let n = 0; n < MESSAGES; n++) {
    while (d.queue.length > 100) await sleep(2);
    d.publish(message(w, n));
    if (n % 50 === 49) await sleep(0);
  }
  while (!d.idle) await sleep(5);
}

function children(pid) {
  const found = {};
  for (const p of readdirSync('/proc').filter((x) => /^\d+$/.test(x))) {
    try {
      const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found[readdirSync(`/proc/${p}/task`).length > 1 ? 'core' : 'gate'] = Number(p);
    } catch { /* gone */ }
  }
  return found;
}

async function killOne(s, victim) {
  if (victim === 'parent') { await s.kill('SIGKILL'); await s.spawn(); return; }
  const pid = children(s.child.pid)[victim];
  if (pid) try { process.kill(pid, 'SIGKILL'); } catch { /* just gone */ }
}

// ---- what the server says -------------------------------------------------------------------------------------
async function changes(s) {
  const duty = await s.as('duty'), out = [];
  for (let before = ''; ;) {
    const page = (await duty.ok_get(`/api/v1/alarms?state=all&size=500${before}`)).items;
    for (const a of page.filter((x) => x.rule === 'writers' && x.family === 'limit'))
      for (const j of (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items)
        if (['raised', 'level', 'returned'].includes(j.what)) out.push(`${a.point.code} ${j.what} ${j.level} ${Date.parse(j.at)}`);
    if (page.length < 500) return out;
    before = `&before=${page.at(-1).id}`;
  }
}

// The same from the database, for so many readings that asking for each alarm would take longer than the readings.
const MANY = 2e6;
function changesStored(s) {
  const rows = execFileSync('sqlite3', [join(s.dir, 'anlan.db'), `SELECT a.point_code||' '||j.what||' '||j.level||' '||(j.at/1000) FROM alarm_journal j JOIN alarm a ON a.id=j.alarm
    WHERE a.rule='writers' AND a.family='limit' AND j.what IN ('raised','level','returned')`], { encoding: 'utf8', maxBuffer: 1 << 30 });
  return rows.split('\n').slice(0, -1);
}

// Raised and returned, as the back-test of the rule in force has them.
async function backtested(s, w) {
  const duty = await s.as('duty');
  const r = await duty.ok_post('/api/v1/backtest', { points: [code(w)], from: new Date(base - 1000).toISOString(), to: new Date(base + MESSAGES * BATCH * 1000).toISOString() });
  const side = r.items[0].stored, out = [];
  for (const x of side.alarms) out.push(`raised ${Date.parse(x.from)}`, ...(x.to ? [`returned ${Date.parse(x.to)}`] : []));
  return { out, total: side.alarms_total, samples: side.figures.samples };
}

const byTime = (v) => [...v].sort((a, b) => a.split(' ').at(-1) - b.split(' ').at(-1) || (a < b ? -1 : 1));
function same(got, want, who) {
  const left = new Map();
  for (const x of want) left.set(x, (left.get(x) ?? 0) + 1);
  const extra = got.filter((x) => { const n = left.get(x) ?? 0; left.set(x, n - 1); return n <= 0; });
  const missing = [...left].filter(([, n]) => n > 0).map(([x]) => x);
  assert.deepEqual({ missing: byTime(missing).slice(0, 10), extra: byTime(extra).slice(0, 10) }, { missing: [], extra: [] }, who);
}

test(`${WRITERS} writers, ${MESSAGES * BATCH} readings each, ${KILLS} kills: the alarms are those of a single-threaded oracle`, { timeout: 24 * 3600e3 }, async (t) => {
  const packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  writeFileSync(join(packs, 'monitoring', 'points', 'writers.yaml'), 'point: writers\nlabel: {zh: 试验量, en: Trial}\nunit: "%"\nmin: 0\nmax: 100\ndecimals: 1\ninterval: 1s\nstale_after: 10min\ndimension: process\n');
  writeFileSync(join(packs, 'chemical', 'rules', 'writers.yaml'), RULE);
  const s = await Server.start({ args: ['--packs', packs], copied: true });
  t.after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });
  const keys = [];
  for (let w = 0; w < WRITERS; w++) keys.push((await makeDevice(s, { code: `WR-${w}`, protocol: w < MQTT ? 'mqtt' : 'http', points: [{ code: code(w), kind: 'writers', unit: '%' }] })).key);
  const began = Date.now();
  const devices = keys.slice(0, MQTT).map((key, w) => new Device({ port: s.mqtt, code: `WR-${w}`, key, window: 16 }));
  const posts = keys.slice(MQTT).map((key, i) => new HttpWriter(s, key, MQTT + i));
  let over = false;
  const all = Promise.all([...devices.map(feedMqtt), ...posts.map((x) => x.run())]).then(() => { over = true; });
  const random = generator(20261130), counts = { core: 0, gate: 0, parent: 0 };
  const done = () => devices.reduce((n, d) => n + d.acked.length, 0) + posts.reduce((n, x) => n + x.next, 0);
  for (let k = 0; k < KILLS && !over; k++) { // spread over the load: each when its share has been acknowledged
    await until('the load to go on', () => over || done() >= (WRITERS * MESSAGES * k) / KILLS, 3600e3);
    await sleep(random(120));
    const victim = ['core', 'gate', 'parent'][random(3)];
    counts[victim]++;
    await killOne(s, victim);
  }
  await all;
  const seconds = (Date.now() - began) / 1000;
  devices.forEach((d) => d.close());
  const want = Array.from({ length: WRITERS }, (_, w) => oracle(w));
  const wanted = want.flat(), total = wanted.length;
  const read = WRITERS * MESSAGES * BATCH > MANY ? async () => { await sleep(3000); return changesStored(s); } : () => changes(s);
  const got = await until('all changes of the alarms', async () => { const v = await read(); return v.length >= total && v; }, 600000).catch(read);
  same(got, wanted, 'the naive oracle');
  for (let w = 0; w < WRITERS; w += 5) {
    const b = await backtested(s, w);
    assert.equal(b.samples, MESSAGES * BATCH);
    const own = want[w].filter((x) => !x.includes(' level ')).map((x) => x.split(' ')).map((x) => `${x[1]} ${x[3]}`);
    const raised = own.filter((x) => x.startsWith('raised'));
    assert.equal(b.total, raised.length, `alarms of ${code(w)} in the back-test`);
    const first = raised.at(-Math.min(raised.length, b.out.filter((x) => x.startsWith('raised')).length));
    assert.deepEqual(b.out, own.slice(own.indexOf(first)), `the back-test of ${code(w)}`);
  }
  console.log(`# ${WRITERS * MESSAGES * BATCH} readings acknowledged in ${seconds.toFixed(1)} s, kills ${JSON.stringify(counts)}, reconnects ${devices.reduce((n, d) => n + d.connects, 0) - MQTT}, `
    + `repeated posts ${posts.reduce((n, x) => n + x.tries - x.next, 0)}, changes of alarms ${got.length}`);
});
