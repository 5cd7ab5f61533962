// The models over HTTP: only for who has the right; the same answer as the command; a refusal in the form of every error.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { mismatches } from '../lib/contract.mjs';
import { Server } from '../lib/server.mjs';

let s, bureau, doc;
before(async () => {
  s = await Server.start();
  bureau = await s.as('bureau');
  doc = (await s.call('GET', '/api/v1/openapi.json')).json;
});
after(() => s.stop());
const ask = (method, path, body, who = bureau) => s.call(method, path, body, { token: who.token });

test('list, schema and answer fit their description', async () => {
  const list = await ask('GET', '/api/v1/calc');
  assert.deepEqual(mismatches({ $ref: '#/components/schemas/CalcModels' }, list.json, doc), []);
  for (const m of list.json.items) {
    const r = await ask('GET', `/api/v1/calc/${m.name}`);
    assert.equal(r.status, 200, m.name);
    assert.deepEqual(mismatches({ $ref: '#/components/schemas/CalcSchema' }, r.json, doc), [], m.name);
  }
  const inputs = { inventory: [{ name: '液氨', q: 60 }], persons: 40 };
  const r = await ask('POST', '/api/v1/calc/gb18218', inputs);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(mismatches({ $ref: '#/components/schemas/CalcAnswer' }, r.json, doc), []);
  assert.equal(r.json.outputs.grade.value, '三级');
  const bin = process.env.ANLAN_BIN ?? 'build/anlan';
  assert.deepEqual(r.json, JSON.parse(spawnSync(bin, ['calc', 'gb18218'], { input: JSON.stringify(inputs), encoding: 'utf8' }).stdout));
});

test('what is wrong is refused with its field; a model that is not there is not found', async () => {
  const r = await ask('POST', '/api/v1/calc/gaussian-plume', { Q: 1, u: -1, stability: 'D', x: 100 });
  assert.equal(r.status, 400);
  assert.equal(r.json.error.field, 'u');
  assert.match(r.json.error.message, /0\.1, 60/);
  assert.equal((await ask('POST', '/api/v1/calc/nothing', {})).status, 404);
  assert.equal((await ask('POST', '/api/v1/calc/lec', '[]')).status, 400);
});

test('without the right nothing is calculated', async () => {
  const security = await s.as('security');
  for (const [m, p] of [['GET', '/api/v1/calc'], ['GET', '/api/v1/calc/lec'], ['POST', '/api/v1/calc/lec']])
    assert.equal((await ask(m, p, m === 'POST' ? { L: 1, E: 1, C: 1 } : undefined, security)).status, 403);
  assert.equal((await s.call('POST', '/api/v1/calc/lec', { L: 1, E: 1, C: 1 })).status, 401);
});
