// What was done without signal arrives later: the history says both times, what the step stamps with "now" is the time at which it was done,
// and sent twice, even at once, even across a crash, it has happened once.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Server, sleep, until } from '../lib/server.mjs';

const R = '/api/v1/records', HOUR = 3600e3;
let s, town, bureau, officer, check;
before(async () => {
  s = await Server.start();
  [town, bureau] = [await s.as('town'), await s.as('bureau')];
  check = (await bureau.ok_get(`${R}/enforcement_check?size=50`)).items.find((x) => x.state === 'planned' && x.officer_1);
  const person = (await bureau.ok_get(`${R}/enforcement_officer/${check.officer_1.id}`)).person, admin = await s.as('admin');
  const login = (await admin.ok_get(`${R}/person/${person.id}`)).login;
  await admin.ok_post('/api/v1/password', { person: person.id, new: 'Anlan-2026-cellar' });
  officer = await s.login(login, 'Anlan-2026-cellar');
});
after(async () => { await s?.stop(); });

const iso = (ms) => new Date(ms).toISOString();
const start = (key, headers = {}, c = check) => officer.post(`${R}/enforcement_check/${c.id}/moves/start`, { version: c.version }, { headers: { 'Idempotency-Key': key, ...headers } });
const history = async (type, id) => (await bureau.ok_get(`${R}/${type}/${id}/history`)).items;

test('two hours in a basement: the step bears the hour at which it was done, the history that and its arrival', async () => {
  const done = Math.floor(Date.now() / 1000) * 1000 - 2 * HOUR;
  const got = await start('site-1', { 'X-Anlan-Done': iso(done) });
  assert.equal(got.status, 200, got.text);
  assert.deepEqual([Date.parse(got.json.visited), Date.parse(got.json.informed)], [done, done]);
  const entry = (await history('enforcement_check', check.id)).find((h) => h.action === 'move:start');
  assert.equal(Date.parse(entry.detail._done), done);
  assert.ok(Math.abs(Date.parse(entry.at) - Date.now()) < HOUR / 2, 'the chain goes by the time of arrival');
  assert.ok(Date.parse(got.json.deadline) > Date.now(), 'and so do the deadlines');

  const again = await start('site-1', { 'X-Anlan-Done': iso(done) });
  assert.deepEqual([again.status, again.json.version], [200, got.json.version]);
  assert.equal((await history('enforcement_check', check.id)).filter((h) => h.action === 'move:start').length, 1);
});

test('a record made on the spot is found when it was found; nothing is done after it has arrived; what is no time is refused', async () => {
  const done = Math.floor(Date.now() / 1000) * 1000 - HOUR, ent = check.enterprise.id;
  const make = (title, at) => town.post(`${R}/hazard`, { title, enterprise: ent }, { headers: { 'X-Anlan-Done': at } });
  const found = await make('地下室积水', iso(done));
  assert.equal(found.status, 201, found.text);
  assert.equal(Date.parse(found.json.found), done);
  const ahead = await make('手机快一小时', iso(Date.now() + HOUR));
  assert.equal(ahead.status, 201, ahead.text);
  assert.ok(Date.parse(ahead.json.found) <= Date.now());
  assert.equal((await make('不是时间', 'yesterday')).status, 400);
  const year = await make('倒填一年', iso(Date.now() - 365 * 24 * HOUR));
  assert.equal(year.status, 201, year.text);
  assert.ok(Date.parse(year.json.found) > Date.now() - HOUR, 'nobody dates a deed back by a year');
  const now = (await town.ok_post(`${R}/hazard`, { title: '有信号', enterprise: ent })).id;
  assert.ok((await history('hazard', now)).every((h) => !('_done' in h.detail)), 'what is done and arrives at once has one time');
});

test('the same step twice at once, and once more after the server died: one step, and each time its answer', async () => {
  const fresh = await bureau.ok_get(`${R}/enforcement_check/${check.id}`);
  const patch = (key) => officer.patch(`${R}/enforcement_check/${check.id}`, { version: fresh.version, feedback: '已交流' }, { headers: { 'Idempotency-Key': key } });
  const both = await Promise.all([1, 2, 3, 4].map(() => patch('site-2')));
  assert.deepEqual(both.map((r) => [r.status, r.json.version]), both.map(() => [200, fresh.version + 1]));
  const twins = await Promise.all([1, 2, 3, 4].map(() => town.post(`${R}/hazard`, { title: '按了四下', enterprise: check.enterprise.id }, { headers: { 'Idempotency-Key': 'site-3' } })));
  assert.equal(new Set(twins.map((r) => r.json.id)).size, 1, twins.map((r) => r.text).join('\n'));
  await sleep(50);
  await s.kill('SIGKILL');
  s.code = s.signal = undefined;
  await s.spawn();
  const later = await patch('site-2');
  assert.deepEqual([later.status, later.json.version], [200, fresh.version + 1]);
  const other = await officer.patch(`${R}/enforcement_check/${check.id}`, { version: fresh.version, feedback: '另一次' }, { headers: { 'Idempotency-Key': 'site-4' } });
  assert.deepEqual([other.status, other.json.error.field], [409, 'version'], 'another change on what is no more is refused as ever');
});

test('a day later the answer is gone from the disk, and the repetition is answered with the record as it stands', async () => {
  const key = { headers: { 'Idempotency-Key': 'site-5' } }, ask = () => bureau.post(`${R}/hazard`, { title: '问了两天', enterprise: check.enterprise.id }, key);
  const first = await ask();
  assert.equal(first.status, 201, first.text);
  const sql = (text) => execFileSync('sqlite3', [join(s.dir, 'anlan.db'), text], { encoding: 'utf8' }).trim();
  const kept = "FROM idempotency WHERE key = 'site-5'";
  s.child.kill('SIGTERM');
  await s.exited;
  assert.equal(sql(`SELECT status, answer <> '' ${kept}`), '201|1');
  sql(`UPDATE idempotency SET at = at - ${26 * HOUR * 1000} WHERE key = 'site-5'`);
  s.code = s.signal = undefined;
  await s.spawn();
  await until('the answer to be forgotten', () => sql(`SELECT status, answer ${kept}`) === '0|');
  const again = await ask();
  assert.deepEqual([again.status, again.json.id], [201, first.json.id]);
});
