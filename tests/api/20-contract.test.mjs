import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readdirSync, readFileSync } from 'node:fs';
import { mismatches } from '../lib/contract.mjs';
import { Server, sleep, until } from '../lib/server.mjs';

let s;
before(async () => { s = await Server.start(); });
after(() => s.stop());

test('every documented address answers, and no undocumented one does', async () => {
  const doc = (await s.call('GET', '/api/v1/openapi.json')).json;
  const duty = await s.as('duty');
  for (const [path, methods] of Object.entries(doc.paths)) {
    const real = path.replace('{type}', 'enterprise').replace(/\{[a-z]+\}/g, '999999');
    for (const method of ['get', 'post', 'patch', 'delete', 'put']) {
      if (path === '/api/v1/events' || path === '/api/v1/logout') continue;
      const r = await s.call(method.toUpperCase(), real, method === 'get' ? undefined : {}, { token: duty.token });
      const documented = method in methods;
      if (documented) assert.ok(r.status !== 405 && r.status !== 501, `${method} ${path}: ${r.status} ${r.text}`);
      else assert.ok([404, 405, 501].includes(r.status), `${method} ${path} is not documented but answers ${r.status}`);
      assert.ok(r.status < 500 || r.status === 501, `${method} ${path}: ${r.status} ${r.text}`);
    }
  }
  assert.equal((await duty.get('/api/v1/nothing')).status, 404);
});

test('every answer is described: no address without a schema, no schema without a description', async () => {
  const doc = (await s.call('GET', '/api/v1/openapi.json')).json;
  const refs = [...JSON.stringify(doc).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((m) => m[1]);
  for (const name of new Set(refs)) assert.ok(doc.components.schemas[name], `${name} is not described`);
  for (const [path, methods] of Object.entries(doc.paths))
    for (const [m, op] of Object.entries(methods)) assert.ok(Object.keys(op.responses).length >= 2 && op.summary.length > 5, `${m} ${path}`);
});

test('the check of answers finds what does not fit', () => {
  const doc = { components: { schemas: { Pair: { type: 'object', required: ['a'], properties: { a: { type: 'integer' }, at: { type: 'string', format: 'date-time' } } } } } };
  const ref = { $ref: '#/components/schemas/Pair' };
  assert.deepEqual(mismatches(ref, { a: 1, at: '2026-11-22T08:00:00.5+08:00', more: true }, doc), []);
  for (const bad of [{}, { a: '1' }, { a: 1.5 }, { a: 1, at: 'yesterday' }, [], null]) assert.ok(mismatches(ref, bad, doc).length, JSON.stringify(bad));
  assert.ok(mismatches({ anyOf: [ref, { type: 'null' }] }, 7, doc).length);
  assert.ok(mismatches({ type: 'array', items: ref }, [{ a: 1 }, {}], doc).length);
  assert.ok(mismatches({ $ref: '#/components/schemas/None' }, 1, doc).length);
});

test('errors have the documented form', async () => {
  const duty = await s.as('duty');
  for (const [method, path, body, status] of [
    ['GET', '/api/v1/records/nothing', undefined, 404], ['GET', '/api/v1/records/enterprise/abc', undefined, 404],
    ['GET', '/api/v1/records/enterprise?where.nothing=1', undefined, 400], ['GET', '/api/v1/records/enterprise?page=0', undefined, 400],
    ['POST', '/api/v1/records/warning', '{not json', 400], ['POST', '/api/v1/records/warning', '[]', 400],
    ['GET', '/api/v1/alarms?bogus=1', undefined, 400],
  ]) {
    const r = await s.call(method, path, body, { token: duty.token });
    assert.ok(r.status === status, `${method} ${path}: ${r.status} ${r.text}`);
    assert.equal(typeof r.json.error.code, 'string');
    assert.ok(r.json.error.message.length > 0);
  }
});

test('types describe fields, states, moves and lists', async () => {
  const duty = await s.as('duty');
  const types = (await duty.ok_get('/api/v1/types')).types.map((t) => t.name);
  for (const t of ['area', 'enterprise', 'equipment', 'installation', 'device', 'point', 'warning', 'hazard', 'duty_roster']) assert.ok(types.includes(t), t);
  const w = await duty.ok_get('/api/v1/types/warning', undefined, { lang: 'zh-CN' });
  assert.deepEqual(w.states.map((x) => x.name), ['triggered', 'verifying', 'published', 'received', 'handling', 'feedback', 'review', 'released', 'archived', 'false_alarm']);
  const en = await duty.ok_get('/api/v1/types/warning', undefined, { lang: 'en' });
  w.fields.forEach((f, i) => assert.ok(/[\u4e00-\u9fff]/.test(f.label) && /^[\x20-\x7e]+$/.test(en.fields[i].label), `${f.name}: ${f.label} / ${en.fields[i].label}`));
});

test('a body beyond the limit is refused', async () => {
  const duty = await s.as('duty');
  const r = await duty.post('/api/v1/records/warning', `{"title":"${'x'.repeat(5 << 20)}"}`);
  assert.equal(r.status, 413);
});

test('health and metrics', async () => {
  assert.equal((await s.call('GET', '/healthz')).json.status, 'ok');
  const m = (await s.call('GET', '/metrics')).text;
  assert.match(m, /^anlan_readings_total \d+/m);
  assert.match(m, /^anlan_rejects_total\{reason="syntax"\} \d+/m);
});

test('pages carry the security headers', async () => {
  const r = await s.call('GET', '/');
  assert.match(r.headers.get('content-security-policy'), /default-src 'self'/);
  assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
});

test('a server with nothing to do sleeps', async () => {
  const ticks = () => {
    let sum = 0;
    for (const p of readdirSync('/proc').filter((x) => /^\d+$/.test(x))) {
      try {
        const stat = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' ');
        if (Number(p) === s.child.pid || Number(stat[1]) === s.child.pid) sum += Number(stat[11]) + Number(stat[12]);
      } catch { /* gone */ }
    }
    return sum;
  };
  await until('a second with hardly any work', async () => { // what the start left to do may still go on
    const before = ticks();
    await sleep(1000);
    const used = (ticks() - before) / 100; // CPU seconds of parent, gate and core, whatever else the machine does
    if (used >= 0.2) throw new Error(`${used} s of CPU in 1 s`);
    return true;
  });
});
