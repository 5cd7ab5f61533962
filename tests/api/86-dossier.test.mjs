// 一企一档: what an enterprise has, what it lacks, and the arithmetic; on paper too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, e;
before(async () => {
  s = await Server.start();
  [bureau, ent] = [await s.as('bureau'), await s.as('enterprise')];
  e = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
});
after(() => s.stop());
const dossier = (who, id = e.id) => who.ok_get(`/api/v1/dossier/enterprise/${id}`);

test('every count is that of the list; completeness is what is there of what must be', async () => {
  const d = await dossier(bureau);
  assert.equal(d.enterprise.id, e.id);
  assert.ok(d.sections.length > 3);
  for (const p of d.sections) {
    const list = await bureau.ok_get(`/api/v1/records/${p.type}?where.enterprise=${e.id}`);
    assert.equal(p.total, list.total, p.type);
    assert.ok(p.section_label.length > 0 && p.open <= p.total && p.overdue <= p.open, p.type);
  }
  const must = d.sections.filter((p) => p.need);
  assert.ok(must.length > 0);
  assert.deepEqual(d.completeness, { have: must.filter((p) => p.complete).length, need: must.length, percent: (100 * must.filter((p) => p.complete).length) / must.length });
  for (const p of must) assert.equal(!p.complete, 'why' in p);
});

test('a record that must be there and is made completes its line', async () => {
  const before = await dossier(bureau);
  const h = before.sections.find((p) => p.type === 'hazard');
  await bureau.ok_post('/api/v1/records/hazard', { title: '新隐患', enterprise: e.id });
  const after_ = (await dossier(bureau)).sections.find((p) => p.type === 'hazard');
  assert.deepEqual([after_.total, after_.open], [h.total + 1, h.open + 1]);
  assert.equal(after_.items[0].title, '新隐患');
});

test('an enterprise sees its own file and no other', async () => {
  const other = (await bureau.ok_get('/api/v1/records/enterprise?size=20')).items.find((x) => x.id !== e.id);
  assert.equal((await ent.get(`/api/v1/dossier/enterprise/${other.id}`)).status, 404);
  assert.equal((await dossier(ent)).enterprise.id, e.id);
  assert.equal((await (await s.as('admin')).get(`/api/v1/dossier/enterprise/${e.id}`)).status, (await (await s.as('admin')).get(`/api/v1/records/enterprise/${e.id}`)).status);
});

test('on paper', async () => {
  const r = await fetch(`${s.url}/api/v1/dossier/enterprise/${e.id}?format=pdf`, { headers: { Authorization: `Bearer ${bureau.token}` } });
  assert.equal(r.status, 200);
  const file = join(s.dir, 'dossier.pdf');
  writeFileSync(file, Buffer.from(await r.arrayBuffer()));
  const text = execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
  assert.ok(text.includes('安全生产一企一档') && text.includes('完整度') && text.includes('隐患治理'), text);
  assert.doesNotMatch(text, /(?<!\d)1[3-9]\d{9}(?!\d)/);
});
