// Logging in by the county's LDAP directory: a real slapd on loopback.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { BASE, READER, startSlapd } from '../lib/slapd.mjs';

const county = '990121000000';
const LOCAL = 'local password 1', THERE = '目录里的口令 7';
let s, slapd, admin, dir;

async function newPerson(login, role, directory, local = LOCAL) {
  const p = await admin.ok_post('/api/v1/records/person', { login, name: `测试${login}`, role: [role], area: county });
  if (local) await admin.ok_post('/api/v1/password', { person: p.id, new: local });
  if (directory) await admin.ok_patch(`/api/v1/records/person/${p.id}`, { version: p.version, directory });
  return p;
}
const login = (name, password, more = {}) => s.call('POST', '/api/v1/login', { name, password, ...more });
const patch = async (fields) => {
  const now = await admin.ok_get(`/api/v1/records/directory/${dir}`);
  await admin.ok_patch(`/api/v1/records/directory/${dir}`, { version: now.version, ...fields });
};
const secret = () => admin.ok_post(`/api/v1/directories/${dir}/secret`, { secret: READER.password });
const trial = (body) => admin.ok_post(`/api/v1/directories/${dir}/test`, body);

before(async () => {
  slapd = await startSlapd([
    { uid: 'zhang', password: THERE }, { uid: 'qian*(x)', password: THERE }, { uid: 'li,ou=former', password: THERE },
    { uid: 'twin', password: THERE }, { uid: 'twin', ou: 'former', password: THERE }, { uid: 'nobody-here', password: THERE },
    { uid: 'chief', password: THERE }, { uid: 'admin', password: THERE }]);
  s = await Server.start();
  admin = await s.login('admin', s.password);
  dir = (await admin.ok_post('/api/v1/records/directory', { name: '县域账号', kind: 'ldap', url: slapd.plain, ca: slapd.ca, account: READER.dn,
    base: `ou=people,${BASE}`, attribute: 'uid', filter: '(objectClass=inetOrgPerson)' })).id;
  await secret();
  await newPerson('zhang', 'duty', dir, null);
});
after(async () => { await s?.stop(); await slapd?.remove(); });

test('who is marked logs in by the directory over StartTLS; the audit says so', async () => {
  const r = await login('zhang', THERE);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.json.me.roles.map((x) => x.name), ['duty']);
  const auditor = await s.as('auditor');
  const last = (await auditor.ok_get('/api/v1/audit?type=session&size=20')).items.find((e) => e.action === 'login.ldap');
  assert.ok(last, 'an entry login.ldap');
  assert.equal((await login('zhang', 'wrong password')).status, 401);
  assert.ok((await auditor.ok_get('/api/v1/audit?type=session&size=20')).items.some((e) => e.action === 'login.fail' && e.detail?.way === 'ldap'));
});

test('a wrong password gets the answer of an unknown name', async () => {
  const a = await login('zhang', 'wrong password'), b = await login('no-such-name', 'wrong password');
  assert.deepEqual([a.status, a.json], [b.status, b.json]);
  assert.equal((await login('zhang', THERE)).status, 200); // and the count of failures begins again
});

test('nobody is made by logging in, and the directory vouches only for whom the record says so', async () => {
  assert.equal((await login('nobody-here', THERE)).status, 401);
  await newPerson('wang', 'duty', null);
  assert.equal((await login('wang', THERE)).status, 401);
  assert.equal((await login('wang', LOCAL)).status, 200);
});

test('a password kept here from before no longer logs in', async () => {
  await newPerson('chief', 'duty', dir);
  assert.equal((await login('chief', LOCAL)).status, 401);
  assert.equal((await login('chief', THERE)).status, 200);
});

test('no password is no proof, though this directory takes a bind without one', async () => {
  for (const password of ['', '\u0000', '\u0000x']) {
    const r = await login('zhang', password);
    assert.ok([400, 401].includes(r.status), `${JSON.stringify(password)}: ${r.status}`);
  }
  assert.equal((await login('zhang', THERE)).status, 200);
});

test('characters of filters and names are letters like others', async () => {
  for (const name of ['qian*(x)', 'li,ou=former']) {
    await newPerson(name, 'duty', dir, null);
    assert.equal((await login(name, THERE)).status, 200, name);
  }
  for (const name of ['z*', 'zhang)(uid=*', '*']) {
    await newPerson(name, 'duty', dir, null);
    assert.equal((await login(name, THERE)).status, 401, name);
  }
});

test('two entries of one name are nobody', async () => {
  await newPerson('twin', 'duty', dir, null);
  await patch({ base: BASE });
  assert.equal((await login('twin', THERE)).status, 401);
  assert.equal((await trial({ name: 'twin' })).ok, false);
  await patch({ base: `ou=people,${BASE}` });
  assert.equal((await login('twin', THERE)).status, 200);
});

test('an administrator always logs in with the password kept here', async () => {
  assert.equal((await login('admin', THERE)).status, 401);
  assert.equal((await login('admin', s.password)).status, 200);
  const me = await admin.ok_get(`/api/v1/records/person/${admin.me.id}`);
  const r = await admin.patch(`/api/v1/records/person/${admin.me.id}`, { version: me.version, directory: dir });
  assert.ok(r.status >= 400, r.text);
});

test('a signature and a new second factor ask the directory; the second factor is asked at login', async () => {
  const who = await s.login('zhang', THERE);
  assert.equal((await who.post('/api/v1/totp/start', { password: LOCAL })).status, 403);
  const start = await who.post('/api/v1/totp/start', { password: THERE });
  assert.equal(start.status, 200, start.text);
  const change = await who.post('/api/v1/password', { old: THERE, new: 'another password 9' });
  assert.equal(change.status, 409);
  assert.match(change.json.error.message, /县域账号/);
});

test('wrong passwords are slowed down before the directory is asked', async () => {
  await newPerson('slow', 'duty', dir, null);
  let r;
  for (let i = 0; i < 6; i++) r = await login('slow', 'wrong password');
  assert.equal(r.status, 429);
  await s.stopAndStart(); // forgets the throttle of this address
});

test('the trial says step by step what is wrong', async () => {
  const names = (t) => t.steps.map((x) => `${x.name}${x.ok ? '' : '!'}`).join(' ');
  assert.equal(names(await trial({ name: 'zhang', password: THERE })), 'settings account search password');
  assert.equal(names(await trial({ name: 'zhang' })), 'settings account search');
  assert.equal(names(await trial({ name: 'zhang', password: 'wrong' })), 'settings account search password!');
  assert.equal(names(await trial({ name: 'nobody-at-all' })), 'settings account search!');
  await patch({ ca: '' }); // the county's own authority is not one the system trusts
  const untrusted = await trial({ name: 'zhang', password: THERE });
  assert.equal(names(untrusted), 'settings stopped!');
  assert.equal((await login('zhang', THERE)).status, 503);
  await patch({ ca: slapd.ca, url: `ldap://192.0.2.1`, plain: true });
  const far = await trial({ name: 'zhang', password: THERE });
  assert.equal(names(far), 'stopped!');
  assert.match(far.steps[0].text, /不加密/);
  await patch({ url: slapd.tls, plain: false });
  const stale = await trial({ name: 'zhang', password: THERE }); // the secret is not sent to another address
  assert.match(stale.steps.at(-1).text, /stored again/);
  await secret();
  assert.equal((await trial({ name: 'zhang', password: THERE })).ok, true);
  assert.equal((await login('zhang', THERE)).status, 200); // ldaps://
  const duty = await s.as('duty');
  assert.equal((await duty.post(`/api/v1/directories/${dir}/test`, { name: 'zhang' })).status, 403);
  assert.equal((await duty.post(`/api/v1/directories/${dir}/secret`, { secret: 'x' })).status, 403);
});

test('without an account for searching a template says the name', async () => {
  await patch({ account: '', template: `uid={name},ou=people,${BASE}` });
  assert.equal((await login('zhang', THERE)).status, 200);
  assert.equal((await login('zhang', 'wrong password')).status, 401);
  assert.equal((await login('li,ou=former', THERE)).status, 200);
  await patch({ account: READER.dn });
});

test('a directory that is away says so and what to do; the administrator still comes in', async () => {
  await slapd.stop();
  const r = await login('zhang', THERE);
  assert.equal(r.status, 503);
  assert.match(r.json.error.message, /县域账号.*用不了/);
  assert.match(r.json.error.hint, /平台口令/);
  assert.equal((await s.as('duty')).token.length, 32);
  assert.equal((await admin.get('/api/v1/me')).status, 200);
  await slapd.start();
  assert.equal((await login('zhang', THERE)).status, 200);
});

test('a directory that never answers costs seconds, not the server', async () => {
  const held = new Set();
  const mute = createServer((c) => { held.add(c); c.on('error', () => {}); }).listen(0, '127.0.0.1');
  await new Promise((ok) => mute.once('listening', ok));
  try {
    for (const scheme of ['ldaps', 'ldap']) {
      await patch({ url: `${scheme}://127.0.0.1:${mute.address().port}` });
      await secret(); // another address forgets it
      const order = []; // others are answered meanwhile
      const asked = login('zhang', THERE).finally(() => order.push('login'));
      await until('the directory to be asked', () => held.size > 0);
      await s.call('GET', '/api/v1/me', undefined, { token: admin.token }).finally(() => order.push('other'));
      const r = await asked;
      assert.equal(r.status, 503, r.text);
      assert.deepEqual(order, ['other', 'login']);
      for (const c of held) c.destroy();
      held.clear();
    }
  } finally {
    for (const c of held) c.destroy();
    mute.close();
  }
  await patch({ url: slapd.tls });
  await secret();
});

test('a directory that is switched off lets nobody in', async () => {
  await patch({ enabled: false });
  const r = await login('zhang', THERE);
  assert.equal(r.status, 503);
  assert.match(r.json.error.message, /停用/);
});

test('the secret is nowhere to be read', async () => {
  const { readFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const bytes = Buffer.concat(['anlan.db', 'anlan.db-wal'].map((f) => { try { return readFileSync(join(s.dir, f)); } catch { return Buffer.alloc(0); } }));
  assert.ok(bytes.length > 0);
  for (const word of [READER.password, THERE]) {
    assert.equal(bytes.indexOf(word), -1);
    assert.equal(s.out.includes(word), false);
  }
  assert.equal(JSON.stringify(await admin.ok_get(`/api/v1/records/directory/${dir}`)).includes(READER.password), false);
});
