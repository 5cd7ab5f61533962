// What a replay costs in a county with a busy year behind it.
//   node bench/replay.mjs [ROUNDS]     default 10; prints one JSON object
// Invented: the demo county, 12 points with 17,280 readings each in a week, and rows put beside it into the stopped server's
// database: 1,000,000 closed alarms with an entry of their journal, 1,000,000 changes, 300,000 messages, evenly over a year. Milliseconds over HTTP.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { makeDevice, Server } from '../tests/lib/server.mjs';

const ROUNDS = Number(process.argv[2] ?? 10), DAY = 86400e3, HOUR = 3600e3;
const iso = (t) => new Date(t).toISOString();
const s = await Server.start();
s.tampered = true; // the chain is not whole with rows put beside it

async function timed(who, query) {
  const t = [];
  let r;
  for (let i = 0; i < ROUNDS; i++) {
    const began = performance.now();
    r = await who.get(`/api/v1/replay?${query}`);
    t.push(performance.now() - began);
  }
  if (r.status !== 200) throw new Error(r.text);
  t.sort((a, b) => a - b);
  return { best_ms: +t[0].toFixed(1), median_ms: +t[ROUNDS >> 1].toFixed(1), bytes: r.text.length, events: r.json.events.length, alarms: r.json.alarms.length };
}

const rows = (year, step) => `
  WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999999)
  INSERT INTO alarm(point, rule, family, level, color, state, active, acked, raised_at, level_at, returned_at, closed_at, cause_time, area, enterprise, sector)
  SELECT 1 + i % 3000, 'bench', 'limit', 'h', 'orange', 'normal', 0, 1, ${year} + i * ${step}, ${year} + i * ${step}, ${year} + i * ${step} + 60000000,
    ${year} + i * ${step} + 120000000, ${year}, '990121101000', 2 + i % 190, '' FROM c;
  INSERT INTO alarm_journal(alarm, at, what, level, from_state, to_state) SELECT id, raised_at, 'raised', 'h', 'normal', 'unack' FROM alarm WHERE rule = 'bench';
  WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999999)
  INSERT INTO audit(seq, at, actor, actor_name, action, type, record, detail, hash)
  SELECT (SELECT max(seq) FROM audit) + 1 + i, ${year} + i * ${step}, 4, 'bench', 'update', 'hazard', 1 + i % 300, '{}', zeroblob(32) FROM c;
  UPDATE audit_head SET seq = (SELECT max(seq) FROM audit);
  WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 299999)
  INSERT INTO outmsg(mid, via, channel, kind, person, address, mergekey, type, record, body, urgent, parts, state, created_at, next_at)
  SELECT 'bench' || i, 'channel', 1, 'notice', 1, 'a', 'k', 'hazard', 1 + i % 300, '', 0, 1, 'sent', ${year} + i * ${step} * 3, 0 FROM c;`;

try {
  const points = Array.from({ length: 12 }, (_, i) => ({ code: `REPLAY-${i}`, kind: 'level', unit: '%', h: 80, hh: 90, interval_s: 10 }));
  const made = await makeDevice(s, { code: 'REPLAY-GW', protocol: 'http', points });
  const now = Date.now(), week = now - 7 * DAY + 60e3, old = now - 300 * DAY, duty = await s.as('duty'), of = `enterprise=${made.enterprise.id}`;
  for (const p of points)
    for (let part = 0; part < 3; part++) {
      const at = (i) => (part < 2 ? week + (part * 5760 + i) * 45e3 : now - DAY + i * 14e3);
      const batch = Array.from({ length: 5760 }, (_, i) => ({ point: p.code, time: iso(at(i)), value: 50 + 20 * Math.sin(i / 50) }));
      const r = await s.call('POST', '/api/v1/readings', batch, { headers: { Authorization: `Device REPLAY-GW:${made.key}` } });
      if (r.json?.accepted !== batch.length) throw new Error(`${r.status} ${r.text.slice(0, 300)}`);
    }
  const out = { cores: cpus().length, load: loadavg()[0], rounds: ROUNDS };
  out.hour_now_small = await timed(duty, `${of}&from=${iso(now - HOUR)}&to=${iso(now)}`);
  out.week_now_small = await timed(duty, `${of}&from=${iso(week)}&to=${iso(now)}`);
  s.child.kill('SIGTERM');
  await s.exited;
  execFileSync('sqlite3', [join(s.dir, 'anlan.db'), rows((now - 365 * DAY) * 1000, Math.floor((365 * DAY * 1000) / 1e6))]);
  s.code = s.signal = undefined;
  await s.spawn();
  out.hour_now = await timed(duty, `${of}&from=${iso(now - HOUR)}&to=${iso(now)}`);
  out.hour_old = await timed(duty, `${of}&from=${iso(old)}&to=${iso(old + HOUR)}`);
  out.week_old = await timed(duty, `${of}&from=${iso(old)}&to=${iso(old + 7 * DAY)}`);
  out.hour_old_county = await timed(duty, `from=${iso(old)}&to=${iso(old + HOUR)}`);
  console.log(JSON.stringify(out, null, 1));
} finally {
  await s.stop();
}
