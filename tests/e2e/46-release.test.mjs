// A warning's releases on its page, and the load of alarms: in both languages and at both sizes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { DESK, openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, duty, ent, id;
const shot = (p, name) => process.env.ANLAN_SHOTS && p.page.screenshot({ path: `${process.env.ANLAN_SHOTS}/${name}.png`, fullPage: false });

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  [duty, ent] = await Promise.all(['duty', 'enterprise'].map((r) => s.as(r)));
  const w = await duty.ok_post('/api/v1/records/warning', { title: '氯气泄漏', level: 'red', category: 'leak', enterprise: ent.me.enterprise.id, content: '管廊氯气泄漏' });
  id = w.id;
  for (const [name, body] of [['verify', {}], ['publish', { verify_note: '属实', control_plan: '疏散并切断', valid_until: new Date(Date.now() + 3600e3).toISOString() }]])
    await duty.ok_post(`/api/v1/records/warning/${id}/moves/${name}`, body);
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await s?.stop(); });

test('the enterprise confirms on the page, the duty officer sees it and takes the files home', { timeout: 120000 }, async () => {
  const e = await Person.open(browser, s, { size: PHONE });
  const d = await Person.open(browser, s, { lang: 'en', size: DESK });
  await watched([e, d], 'release', async () => {
    await e.be('enterprise');
    await e.go(`/records/warning/${id}`);
    await e.test('rel-mine').waitFor();
    await shot(e, 'release-phone-zh');
    const w = await e.width();
    assert.ok(w.page <= w.window && w.main <= 0, 'nothing hangs over the side of a phone');
    await e.test('rel-note').locator('input').or(e.page.locator('input[data-test="rel-note"]')).first().fill('已通知班长');
    await e.test('rel-confirm').click();
    await e.test('rel-mine').waitFor({ state: 'detached' });
    await d.be('duty');
    await d.go(`/records/warning/${id}`);
    await d.test('release-1').waitFor();
    await until('the receipt', async () => /Confirmed/.test(await d.test('release-1').innerText()));
    assert.match(await d.test('release-1').innerText(), /已通知班长/);
    await shot(d, 'release-desk-en');
    for (const [button, name] of [['rel-csv', /receipts\.csv$/], ['rel-cap', /\.xml$/]]) {
      const [file] = await Promise.all([d.page.waitForEvent('download'), d.test(button).first().click()]);
      assert.match(file.suggestedFilename(), name);
    }
  });
});

test('the load of alarms has a page', { timeout: 120000 }, async () => {
  const p = await Person.open(browser, s, { size: DESK });
  const q = await Person.open(browser, s, { lang: 'en', size: PHONE });
  await watched([p, q], 'load', async () => {
    for (const [x, name] of [[p, 'load-desk-zh'], [q, 'load-phone-en']]) {
      await x.be('duty');
      await x.go('/alarms/load');
      await x.test('kpi-per_hour').waitFor();
      await x.test('kpi-by-area').click();
      await shot(x, name);
      const w = await x.width();
      assert.ok(w.page <= w.window && w.main <= 0, `${name}: ${JSON.stringify(w)}`);
    }
  });
});
