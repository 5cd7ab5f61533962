// Peaceful farm machinery: the rates of the register give points by themselves, what did not pass is not shown.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, town, dept, bureau;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, id, name, body = {}) => who.post(`/api/v1/records/peaceful_farm_creation/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[2]}: ${r.text}`); return r.json; };
const sheet = async (who, id, body) => who.ok_post(`/api/v1/records/peaceful_farm_creation/${id}/sheet/sheet`, { version: (await who.ok_get(`/api/v1/records/peaceful_farm_creation/${id}`)).version, ...body });
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  [town, dept, bureau] = await Promise.all(['town', 'department', 'bureau'].map((r) => s.as(r)));
});
after(() => s.stop());

test('rates and checks score by themselves; what did not pass is not shown', async () => {
  const year = new Date(Date.now() + 8 * 3600e3).getUTCFullYear();
  const r = await rec(town, 'peaceful_farm_creation', { title: '某镇', year });
  assert.equal((await move(town, r.id, 'apply')).status, 409, 'no score');
  await sheet(town, r.id, { fill: true });
  await sheet(town, r.id, { items: { publicity: { self: 15, note: '咨询日' }, institutions: { self: 10, note: '有机构' } } });
  const scored = await town.ok_get(`/api/v1/records/peaceful_farm_creation/${r.id}`);
  assert.ok(scored.score >= 25 && scored.score <= 100, `${scored.score}`);
  const full = await town.ok_get(`/api/v1/records/peaceful_farm_creation/${r.id}/sheet/sheet`);
  assert.ok(JSON.stringify(full).includes('"auto"'), 'what the system scored is on the sheet');
  await done(town, r.id, 'apply');
  await done(dept, r.id, 'reviewed', { site_note: '属实' });
  const now = await town.ok_get(`/api/v1/records/peaceful_farm_creation/${r.id}`);
  const passed = now.score >= 80;
  const shown = await move(bureau, r.id, 'show', { show_until: day(10) });
  assert.equal(shown.status < 300, passed, `${now.score} ${now.grade}: ${shown.text}`);
  await done(dept, r.id, 'refuse', { reason: '演练用' });
});
