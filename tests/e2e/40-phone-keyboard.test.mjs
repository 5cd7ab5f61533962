// On the phone, and without a mouse; what the keepers of the platform see.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, made;
const push = (rows, key = made.key) => s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device HAND-GW:${key}` } });
function overfill(code) {
  const t0 = Date.now() - 45e3;
  return push(Array.from({ length: 40 }, (_, i) => ({ point: code, time: new Date(t0 + i * 1000).toISOString(), value: i < 10 ? 70 : 95 })));
}
const openAlarm = (code) => until(`the alarm of ${code}`, async () => (await made.bureau.ok_get('/api/v1/alarms')).items.find((a) => a.point.code === code && a.opened));

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  made = await makeDevice(s, { code: 'HAND-GW', protocol: 'http', points: ['HAND-1', 'HAND-2'].map((code) => ({ code, kind: 'level', unit: '%', h: 80, hh: 90 })) });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('phone: login, tabs, acknowledge, a step of the warning', { timeout: 900000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  await watched([p], 'phone', async () => {
    await p.be('duty');
    for (const page of ['map', 'alarms', 'duties', 'registers', 'me']) await p.test(`nav-${page}`).waitFor();
    await p.test('nav-alarms').tap();
    await p.at(/^\/alarms/);
    await overfill('HAND-1');
    const row = p.row('alarm-row', 'HAND-1').first();
    await row.waitFor();
    await row.locator('button').first().tap();
    await p.test('alarm-ack').tap();
    await p.row('alarm-state', '已确认').waitFor();
    const alarm = await openAlarm('HAND-1');
    await p.go(`/alarms/${alarm.id}`);
    await p.test('alarm-opened').tap();
    await p.state('触发');
    // the step lies under the thumb: at the bottom of the window, over the tabs
    const box = await p.test('move-verify').boundingBox();
    assert.ok(box.y > PHONE.height / 2 && box.y + box.height < PHONE.height, 'in reach of the thumb');
    assert.ok(box.height >= 44, 'big enough to hit');
    await p.move('verify', { verify_note: '现场确认' }, '核实');
    const w = await p.width();
    assert.ok(w.page <= w.window && w.main <= 0);
    p.clean();
  });
  await p.close();
});

test('phone: somebody reports a danger without logging in, and asks with the receipt what became of it', { timeout: 900000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  await p.page.goto('/report');
  await p.test('report-kind-hazard').check();
  assert.ok(await p.test('report-send').isDisabled(), 'not before it says what and where');
  await p.test('report-content').fill('楼道里堆放油漆桶');
  await p.test('report-area').selectOption('990121101000');
  const picture = await p.page.evaluate(() => Object.assign(document.createElement('canvas'), { width: 40, height: 30 }).toDataURL('image/png').split(',')[1]);
  await p.test('report-photo').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64') });
  await p.page.locator('.photos img').waitFor();
  await p.page.locator('summary').tap();
  await p.test('report-name').fill('欧阳手机');
  for (const box of [await p.test('report-send').boundingBox(), await p.page.locator('.kinds label').first().boundingBox()]) assert.ok(box.height >= 44, 'big enough to hit');
  await p.test('report-send').tap();
  const receipt = (await p.test('report-receipt').textContent()).trim();
  await p.test('report-ask').tap();
  await p.test('report-receipt-in').fill(receipt.toLowerCase());
  await p.test('report-find').tap();
  await p.row('report-found', '待受理').waitFor();
  const w = await p.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(w[0] <= w[1], 'nothing to push sideways');
  assert.ok(!JSON.stringify(await p.page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }])).includes('欧阳'), 'the phone keeps nothing');
  p.clean();
  await p.close();
  const keeper = await Person.open(browser, s);
  await keeper.be('seal');
  const report = (await made.bureau.ok_get('/api/v1/records/danger_report?where.channel=web')).items[0];
  await keeper.page.goto(`/records/danger_report/${report.id}`);
  await keeper.test('seal-open').click();
  await keeper.page.locator('.el-message-box input').fill('核对领取奖励的人');
  await keeper.page.locator('.el-message-box .el-button--primary').click();
  await keeper.page.locator('[data-test=seal]', { hasText: '欧阳手机' }).waitFor();
  keeper.clean();
  await keeper.close();
});

test('keyboard only: log in and acknowledge the alarm', { timeout: 900000 }, async () => {
  const admin = await s.as('admin');
  const duty = (await admin.ok_get('/api/v1/records/person?q=duty&size=20')).items.find((x) => x.login === 'duty');
  await admin.ok_post('/api/v1/password', { person: duty.id, new: 'Night-watch-2026' });
  await overfill('HAND-2');
  await openAlarm('HAND-2');
  const p = await Person.open(browser, s);
  p.expected.push(/401 .*\/api\/v1\/login$/);
  await watched([p], 'keyboard', async () => {
    const key = (...keys) => keys.reduce((before, k) => before.then(() => p.page.keyboard.press(k)), Promise.resolve());
    const focused = () => p.page.evaluate(() => { const e = document.activeElement; return { test: e.closest('[data-test]')?.dataset.test ?? '', text: e.innerText ?? '', ring: getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e).boxShadow !== 'none' || !!e.closest('.is-focus') }; });
    await p.page.goto('/login');
    await until('the name to have the focus', async () => (await focused()).test === 'login-name');
    await p.page.keyboard.type('duty');
    await key('Tab');
    await until('the password to have the focus', async () => (await focused()).test === 'login-password');
    await p.page.keyboard.type('wrong-password');
    await key('Enter');
    await p.test('login-error').getByText(/./).first().waitFor();
    await key('Control+A');
    await p.page.keyboard.type('Night-watch-2026');
    await key('Enter');
    await p.at(/^\/(?!login)/);

    const tabTo = async (what, fits) => {
      for (let i = 0; i < 120; i++) {
        await key('Tab');
        const at = await focused();
        if (fits(at)) {
          assert.ok(at.ring, `one sees where the focus is: ${what}`);
          return;
        }
      }
      assert.fail(`Tab does not reach ${what}`);
    };
    await p.test('nav-alarms').waitFor();
    await tabTo('the alarms', (x) => x.test === 'nav-alarms');
    await key('Enter');
    await p.at(/^\/alarms\/\d+/);
    await p.test('alarm-ack').waitFor();
    await tabTo('acknowledge', (x) => x.test === 'alarm-ack' || x.test === 'row-ack');
    await key('Enter');
    await until('the alarm to be acknowledged', async () => (await made.bureau.ok_get('/api/v1/alarms?state=all')).items.some((a) => a.point.code === 'HAND-2' && a.acked));
    p.clean();
  });
  await p.close();
});

test('device health shows who is refused and why; the audit chain is green', { timeout: 900000 }, async () => {
  await push([{ point: 'NO-SUCH-POINT', time: new Date().toISOString(), value: 1 }]);
  await push([{ point: 'HAND-1', time: 'yesterday', value: 1 }]);
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'health', async () => {
    await p.test('nav-devices').click();
    await p.test('device-search').fill('HAND-GW'); // others may come before it meanwhile
    const row = p.row('device-row', 'HAND-GW').filter({ hasText: '拒收' });
    await row.waitFor();
    assert.match(await row.innerText(), /拒收[\s\S]*[\u4e00-\u9fff]/);
    p.clean();
  });
  await p.close();

  const auditor = await (await Person.open(browser, s)).be('auditor');
  await watched([auditor], 'audit', async () => {
    await auditor.test('audit-row').first().waitFor();
    await auditor.test('audit-verify').click();
    const verdict = auditor.test('audit-verdict');
    await verdict.waitFor();
    assert.match(await verdict.innerText(), /校验通过/);
    assert.ok(!(await verdict.getAttribute('class')).includes('bad'));
    auditor.clean();
  });
  await auditor.close();
});
