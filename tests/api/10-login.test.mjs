import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s;
before(async () => { s = await Server.start(); });
after(() => s.stop());

test('the first start prints a one-time administrator password that works', async () => {
  assert.match(s.password, /^\S{16}$/);
  const admin = await s.login('admin', s.password);
  assert.deepEqual(admin.me.roles.map((r) => r.name), ['admin']);
});

test('without a session nothing but the public addresses answers', async () => {
  for (const path of ['/api/v1/me', '/api/v1/types', '/api/v1/records/enterprise', '/api/v1/alarms', '/api/v1/audit', '/api/v1/events']) {
    const r = await s.call('GET', path);
    assert.equal(r.status, 401, path);
    assert.equal(r.json.error.code, 'unauthenticated');
  }
});

test('a wrong password and an unknown name get the same answer', async () => {
  const a = await s.call('POST', '/api/v1/login', { name: 'admin', password: 'wrong-password' });
  const b = await s.call('POST', '/api/v1/login', { name: 'nobody-here', password: 'wrong-password' });
  assert.equal(a.status, 401);
  assert.deepEqual(a.json, b.json);
});

test('errors come in the language of the caller', async () => {
  const zh = await s.call('GET', '/api/v1/me', undefined, { lang: 'zh-CN' });
  const en = await s.call('GET', '/api/v1/me', undefined, { lang: 'en' });
  assert.match(zh.json.error.message, /登录/);
  assert.match(en.json.error.message, /log in/);
});

test('a logged-out session is refused', async () => {
  const duty = await s.as('duty');
  assert.equal((await duty.get('/api/v1/me')).status, 200);
  assert.equal((await duty.post('/api/v1/logout')).status, 200);
  assert.equal((await duty.get('/api/v1/me')).status, 401);
});

test('a session can be revoked from another one', async () => {
  const one = await s.as('duty');
  const two = await s.as('duty');
  const list = (await two.ok_get('/api/v1/sessions')).items;
  const other = list.find((x) => !x.current);
  assert.ok(other);
  await two.ok_delete(`/api/v1/sessions/${other.id}`);
  const alive = [await one.get('/api/v1/me'), await two.get('/api/v1/me')].map((r) => r.status);
  assert.ok(alive.includes(200));
  assert.ok((await two.ok_get('/api/v1/sessions')).items.every((x) => x.id !== other.id));
});

test('logging in is throttled after repeated failures, for the name that was tried', async () => {
  let r;
  for (let i = 0; i < 8; i++) r = await s.call('POST', '/api/v1/login', { name: 'throttle-me', password: 'no' });
  assert.equal(r.status, 429);
  assert.ok(Number(r.headers.get('retry-after')) > 0);
});

test('a change with nothing but the cookie must come from our own pages', async () => {
  const r = await s.call('POST', '/api/v1/demo/login', { role: 'duty' });
  const cookie = r.headers.get('set-cookie').split(';')[0];
  assert.match(r.headers.get('set-cookie'), /HttpOnly/);
  assert.match(r.headers.get('set-cookie'), /SameSite=Strict/);
  const evil = await s.call('POST', '/api/v1/logout', undefined, { headers: { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(evil.status, 403);
  const own = await s.call('GET', '/api/v1/me', undefined, { headers: { Cookie: cookie } });
  assert.equal(own.status, 200);
});
