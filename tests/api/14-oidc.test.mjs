// Logging in by a single sign-on (OpenID Connect): a small provider on loopback, and what attackers would send instead of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { enrol, totp } from '../lib/totp.mjs';
import { Idp } from '../lib/idp.mjs';
import { Server } from '../lib/server.mjs';

const county = '990121000000', LOCAL = 'signing password 1';
let s, idp, admin, dir;

async function newPerson(login, role, directory) {
  const p = await admin.ok_post('/api/v1/records/person', { login, name: `测试${login}`, role: [role], area: county });
  await admin.ok_post('/api/v1/password', { person: p.id, new: LOCAL });
  if (directory) await admin.ok_patch(`/api/v1/records/person/${p.id}`, { version: p.version, directory });
  return p;
}
const cookieOf = (r, name) => (r.headers.getSetCookie?.() ?? [r.headers.get('set-cookie') ?? '']).join(', ').match(new RegExp(`${name}=([^;,]*)`))?.[1];
const go = (url, cookie) => fetch(url.startsWith('http') ? url : s.url + url, { redirect: 'manual', headers: cookie ? { Cookie: `anlan_oidc=${cookie}` } : {} });
async function begin(id = dir) {
  const r = await go(`/api/v1/oidc/${id}/begin`);
  assert.equal(r.status, 303);
  return { to: r.headers.get('location'), cookie: cookieOf(r, 'anlan_oidc'), set: r.headers.get('set-cookie') };
}
async function comeBack(address, cookie) {
  const r = await go(address, cookie);
  assert.equal(r.status, 303);
  assert.equal(r.headers.get('location'), `/login?by=${dir}`);
  return cookieOf(r, 'anlan_oidc');
}
const finish = (cookie, body = {}) => s.call('POST', '/api/v1/oidc/finish', body, { headers: { Cookie: `anlan_oidc=${cookie}` } });
async function whole() {
  const b = await begin();
  return finish(await comeBack(idp.authorize(b.to), b.cookie));
}

before(async () => {
  idp = await Idp.start();
  s = await Server.start();
  admin = await s.login('admin', s.password);
  dir = (await admin.ok_post('/api/v1/records/directory', { name: '县统一身份认证', kind: 'oidc', url: idp.issuer, client: idp.client })).id;
  await admin.ok_post(`/api/v1/directories/${dir}/secret`, { secret: idp.secret });
  await newPerson('zhang', 'duty', dir);
  await newPerson('local', 'duty', null);
});
after(async () => { await s?.stop(); await idp?.stop(); });
beforeEach(async () => {
  idp.user = 'zhang';
  idp.with = 'rs';
  idp.change = (h, c) => [h, c];
  await whole(); // forgives what failed before from this address
});

test('the login page offers it; a person who is marked comes in; the audit says how', async () => {
  assert.deepEqual((await s.call('GET', '/api/v1/login')).json.items, [{ id: dir, name: '县统一身份认证' }]);
  for (const key of ['rs', 'es']) {
    idp.with = key;
    const r = await whole();
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.me.name, 'zhang');
    assert.equal((await s.client(r.json.token).get('/api/v1/me')).status, 200);
  }
  const auditor = await s.as('auditor');
  assert.ok((await auditor.ok_get('/api/v1/audit?type=session&size=20')).items.some((e) => e.action === 'login.oidc'));
});

test('PKCE, state and nonce are new each time; the cookie is for this part of the API alone', async () => {
  const a = await begin(), b = await begin();
  const [p, q] = [a, b].map((x) => new URL(x.to).searchParams);
  assert.equal(p.get('code_challenge_method'), 'S256');
  assert.equal(p.get('response_type'), 'code');
  for (const k of ['state', 'nonce', 'code_challenge']) assert.ok(p.get(k).length >= 43 && p.get(k) !== q.get(k), k);
  assert.match(a.set, /Path=\/api\/v1\/oidc; HttpOnly; SameSite=Lax/);
});

test('an answer is of the browser that began, once', async () => {
  const a = await begin(), b = await begin();
  const address = idp.authorize(a.to);
  for (const cookie of [undefined, b.cookie, a.cookie.slice(0, -2), 'x'])
    assert.equal((await finish(await comeBack(address, cookie))).status, 401);
  const good = await comeBack(address, a.cookie);
  assert.equal((await finish(good)).status, 200);
  assert.notEqual((await finish(await comeBack(address, a.cookie))).status, 200); // the code was used
  assert.equal((await finish(a.cookie)).status, 401); // a flow is not a finding
});

test('a token that is not right lets nobody in', async () => {
  const now = Math.floor(Date.now() / 1000);
  const attacks = {
    'alg none': (h, c) => [{ ...h, alg: 'none' }, c],
    'HS256 with the public key': (h, c) => [{ ...h, alg: 'HS256' }, c],
    'another client': (h, c) => [h, { ...c, aud: 'other' }],
    'two clients, made for the other': (h, c) => [h, { ...c, aud: ['anlan', 'other'], azp: 'other' }],
    'another issuer': (h, c) => [h, { ...c, iss: `${c.iss}/` }],
    'over': (h, c) => [h, { ...c, exp: now - 120 }],
    'not begun': (h, c) => [h, { ...c, nbf: now + 600 }],
    'another login': (h, c) => [h, { ...c, nonce: 'x'.repeat(43) }],
    'no name': (h, c) => [h, { ...c, preferred_username: undefined }],
    'a key of another set': (h, c) => [{ ...h, kid: 'unknown' }, c],
    'the wrong key': (h, c) => [{ ...h, kid: 'es', alg: 'ES256' }, c],
  };
  for (const [what, change] of Object.entries(attacks)) {
    idp.change = change;
    const r = await whole();
    assert.equal(r.status, 401, `${what}: ${r.text}`);
    assert.ok(r.json.error.message.length > 3);
    idp.change = (h, c) => [h, c];
    assert.equal((await whole()).status, 200, `after ${what}`);
  }
});

test('nobody is made by logging in; the directory vouches only for whom the record says so; an administrator never', async () => {
  for (const name of ['nobody-here', 'local', 'admin']) {
    idp.user = name;
    const r = await whole();
    assert.equal(r.status, 401, name);
    assert.match(r.json.error.hint, /系统管理员/);
  }
});

test('a password does not log such a person in, but signs', async () => {
  assert.equal((await s.call('POST', '/api/v1/login', { name: 'zhang', password: LOCAL })).status, 401);
  const r = await whole();
  const me = s.client(r.json.token);
  assert.equal((await me.post('/api/v1/totp/start', { password: 'wrong password' })).status, 403);
  assert.equal((await me.post('/api/v1/totp/start', { password: LOCAL })).status, 200);
});

test('the second factor is asked for all the same', async () => {
  await newPerson('factor', 'duty', dir);
  idp.user = 'factor';
  const me = s.client((await whole()).json.token);
  const { secret } = await enrol(me, LOCAL);
  const b = await begin();
  const found = await comeBack(idp.authorize(b.to), b.cookie);
  const asked = await finish(found);
  assert.deepEqual([asked.status, asked.json.error.field], [401, 'code']);
  assert.equal((await finish(found, { code: '000000' })).status, 401);
  assert.equal((await finish(found, { code: totp(secret) })).status, 200);
});

test('there is no address to send anybody to', async () => {
  const a = await begin();
  const r = await go(`/api/v1/oidc/${dir}/callback?code=x&state=y&redirect_uri=https://evil.example&back=//evil.example`, a.cookie);
  assert.equal(r.headers.get('location'), `/login?by=${dir}`);
  assert.equal((await go(`/api/v1/oidc/${dir}/begin?back=//evil.example`)).status, 400);
  const gone = await go('/api/v1/oidc/999999/begin');
  assert.equal(gone.headers.get('location'), '/login?by=999999');
  const evil = await s.call('POST', '/api/v1/oidc/finish', {}, { headers: { Cookie: `anlan_oidc=${a.cookie}`, 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(evil.status, 403);
});

test('the trial says what to register, and what is wrong', async () => {
  const good = await admin.ok_post(`/api/v1/directories/${dir}/test`, {});
  assert.equal(good.ok, true, JSON.stringify(good));
  assert.match(good.steps.at(-1).text, new RegExp(`${s.url}/api/v1/oidc/${dir}/callback`));
  const bad = (await admin.ok_post('/api/v1/records/directory', { name: '写错的', kind: 'oidc', url: `${idp.issuer}/`, client: 'anlan' })).id;
  const wrong = await admin.ok_post(`/api/v1/directories/${bad}/test`, {});
  assert.equal(wrong.ok, false);
  assert.match(wrong.steps.at(-1).text, /write the address exactly so/);
  const http = (await admin.ok_post('/api/v1/records/directory', { name: '不加密的', kind: 'oidc', url: 'http://192.0.2.1/realm', client: 'anlan' })).id;
  assert.match((await admin.ok_post(`/api/v1/directories/${http}/test`, {})).steps.at(-1).text, /https/);
});

test('a provider with new keys is asked for them, not more often than it should; its secret is nowhere to be read', async () => {
  const before = idp.counts.keys;
  idp.keys.rs.shown = false;
  idp.newKey('rs2', 'rsa', { modulusLength: 2048 });
  idp.with = 'rs2';
  for (let i = 0; i < 3; i++) await whole();
  assert.ok(idp.counts.keys - before <= 1, `${idp.counts.keys - before} questions`);
  for (const f of ['anlan.db', 'anlan.db-wal'])
    assert.equal(readFileSync(join(s.dir, f)).indexOf(idp.secret), -1);
  assert.equal(s.out.includes(idp.secret), false);
});
