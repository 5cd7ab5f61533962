// `anlan detect` as somebody uses it in a pipe: rows in, scores out, row by row, without labels and without the future.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../lib/server.mjs';

const binary = process.env.ANLAN_BIN || join(root, 'build', 'anlan');
const dir = mkdtempSync(join(tmpdir(), 'anlan-detect-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function detect(args, input) {
  const r = spawnSync(binary, ['detect', ...args], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  const [head, ...rows] = r.stdout.trimEnd().split('\n');
  return { status: r.status, stderr: r.stderr, head, lines: rows, rows: rows.map((l) => l.split(',')) };
}

// The same noise every time: a linear congruential generator, twelve of it summed.
let state = 1n;
function noise() {
  let s = -6;
  for (let i = 0; i < 12; i++) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    s += Number(state >> 11n) / 2 ** 53;
  }
  return s;
}

// 900 seconds of a pump: flow follows pressure, but for the last 300; the vibration is on its own.
function pump() {
  state = 1n;
  return Array.from({ length: 900 }, (_, i) => {
    const p = 3 + noise() * 0.2;
    const flow = 30 + (p - 3) * 10 + noise() * 0.3 - (i >= 600 ? 4 : 0);
    return [`2026-01-01 00:${String(Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}`, p, flow, 0.02 + noise() * 0.001];
  });
}
const header = 'datetime;pressure;flow;vibration';
const table = (rows, label) => `${label ? `${header};anomaly;changepoint` : header}\n${rows.map((r, i) => [...r, ...(label ? label(i) : [])].join(';')).join('\n')}\n`;

test('a unit: 400 rows are learned, the fault is flagged in its row and the points that show it are named', () => {
  const r = detect(['--mode', 'multivariate'], table(pump()));
  assert.equal(r.status, 0, r.stderr);
  assert.equal(r.head, 'time,score,flag,cause1,cause2,cause3');
  assert.equal(r.rows.length, 900);
  assert.ok(r.rows.slice(0, 400).every((x) => x[1] === '0.000000000' && x[2] === '0'));
  assert.ok(r.rows.slice(400, 600).filter((x) => x[2] === '1').length <= 6);
  assert.equal(r.rows[600][0], '2026-01-01 00:10:00');
  const behind = r.rows.slice(600);
  assert.equal(behind[0][2], '1');
  assert.ok(behind.every((x) => x[2] === '1' && +x[1] > 0.5 && +x[1] <= 1));
  assert.ok(behind.every((x) => new Set(x.slice(3, 5)).has('flow')));
});

test('labels are not read: any label, and none, give the same scores', () => {
  const plain = detect(['--mode', 'multivariate'], table(pump()));
  const labelled = detect(['--mode', 'multivariate'], table(pump(), (i) => [i >= 600 ? 1 : 0, 0]));
  const wrong = detect(['--mode', 'multivariate'], table(pump(), (i) => [i % 2, 1]));
  assert.deepEqual(labelled.lines, plain.lines);
  assert.deepEqual(wrong.lines, plain.lines);
  assert.match(labelled.stderr, /not read: anomaly\n[^]*not read: changepoint/);
});

test('no row depends on a later one, in either mode', () => {
  const rows = pump();
  const whole = detect(['--mode', 'multivariate'], table(rows));
  for (const n of [401, 601, 750]) assert.deepEqual(detect(['--mode', 'multivariate'], table(rows.slice(0, n))).lines, whole.lines.slice(0, n));
  const one = (list) => `timestamp,value\n${list.map((r) => `${r[0]},${r[2]}`).join('\n')}\n`;
  const stream = detect(['--mode', 'univariate'], one(rows));
  assert.equal(stream.head, 'time,score,flag');
  assert.deepEqual(detect(['--mode', 'univariate'], one(rows.slice(0, 620))).lines, stream.lines.slice(0, 620));
});

test('a stream: the first value beyond all before is one event, said once', () => {
  state = 5n;
  const v = Array.from({ length: 700 }, (_, i) => (i >= 650 && i < 660 ? 200 : 20 + Math.sin(i / 10) + 0.1 * noise()));
  const r = detect(['--mode', 'univariate'], `timestamp,value,label\n${v.map((x, i) => `${i},${x},0`).join('\n')}\n`);
  assert.equal(r.status, 0, r.stderr);
  assert.equal(r.rows[650][2], '1');
  assert.ok(+r.rows[650][1] > 0.9);
  assert.ok(r.rows.slice(651).every((x) => x[2] === '0'));
  assert.equal(r.rows.slice(400, 650).filter((x) => x[2] === '1').length, 0);
});

test('each row is answered before the next one is sent', async () => {
  const p = spawn(binary, ['detect', '--mode', 'univariate'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = [];
  let rest = '';
  let wake = () => {};
  p.stdout.setEncoding('utf8').on('data', (s) => {
    rest += s;
    const parts = rest.split('\n');
    rest = parts.pop();
    lines.push(...parts);
    wake();
  });
  const until = (n) => new Promise((done) => { wake = () => lines.length >= n && done(); wake(); });
  p.stdin.write('timestamp,value\n');
  await until(1);
  for (let i = 0; i < 5; i++) {
    p.stdin.write(`${i},1.5\n`);
    await until(i + 2);
  }
  p.stdin.end();
  assert.equal(await new Promise((done) => p.on('close', done)), 0);
  assert.deepEqual(lines, ['time,score,flag', ...[0, 1, 2, 3, 4].map((i) => `${i},0.000000000,0`)]);
});

test('--train: rows without header or time, also on their side; then the number of the row is its time', () => {
  const rows = pump().map((r) => r.slice(1));
  const upright = join(dir, 'upright'), side = join(dir, 'side');
  const text = (list) => `${list.map((r) => `  ${r.map((x) => x.toExponential(6)).join('   ')}`).join('\n')}\n`;
  writeFileSync(upright, text(rows.slice(0, 500)));
  writeFileSync(side, text([0, 1, 2].map((c) => rows.slice(0, 500).map((r) => r[c]))));
  const a = detect(['--mode', 'multivariate', '--train', upright], text(rows.slice(500)));
  const b = detect(['--mode', 'multivariate', '--train', side], text(rows.slice(500)));
  assert.equal(a.status, 0, a.stderr);
  assert.deepEqual(a.lines, b.lines);
  assert.deepEqual(a.rows.map((x) => x[0]), Array.from({ length: 400 }, (_, i) => String(i + 1)));
  assert.ok(a.rows.slice(0, 100).filter((x) => x[2] === '1').length <= 3);
  assert.ok(a.rows.slice(100).every((x) => x[2] === '1'));
  assert.equal(a.rows[200][3] === 'x2' || a.rows[200][3] === 'x1', true);
});

test('what is wrong is said with line and column, in both languages, behind the rows before it; a bad cell ends nothing', () => {
  const r = detect(['--mode', 'univariate'], 'timestamp,value\n1,2\n2,three\n3,four\n4,5\n');
  assert.equal(r.status, 0);
  assert.equal(r.lines.length, 4);
  assert.match(r.stderr, /第 3 行第 2 列（value）.*line 3, column 2 \(value\): "three" is not a number/);
  assert.doesNotMatch(r.stderr, /four/);
  assert.match(r.stderr, /only 4 rows, learning takes 250: nothing was judged/);
  const cut = detect(['--mode', 'multivariate'], 'a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3\n');
  assert.equal(cut.status, 1);
  assert.equal(cut.lines.length, 2);
  assert.match(cut.stderr, /line 4 has 4 columns, not 3/);
  assert.match(detect(['--mode', 'univariate'], '').stderr, /standard input is empty/);
  assert.match(detect(['--mode', 'multivariate'], Buffer.from('a,b\xff\n1,2\n', 'latin1')).stderr, /line 1 is not UTF-8; save the file as CSV UTF-8/);
  assert.match(detect(['--mode', 'multivariate', '--train', join(dir, 'missing')], '1 2\n').stderr, /missing cannot be opened/);
  const other = join(dir, 'other.csv');
  writeFileSync(other, table(pump().slice(0, 400)).replace('flow;vibration', 'flow;noise'));
  assert.match(detect(['--mode', 'multivariate', '--train', other], table(pump())).stderr, /other.csv has no column of values called vibration/);
  assert.equal(detect(['--mode', 'both'], '').status, 2);
  assert.equal(detect(['--mode', 'multivariate', '--learn', '5'], '').status, 2);
});

test('one table in the dress of ten programs gives one answer', () => {
  const rows = pump().slice(0, 620), label = rows.map((_, i) => (i >= 600 ? 1 : 0));
  const plain = detect(['--mode', 'multivariate'], table(rows)).lines;
  const dressed = (cells, separator = ',', end = '\n') => cells.map((c) => c.join(separator)).join(end) + end;
  const all = [['datetime', 'pressure', 'flow', 'vibration'], ...rows];
  const quoted = (x) => `"${x}"`;
  const tables = {
    'tab, CRLF': dressed(all, '\t', '\r\n'),
    bar: dressed(all, '|'),
    'a mark and quotes': `\ufeff${dressed(all.map((c) => c.map(quoted)))}`,
    'a hint of the separator': `sep=;\n${dressed(all, ';')}`,
    'a decimal comma': dressed(all.map((c, i) => (i ? c.map((x, k) => (k ? String(x).replace('.', ',') : x)) : c)), ';'),
    'numbers of rows before it': dressed(all.map((c, i) => [i ? i - 1 : '', ...c])),
    'the time at the end, the label in front': dressed(all.map((c, i) => [i ? label[i - 1] : 'is_anomaly', c[1], c[2], c[3], c[0]])),
    'the time without a name': dressed(all.map((c, i) => (i ? c : ['when', ...c.slice(1)]))),
    'date and time apart': dressed(all.map((c, i) => [...(i ? c[0].split(' ') : ['date', 'time']), ...c.slice(1)])),
    'a text beside it': dressed(all.map((c, i) => [...c, i ? 'on' : 'state'])),
  };
  for (const [name, text] of Object.entries(tables)) assert.deepEqual(detect(['--mode', 'multivariate'], text).lines, plain, name);
  const untimed = detect(['--mode', 'multivariate'], dressed(all.map((c) => c.slice(1))));
  assert.deepEqual(untimed.rows.map((x) => x.slice(1)), plain.map((l) => l.split(',').slice(1)), 'no value is taken for the time');
  const train = join(dir, 'train.csv');
  writeFileSync(train, dressed(all.slice(0, 401)));
  const args = ['--mode', 'multivariate', '--train', train];
  const turned = [0, 3, 1, 2];
  const a = detect(args, dressed([all[0], ...all.slice(401)])), b = detect(args, dressed([all[0], ...all.slice(401)].map((c) => turned.map((k) => c[k]))));
  const numbers = (r) => r.rows.map((x) => [Number(x[1]).toFixed(6), x[2], x[3]].join());
  assert.deepEqual(numbers(b), numbers(a), '--train finds columns by their names');
});

test('whatever comes, each row has a score in 0..1 that no later row changes', () => {
  state = 11n;
  const odd = ['1e308', '-1e308', '1e400', 'NaN', '', 'Bad', '-9999', '#DIV/0!', '∞'];
  const lines = Array.from({ length: 500 }, (_, i) => [i, ...Array.from({ length: 5 }, (_, c) => {
    const x = noise();
    return (i * 7 + c * 13) % 23 === 0 ? odd[(i + c) % odd.length] : c === 4 ? 42 : c === 3 ? i * 10 : x;
  })].join(','));
  const text = (n) => `time,a,b,c,counter,constant\n${lines.slice(0, n).join('\n')}\n`;
  for (const mode of ['multivariate', 'univariate']) {
    const whole = detect(['--mode', mode, '--learn', '100'], text(500));
    assert.equal(whole.status, 0, whole.stderr);
    assert.equal(whole.rows.length, 500);
    assert.ok(whole.rows.every((x) => +x[1] >= 0 && +x[1] <= 1), mode);
    for (const n of [1, 99, 100, 101, 137, 320]) assert.deepEqual(detect(['--mode', mode, '--learn', '100'], text(n)).lines, whole.lines.slice(0, n), `${mode} ${n}`);
  }
});

// The recordings stay where they are; a county that has a copy (see doc/detection.md) proves the figures of that page with it.
test('the bench counts a recording as its authors do', () => {
  const nab = join(dir, 'data');
  mkdirSync(join(nab, 'nab', 'made'), { recursive: true });
  state = 9n;
  const at = (i) => new Date(Date.UTC(2026, 0, 1) + i * 300e3).toISOString().slice(0, 19).replace('T', ' ');
  const v = Array.from({ length: 2000 }, (_, i) => (i === 1200 ? 99 : 20 + Math.sin(i / 10) + 0.01 * noise()));
  writeFileSync(join(nab, 'nab', 'made', 'one.csv'), `timestamp,value\n${v.map((x, i) => `${at(i)},${x}`).join('\n')}\n`);
  writeFileSync(join(nab, 'nab', 'windows.json'), JSON.stringify({ 'made/one.csv': [[`${at(1150)}.000000`, `${at(1249)}.000000`]] }));
  const r = spawnSync(binary, ['bench', 'detect', '--data', nab], { encoding: 'utf8' });
  assert.equal(r.status, 0, r.stderr);
  const { nab: { best_threshold: best } } = JSON.parse(r.stdout);
  // in the middle of its window: (2 / (1 + e^-2.5) - 1) / (2 / (1 + e^-5) - 1) = 0.8597, normalised (0.8597 + 1) / 2
  assert.deepEqual([best.windows_found, best.false_alarms], [1, 0]);
  assert.ok(Math.abs(best.score - 92.99) < 0.02, JSON.stringify(best));
});
