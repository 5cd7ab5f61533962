// A cylinder out of test is neither filled nor delivered; a warning about a model reaches every machine of it; a contract lacks no safety clause.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const get = (who, type, id) => who.ok_get(`/api/v1/records/${type}/${id}`);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const send = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const file = (who) => send(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const photo = (who) => send(who, 'a.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const opened = async (type, from) => (await all(bureau, type, `&where.origin=${from}`)).map((x) => x.title);

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept] = await Promise.all(['bureau', 'enterprise', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

test('a cylinder out of test cannot be filled; its whole way is written down', async () => {
  const cylinder = (code, made, next) => rec(ent, 'cylinder', { code, kind: 'ysp15', made_on: day(made), next_test: day(next) });
  const fill = { fill_on: day(), fill_kg: 14.5, filler: '充装工 C-1' };
  const old = await cylinder('QP-T-OLD', -1500, -1), good = await cylinder('QP-T-1', -900, 400);
  await refused(ent, 'cylinder', old.id, 'fill', fill);
  assert.equal(await value('cylinder_in_test_rate'), 75, 'two of the demo and one of two here');
  assert.equal((await ent.post('/api/v1/records/cylinder', { code: 'QP-T-1', kind: 'ysp15', made_on: day(-1), next_test: day(9) })).status, 409, 'one code, one cylinder');
  assert.equal((await done(ent, 'cylinder', good.id, 'fill', fill)).full, true);
  const user = await rec(ent, 'gas_user', { name: '南街 8 号', kind: 'household', supply: 'cylinder', area: firm.area, visit_due: day(60) });
  const order = (c) => rec(ent, 'gas_delivery', { user: user.id, address: '南街 8 号', cylinder: c.id, courier: '送气工 S-1' });
  const a = await order(good);
  const checked = async (hose) => ({ hose_ok: hose, valve_ok: true, room_ok: true, photos: [await photo(ent)] });
  await refused(ent, 'gas_delivery', a.id, 'deliver', await checked(true));      // nobody checked who it is
  const patched = await ent.patch(`/api/v1/records/gas_user/${user.id}`, { id_checked: day(), version: user.version });
  assert.ok(patched.status < 300, patched.text);
  await refused(ent, 'gas_delivery', a.id, 'deliver', await checked(false));     // an old hose
  assert.equal((await done(ent, 'gas_delivery', a.id, 'deliver', await checked(true))).state, 'done');
  const now = await get(ent, 'cylinder', good.id);
  assert.deepEqual([now.full, now.user.id], [false, user.id]);
  const b = await order(good);
  await refused(ent, 'gas_delivery', b.id, 'deliver', await checked(true));      // it is empty
  await done(ent, 'gas_delivery', b.id, 'refuse', { hose_ok: false, failed: '软管老化龟裂', photos: [await photo(ent)] });
  assert.deepEqual(await opened('hazard', `gas_delivery:${b.id}`), ['软管老化龟裂']);
  assert.equal(await value('gas_refused_rate'), 50);
  await done(dept, 'cylinder', good.id, 'seize', { finding: '非自有产权钢瓶' });
  await refused(ent, 'cylinder', good.id, 'fill', fill);
  const trace = (await all(bureau, 'cylinder_event', `&where.cylinder=${good.id}`)).map((x) => x.what);
  assert.deepEqual([...trace].sort(), ['delivered', 'filled', 'seized']);
});

test('a warning about a model reaches each registered machine of it and nobody else', async () => {
  const machine = (name, code, model) => rec(ent, 'special_equipment', { name, kind: 'lift', code, model });
  const [a, b] = [await machine('甲梯', 'XH-1', 'TKJ-1000'), await machine('乙梯', 'XH-2', 'TKJ-1000')];
  await machine('丙梯', 'XH-3', 'TKJ-2000');
  const notice = await rec(dept, 'model_notice', { title: '制动器隐患', model: 'TKJ-1000', defect: '制动臂裂纹', measures: '逐台探伤', within: day(20) });
  await done(dept, 'model_notice', notice.id, 'publish');
  const checks = await all(ent, 'model_check', `&where.notice=${notice.id}`);
  assert.deepEqual(checks.map((x) => x.machine.id).sort(), [a.id, b.id].sort());
  await refused(dept, 'model_notice', notice.id, 'close');
  for (const c of checks) {
    await done(ent, 'model_check', c.id, 'receive');
    if (c.machine.id === a.id) await done(ent, 'model_check', c.id, 'fine', { result: '探伤合格', photos: [await photo(ent)] });
    else await done(ent, 'model_check', c.id, 'faulty', { result: '有裂纹', finding: '乙梯制动臂裂纹' });
  }
  assert.deepEqual((await all(bureau, 'model_check', '&list=faulty')).map((x) => x.machine.id), [b.id]);
  assert.equal((await done(dept, 'model_notice', notice.id, 'close')).state, 'closed');
});

test('a contract that lacks a safety clause does not come into force; the standard is scored by data and evidence, reviewed by another', async () => {
  const c = await rec(ent, 'care_contract', { title: '电梯维保', kind: 'care', partner: '某维保', clauses: ['duties', 'cycle', 'people'], from: day(-1), until: day(300) });
  assert.equal(c.missing, 2);
  assert.ok((await all(bureau, 'care_contract', '&list=short')).some((x) => x.id === c.id));
  const text = [await file(ent)];
  await refused(ent, 'care_contract', c.id, 'file', { text });
  assert.equal((await done(ent, 'care_contract', c.id, 'file', { text, clauses: ['duties', 'cycle', 'people', 'rescue', 'stop'] })).state, 'valid');

  const x = await rec(ent, 'special_standard', { enterprise: firm.id, year: 2026 });
  await refused(ent, 'special_standard', x.id, 'submit');
  const path = `/api/v1/records/special_standard/${x.id}/sheet/sheet`;
  const filled = async (who, column, body) => (await who.ok_post(path, { ...body, version: (await get(who, 'special_standard', x.id)).version }), get(who, 'special_standard', x.id));
  assert.ok((await filled(ent, 'self', { fill: true })).score <= 30, 'the inspection rate alone');
  const items = Object.fromEntries(['organisation.officer', 'organisation.rules', 'machines.files', 'people.certified', 'care.contracts', 'care.drill'].map((k) => [k, { self: 10 }]));
  assert.ok((await filled(ent, 'self', { items })).score >= 60);
  await done(ent, 'special_standard', x.id, 'submit');
  const second = await done(dept, 'special_standard', x.id, 'reach', { valid_to: day(700) });
  assert.equal(second.state, 'reached');
  assert.equal((await done(dept, 'special_standard', x.id, 'revoke', { reason: '发生责任事故' })).state, 'revoked');
});
