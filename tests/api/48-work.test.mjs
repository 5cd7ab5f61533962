// The work centre as people use it: boxes, more time, a step taken back, comments, acting for somebody on leave, schedules.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, town, firm, bureau, duty, admin, hazard;
const ok = async (p) => { const r = await p; assert.ok(r.status < 300, r.text); return r.json; };
const at = (id, what = '') => `/api/v1/records/hazard/${id}${what}`;
const has = async (who, box, id) => (await who.ok_get(`/api/v1/work?box=${box}&type=hazard&size=200`)).items.some((x) => x.id === id);
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const day = (n) => new Date(Date.now() + n * 864e5 + 8 * 36e5).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  [town, firm, bureau, duty, admin] = await Promise.all(['town', 'enterprise', 'bureau', 'duty', 'admin'].map((r) => s.as(r)));
  hazard = await ok(town.post('/api/v1/records/hazard', { title: '通道堵塞一号', enterprise: firm.me.enterprise.id }));
});
after(() => s.stop());

test('what waits, what I did, what I started', async () => {
  const before = await town.ok_get('/api/v1/work/counts');
  assert.ok(before.todo > 0 && before.started > 0, JSON.stringify(before));
  assert.ok(await has(town, 'started', hazard.id));
  assert.ok(!(await has(town, 'done', hazard.id)));
  await ok(town.post(at(hazard.id, '/moves/assign'), { requirement: '清理' }));
  assert.ok(await has(firm, 'todo', hazard.id));
  assert.ok(await has(town, 'done', hazard.id));
  const found = await town.ok_get(`/api/v1/work?box=done&q=${encodeURIComponent('堵塞一号')}`);
  assert.deepEqual(found.items.map((x) => x.id), [hazard.id]);
  assert.equal(found.items[0].what, 'assign');
  assert.equal((await town.get('/api/v1/work?box=nothing')).status, 400);
  await ok(firm.post(at(hazard.id, '/moves/accept'), { responsible: '王主任' }));
});

test('the demo county has a year behind it: its bureau begins with a day of work', async () => {
  const mine = (await bureau.ok_get('/api/v1/duties')).items;
  assert.ok(mine.length >= 10 && mine.length <= 40, `${mine.length} duties`);
  const unread = (await bureau.ok_get('/api/v1/notices?unread=1&size=500')).items;
  assert.ok(unread.length <= 60, `${unread.length} unread notices`);
  const classes = async (state) => (await bureau.ok_get(`/api/v1/records/enterprise_class?where.state=${state}&size=1`)).total;
  assert.ok(await classes('valid') > 20 * await classes('drafting'), 'most are done');
  const checks = (await bureau.ok_get('/api/v1/records/installation_check?where.state=done&size=5')).items;
  assert.ok(checks.length && checks.every((x) => x.checked && x.checkers.length));
});

test('the calendar knows deadlines and days that are worked', async () => {
  const row = await firm.ok_get(at(hazard.id));
  const on = new Date(Date.parse(row.deadline) + 8 * 36e5).toISOString().slice(0, 10);
  const c = await firm.ok_get(`/api/v1/work/calendar?month=${on.slice(0, 7)}`);
  assert.ok(c.days.find((d) => d.day === on).items.some((x) => x.id === hazard.id));
  const october = (await firm.ok_get('/api/v1/work/calendar?month=2026-10')).days;
  assert.equal(october.length, 31);
  assert.equal(october[0].workday, false, 'National Day');
  assert.equal(october[9].workday, true, 'a Saturday worked instead');
  assert.equal((await firm.get('/api/v1/work/calendar?month=2026-13')).status, 400);
});

test('what is late is counted with whose duty it is, within the rights of who asks', async () => {
  const [leader, office] = [await s.as('leader'), await s.as('committee')];
  const meeting = await ok(office.post('/api/v1/records/meeting', { title: '十月调度会', area: '990121000000' }));
  const before = await leader.ok_get('/api/v1/late');
  await ok(office.post('/api/v1/records/decision', { title: '逾期的议定事项', meeting: meeting.id, unit: '应急局', due: day(-2) }));
  const late = await leader.ok_get('/api/v1/late');
  assert.equal(late.total, before.total + 1);
  assert.equal(late.total, late.items.reduce((n, x) => n + x.n, 0));
  const one = late.items.find((x) => x.type === 'decision' && x.state === 'open');
  assert.ok(one.who.length > 1 && !one.enterprise && Date.parse(one.oldest) < Date.now(), JSON.stringify(one));
  for (const x of late.items) {
    const list = await leader.ok_get(`/api/v1/records/${x.type}?where.state.in=${x.state}&where.deadline.gt=2000-01-01T00:00:00Z&where.deadline.lt=${new Date().toISOString()}&size=1`);
    assert.equal(list.total, x.n, `${x.type} ${x.state}`);
  }
  assert.ok(!(await firm.ok_get('/api/v1/late')).items.some((x) => x.type === 'decision'), 'an enterprise sees its own');
});

test('packs name the lists of the county\'s day; who may not read a type is not told of it', async () => {
  const lists = async (who) => (await who.ok_get('/api/v1/types')).packs.flatMap((p) => p.today.map((x) => `${x.type}.${x.list}`));
  assert.ok((await lists(bureau)).includes('hazard.major_open'));
  assert.ok(!(await lists(firm)).includes('danger_report.open'), 'reports of dangers are not for enterprises');
});

test('more time is asked for, waits for somebody else, and moves the deadline', async () => {
  const old = (await firm.ok_get(at(hazard.id))).deadline;
  assert.equal((await firm.post(at(hazard.id, '/extension'), { until: day(1), reason: '早了' })).status, 400);
  assert.equal((await firm.post(at(hazard.id, '/extension'), { until: day(200), reason: '太久' })).status, 400);
  assert.equal((await town.post(at(hazard.id, '/extension'), { until: day(25), reason: '不是我' })).status, 403);
  const asked = await ok(firm.post(at(hazard.id, '/extension'), { until: day(25), reason: '缺配件' }));
  assert.equal((await firm.post(at(hazard.id, '/extension'), { until: day(26), reason: '又来' })).status, 409);
  const waiting = (await town.ok_get('/api/v1/work?box=todo&type=hazard&size=200')).items.find((x) => x.request === asked.id);
  assert.equal(waiting.id, hazard.id);
  assert.equal((await firm.post(at(hazard.id, `/extension/${asked.id}/approve`), {})).status, 403);
  await ok(town.post(at(hazard.id, `/extension/${asked.id}/approve`), { reason: '同意' }));
  const now = await firm.ok_get(at(hazard.id));
  assert.ok(Date.parse(now.deadline) > Date.parse(old));
  assert.equal(new Date(Date.parse(now.deadline) + 8 * 36e5).toISOString().slice(0, 10), day(25));
  const list = (await firm.ok_get(at(hazard.id, '/extension'))).items;
  assert.deepEqual([list[0].state, list[0].reason, list[0].answer], ['granted', '缺配件', '同意']);
  assert.ok((await firm.ok_get('/api/v1/notices?unread=1')).items.some((n) => n.kind === 'extension'));
});

test('comments: who may read the record reads and writes them; a mention only of who may read it', async () => {
  const c = await ok(firm.post(at(hazard.id, '/comments'), { text: '请看现场', mentions: [town.me.id] }));
  const [first] = (await town.ok_get(at(hazard.id, '/comments'))).items;
  assert.deepEqual([first.id, first.text, first.mentions[0].id], [c.id, '请看现场', town.me.id]);
  assert.ok((await town.ok_get('/api/v1/notices?unread=1')).items.some((n) => n.kind === 'mention' && n.record === hazard.id));
  assert.equal((await firm.post(at(hazard.id, '/comments'), { text: '你好', mentions: [admin.me.id] })).status, 400, 'the administrator has no business there');
  assert.equal((await firm.post(at(hazard.id, '/comments'), { text: ' ' })).status, 400);
  assert.equal((await admin.get(at(hazard.id, '/comments'))).status, 404);
});

test('acting for somebody on leave: his duties, both names, nothing of his own', async () => {
  const made = await ok(town.post('/api/v1/delegations', { to: duty.me.id, until: day(3), reason: '休假' }));
  const opt = { headers: { 'X-Anlan-For': String(town.me.id) } };
  const for_town = (m, path, body) => duty[m](path, body, opt);
  assert.equal((await for_town('ok_get', '/api/v1/me')).actor, duty.me.id);
  const h = await ok(for_town('post', '/api/v1/records/hazard', { title: '代办发现', enterprise: firm.me.enterprise.id }));
  assert.equal(h.created_by.id, town.me.id);
  await ok(for_town('post', at(h.id, '/moves/assign'), { requirement: '整改' }));
  const [last] = (await town.ok_get(at(h.id, '/history'))).items;
  assert.match(last.actor.title ?? last.actor_name ?? JSON.stringify(last), /（代 /);
  assert.ok(await has(town, 'done', h.id), 'it is done for the one on leave');
  for (const [m, path, body] of [['post', '/api/v1/password', { old: 'x', new: 'y' }], ['get', '/api/v1/sessions'], ['get', '/api/v1/tokens'], ['post', '/api/v1/delegations', { to: firm.me.id, until: day(1), reason: '转' }]])
    assert.equal((await for_town(m, path, body)).status, 403, path);
  assert.equal((await firm.get('/api/v1/me', undefined, opt)).status, 403, 'nobody else may');
  assert.equal((await admin.post('/api/v1/delegations', { to: duty.me.id, until: day(1), reason: '休假' })).status, 403);
  assert.equal((await town.post('/api/v1/delegations', { to: admin.me.id, until: day(1), reason: '休假' })).status, 400);
  const mine = (await town.ok_get('/api/v1/delegations')).items.find((d) => d.id === made.id);
  assert.ok(mine.in_force && mine.to.id === duty.me.id);
  await ok(town.post(`/api/v1/delegations/${made.id}/end`, {}));
  assert.equal((await for_town('get', '/api/v1/me')).status, 403);
});

test('separation of duties holds against both: who did it himself cannot accept it for somebody else', async () => {
  await ok(firm.post('/api/v1/delegations', { to: town.me.id, until: day(1), reason: '请镇里代填' }));
  const as_firm = { headers: { 'X-Anlan-For': String(firm.me.id) } };
  const h = await ok(town.post('/api/v1/records/hazard', { title: '自办自验', enterprise: firm.me.enterprise.id }));
  await ok(town.post(at(h.id, '/moves/assign'), { requirement: '整改' }));
  await ok(town.post(at(h.id, '/moves/accept'), { responsible: '代' }, as_firm));
  assert.equal((await town.ok_get(at(h.id))).fixer.id, firm.me.id);
  const r = await fetch(`${s.url}/api/v1/files?name=p.png`, { method: 'POST', body: png, headers: { Authorization: `Bearer ${firm.token}`, 'Content-Type': 'image/png' } });
  const done = await ok(firm.post(at(h.id, '/moves/done'), { measures: '已装', after_photos: [(await r.json()).id] }));
  assert.ok(done.moves.includes('withdraw'));
  assert.equal((await town.post(at(h.id, '/moves/close'), { check_note: '合格' })).status, 403, 'he is the one who took it on');
  assert.equal((await bureau.post(at(h.id, '/moves/reject'), { reason: '再看' })).status, 200);

  // and a step is taken back until somebody else has acted
  await ok(firm.post(at(h.id, '/moves/done'), { measures: '再装' }));
  const back = await ok(firm.post(at(h.id, '/moves/withdraw'), { reason: '照片不清' }));
  assert.equal(back.state, 'fixing');
  assert.equal((await firm.ok_get(at(h.id, '/history'))).items[0].action, 'withdraw');
  await ok(firm.post(at(h.id, '/moves/done'), { measures: '再装' }));
  await ok(bureau.patch(at(h.id), { version: (await bureau.ok_get(at(h.id))).version, place: '一号库' }));
  assert.equal((await firm.post(at(h.id, '/moves/withdraw'), {})).status, 403, 'the bureau has touched it');
});

test('schedules say what is there, done and missing', async () => {
  const all = await until('the schedules to have opened', async () => {
    const items = (await bureau.ok_get('/api/v1/schedules')).items;
    return items.length && items.some((x) => x.opened > 0) ? items : null;
  });
  for (const x of all) {
    assert.ok(x.period && x.subjects >= 0 && x.missing >= 0 && x.done <= x.opened, JSON.stringify(x));
    assert.equal(x.subjects - x.missing <= x.opened, true);
  }
});
