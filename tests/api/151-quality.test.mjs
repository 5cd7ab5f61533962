// Quality of the data: every number is that of the list behind it, within the reader's rights and scope; who neither leads nor
// administers is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, bureau, town;
before(async () => {
  s = await Server.start();
  [bureau, town] = await Promise.all(['bureau', 'town'].map((r) => s.as(r)));
});
after(() => s.stop());

const total = async (who, type, query = {}) => (await who.ok_get(`/api/v1/records/${type}?${new URLSearchParams({ size: 1, ...query })}`)).total;
const of = (q, type) => q.items.find((x) => x.type === type);
/** The addresses behind the numbers, as the page writes them. */
const lists = (q, x) => ({
  records: {},
  missing: { flaw: 'missing' },
  stale: { 'where.changed_at.lt': q.before, ...(x.open.length ? { 'where.state.in': x.open.join(',') } : {}) },
  doubled: { flaw: 'doubled' },
  code: { flaw: 'code' },
  typed: { 'where.batch.null': 1, 'where.created_by.notnull': 1 },
  imported: { 'where.batch.notnull': 1 },
  opened: { 'where.batch.null': 1, 'where.created_by.null': 1 },
});
async function agrees(who, q, x, only = Object.keys(lists(q, x))) {
  for (const k of only) {
    if (x[k] === null) continue;
    if (k === 'missing' && !x.missing && (await who.get(`/api/v1/records/${x.type}?flaw=missing`)).status === 400) continue; // it needs nothing
    assert.equal(await total(who, x.type, lists(q, x)[k]), x[k], `${x.type}.${k}`);
  }
  for (const f of x.fields) assert.equal(await total(who, x.type, { flaw: `missing.${f.name}` }), f.n, `${x.type}.${f.name}`);
  assert.equal(x.typed + x.imported + x.opened, x.records, x.type);
  assert.equal('newest' in x, x.records > 0, x.type);
}

test('each number is that of its list', async () => {
  const q = await bureau.ok_get('/api/v1/quality?days=1');
  const types = (await bureau.ok_get('/api/v1/types')).types.filter((t) => t.can.includes('read'));
  assert.deepEqual(q.left, []);
  assert.deepEqual(q.items.map((x) => x.type).sort(), types.map((t) => t.name).sort());
  for (const name of ['enterprise', 'hazard', 'equipment', 'certificate', 'accident', 'person']) await agrees(bureau, q, of(q, name));
  const wrong = q.items.filter((x) => x.missing || x.doubled || x.code);
  for (const x of wrong.slice(0, 40)) await agrees(bureau, q, x, ['missing', 'doubled', 'code']);
  const h = of(q, 'hazard');
  assert.deepEqual(h.open.includes('closed'), false);
  const newest = (await bureau.ok_get('/api/v1/records/hazard?size=1&sort=-changed_at')).items[0];
  assert.equal(h.newest, newest.changed_at);
});

test('what is doubled is found by title, area and enterprise, an enterprise by its name alone', async () => {
  const firms = (await bureau.ok_get('/api/v1/records/enterprise?size=2&sort=number')).items;
  const before_ = of(await bureau.ok_get('/api/v1/quality?type=hazard'), 'hazard');
  const add = (title, e) => bureau.ok_post('/api/v1/records/hazard', { title, enterprise: e.id });
  await add('只有一次的隐患甲', firms[0]);
  await add('只有一次的隐患甲', firms[1]);
  assert.equal(of(await bureau.ok_get('/api/v1/quality?type=hazard'), 'hazard').doubled, before_.doubled, 'of two enterprises');
  const twin = await add('只有一次的隐患甲', firms[0]);
  const q = await bureau.ok_get('/api/v1/quality?type=hazard');
  assert.equal(of(q, 'hazard').doubled, before_.doubled + 2);
  const found = await bureau.ok_get('/api/v1/records/hazard?flaw=doubled&q=只有一次的隐患甲');
  assert.equal(found.total, 2);
  assert.ok(found.items.some((x) => x.id === twin.id));
  assert.equal(await total(bureau, 'hazard', { flaw: 'doubled', list: 'all', 'where.enterprise': firms[1].id, q: '只有一次的隐患甲' }), 0);

  const e = of(await bureau.ok_get('/api/v1/quality?type=enterprise'), 'enterprise');
  const copy = { ...Object.fromEntries(['name', 'sector', 'area', 'position'].map((k) => [k, firms[0][k]])), uscc: '91350100M000100Y43' };
  copy.area = firms[0].area.code ?? firms[0].area;
  await bureau.ok_post('/api/v1/records/enterprise', copy);
  const now = await bureau.ok_get('/api/v1/quality?type=enterprise');
  assert.equal(of(now, 'enterprise').doubled, e.doubled + 2);
  await agrees(bureau, now, of(now, 'enterprise'));
});

test('a town sees its own', async () => {
  const [all, own] = await Promise.all([bureau, town].map((w) => w.ok_get('/api/v1/quality?days=1')));
  assert.ok(of(own, 'enterprise').records > 0 && of(own, 'enterprise').records < of(all, 'enterprise').records);
  for (const name of ['enterprise', 'hazard', 'equipment']) await agrees(town, own, of(own, name));
});

test('who neither leads nor administers is refused; nobody asks for a flaw or a type that is not there', async () => {
  for (const role of ['enterprise', 'grid', 'auditor']) assert.equal((await (await s.as(role)).get('/api/v1/quality')).status, 403, role);
  const admin = await (await s.as('admin')).ok_get('/api/v1/quality');
  assert.ok(of(admin, 'person').records > 0);
  assert.equal(of(admin, 'hazard'), undefined);
  for (const [q, status] of [['type=nothing', 404], ['days=0', 400], ['other=1', 400]]) assert.equal((await bureau.get(`/api/v1/quality?${q}`)).status, status, q);
  for (const f of ['nothing', 'missing.nothing', 'doubled.title']) assert.equal((await bureau.get(`/api/v1/records/hazard?flaw=${f}`)).json.error.field, 'flaw', f);
});
