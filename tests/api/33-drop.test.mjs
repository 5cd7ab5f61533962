// The drop folder: files of readings put into DATA/drop become history, each row once, whatever happens meanwhile.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDevice, Server, sleep, until } from '../lib/server.mjs';

let s, d;
const base = Math.floor((Date.now() - 3 * 86400e3) / 60000) * 60000; // a full minute: one of the forms of a time has no seconds
const local = (t) => new Date(t + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ');
const rfc = (t) => new Date(t).toISOString();
const drop = (...name) => join(s.dir, 'drop', ...name);
const put = (name, text) => { writeFileSync(drop(`${name}.part`), text); renameSync(drop(`${name}.part`), drop(name)); };
const shown = async (name) => (await d.bureau.ok_get('/api/v1/drop')).items.find((f) => f.name === name);
const finished = (name) => until(`${name} to be read`, async () => { const f = await shown(name); return f && f.state !== 'reading' ? f : null; }, 180000);
const rows = async (point, from, to) => (await d.bureau.ok_get(`/api/v1/points/${point}/series?from=${encodeURIComponent(rfc(from))}&to=${encodeURIComponent(rfc(to))}&max=1000000`)).items;

before(async () => {
  s = await Server.start();
  d = await makeDevice(s, { code: 'DROP-GW', points: ['DROP-A', 'DROP-B', 'DROP-C'].map((code) => ({ code, kind: 'temperature', unit: '℃', scale: 10 })) });
});
after(() => s.stop());

test('the platform\'s own export form: Chinese headings, quality, times of all kinds; values are not scaled again', async () => {
  put('own.csv', `\ufeff时间,监测点,数值,质量\r\n${rfc(base)},DROP-A,1.5,good\r\n${local(base + 1000)},DROP-A,2.5,maintenance\r\n${local(base + 60000).replaceAll('-', '/').slice(0, 16)},DROP-A,3.5,\r\n`);
  const f = await finished('own.csv');
  assert.deepEqual([f.state, f.rows, f.accepted, f.duplicates, f.wrong], ['done', 3, 3, 0, 0]);
  assert.deepEqual((await rows('DROP-A', base - 1, base + 120000)).map((r) => [r[1], r[2]]), [[1.5, 'good'], [2.5, 'maintenance'], [3.5, 'good']]);
  assert.ok(existsSync(drop('done', 'own.csv')) && !existsSync(drop('own.csv')) && !existsSync(drop('done', 'own.errors.csv')));
  put('own.csv', readFileSync(drop('done', 'own.csv')));
  await until('the same again', async () => { const g = await shown('own.csv'); return g?.duplicates === 3 && g.state === 'done'; });
  assert.equal(readdirSync(drop('done')).filter((n) => /^own-\d+\.csv$/.test(n)).length, 1, 'the older file of the same name stays');
});

test('a column for each point; empty cells are nothing; GB 18030 and semicolons', async () => {
  const t = base + 3600e3;
  const text = Buffer.concat([Buffer.from([0xca, 0xb1, 0xbc, 0xe4]), Buffer.from(`;DROP-A;DROP-B;NOSUCH\n${local(t)};1;2;9\n${local(t + 1000)};;3;\n${local(t + 2000)};x;4;\n`)]); // 时间 in GB 18030
  put('wide.csv', text);
  const f = await finished('wide.csv');
  assert.deepEqual([f.state, f.rows, f.accepted, f.wrong], ['done', 3, 4, 2]);
  assert.deepEqual((await rows('DROP-B', t - 1, t + 10000)).map((r) => r[1]), [2, 3, 4]);
  const errors = readFileSync(drop('done', 'wide.errors.csv'), 'utf8').split('\r\n');
  assert.deepEqual(errors.slice(1, 3), ['1,"NOSUCH",没有这个编号的监测点，整列略过,no point has this code; the column is left out', '4,"DROP-A",不是数,not a number']);
});

test('each wrong row is written beside the file with row, column and reason; the rest counts', async () => {
  const t = base + 7200e3;
  put('rows.csv', `time,point,value,quality\n${rfc(t)},DROP-C,1,good\nyesterday,DROP-C,1,good\n${rfc(t)},NOSUCH,1,good\n${rfc(t + 1000)},DROP-C,one,good\n${rfc(t + 2000)},DROP-C,,bad\n${rfc(t + 3000)},DROP-C,1,fine\n${rfc(Date.now() + 86400e3)},DROP-C,1,good\n\n${rfc(t + 4000)},DROP-C,5`);
  const f = await finished('rows.csv');
  assert.deepEqual([f.state, f.rows, f.accepted, f.wrong], ['done', 8, 3, 5]);
  const errors = readFileSync(drop('done', 'rows.errors.csv'), 'utf8').trim().split('\r\n').slice(1).map((l) => l.split(','));
  assert.deepEqual(errors.map((e) => [e[0], e[1]]), [['3', '"time"'], ['4', '"point"'], ['5', '"value"'], ['7', '"quality"'], ['8', '"time"']]);
  assert.deepEqual((await rows('DROP-C', t - 1, t + 10000)).map((r) => [r[1], r[2]]), [[1, 'good'], [0, 'bad'], [5, 'good']]);
});

test('what cannot be read at all goes to failed, with the reason', async () => {
  put('heading.csv', 'a,b,c\n1,2,3\n');
  put('utf16.csv', Buffer.from('\ufefftime,point,value\n', 'utf16le'));
  put('none.csv', 'time,point,value\nx,y,z\n');
  put('empty.csv', '');
  for (const [name, why] of [['heading', /第一行须为列名/], ['utf16', /UTF-8/], ['none', null], ['empty', /空/]]) {
    const f = await finished(`${name}.csv`);
    assert.equal(f.state, 'failed', name);
    if (why) assert.match(f.message, why);
    assert.ok(existsSync(drop('failed', `${name}.csv`)) && existsSync(drop('failed', `${name}.errors.csv`)), name);
  }
});

test('a file that still grows, a .part, a folder and a link are not taken', async () => {
  const t = base + 10800e3;
  mkdirSync(drop('folder.csv'));
  symlinkSync('/etc/passwd', drop('link.csv'));
  writeFileSync(drop('other.csv.part'), 'time,point,value\n');
  writeFileSync(drop('grows.csv'), 'time,point,value\n');
  let n = 0, last = Date.now(), paused = false; // a machine that lets us wait a second between two lines makes it a file at rest
  for (const end = last + 3500; last < end;) {
    appendFileSync(drop('grows.csv'), `${rfc(t + n++ * 1000)},DROP-A,${n}\n`);
    await sleep(100);
    paused ||= Date.now() - last > 900;
    last = Date.now();
  }
  const early = await shown('grows.csv');
  if (!paused && Date.now() - last < 900) assert.equal(early, undefined, 'while it was written nobody read it');
  const f = await finished('grows.csv');
  assert.deepEqual([f.rows, f.accepted], [n, n]);
  assert.ok(statSync(drop('folder.csv')).isDirectory() && existsSync(drop('link.csv')) && existsSync(drop('other.csv.part')));
});

test('killed in the middle, again and again: after the last start every row is there once', async () => {
  const t = base + 86400e3, N = 40000;
  const lines = ['time,DROP-A,DROP-B'];
  for (let i = 0; i < N; i++) lines.push(`${rfc(t + i * 100)},${i},${-i}`);
  put('big.csv', lines.join('\n'));
  for (let i = 0; i < 2; i++) {
    await until('it to be in the middle', async () => { const f = await shown('big.csv'); return f && (i ? f.duplicates : f.accepted) > 0; }, 120000);
    assert.ok(existsSync(drop('big.csv')), 'it is killed before the end');
    await s.kill();
    s.code = s.signal = null;
    await s.spawn();
    d.bureau = await s.as('bureau');
  }
  const f = await finished('big.csv');
  assert.equal(f.state, 'done');
  assert.equal(f.accepted + f.duplicates, 2 * N);
  assert.ok(f.duplicates > 0, 'what was stored before the kills is known');
  for (const [point, sign] of [['DROP-A', 1], ['DROP-B', -1]]) {
    const got = await rows(point, t, t + N * 100);
    assert.equal(got.length, N);
    assert.ok(got.every((r, i) => r[1] === sign * i || i === 0));
  }
});

test('live readings and alarms go on while a file is read; metrics count', async () => {
  const t = base - 40 * 86400e3, N = 40000;
  const lines = ['time,DROP-C'];
  for (let i = 0; i < N; i++) lines.push(`${rfc(t + i * 1000)},${i}`);
  put('live.csv', lines.join('\n'));
  await until('it to begin', async () => shown('live.csv'));
  let n = 0;
  for (let more = true; more && n < 200; n++) {
    const r = await s.call('POST', '/api/v1/readings', [{ point: 'DROP-B', time: rfc(Date.now()), value: n }], { headers: { Authorization: `Device DROP-GW:${d.key}` } });
    assert.equal(r.status, 200);
    more = (await shown('live.csv')).state === 'reading'; // it was answered while the file was read
  }
  assert.ok(n > 1, 'a reading is answered before the file is read to its end');
  await finished('live.csv');
  const m = await (await fetch(`${s.url}/metrics`)).text();
  assert.match(m, /anlan_drop_files_total\{result="failed"\} 0/);
  assert.match(m, /anlan_drop_rows_total \d{5}/);
  const h = (await d.bureau.ok_get('/api/v1/devices/health')).items.find((x) => x.code === 'DROP-GW');
  assert.equal(h.protocol, 'http', 'a file is no contact of its device');
});
