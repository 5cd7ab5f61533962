// The whole loop over the API: reading → alarm → warning → four roles → archived; and what each role may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, sleep, until } from '../lib/server.mjs';

let s, bureau, duty, town, ent, device, point;
const rfc = (t) => new Date(t).toISOString();

before(async () => {
  s = await Server.start();
  [bureau, duty, town, ent] = await Promise.all(['bureau', 'duty', 'town', 'enterprise'].map((r) => s.as(r)));
  const site = ent.me.enterprise;
  device = await bureau.ok_post('/api/v1/records/device', { code: 'WARN-GW', name: '预警测试网关', enterprise: site.id, protocol: 'http' });
  point = await bureau.ok_post('/api/v1/records/point', { code: 'WARN-LT', name: '测试储罐液位', device: device.id, enterprise: site.id, kind: 'level', unit: '%', h: 80, hh: 90, interval_s: 1 });
  device.key = (await bureau.ok_post(`/api/v1/devices/${device.id}/key`, {})).key;
  await until('the point', async () => (await bureau.get('/api/v1/points/WARN-LT')).status === 200);
});
after(() => s.stop());

const push = (v, t = Date.now()) => s.call('POST', '/api/v1/readings', [{ point: 'WARN-LT', time: rfc(t), value: v }], { headers: { Authorization: `Device WARN-GW:${device.key}` } });
const move = (who, id, name, body = {}) => who.post(`/api/v1/records/warning/${id}/moves/${name}`, body);

test('an alarm opens a warning, and it goes round through its roles', async () => {
  const ev = await duty.events();
  const t0 = Date.now() - 30e3;
  for (let i = 0; i < 30; i++) await push(i < 5 ? 70 : 95, t0 + i * 1000);
  const raised = await ev.wait('the alarm', (e) => e.name === 'alarm' && e.data.point.code === 'WARN-LT' && e.data.active);
  const alarm = await until('the warning', async () => {
    const a = await duty.ok_get(`/api/v1/alarms/${raised.data.id}`);
    return a.opened ? a : null;
  });
  ev.close();
  const id = alarm.opened.id;
  let w = await duty.ok_get(`/api/v1/records/warning/${id}`);
  assert.equal(w.state, 'triggered');
  assert.match(w.number, /^YJ-\d{4}-\d{5}$/);
  assert.equal(w.point.id, point.id);
  assert.ok(w.deadline);
  assert.equal(w.thread, alarm.thread);

  // it is the duty officer's duty, and nobody else may verify it
  assert.ok((await duty.ok_get('/api/v1/duties')).items.some((x) => x.type === 'warning' && x.id === id));
  assert.equal((await move(ent, id, 'verify')).status, 403);
  assert.ok([403, 404].includes((await move(town, id, 'verify')).status), '404 if it is another town');
  assert.equal((await move(duty, id, 'publish', { control_plan: 'x', verify_note: 'y' })).status, 409, 'a step cannot be skipped');
  w = (await move(duty, id, 'verify')).json;
  assert.equal(w.state, 'verifying');
  const missing = await move(duty, id, 'publish');
  assert.equal(missing.status, 400);
  assert.ok(missing.json.error.field);
  w = (await move(duty, id, 'publish', { verify_note: '液位计读数属实', control_plan: '停止进料，打开倒罐线' })).json;
  assert.equal(w.state, 'published');

  assert.ok((await ent.ok_get('/api/v1/duties')).items.some((x) => x.id === id));
  assert.equal((await move(ent, id, 'receive')).json.state, 'received');
  assert.equal((await move(ent, id, 'handle')).json.state, 'handling');
  assert.equal((await move(ent, id, 'feed_back', { handle_note: '已停泵', feedback_note: '液位降至 70%' })).json.state, 'feedback');
  assert.equal((await move(ent, id, 'review_pass', { review_note: '自己复核' })).status, 403);
  assert.equal((await move(bureau, id, 'review_return', { reason: '请补充照片' })).json.state, 'handling');
  assert.equal((await move(ent, id, 'feed_back', { handle_note: '已停泵', feedback_note: '已补充' })).json.state, 'feedback');
  assert.equal((await move(bureau, id, 'review_pass', { review_note: '现场确认' })).json.state, 'review');
  assert.equal((await move(duty, id, 'release', { reason: '液位恢复正常' })).json.state, 'released');
  w = (await move(duty, id, 'archive', { evaluation: 'valid', evaluation_note: '进料阀内漏' })).json;
  assert.equal(w.state, 'archived');
  assert.deepEqual(w.moves, []);

  const history = (await duty.ok_get(`/api/v1/records/warning/${id}/history`)).items.map((h) => h.action);
  for (const a of ['create', 'move:verify', 'move:publish', 'move:receive', 'move:handle', 'move:feed_back', 'move:review_pass', 'move:release', 'move:archive'])
    assert.ok(history.includes(a), a);

  // both ways along the thread
  const thread = (await duty.ok_get(`/api/v1/thread/${w.thread}`)).items;
  assert.ok(thread.some((x) => x.kind === 'alarm' && x.id === alarm.id));
  assert.ok(thread.some((x) => x.kind === 'warning' && x.id === id));
});

test('nobody sees or does what is another enterprise’s', async () => {
  const others = (await bureau.ok_get('/api/v1/records/enterprise?size=100')).items.filter((e) => e.id !== ent.me.enterprise.id);
  assert.ok(others.length > 0);
  assert.equal((await ent.get(`/api/v1/records/enterprise/${others[0].id}`)).status, 404);
  const mine = await ent.ok_get('/api/v1/records/enterprise');
  assert.deepEqual(mine.items.map((e) => e.id), [ent.me.enterprise.id]);
  for (const p of (await ent.ok_get('/api/v1/map/objects')).points) assert.equal(p.enterprise, ent.me.enterprise.id);
  for (const a of (await ent.ok_get('/api/v1/alarms?state=all')).items) assert.equal(a.enterprise.id, ent.me.enterprise.id);
  const foreign = await bureau.ok_post('/api/v1/records/warning', { title: '别家预警', level: 'yellow', enterprise: others[0].id });
  assert.equal((await ent.get(`/api/v1/records/warning/${foreign.id}`)).status, 404);
  assert.equal((await move(ent, foreign.id, 'receive')).status, 404);
  assert.equal((await ent.get(`/api/v1/records/warning/${foreign.id}/history`)).status, 404);
});

test('a town sees its own area and what lies below, nothing else', async () => {
  const prefix = town.me.area.replace(/(000)+$/, '');
  const list = (await town.ok_get('/api/v1/records/enterprise?size=500')).items;
  assert.ok(list.length > 0);
  for (const e of list) assert.ok(e.area.startsWith(prefix), `${e.area} outside ${prefix}`);
  assert.ok(list.length < (await bureau.ok_get('/api/v1/records/enterprise')).total);
});

test('the three administrators handle no business and not each other’s', async () => {
  const [admin, security, auditor] = await Promise.all(['admin', 'security', 'auditor'].map((r) => s.as(r)));
  for (const who of [admin, security, auditor]) {
    assert.equal((await who.get('/api/v1/records/warning')).status, 404);
    assert.equal((await who.get('/api/v1/alarms')).status, 403);
  }
  assert.equal((await auditor.get('/api/v1/audit')).status, 200);
  assert.equal((await admin.get('/api/v1/audit')).status, 403);
  assert.equal((await security.get('/api/v1/audit')).status, 403);
  const v = await auditor.ok_get('/api/v1/audit/verify');
  assert.equal(v.ok, true);
  assert.match(v.head, /^[0-9a-f]{64}$/);
});

test('personal data is masked unless the role needs it', async () => {
  const clear = (await duty.ok_get('/api/v1/records/person?size=50')).items.filter((p) => p.phone);
  const masked = (await ent.ok_get('/api/v1/records/person?size=50')).items.filter((p) => p.phone);
  assert.ok(clear.some((p) => /^\d{11}$/.test(p.phone)));
  for (const p of masked) assert.match(p.phone, /^\d{3}\*+\d{4}$/);
});

test('edits are locked optimistically and wrong values are named', async () => {
  const e = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const ok = await bureau.patch(`/api/v1/records/enterprise/${e.id}`, { version: e.version, name: `${e.name}` });
  assert.equal(ok.status, 200, ok.text);
  const stale = await bureau.patch(`/api/v1/records/enterprise/${e.id}`, { version: e.version - 1, name: 'x' });
  assert.equal(stale.status, 409);
  for (const [field, v] of [['uscc', '91330000MA0000000X'], ['no_such_field', 1]]) {
    const r = await bureau.patch(`/api/v1/records/enterprise/${e.id}`, { version: ok.json.version, [field]: v });
    assert.ok([400].includes(r.status), r.text);
    assert.equal(r.json.error.field, field);
  }
});

test('an alarm can be acknowledged, shelved with reason and end, and comes back', async () => {
  const t0 = Date.now() + 60e3;
  for (let i = 0; i < 20; i++) await push(50, t0 + i * 1000);
  for (let i = 20; i < 40; i++) await push(97, t0 + i * 1000);
  const a = await until('the alarm', async () => (await duty.ok_get('/api/v1/alarms')).items.find((x) => x.point.code === 'WARN-LT' && x.state === 'unack'));
  assert.equal((await town.post(`/api/v1/alarms/${a.id}/ack`, {})).status, 403);
  assert.equal((await duty.ok_post(`/api/v1/alarms/${a.id}/ack`, {})).state, 'acked');
  assert.ok([400].includes((await duty.post(`/api/v1/alarms/${a.id}/shelve`, { until: '1h' })).status), 'a reason is needed');
  assert.ok([400].includes((await duty.post(`/api/v1/alarms/${a.id}/shelve`, { reason: '检修' })).status), 'an end is needed');
  const shelved = await duty.ok_post(`/api/v1/alarms/${a.id}/shelve`, { reason: '检修', until: rfc(Date.now() + 4000) });
  assert.equal(shelved.state, 'shelved');
  assert.equal(shelved.active, true);
  const back = await until('the shelf to end', async () => { const x = await duty.ok_get(`/api/v1/alarms/${a.id}`); return x.state !== 'shelved' ? x : null; });
  assert.ok(['unack', 'acked'].includes(back.state));
  const journal = (await duty.ok_get(`/api/v1/alarms/${a.id}/journal`)).items.map((j) => j.what);
  for (const w of ['raised', 'ack', 'shelve', 'unshelve']) assert.ok(journal.includes(w), `${w} in ${journal}`);
});

test('lists filter, sort, search and export', async () => {
  const all = await bureau.ok_get('/api/v1/records/point?size=5&sort=code');
  assert.ok(all.total >= 2900);
  assert.deepEqual([...all.items.map((x) => x.code)].sort(), all.items.map((x) => x.code));
  const level = await bureau.ok_get('/api/v1/records/point?where.kind=level&size=50');
  for (const p of level.items) assert.equal(p.kind, 'level');
  const q = await bureau.ok_get(`/api/v1/records/enterprise?q=${encodeURIComponent('化工')}`);
  assert.ok(q.total > 0);
  const csv = await bureau.get('/api/v1/records/enterprise?format=csv');
  assert.match(csv.headers.get('content-type'), /text\/csv/);
  assert.equal(csv.text.trim().split('\n').length, (await bureau.ok_get('/api/v1/records/enterprise')).total + 1);
  await sleep(0);
});
