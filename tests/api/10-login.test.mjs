import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

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

// Browsers say where a request comes from only where the connection is encrypted or on loopback. Elsewhere the content type tells: a page of
// another port of this host is "same site", gets the cookie sent along, and may put any words behind text/plain.
test('a content type that merely holds the words does not pass for one of our pages', async () => {
  const r = await s.call('POST', '/api/v1/demo/login', { role: 'duty' });
  const headers = { Cookie: r.headers.get('set-cookie').split(';')[0] };
  const post = (type) => fetch(`${s.url}/api/v1/views`, { method: 'POST', headers: { ...headers, 'Content-Type': type }, body: '{"type":"enterprise","name":"x","query":""}' });
  for (const type of ['text/plain; x=application/json', 'text/plain;application/octet-stream', 'application/x-www-form-urlencoded; application/json', 'multipart/form-data; boundary=application/json']) assert.equal((await post(type)).status, 403, type);
  assert.equal((await post('Application/JSON; charset=utf-8')).status, 201);
  const send = (method, path, more, body) => fetch(`${s.url}${path}`, { method, headers: { ...headers, ...more }, body }).then((x) => x.status);
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');
  assert.equal(await send('POST', '/api/v1/files?name=a.jpg', { 'Content-Type': 'image/jpeg' }, jpeg), 201, 'a picture, as our page sends it');
  assert.equal(await send('POST', '/api/v1/files?name=a.txt', { 'Content-Type': 'text/plain', Origin: 'http://evil.example' }, 'some words'), 403);
  assert.equal(await send('POST', '/api/v1/files?name=a.txt', { 'Content-Type': 'text/plain', Origin: s.url }, 'some words'), 201);
  assert.equal(await send('POST', '/api/v1/logout', {}), 403, 'nothing says where it comes from');
  assert.equal(await send('POST', '/api/v1/logout', { Origin: `http://127.0.0.1:${s.http + 1}` }), 403, 'another port of this host');
  assert.equal(await send('POST', '/api/v1/logout', { Origin: s.url }), 200);
});

test('no page of another site logs a browser in as somebody else, or reports a danger in its name', async () => {
  const post = (path, body, headers) => fetch(`${s.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  for (const headers of [{ 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/json' }, { 'Sec-Fetch-Site': 'same-site', 'Content-Type': 'application/json' }, { Origin: 'http://evil.example', 'Content-Type': 'text/plain' }, { Origin: 'null', 'Content-Type': 'text/plain; application/json' }]) {
    for (const [path, body] of [['/api/v1/demo/login', { role: 'duty' }], ['/api/v1/login', { name: 'admin', password: s.password }], ['/public/reports', {}], ['/api/v1/oidc/finish', {}]]) {
      const r = await post(path, body, headers);
      assert.equal(r.status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.equal(r.headers.get('set-cookie'), null);
    }
  }
  for (const headers of [{ 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' }, { Origin: s.url, 'Content-Type': 'application/json' }, {}]) assert.equal((await post('/api/v1/demo/login', { role: 'duty' }, headers)).status, 200, JSON.stringify(headers));
});

// A stream that is open: ended, or how its request was answered.
async function stream(token) {
  const stop = new AbortController();
  const r = await fetch(`${s.url}/api/v1/events`, { headers: { Authorization: `Bearer ${token}` }, signal: stop.signal });
  const it = { status: r.status, ended: false, close: () => stop.abort() };
  (async () => { for await (const chunk of r.body) void chunk; it.ended = true; })().catch(() => {});
  return it;
}

test('who has logged out, or whose role is another now, hears no more: his event stream ends', async () => {
  const admin = await s.login('admin', s.password), password = 'correct horse 7';
  const p = await admin.ok_post('/api/v1/records/person', { login: 'listener', name: '监听者', role: ['duty'], area: '990121000000' });
  await admin.ok_post('/api/v1/password', { person: p.id, new: password });
  const [gone, moved, stays] = [await s.login('listener', password), await s.login('listener', password), await s.as('duty')];
  const [a, b, c] = [await stream(gone.token), await stream(moved.token), await stream(stays.token)];
  assert.deepEqual([a.status, b.status, c.status], [200, 200, 200]);
  await gone.post('/api/v1/logout');
  await until('the stream to end', () => a.ended);
  assert.equal(b.ended, false, 'his other one goes on');
  const now = await admin.ok_get(`/api/v1/records/person/${p.id}`);
  await admin.ok_patch(`/api/v1/records/person/${p.id}`, { role: ['expert'], version: now.version });
  await until('the stream to end', () => b.ended);
  assert.equal(c.ended, false);
  c.close();
});

test('one person cannot take all event streams', async () => {
  const one = await s.as('duty'), all = [];
  for (let i = 0; i < 101; i++) all.push(await stream(one.token));
  assert.equal(all.at(-1).status, 503);
  const other = await stream((await s.as('bureau')).token);
  assert.equal(other.status, 200);
  [...all, other].forEach((x) => x.close());
});

// Last: the address has to wait a minute after it.
test('logging in is throttled after repeated failures, for the name that was tried', async () => {
  let r;
  for (let i = 0; i < 8; i++) r = await s.call('POST', '/api/v1/login', { name: 'throttle-me', password: 'no' });
  assert.equal(r.status, 429);
  assert.ok(Number(r.headers.get('retry-after')) > 0);
});
