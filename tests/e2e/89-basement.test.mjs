// The inspector in a basement. He takes his work along, the network goes, he does several steps in several records with a picture and a
// hazard found on the spot, reloads the page, restarts the phone's browser; his clock is an hour wrong. The network comes back half-way: his session is
// over, an answer is lost, a step lacks something, somebody else was faster. In the end everything is there once, in order, with both times.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { Person, watched } from '../lib/browser.mjs';

const R = '/api/v1/records', PASSWORD = 'Anlan-2026-cellar', HOUR = 3600e3;
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const ANYWHERE = { latitude: 30.5, longitude: 120.5 };
let s, bureau, admin, a, b, login, phone, held;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [], copied: true });
  await logins();
  a = (await bureau.ok_get(`${R}/enforcement_check?size=20`)).items.find((x) => x.state === 'planned' && x.officer_1);
  const officer = (await bureau.ok_get(`${R}/enforcement_officer/${a.officer_1.id}`)).person;
  login = (await admin.ok_get(`${R}/person/${officer.id}`)).login;
  await admin.ok_post('/api/v1/password', { person: officer.id, new: PASSWORD });
  b = await bureau.ok_post(`${R}/enforcement_check`, { title: '地下车库消防检查', enterprise: a.enterprise.id, planned: new Date(Date.now() + 8 * HOUR).toISOString().slice(0, 10), officer_1: a.officer_1.id, officer_2: a.officer_2.id });
  phone = mkdtempSync(join(tmpdir(), 'anlan-phone-'));
});
after(async () => { await held?.close().catch(() => {}); await s?.stop(); rmSync(phone, { recursive: true, force: true }); });
const orders = async () => (await bureau.ok_get(`${R}/correction_order?where.check=${a.id}`)).items;
const logins = async () => { [bureau, admin] = [await s.as('bureau'), await s.as('admin')]; };

const shot = (p, n) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/basement-${n}.png` });
const confirm = (p) => p.page.locator('.el-dialog:visible [data-test="save"]').tap();
const check = (c) => bureau.ok_get(`${R}/enforcement_check/${c.id}`);
const history = async (type, id) => (await bureau.ok_get(`${R}/${type}/${id}/history`)).items.sort((x, y) => x.seq - y.seq);

// The same phone each time it is taken out of the pocket; its clock is an hour slow.
async function takeOut(offline) {
  const p = held = await Person.own(phone, s, { offline });
  await p.context.addInitScript((off) => {
    const Real = Date;
    window.Date = class extends Real {
      constructor(...x) { super(...(x.length ? x : [Real.now() - off])); }
      static now() { return Real.now() - off; }
    };
  }, HOUR);
  await p.context.grantPermissions(['geolocation']);
  await p.context.setGeolocation(ANYWHERE);
  p.expected.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_CONNECTION|ERR_NETWORK|ERR_INCOMPLETE_CHUNKED_ENCODING/, /40[19] |422 /);
  await p.page.close();
  p.page = await p.context.newPage(); // with the clock
  for (const on of ['pageerror', 'console']) p.page.on(on, (m) => { if (on === 'pageerror' || m.type() === 'error') p.trouble.push(on === 'pageerror' ? `exception: ${m.message}` : `console: ${m.text()} ${m.location().url}`); });
  return p;
}
async function logIn(p) {
  await p.test('login-name').fill(login);
  await p.test('login-password').fill(PASSWORD);
  await p.page.keyboard.press('Enter');
  await p.at(/^\/(?!login)/);
}
async function begin(p, c) {
  await p.go(`/records/enforcement_check/${c.id}`);
  await p.test('move-start').tap();
  await p.test('field-position-here').tap();
  await confirm(p);
  await p.state('现场检查中');
}

test('everything that was done in the basement is there once, in order, with the time it was done and the time it came', { timeout: 1200000 }, async () => {
  const before = (await orders()).length, done = {}; // when the officer really did it, by a sound clock
  let p = await takeOut(false);
  await watched([p], 'basement-out', async () => {
    await p.page.goto('/login');
    await logIn(p);
    await p.go('/work');
    await p.test('carry').tap();
    await p.page.locator('[data-test="carry"]', { hasText: '已带到现场' }).waitFor({ timeout: 600000 });
    await shot(p, '1-carried');

    await p.context.setOffline(true); // no signal, and there is no server either
    await s.kill('SIGKILL');
    await begin(p, a);
    done['move:start'] = Date.now();
    assert.equal(await p.test('move-start').count(), 0, 'a step that was done is not offered again');
    await p.page.reload();
    await p.state('现场检查中');
    await p.test('record-waits').waitFor();
    await p.test('move-record').tap();
    await p.page.locator('.el-dialog:visible').waitFor();
    await p.fill('record', '储罐区通道被占');
    await p.fill('outcome', 'order');
    await p.test('field-attended-add').tap();
    await p.test('field-attended-0-name').fill('曹永军');
    await p.test('field-attended-0-post').fill('安全管理员');
    await p.test('field-attended-0-signed').tap();
    await p.test('field-problems-add').tap();
    await p.test('field-problems-0-title').fill('消防通道堆放油桶');
    await shot(p, '2-record');
    await confirm(p); // without a picture: only the server knows that one is needed
    await p.state('待处理');
    done['move:record'] = Date.now();

    await p.go('/records/hazard/new');
    await p.fill('title', '地下室排水泵停用');
    await p.fill('enterprise', '安澜');
    await p.page.locator('.el-select-dropdown__item:visible').first().tap();
    await p.page.locator('[data-test="field-before_photos"] input[type="file"]').first().setInputFiles({ name: 'pump.png', mimeType: 'image/png', buffer: PICTURE });
    await p.row('file-row', 'pump').waitFor();
    await p.test('save').tap();
    await p.row('outbox-row', '地下室排水泵停用').waitFor();
    done.create = Date.now();
    p.clean();
  });
  await p.close();

  await s.spawn(); // the server is there again; the phone does not know
  await logins();
  p = await takeOut(true); // its browser was ended and has no signal
  await watched([p], 'basement-again', async () => {
    await p.go(`/records/enforcement_check/${a.id}`);
    await p.state('待处理');
    await p.test('move-order').tap();
    await confirm(p);
    await p.state('已办结');
    done['move:order'] = Date.now();
    await begin(p, b);
    await p.go('/outbox');
    assert.equal(await p.test('outbox-row').count(), 5);
    assert.equal((await check(a)).state, 'planned', 'nothing has arrived');
    await shot(p, '3-outbox');
    const now = await check(b); // meanwhile, at a desk
    await bureau.ok_patch(`${R}/enforcement_check/${b.id}`, { version: now.version, feedback: '已与企业沟通' });

    let lost = 0;
    await p.page.route('**/api/v1/records/hazard', async (route) => {
      if (route.request().method() !== 'POST' || lost++) return route.continue();
      await route.fetch(); // it arrives, its answer does not
      await route.abort();
    });
    await p.context.setOffline(false);
    await p.at('/login'); // the session ended with the browser
    await p.test('login-waits').waitFor();
    await shot(p, '4-login');
    await logIn(p);
    await p.go('/outbox');
    await p.row('outbox-row', '地下室排水泵停用').waitFor({ state: 'detached', timeout: 180000 });
    assert.ok(lost >= 2, 'it was sent again');

    const record = p.row('outbox-row', '完成现场记录'), other = p.row('outbox-row', '地下车库消防检查');
    await record.getByText('还缺现场照片或音视频').waitFor();
    await other.getByText('这条记录已被别人修改').waitFor();
    await p.row('outbox-row', '责令限期整改').getByText('等前一步').waitFor();
    assert.equal(await p.test('outbox-row').count(), 3);
    await shot(p, '5-refused');

    await record.locator('[data-test="outbox-mend"]').tap();
    await p.page.locator('.el-dialog:visible').waitFor();
    assert.equal(await p.test('field-attended-0-name').inputValue(), '曹永军', 'what was typed is there');
    await p.page.locator('[data-test="field-photos"] input[type="file"]').first().setInputFiles({ name: 'gate.png', mimeType: 'image/png', buffer: PICTURE });
    await p.row('file-row', 'gate').waitFor();
    await confirm(p);
    await until('the step behind it to follow by itself', async () => (await check(a)).state === 'done');

    await p.go('/outbox');
    await other.locator('[data-test="outbox-mend"]').tap();
    await p.page.locator('.el-dialog:visible').waitFor();
    await confirm(p);
    await p.state('现场检查中');
    await p.go('/outbox');
    assert.equal(await p.test('outbox-row').count(), 0);
    await p.go(`/records/enforcement_check/${a.id}`);
    await p.test('history-done').first().waitFor();
    await p.test('history-done').first().scrollIntoViewIfNeeded();
    await shot(p, '6-history');
    p.clean();
  });
  await p.close();

  const about = (what, at, real) => assert.ok(Math.abs(Date.parse(at) - real) < 60e3, `${what}: ${at} is not ${new Date(real).toISOString()}`);
  const one = await check(a), steps = (await history('enforcement_check', a.id)).filter((h) => h.action.startsWith('move:'));
  assert.deepEqual(steps.map((h) => h.action), ['move:start', 'move:record', 'move:order'], 'each once, in order');
  for (const h of steps) {
    about(h.action, h.detail._done, done[h.action]);
    assert.ok(Date.parse(h.at) >= Date.parse(h.detail._done), 'it came after it was done');
  }
  about('when the check began', one.visited, done['move:start']);
  about('when it ended', one.left, done['move:record']);
  assert.deepEqual([one.record, one.photos.length, one.problems.length, one.attended[0].name, one.attended[0].signed], ['储罐区通道被占', 1, 1, '曹永军', true]);
  assert.deepEqual(one.position, [ANYWHERE.longitude, ANYWHERE.latitude]);
  const [made, ...more] = (await bureau.ok_get(`${R}/hazard?q=${encodeURIComponent('地下室排水泵停用')}`)).items;
  assert.deepEqual([more.length, made.before_photos.length], [0, 1]);
  about('when the hazard was found', made.found, done.create);
  about('the entry of the hazard', (await history('hazard', made.id))[0].detail._done, done.create);
  assert.equal((await bureau.ok_get(`${R}/hazard?q=${encodeURIComponent('消防通道堆放油桶')}`)).items.length, 1, 'opened once');
  assert.equal((await orders()).length, before + 1, 'one order');
  const two = await check(b);
  assert.deepEqual([two.state, two.feedback], ['site', '已与企业沟通'], 'what the other wrote stays');
  assert.equal((await history('enforcement_check', b.id)).filter((h) => h.action === 'move:start').length, 1);
});
