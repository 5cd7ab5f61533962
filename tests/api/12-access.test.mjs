// Who one is: second factor, access tokens, personal data with a reason, people managed from below.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server, root } from '../lib/server.mjs';
import { enrol as enrolWith, step, totp } from '../lib/totp.mjs';

let s, packs, admin;
before(async () => {
  packs = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), packs, { recursive: true });
  const file = join(packs, 'core/roles/bureau.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nsecond_factor: true\n`);
  s = await Server.start({ args: ['--packs', packs], copied: true });
  admin = await s.login('admin', s.password);
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

const county = '990121000000', town1 = '990121401000', town2 = '990121102000'; // town1: the one of the demo's town person
const PASSWORD = 'correct horse 7';
async function newPerson(by, login, role, area = county, more = {}) {
  const p = await by.ok_post('/api/v1/records/person', { login, name: `测试${login}`, role: [role], area, ...more });
  await by.ok_post('/api/v1/password', { person: p.id, new: PASSWORD });
  return p;
}
const enrol = (who) => enrolWith(who, PASSWORD);

test('the key of the secrets is the owner\'s alone', () => {
  const st = statSync(join(s.dir, 'secret.key'));
  assert.equal(st.mode & 0o777, 0o600);
  assert.equal(st.size, 32);
});

test('a second factor: set up once, asked at each login, no code twice', async () => {
  await newPerson(admin, 'factor', 'duty');
  const who = await s.login('factor', PASSWORD);
  const other = await s.login('factor', PASSWORD);
  assert.deepEqual(who.me.second_factor, { on: false, must: false });
  assert.equal((await who.post('/api/v1/totp/start', { password: 'wrong password' })).status, 403);
  const start = await who.ok_post('/api/v1/totp/start', { password: PASSWORD });
  assert.match(start.uri, /^otpauth:\/\/totp\/Anlan:factor\?secret=[A-Z2-7]{32}&issuer=Anlan&algorithm=SHA1&digits=6&period=30$/);
  assert.ok(start.qr.length >= 33 && start.qr.every((row) => row.length === start.qr.length && /^[01]+$/.test(row)));
  assert.equal((await who.post('/api/v1/totp/confirm', { code: '000000' })).status, 400);
  const code = totp(start.secret);
  const done = await who.ok_post('/api/v1/totp/confirm', { code });
  assert.equal(done.recovery.length, 10);
  assert.equal((await other.get('/api/v1/me')).status, 401, 'other sessions end');
  assert.equal((await who.ok_get('/api/v1/me')).second_factor.on, true);

  const asked = await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD });
  assert.equal(asked.status, 401);
  assert.equal(asked.json.error.field, 'code');
  const replay = await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD, code });
  assert.equal(replay.status, 401, 'the code of the confirmation is used up');
  const next = totp(start.secret, step() + 1); // a clock one step ahead is allowed
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD, code: next })).status, 200);
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD, code: next })).status, 401);
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'factor', password: 'wrong password', code: next })).json.error.field, undefined);

  const recovery = done.recovery[3];
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD, code: recovery.toUpperCase() })).status, 200);
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'factor', password: PASSWORD, code: recovery })).status, 401, 'once');
  assert.equal((await who.post('/api/v1/totp/start', { password: PASSWORD })).status, 409);

  const secret = Buffer.from(start.secret);
  const db = readFileSync(join(s.dir, 'anlan.db'));
  const wal = readFileSync(join(s.dir, 'anlan.db-wal'));
  for (const text of [secret, Buffer.from(recovery), Buffer.from(recovery.replaceAll('-', ''))])
    assert.ok(!db.includes(text) && !wal.includes(text), 'no secret in the database');
});

test('wrong codes are throttled', async () => {
  await newPerson(admin, 'throttled', 'duty');
  const who = await s.login('throttled', PASSWORD);
  const f = await enrol(who);
  let r;
  for (let i = 0; i < 6; i++) r = await s.call('POST', '/api/v1/login', { name: 'throttled', password: PASSWORD, code: '000000' });
  assert.equal(r.status, 429);
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'throttled', password: PASSWORD, code: totp(f.secret) })).status, 429);
  await s.stopAndStart(); // the throttle of this address is the test's own
  admin = await s.again(admin);
});

test('a role that must have one: without it nothing but setting it up', async () => {
  await newPerson(admin, 'chief', 'bureau');
  const chief = await s.login('chief', PASSWORD);
  assert.deepEqual(chief.me.second_factor, { on: false, must: true });
  for (const path of ['/api/v1/types', '/api/v1/records/enterprise', '/api/v1/alarms', '/api/v1/map', '/api/v1/events', '/api/v1/tokens', '/api/v1/duties']) {
    const r = await chief.get(path);
    assert.equal(r.status, 403, path);
    assert.equal(r.json.error.field, 'second_factor');
  }
  assert.equal((await chief.post('/api/v1/records/hazard', {})).status, 403);
  await enrol(chief);
  assert.equal((await chief.get('/api/v1/records/enterprise')).status, 200);
});

test('a lost phone: the security officer removes the second factor, nobody else', async () => {
  const p = await newPerson(admin, 'lost', 'duty');
  const who = await s.login('lost', PASSWORD);
  const f = await enrol(who);
  const security = await s.as('security');
  for (const role of ['bureau', 'town', 'auditor', 'enterprise'])
    assert.equal((await (await s.as(role)).post('/api/v1/totp/remove', { person: p.id })).status, 403, role);
  assert.equal((await admin.post('/api/v1/totp/remove', { person: p.id })).status, 403);
  assert.equal((await who.post('/api/v1/totp/remove', { password: PASSWORD, code: '000000' })).status, 400);
  await security.ok_post('/api/v1/totp/remove', { person: p.id });
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'lost', password: PASSWORD })).status, 200);
  const entries = (await (await s.as('auditor')).ok_get(`/api/v1/audit?type=person&record=${p.id}`)).items.map((e) => e.action);
  for (const a of ['second_factor.start', 'second_factor.on', 'second_factor.off']) assert.ok(entries.includes(a), a);
  assert.ok(!JSON.stringify(entries).includes(f.secret));
});

test('tokens: only their scopes, at most the person\'s rights, shown once, ended at once', async () => {
  const town = await s.as('town');
  const made = await town.post('/api/v1/tokens', { name: 'script', scopes: ['records:read:hazard', 'readings'] });
  assert.equal(made.status, 201, made.text);
  assert.match(made.json.token, /^anl_[2-9a-z]{32}$/);
  const list = (await town.ok_get('/api/v1/tokens')).items;
  assert.ok(list.some((t) => t.id === made.json.id) && !JSON.stringify(list).includes(made.json.token));
  const script = s.client(made.json.token, null);
  assert.equal((await script.get('/api/v1/me')).status, 200);
  assert.equal((await script.get('/api/v1/records/hazard')).status, 200);
  assert.equal((await script.get('/api/v1/records/enterprise')).status, 404, 'a type it is not made for');
  const writing = await script.post('/api/v1/records/hazard', { title: 'x' });
  assert.deepEqual([writing.status, /令牌/.test(writing.json.error.message)], [403, true], 'reading is not writing, and it is the token that says so');
  assert.deepEqual((await script.ok_get('/api/v1/types')).types.map((t) => t.name), ['hazard']);
  assert.equal((await script.get('/api/v1/alarms')).status, 200);
  for (const [m, path] of [['GET', '/api/v1/sessions'], ['GET', '/api/v1/tokens'], ['POST', '/api/v1/tokens'], ['POST', '/api/v1/password'], ['POST', '/api/v1/totp/start'], ['GET', '/api/v1/events'], ['GET', '/api/v1/audit'], ['GET', '/api/v1/notices'], ['POST', '/api/v1/alarms/1/ack']])
    assert.equal((await s.call(m, path, m === 'POST' ? {} : undefined, { token: made.json.token })).status, 403, `${m} ${path}`);

  const ent = await s.as('enterprise');
  const wide = await ent.ok_post('/api/v1/tokens', { name: 'wide', scopes: ['records:write'] });
  const own = await s.client(wide.token, null).ok_get('/api/v1/records/enterprise');
  assert.equal(own.total, 1, 'a token never reaches beyond its person');
  assert.equal((await s.client(wide.token, null).get('/api/v1/records/person')).status, (await ent.get('/api/v1/records/person')).status);

  for (const [body, field] of [[{ name: '', scopes: ['ogc'] }, 'name'], [{ name: 'x', scopes: [] }, 'scopes'], [{ name: 'x', scopes: ['everything'] }, 'scopes'],
    [{ name: 'x', scopes: ['records:read:nothing'] }, 'scopes'], [{ name: 'x', scopes: ['ogc'], expires_at: '2099-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', scopes: ['ogc'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at']]) {
    const r = await town.post('/api/v1/tokens', body);
    assert.equal(r.status, 400, JSON.stringify(body));
    assert.equal(r.json.error.field, field);
  }
  assert.equal((await ent.delete(`/api/v1/tokens/${made.json.id}`)).status, 404, 'not somebody else\'s');
  await town.ok_delete(`/api/v1/tokens/${made.json.id}`);
  assert.equal((await script.get('/api/v1/me')).status, 401);
});

test('personal data: the duty officer calls at once, the town says why, exports never carry it', async () => {
  const [duty, town, ent, auditor] = await Promise.all(['duty', 'town', 'enterprise', 'auditor'].map((r) => s.as(r)));
  const full = (await duty.ok_get('/api/v1/records/person?size=100')).items.find((p) => /^\d{11}$/.test(p.phone ?? '') && p.area.startsWith(town.me.area));
  assert.ok(full);
  const at = `/api/v1/records/person/${full.id}`;
  const masked = `${full.phone.slice(0, 3)}****${full.phone.slice(7)}`;
  assert.equal((await town.ok_get(at)).phone, masked);
  assert.equal((await town.post(`${at}/reveal`, { fields: ['phone'] })).json.error.field, 'reason');
  assert.equal((await town.post(`${at}/reveal`, { fields: ['name'], reason: '核实情况' })).json.error.field, 'fields');
  assert.equal((await ent.post(`${at}/reveal`, { fields: ['phone'], reason: '核实情况' })).status >= 403, true);
  const r = await town.ok_post(`${at}/reveal`, { fields: ['phone'], reason: '通知到岗' });
  assert.deepEqual(r, { values: { phone: full.phone } });
  const entry = (await auditor.ok_get(`/api/v1/audit?type=person&record=${full.id}`)).items.find((e) => e.action === 'reveal');
  assert.deepEqual(entry.detail, { fields: ['phone'], reason: '通知到岗' });
  const csv = await duty.get('/api/v1/records/person?format=csv');
  assert.ok(csv.text.includes(masked) && !csv.text.includes(full.phone));
  assert.equal((await town.get(`/api/v1/records/person?where.phone=${full.phone}`)).status, 403);
});

test('a town keeps the people of the enterprises in its own area, and nobody else', async () => {
  const town = await s.as('town');
  assert.equal(town.me.area, town1.slice(0, 9));
  const ents = (await admin.get('/api/v1/records/enterprise')).status;
  assert.equal(ents, 404, 'the administrator reads no business');
  const bureau = await s.as('bureau');
  const [mine] = (await bureau.ok_get(`/api/v1/records/enterprise?where.area.prefix=${town1.slice(0, 9)}&size=1`)).items;
  const [theirs] = (await bureau.ok_get(`/api/v1/records/enterprise?where.area.prefix=${town2.slice(0, 9)}&size=1`)).items;
  const person = (more) => ({ login: `p${Math.random().toString(36).slice(2, 10)}`, name: '新人', role: ['enterprise'], area: town1, enterprise: mine.id, ...more });
  const made = await newPerson(town, 'mill', 'enterprise', town1, { enterprise: mine.id });
  const mill = await s.login('mill', PASSWORD);
  assert.equal(mill.me.enterprise.id, mine.id);
  for (const bad of [{ role: ['town'] }, { role: ['admin'] }, { role: ['enterprise', 'duty'] }, { role: ['bureau'] }, { area: town2 }, { area: county }, { enterprise: theirs.id }]) {
    const r = await town.post('/api/v1/records/person', person(bad));
    assert.ok([400, 403].includes(r.status), `${JSON.stringify(bad)}: ${r.status} ${r.text}`);
    const e = await town.patch(`/api/v1/records/person/${made.id}`, { version: made.version, ...bad });
    assert.ok([400, 403].includes(e.status), `edit ${JSON.stringify(bad)}: ${e.status} ${e.text}`);
  }
  const colleague = await newPerson(admin, 'colleague', 'town', town1);
  const other = (await bureau.ok_get('/api/v1/records/person?size=500')).items.find((p) => p.role.includes('enterprise') && !p.area.startsWith(town.me.area));
  for (const p of [colleague, other, { id: town.me.id }, { id: admin.me.id }]) {
    assert.ok([403, 404].includes((await town.post('/api/v1/password', { person: p.id, new: 'another password 1' })).status || 0) || p.id === town.me.id, `password of ${p.id}`);
    assert.ok([403, 404].includes((await town.patch(`/api/v1/records/person/${p.id}`, { version: 1, name: '改名' })).status), `edit of ${p.id}`);
    assert.ok([403, 404].includes((await town.delete(`/api/v1/records/person/${p.id}`, { reason: '测试' })).status), `lock of ${p.id}`);
  }
  for (const role of ['bureau', 'duty', 'enterprise', 'security', 'auditor']) {
    const who = await s.as(role);
    assert.ok([403, 404].includes((await who.post('/api/v1/password', { person: made.id, new: 'another password 1' })).status), role);
    assert.ok([403, 404].includes((await who.post('/api/v1/records/person', person({}))).status), role);
  }
  await town.ok_delete(`/api/v1/records/person/${made.id}`, { reason: '离职' });
  assert.equal((await mill.get('/api/v1/me')).status, 401, 'locked: out at once');
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'mill', password: PASSWORD })).status, 401);
});
