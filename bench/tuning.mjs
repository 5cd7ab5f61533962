// Guided tuning measured: an invented county of noisy points with planted true events. Each point's proposal (dead band
// and delays) is asked for, tried independently, and what became of its alarms and of the events is counted.
//   node bench/tuning.mjs [POINTS] [DAYS]     default 40 7; prints one JSON object
// Invented: gauges with coloured noise and spikes that swing to just below their limits; planted: rises above the limit of
// 15 to 40 minutes, an event ten minutes into each. The rules are those of the packs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const POINTS = Number(process.argv[2] ?? 40), DAYS = Number(process.argv[3] ?? 7), STEP = 10;
const dir = mkdtempSync(join(tmpdir(), 'anlan-tuning-'));
const KINDS = [
  { kind: 'level', h: 80, hh: 90, normal: 70, min: 0, max: 100, decimals: 1 },
  { kind: 'temperature', h: 60, hh: 75, normal: 55, min: -50, max: 400, decimals: 2 },
  { kind: 'combustible_gas', h: 20, hh: 40, normal: 10, min: 0, max: 100, decimals: 1 },
  { kind: 'reactor_pressure', h: 2800, hh: 2895, normal: 2720, min: 0, max: 4000, decimals: 1 },
];

function generator(seed) {
  let s = seed * 2654435761 >>> 0 || 1;
  return () => ((s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 4294967296);
}

// One point: its samples as CSV, and the times of its planted events.
function invent(i) {
  const k = KINDS[i % KINDS.length], random = generator(i + 1), n = DAYS * 86400 / STEP, begin = 1767225600;
  const bell = () => random() + random() + random() + random() - 2;
  const swing = k.h - k.normal, noise = 0.18 * swing, events = [], rises = [];
  for (let e = 0; e < 2; e++) {
    const at = Math.floor((0.2 + 0.5 * e + 0.1 * random()) * n), length = Math.floor((15 + 25 * random()) * 60 / STEP);
    rises.push([at, at + length, k.h + (0.3 + 0.5 * random()) * (k.hh - k.h)]);
    events.push(begin + at * STEP + 600);
  }
  const lines = ['time,value'];
  for (let j = 0, slow = 0; j < n; j++) {
    slow = 0.6 * slow + 0.8 * bell();
    let v = k.normal + swing * 0.8 * Math.max(0, Math.sin(j / 700 + i)) + noise * (slow + 0.5 * bell());
    if (random() < 0.002) v += swing * 1.5; // a spike
    const rise = rises.find(([a, b]) => j >= a && j < b);
    if (rise) v = Math.max(v, rise[2] + noise * 0.3 * bell());
    lines.push(`${begin + j * STEP},${Math.min(k.max, Math.max(k.min, v)).toFixed(k.decimals)}`);
  }
  const file = join(dir, `events-${i}`);
  writeFileSync(file, events.join('\n') + '\n');
  return { ...k, csv: lines.join('\n') + '\n', events: file };
}

function backtest(p, more) {
  const args = ['backtest', '--kind', p.kind, '--limits', `h=${p.h},hh=${p.hh}`, '--events', p.events, '--window', '1h', '--alarms', '0', ...more];
  const r = spawnSync(process.env.ANLAN_BIN || join(root, 'build', 'anlan'), args, { input: p.csv, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (r.status !== 0) throw new Error(r.stderr);
  return JSON.parse(r.stdout);
}

const sum = { points: POINTS, days: DAYS, alarms_before: 0, alarms_after: 0, chatter_before: 0, chatter_after: 0, events: 0, preceded_before: 0, preceded_after: 0, lost: 0, without_proposal: 0, latest_s: 0, search_ms: 0 };
try {
  for (let i = 0; i < POINTS; i++) {
    const p = invent(i), asked = backtest(p, ['--suggest', '--all', '--remove', '90', '--delay', '60s']), s = asked.suggestion;
    const set = Object.entries(s.changes).filter(([, v]) => v !== null).map(([k, v]) => `${k}=${v}`).join(',');
    const tried = set ? backtest(p, ['--set', set]) : asked, side = tried.candidate ?? tried.stored, then = side.figures, now = asked.stored.figures;
    sum.alarms_before += now.alarms;
    sum.alarms_after += then.alarms;
    sum.chatter_before += now.chatter;
    sum.chatter_after += then.chatter;
    sum.events += now.events;
    sum.preceded_before += now.preceded;
    sum.preceded_after += then.preceded;
    sum.lost += tried.stored.events.filter((e, n) => e.alarm && !side.events[n].alarm).length;
    sum.without_proposal += !s.found;
    sum.latest_s = Math.max(sum.latest_s, s.later_s);
    sum.search_ms += asked.ms;
  }
} finally {
  rmSync(dir, { recursive: true });
}
sum.search_ms = Math.round(sum.search_ms / POINTS);
sum.removed = Math.round((1 - sum.alarms_after / sum.alarms_before) * 1000) / 1000;
console.log(JSON.stringify(sum));
if (sum.removed < 0.8 || sum.lost) process.exitCode = 1;
