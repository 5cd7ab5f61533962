// A warning's releases on its page, and the load of alarms: in both languages and at both sizes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
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

test('the enterprise confirms on the page, the duty officer sees it and takes the files home', { timeout: 900000 }, async () => {
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

test('the load of alarms has a page', { timeout: 900000 }, async () => {
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

// Twelve tanks of one enterprise over their limit at once, one of them in a maintenance window, one shelved.
test('a flood says where and what came first; an alarm says why it exists; what is hidden has a page', { timeout: 900000 }, async () => {
  const rfc = (t) => new Date(t).toISOString(), now = Date.now();
  const d = await makeDevice(s, { code: 'FLOOD-GW', protocol: 'http', points: Array.from({ length: 14 }, (_, i) => ({ code: `FLOOD-${i}`, name: `洪水罐 ${i}`, kind: 'level', unit: '%', h: 80, hh: 90 })) });
  const w = await d.bureau.ok_post('/api/v1/records/maintenance_window', { name: '液位计校验', enterprise: d.enterprise.id, point: d.points[13].id, begins: rfc(now - 600e3), ends: rfc(now + 3600e3), why: '校验（虚构）', measures: '人工检尺' });
  await duty.ok_post(`/api/v1/records/maintenance_window/${w.id}/moves/approve`, {});
  await until('the window', async () => (await duty.ok_get('/api/v1/alarms/suppressed')).windows.length);
  const rows = d.points.flatMap((p, i) => [[0, 96], [60, 96], [120, 96]].map(([at, value]) => ({ point: p.code, time: rfc(now - 200e3 + at * 1000 + i * 100), value })));
  assert.equal((await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device FLOOD-GW:${d.key}` } })).status, 200);
  const mine = async () => (await duty.ok_get('/api/v1/alarms?size=500')).items.filter((a) => a.point.code.startsWith('FLOOD-'));
  await until('the alarms', async () => (await mine()).length === 14);
  const first = (await mine()).find((a) => a.point.code === 'FLOOD-0'), shelf = (await mine()).find((a) => a.point.code === 'FLOOD-5');
  await duty.ok_post(`/api/v1/alarms/${shelf.id}/shelve`, { reason: '仪表检修', until: '1h' });
  const p = await Person.open(browser, s, { size: DESK });
  const q = await Person.open(browser, s, { lang: 'en', size: PHONE });
  await watched([p, q], 'flood', async () => {
    for (const [x, name] of [[p, 'flood-desk-zh'], [q, 'flood-phone-en']]) {
      await x.be('duty');
      await x.go('/alarms');
      await x.test('flood').waitFor();
      assert.match(await x.test('flood').innerText(), /1[34]/);
      await shot(x, name);
      await x.test('first-out').first().click();
      await x.test('rationale').waitFor();
      assert.ok(x.page.url().endsWith(`/alarms/${first.id}`), 'the first of the place');
      assert.match(await x.test('rationale').innerText(), /冒罐/);
      await shot(x, name.replace('flood', 'rationale'));
      await x.go('/alarms/suppressed');
      await x.test('sup-windows').waitFor();
      assert.match(await x.test('sup-windows').innerText(), new RegExp(w.number));
      assert.match(await x.test('sup-window').innerText(), /洪水罐 13/);
      assert.match(await x.test('sup-shelf').innerText(), /洪水罐 5[^]*仪表检修/);
      await shot(x, name.replace('flood', 'suppressed'));
      const size = await x.width();
      assert.ok(size.page <= size.window && size.main <= 0, `${name}: ${JSON.stringify(size)}`);
    }
    await p.test('sup-window').locator('a').first().click();
    await p.test('alarm-hidden').waitFor();
    assert.match(await p.test('alarm-hidden').innerText(), /检修窗口.*校验/);
    await shot(p, 'hidden-desk-zh');
  });
});
