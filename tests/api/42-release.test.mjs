// A warning is released by the matrix: who is told, who confirms, who does not and what then, upgraded, lifted; and as CAP 1.2.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { all, checkCap, text } from '../lib/cap.mjs';
import { Server, until } from '../lib/server.mjs';

let s, admin, bureau, duty, town, ent, hooks;
const rfc = (t) => new Date(t).toISOString();
const move = (who, id, name, body = {}) => who.post(`/api/v1/records/warning/${id}/moves/${name}`, body);
const ok_move = async (who, id, name, body) => { const r = await move(who, id, name, body); assert.equal(r.status, 200, r.text); return r.json; };
const releases = async (who, id) => (await who.ok_get(`/api/v1/records/warning/${id}/releases`)).items;
const cap = async (id, seq = '') => {
  const r = await duty.get(`/api/v1/records/warning/${id}/cap${seq && `?seq=${seq}`}`);
  assert.equal(r.status, 200, r.text);
  assert.match(r.headers.get('content-type'), /application\/cap\+xml/);
  return checkCap(r.text);
};

// A verified warning of the enterprise; more: fields of it.
async function verified(title, more = {}) {
  const w = await duty.ok_post('/api/v1/records/warning', { title, level: 'orange', category: 'leak', enterprise: ent.me.enterprise.id, content: `${title} <一级> & 二级`, ...more });
  await ok_move(duty, w.id, 'verify');
  return w.id;
}
const publish = (id, more = {}) => ok_move(duty, id, 'publish', { verify_note: '现场属实', control_plan: '疏散并切断', valid_until: rfc(Date.now() + 3600e3), ...more });

before(async () => {
  s = await Server.start();
  [admin, bureau, duty, ent] = await Promise.all(['admin', 'bureau', 'duty', 'enterprise'].map((r) => s.as(r)));
  hooks = { got: [] };
  hooks.server = createServer((q, r) => { let b = ''; q.on('data', (d) => { b += d; }); q.on('end', () => { hooks.got.push(JSON.parse(b)); r.end('{}'); }); });
  await new Promise((done) => hooks.server.listen(0, '127.0.0.1', done));
  // the demo's own rows would tell others besides
  for (const r of (await bureau.ok_get('/api/v1/records/release_rule')).items) await bureau.ok_patch(`/api/v1/records/release_rule/${r.id}`, { version: r.version, enabled: false });
  const rule = (body) => bureau.ok_post('/api/v1/records/release_rule', { times: 2, ...body });
  await rule({ name: '泄漏红橙', categories: ['leak'], levels: ['red', 'orange'], tier: 0, roles: ['enterprise'], wait: 60, channels: ['webhook'] });
  await rule({ name: '红色加值班', levels: ['red'], tier: 0, roles: ['duty'], wait: 60 });
  await rule({ name: '火灾催收', categories: ['fire'], levels: ['orange'], tier: 0, roles: ['enterprise'], wait: 0.02, times: 1 });
  await rule({ name: '火灾上报', categories: ['fire'], levels: ['orange'], tier: 1, roles: ['bureau'], wait: 60 });
  await admin.ok_post('/api/v1/records/webhook', { name: '推送', url: `http://127.0.0.1:${hooks.server.address().port}/`, enabled: true, types: 'warning', events: ['released'] });
});
after(async () => { hooks.server.closeAllConnections(); hooks.server.close(); await s.stop(); });

test('publishing tells the persons of the matrix and nobody else; each receipt says who, when read, when confirmed', async () => {
  const id = await verified('氯气泄漏');
  assert.deepEqual(await releases(duty, id), []);
  assert.equal((await duty.get(`/api/v1/records/warning/${id}/cap`)).status, 404, 'nothing was released yet');
  await publish(id);
  const [r] = await releases(duty, id);
  assert.equal(r.message, 'alert');
  assert.equal(r.level, 'orange');
  assert.equal(r.in_force, true);
  const staff = (await bureau.ok_get('/api/v1/records/person?size=500')).items.filter((p) => p.enterprise?.id === ent.me.enterprise.id && p.role.includes('enterprise'));
  assert.ok(staff.length > 0);
  assert.deepEqual(r.receipts.map((x) => x.person).sort(), staff.map((p) => p.id).sort(), 'orange leak: the enterprise, not the duty officer');
  assert.equal(r.counts.told, staff.length);
  assert.equal(r.counts.confirmed, 0);

  // the enterprise sees its own receipt and the counts, not who else
  const [mine] = await releases(ent, id);
  assert.deepEqual(mine.receipts.map((x) => x.person), [ent.me.id]);
  assert.equal(mine.mine, true);

  // reading the message is noted, confirming is another thing
  const notice = (await ent.ok_get('/api/v1/notices?unread=1')).items.find((n) => n.record === id && n.kind === 'release');
  assert.match(notice.text.zh, /发布橙色预警（泄漏）.*氯气泄漏/);
  assert.match(notice.text.en, /Released: Orange Warning \(Leak\)/);
  await ent.ok_post(`/api/v1/notices/${notice.id}/read`, {});
  let [now] = await releases(duty, id);
  assert.ok(now.receipts.find((x) => x.person === ent.me.id).read_at);
  assert.equal(now.counts.confirmed, 0);
  await ent.ok_post(`/api/v1/records/warning/${id}/receipt`, { note: '已通知班长' });
  [now] = await releases(duty, id);
  const receipt = now.receipts.find((x) => x.person === ent.me.id);
  assert.ok(receipt.confirmed_at);
  assert.equal(receipt.note, '已通知班长');
  assert.equal(receipt.confirmed_by, ent.me.title);
  assert.equal((await ent.post(`/api/v1/records/warning/${id}/receipt`, {})).status, 409, 'once');
  assert.equal((await duty.post(`/api/v1/records/warning/${id}/receipt`, {})).status, 409, 'he was not told');

  const csv = (await duty.get(`/api/v1/records/warning/${id}/releases?format=csv`)).text.split('\r\n').filter(Boolean);
  assert.equal(csv.length, 1 + staff.length);
  assert.match(csv.join('\n'), /已通知班长/);

  const event = await until('the webhook', () => hooks.got.find((e) => e.record === id && e.event === 'released'));
  assert.equal(event.message, 'alert');
  assert.equal(event.level, 'orange');
  assert.equal(event.release, r.id);
});

test('upgrade and downgrade go up and down, with a reason and a new message to the same persons; lifting ends it', async () => {
  const id = await verified('氨泄漏');
  await publish(id);
  assert.equal((await move(duty, id, 'upgrade', { level: 'yellow', reason: 'x' })).json.error.field, 'level');
  assert.equal((await move(duty, id, 'downgrade', { level: 'orange', reason: 'x' })).json.error.field, 'level');
  assert.equal((await move(duty, id, 'upgrade', { level: 'red' })).json.error.field, 'reason');
  assert.equal((await move(duty, id, 'prolong', { valid_until: rfc(Date.now() - 1000), reason: 'x' })).json.error.field, 'valid_until');
  const before = (await releases(duty, id))[0].receipts.map((x) => x.person);
  await ok_move(ent, id, 'receive'); // who acts on it has it
  assert.ok((await releases(duty, id))[0].receipts.find((x) => x.person === ent.me.id).confirmed_at);
  const up = await ok_move(duty, id, 'upgrade', { level: 'red', reason: '浓度继续上升' });
  assert.equal(up.level, 'red');
  assert.equal(up.state, 'published', 'the enterprise receives it again');
  let [r] = await releases(duty, id);
  assert.equal(r.message, 'upgrade');
  assert.equal(r.reason, '浓度继续上升');
  for (const p of before) assert.ok(r.receipts.some((x) => x.person === p), 'the same persons');
  assert.ok(r.receipts.some((x) => x.person === duty.me.id), 'red adds the duty officer');
  // yellow has no row of its own: who had it before hears of it all the same
  await ok_move(duty, id, 'downgrade', { level: 'yellow', reason: '浓度下降' });
  const after = (await releases(duty, id))[0];
  assert.deepEqual(after.receipts.map((x) => x.person).sort(), r.receipts.map((x) => x.person).sort());

  await ok_move(ent, id, 'receive');
  await ok_move(ent, id, 'handle', { handle_note: '堵漏' });
  await ok_move(ent, id, 'feed_back', { handle_note: '堵漏', feedback_note: '已止漏' });
  await ok_move(bureau, id, 'review_pass', { review_note: '属实' });
  await ok_move(duty, id, 'release', { reason: '险情排除' });
  const list = await releases(duty, id);
  assert.deepEqual(list.map((x) => x.message), ['cancel', 'downgrade', 'upgrade', 'alert']);
  assert.deepEqual(list.map((x) => x.in_force), [true, false, false, false]);
  assert.deepEqual(list[0].receipts.map((x) => x.person).sort(), r.receipts.map((x) => x.person).sort());
  for (const x of list[0].receipts) assert.equal(x.next_at, undefined, 'nobody is asked again for what is lifted');
});

test('who does not confirm is told again, and the next tier is told; the ends of it are in the history', async () => {
  const id = await verified('仓库起火', { category: 'fire' });
  await publish(id);
  const late = await until('the next tier', async () => { const [r] = await releases(duty, id); return r.tier === 1 && r; });
  const second = late.receipts.filter((x) => x.tier === 1);
  assert.ok(second.some((x) => x.person === bureau.me.id));
  assert.ok(late.receipts.find((x) => x.person === ent.me.id).late);
  const told = (await bureau.ok_get('/api/v1/notices')).items.find((n) => n.record === id && /尚有 \d+ 人未确认/.test(n.text.zh));
  assert.ok(told);
  // sent again as often as the row says and no more
  const done = await until('the repetition', async () => { const x = (await releases(duty, id))[0].receipts.find((y) => y.person === ent.me.id); return x.sent === 2 && !x.next_at && x; });
  assert.equal(done.confirmed_at, undefined);
  assert.ok((await ent.ok_get('/api/v1/notices')).items.some((n) => n.record === id && /再次提醒/.test(n.text.zh)));
  await bureau.ok_post(`/api/v1/records/warning/${id}/receipt`, {});
  const history = (await duty.ok_get(`/api/v1/records/warning/${id}/history`)).items.map((h) => h.action);
  for (const a of [/^release:\d+$/, /^receipts_late$/, /^receipt$/]) assert.ok(history.some((h) => a.test(h)), `${a} in ${history}`);
});

test('receipts that are due survive a restart', async () => {
  const id = await verified('配电室起火', { category: 'fire' });
  await publish(id);
  await s.kill();
  await s.spawn();
  [admin, bureau, duty, ent] = [admin, bureau, duty, ent].map((x) => s.again(x));
  await until('the next tier after the restart', async () => (await releases(duty, id))[0].tier === 1);
});

test('the time of validity ends before it is lifted: the duty officer is told once', async () => {
  const id = await verified('液位过高', { category: 'process' });
  await publish(id, { valid_until: rfc(Date.now() + 1200) });
  const ended = async () => (await duty.ok_get('/api/v1/notices?size=500')).items.filter((n) => n.record === id && /有效期已到/.test(n.text.zh));
  await until('the notice', async () => (await ended()).length === 1);
  await ok_move(duty, id, 'prolong', { valid_until: rfc(Date.now() + 7200e3), reason: '仍未恢复' });
  assert.equal((await releases(duty, id))[0].message, 'update');
  assert.equal((await ended()).length, 1);
});

test('CAP 1.2: in both languages, level and source say urgency, severity and certainty, updates refer to what they change', async () => {
  const ring = [[118.9, 33.1], [118.91, 33.1], [118.91, 33.11], [118.9, 33.1]];
  const id = await verified('苯泄漏');
  await publish(id, { level: 'orange', reach: { type: 'Polygon', coordinates: [ring] } });
  const alert = await cap(id);
  assert.equal(text(alert, 'msgType'), 'Alert');
  assert.equal(text(alert, 'status'), 'Actual');
  assert.equal(text(alert, 'references'), undefined);
  const infos = all(alert, 'info');
  assert.deepEqual(infos.map((i) => text(i, 'language')), ['zh-CN', 'en-US']);
  assert.deepEqual(infos.map((i) => text(i, 'event')), ['泄漏', 'Leak']);
  for (const i of infos) {
    assert.equal(text(i, 'severity'), 'Severe');
    assert.equal(text(i, 'urgency'), 'Immediate');
    assert.equal(text(i, 'certainty'), 'Likely');
    assert.equal(text(i, 'category'), 'CBRNE');
    assert.equal(text(all(i, 'area')[0], 'polygon'), '33.100000,118.900000 33.100000,118.910000 33.110000,118.910000 33.100000,118.900000');
    assert.ok(text(i, 'expires'));
  }
  assert.equal(text(infos[0], 'description'), '苯泄漏 <一级> & 二级', 'markup is escaped and comes back');
  assert.equal(text(infos[0], 'instruction'), '疏散并切断');

  await ok_move(duty, id, 'upgrade', { level: 'red', reason: '扩大' });
  const update = await cap(id);
  assert.equal(text(update, 'msgType'), 'Update');
  assert.equal(text(all(update, 'info')[0], 'severity'), 'Extreme');
  const triple = (a) => [text(a, 'sender'), text(a, 'identifier'), text(a, 'sent')].join(',');
  assert.equal(text(update, 'references'), triple(alert));
  assert.equal(triple(await cap(id, 1)), triple(alert), 'what was said stays as it was said');
  assert.equal(text(all(await cap(id, 1), 'info')[0], 'severity'), 'Severe');

  await ok_move(duty, id, 'revoke', { false_cause: 'sensor', reason: '传感器故障' });
  const cancel = await cap(id);
  assert.equal(text(cancel, 'msgType'), 'Cancel');
  assert.equal(text(cancel, 'references'), `${triple(alert)} ${triple(update)}`);
  assert.equal(text(all(cancel, 'info')[0], 'responseType'), 'AllClear');
  assert.equal((await duty.get(`/api/v1/records/warning/${id}/cap?seq=9`)).status, 404);

  // without an outline a circle around what it is about; an exercise says so
  const other = await verified('演练泄漏');
  await publish(other, { exercise: true, reach_m: 500 });
  const drill = await cap(other);
  assert.equal(text(drill, 'status'), 'Exercise');
  assert.match(text(all(all(drill, 'info')[0], 'area')[0], 'circle'), /^33\.\d{6},11[89]\.\d{6} 0\.500$/);
});

test('one leak seen by several detectors of an installation is one warning with several alarms', async () => {
  const installation = (await bureau.ok_get('/api/v1/records/installation?size=1&sort=id')).items[0];
  const enterprise = installation.enterprise.id;
  const device = await bureau.ok_post('/api/v1/records/device', { code: 'LEAK-GW', name: '泄漏测试网关', enterprise, protocol: 'http' });
  const code = (i) => `LEAK-${i}`;
  for (let i = 0; i < 3; i++)
    await bureau.ok_post('/api/v1/records/point', { code: code(i), name: `探测器 ${i}`, device: device.id, enterprise, installation: installation.id, kind: 'combustible_gas', unit: '%LEL', h: 25, hh: 50, interval_s: 1 });
  const key = (await bureau.ok_post(`/api/v1/devices/${device.id}/key`, {})).key;
  await until('the point', async () => (await bureau.get(`/api/v1/points/${code(2)}`)).status === 200);
  const push = (i, v, from) => s.call('POST', '/api/v1/readings', Array.from({ length: 12 }, (_, k) => ({ point: code(i), time: rfc(from + k * 1000), value: v })), { headers: { Authorization: `Device LEAK-GW:${key}` } });
  const opened = (i) => until(`the warning of ${code(i)}`, async () => (await duty.ok_get('/api/v1/alarms?state=all&size=500')).items.find((a) => a.point.code === code(i) && a.opened)?.opened.id);
  const t0 = Date.now() - 60e3;
  await push(0, 30, t0);
  const id = await opened(0);
  const first = await duty.ok_get(`/api/v1/records/warning/${id}`);
  assert.equal(first.category, 'leak');
  assert.equal(first.level, 'orange');
  await push(1, 60, t0 + 15e3);
  assert.equal(await opened(1), id, 'the same warning');
  await push(2, 30, t0 + 30e3);
  assert.equal(await opened(2), id);
  const w = await duty.ok_get(`/api/v1/records/warning/${id}`);
  assert.equal(w.level, 'red', 'before it is released it has the level of its highest alarm');
  const thread = (await duty.ok_get(`/api/v1/thread/${w.thread}`)).items.filter((x) => x.kind === 'alarm');
  assert.equal(thread.length, 3);
  assert.equal((await duty.ok_get(`/api/v1/records/warning/${id}/history`)).items.filter((h) => h.action === 'joined').length, 2);
});

test('each department of the matrix gets its task with a deadline; a receipt does not finish it, what is late climbs, an upgrade gives it once', async () => {
  const [dep] = (await bureau.ok_get('/api/v1/records/organisation?size=1&sort=id')).items;
  const rule = { name: '扬尘响应任务', categories: ['dust'], levels: ['orange', 'red'], tier: 0, organisations: [dep.id], wait: 60, times: 1 };
  assert.equal((await bureau.post('/api/v1/records/release_rule', { ...rule, task: '到场核查' })).json.error.field, 'task', 'a task needs its time');
  await bureau.ok_post('/api/v1/records/release_rule', { ...rule, task: '到场核查除尘系统，督促停产清灰', task_within: 0.03 });
  const id = await verified('粉尘浓度超限', { category: 'dust' });
  await publish(id);
  const tasks = async () => (await bureau.ok_get(`/api/v1/records/warning_task?where.warning=${id}`)).items;
  const [one, ...more] = await tasks();
  assert.equal(more.length, 0);
  assert.equal(one.organisation.id, dep.id);
  assert.equal(one.state, 'assigned');
  assert.match(one.task, /督促停产清灰/);
  assert.equal(Date.parse(one.due), Date.parse(one.deadline));
  const [r] = await releases(duty, id);
  const staff = (await bureau.ok_get('/api/v1/records/person?size=500')).items.filter((p) => p.organisation?.id === dep.id);
  assert.ok(staff.length && r.receipts.some((x) => x.person === staff[0].id), 'they owe a receipt too');
  await until('it to climb', async () => (await tasks())[0].escalated >= 1);
  assert.ok((await bureau.ok_get('/api/v1/records/warning_task?list=late')).items.some((x) => x.id === one.id));
  await ok_move(duty, id, 'upgrade', { level: 'red', reason: '扩大', valid_until: rfc(Date.now() + 3600e3) });
  assert.equal((await tasks()).length, 1, 'a task that is open is not given again');
  await bureau.ok_post(`/api/v1/records/warning_task/${one.id}/moves/drop`, { reason: '已由属地完成' });
  await ok_move(duty, id, 'prolong', { reason: '延长', valid_until: rfc(Date.now() + 7200e3) });
  assert.equal((await tasks()).length, 2, 'one that is over is');
});
