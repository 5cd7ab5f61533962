// On a phone where there is no signal: one step after the other is done, the phone is closed in between, and when the signal is back each
// is there once, in its order; what somebody else did meanwhile is said, and nothing that was typed is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

const R = '/api/v1/records', PASSWORD = 'Anlan-2026-cellar';
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const ANYWHERE = { latitude: 30.5, longitude: 120.5 };
let s, browser, bureau, check, login;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  bureau = await s.as('bureau');
  check = (await bureau.ok_get(`${R}/enforcement_check?size=20`)).items.find((x) => x.state === 'planned');
  const officer = (await bureau.ok_get(`${R}/enforcement_officer/${check.officer_1.id}`)).person, admin = await s.as('admin');
  login = (await admin.ok_get(`${R}/person/${officer.id}`)).login;
  await admin.ok_post('/api/v1/password', { person: officer.id, new: PASSWORD });
});
after(async () => { await browser?.close(); await s?.stop(); });

const shot = (p, n) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/site-${n}.png` });
const confirm = (p) => p.page.locator('.el-dialog:visible [data-test="save"]').tap();
// Logged in, where he is known, his work taken along.
async function begin(p) {
  await p.context.grantPermissions(['geolocation']);
  await p.context.setGeolocation(ANYWHERE);
  p.expected.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  await p.page.goto('/login');
  await p.test('login-name').fill(login);
  await p.test('login-password').fill(PASSWORD);
  await p.page.keyboard.press('Enter');
  await p.at(/^\/(?!login)/);
  await p.go('/work');
  await p.test('carry').tap();
  await p.page.locator('[data-test="carry"]', { hasText: '已带到现场' }).waitFor({ timeout: 600000 });
}

test('an officer without signal: begins a check, completes its record, the phone is closed in between; both steps arrive, once', { timeout: 900000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  await watched([p], 'site-check', async () => {
    await begin(p);
    await p.context.setOffline(true);
    await p.go(`/records/enforcement_check/${check.id}`);
    await p.test('move-start').tap();
    await p.test('field-position-here').tap();
    await confirm(p);
    await p.state('现场检查中');
    await p.test('record-waits').waitFor();
    assert.equal(await p.test('move-start').count(), 0, 'a step that was done is not offered again');
    await shot(p, 'ahead');

    await p.page.goto('about:blank'); // the phone is put away; the page comes from the device when it is opened again
    await p.go(`/records/enforcement_check/${check.id}`);
    await p.state('现场检查中');
    await p.test('move-record').tap();
    const dialog = p.page.locator('.el-dialog:visible');
    await dialog.waitFor();
    await p.fill('record', '储罐区通道被占');
    await p.fill('outcome', 'order');
    await p.test('field-attended-add').tap();
    await p.test('field-attended-0-name').fill('曹永军');
    await confirm(p);
    await p.page.getByText('第 1 行：请填写职务').waitFor(); // said here and now, not when the signal is back
    await p.test('field-attended-0-post').fill('安全管理员');
    await p.page.locator('[data-test="field-photos"] input[type="file"]').first().setInputFiles({ name: 'gate.png', mimeType: 'image/png', buffer: PICTURE });
    await p.row('file-row', 'gate').waitFor();
    await p.test('field-problems-add').tap();
    await p.test('field-problems-0-title').fill('消防通道堆放油桶');
    await shot(p, 'record');
    await confirm(p);
    await p.state('待处理');
    assert.equal((await bureau.ok_get(`${R}/enforcement_check/${check.id}`)).state, 'planned');
    await p.go('/outbox');
    assert.equal(await p.test('outbox-row').count(), 2);
    await p.go('/records/enterprise/2');
    await p.test('not-here').waitFor();
    await shot(p, 'nothere');

    await p.go('/outbox');
    await p.context.setOffline(false);
    await p.test('outbox-row').first().waitFor({ state: 'detached', timeout: 90000 });
    const done = await until('both steps', async () => { const r = await bureau.ok_get(`${R}/enforcement_check/${check.id}`); return r.state === 'handling' && r; });
    assert.deepEqual([done.record, done.photos.length, done.problems.length, done.attended[0].name], ['储罐区通道被占', 1, 1, '曹永军']);
    assert.deepEqual(done.position, [ANYWHERE.longitude, ANYWHERE.latitude]);
    const opened = (await bureau.ok_get(`${R}/hazard?q=${encodeURIComponent('消防通道堆放油桶')}`)).items;
    assert.equal(opened.length, 1, 'the hazard is opened once');
    p.clean();
  });
  await p.close();
});

test('the signal breaks between sending and answer: the hazard is there once; a step on what another changed is refused, said, and mended', { timeout: 900000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  p.expected.push(/409/);
  await watched([p], 'site-conflict', async () => {
    await begin(p);
    await p.context.setOffline(true);
    await p.go('/records/hazard/new');
    await p.fill('title', '应答丢失的隐患');
    await p.fill('enterprise', '安澜');
    await p.page.locator('.el-select-dropdown__item:visible').first().click();
    await p.page.locator('[data-test="field-before_photos"] input[type="file"]').first().setInputFiles({ name: 'cellar.png', mimeType: 'image/png', buffer: PICTURE });
    await p.row('file-row', 'cellar').waitFor();
    await p.test('save').tap();
    await p.row('outbox-row', '应答丢失的隐患').waitFor();
    await p.go(`/records/enforcement_check/${check.id}`);
    await p.test('move-order').tap();
    await confirm(p);
    await p.state('已办结');
    const now = await bureau.ok_get(`${R}/enforcement_check/${check.id}`); // meanwhile, at a desk
    assert.equal((await bureau.patch(`${R}/enforcement_check/${check.id}`, { version: now.version, feedback: '已与企业沟通' })).status, 200);

    let broken = 0;
    await p.page.route('**/api/v1/records/hazard', async (route) => {
      if (route.request().method() !== 'POST' || broken++) return route.continue();
      await route.fetch(); // it arrives, its answer does not
      await route.abort();
    });
    await p.go('/outbox');
    await p.context.setOffline(false);
    await p.row('outbox-row', '应答丢失的隐患').waitFor({ state: 'detached', timeout: 120000 });
    assert.ok(broken >= 2, 'it was sent again');
    const found = (await bureau.ok_get(`${R}/hazard?q=${encodeURIComponent('应答丢失的隐患')}`)).items;
    assert.equal(found.length, 1, 'and is there once');

    const row = p.row('outbox-row', '责令限期整改');
    await row.locator('.bad').waitFor();
    await row.getByText('多半是别人先改了这条记录').waitFor();
    await shot(p, 'refused');
    await p.go(`/records/enforcement_check/${check.id}`);
    await p.state('待处理'); // what was refused has not happened
    await p.test('record-waits').tap();
    await row.locator('[data-test="outbox-mend"]').tap();
    await p.page.locator('.el-dialog:visible').waitFor();
    await confirm(p);
    await p.state('已办结');
    assert.equal((await bureau.ok_get(`${R}/enforcement_check/${check.id}`)).feedback, '已与企业沟通', 'what the other wrote stays');
    await p.go('/outbox');
    assert.equal(await p.test('outbox-row').count(), 0);
    p.clean();
  });
  await p.close();
});
