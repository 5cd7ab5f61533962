// A phone on a bad line: 50 kB/s, 800 ms there and back, and bursts in which nothing goes at all. Each press is answered on the screen at once,
// pressed twice it is done once, what was lost on the way is sent again under the same name, and nothing turns without an end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

const R = '/api/v1/records', SOON = 700; // ms: before anything can have come back over this line (800), on a loaded machine too; alone it is below 100
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
let s, browser, bureau, town, firm;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [], copied: true });
  browser = await openBrowser();
  [bureau, town, firm] = [await s.as('bureau'), await s.as('town'), await s.as('enterprise')];
});
after(async () => { await browser?.close(); await s?.stop(); });

async function onBadLine(p) {
  p.cdp = await p.context.newCDPSession(p.page);
  await p.cdp.send('Network.enable');
  p.line = (offline) => p.cdp.send('Network.emulateNetworkConditions', { offline, latency: 800, downloadThroughput: 50e3, uploadThroughput: 50e3 });
  await p.line(false);
  p.expected.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_NETWORK|ERR_INCOMPLETE_CHUNKED_ENCODING/);
  return p;
}
// Presses twice, as an impatient thumb does; how long until the page showed anything of it (ms).
const pressTwice = (p, name) => p.page.evaluate((n) => new Promise((done) => {
  const all = [...document.querySelectorAll(`[data-test="${n}"]`)].filter((e) => e.checkVisibility()), button = all[all.length - 1];
  const t0 = performance.now();
  const seen = new MutationObserver(() => (seen.disconnect(), done(performance.now() - t0)));
  seen.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  button.click();
  setTimeout(() => button.click(), 60);
  setTimeout(() => done(Infinity), 5000);
}), name);
const shot = (p, n) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/badline-${n}.png` });

test('somebody reports a danger with a picture: pressed twice, lost on the way, sent again, there once', { timeout: 600000 }, async () => {
  const p = await onBadLine(await Person.open(browser, s, { size: PHONE })), TEXT = '消防通道被货物堵住（差网络）';
  await watched([p], 'badline-report', async () => {
    await p.page.goto('/report', { waitUntil: 'commit' });
    await p.test('report-kind-hazard').check();
    await p.test('report-content').fill(TEXT);
    await p.test('report-area').selectOption('990121101000');
    const picture = await p.page.evaluate(() => Object.assign(document.createElement('canvas'), { width: 400, height: 300 }).toDataURL('image/png').split(',')[1]);
    await p.test('report-photo').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64') });
    await p.page.locator('.photos img').waitFor();
    let lost = 0;
    await p.page.route('**/public/reports', async (route) => {
      if (route.request().method() !== 'POST' || lost++) return route.continue();
      await route.fetch(); // it arrives, its answer does not
      await route.abort();
    });
    const ms = await pressTwice(p, 'report-send');
    assert.ok(ms < SOON, `answered after ${ms} ms`);
    await p.page.locator('.error', { hasText: /./ }).first().waitFor();
    assert.equal(lost, 1, 'one press was one sending');
    await shot(p, 'report-lost');
    await p.line(true);
    await p.test('report-send').tap();
    await p.page.locator('.error', { hasText: /网络/ }).first().waitFor();
    await p.line(false);
    await p.test('report-send').tap();
    await p.test('report-receipt').waitFor();
    assert.equal((await bureau.ok_get(`${R}/danger_report?where.channel=web&size=100`)).items.filter((x) => x.content?.includes('差网络')).length, 1);
    p.clean();
  });
  await p.close();
});

test('the enterprise files its self-inspection and a hidden danger: pressed twice each, there once', { timeout: 600000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  await watched([p], 'badline-firm', async () => {
    await p.be('enterprise');
    await onBadLine(p);
    for (const [type, title] of [['self_check', '车间自查（差网络）'], ['hazard', '电箱无盖（差网络）']]) {
      await p.page.goto(`/records/${type}/new`, { waitUntil: 'commit' });
      await p.test('field-title').waitFor();
      await p.fill('title', title);
      const enterprise = p.test('field-enterprise');
      if (await enterprise.count() && await enterprise.first().isVisible() && !(await enterprise.first().innerText()).trim() && !(await enterprise.locator('input').first().inputValue().catch(() => 'there'))) {
        await p.fill('enterprise', firm.me.enterprise?.title?.slice(0, 2) ?? '安澜');
        await p.page.locator('.el-select-dropdown__item:visible').first().tap();
      }
      await shot(p, type);
      const ms = await pressTwice(p, 'save');
      assert.ok(ms < SOON, `${type}: answered after ${ms} ms`);
      await p.at(new RegExp(`^/records/${type}/\\d+$`));
      const made = (await firm.ok_get(`${R}/${type}?q=${encodeURIComponent(title)}`)).items;
      assert.equal(made.length, 1, `${type} is there once`);
    }
    p.clean();
  });
  await p.close();
});

test('a code is scanned: the record opens over the bad line, also after a burst without any; the re-check is done once', { timeout: 600000 }, async () => {
  const move = (who, name, body) => who.ok_post(`${R}/hazard/${h.id}/moves/${name}`, body);
  const h = await firm.ok_post(`${R}/hazard`, { title: '护栏松动（差网络）', enterprise: firm.me.enterprise.id });
  await move(town, 'assign', { requirement: '加固护栏' });
  await move(firm, 'accept', { responsible: '王主任' });
  const after = await (await fetch(`${s.url}/api/v1/files?name=after.png&taken_at=${encodeURIComponent(new Date().toISOString())}&lon=120.5&lat=30.5`, { method: 'POST', headers: { Authorization: `Bearer ${firm.token}`, 'Content-Type': 'image/png' }, body: PICTURE })).json();
  await move(firm, 'done', { measures: '已加固', after_photos: [after.id] });
  const p = await Person.open(browser, s, { size: PHONE });
  await watched([p], 'badline-recheck', async () => {
    await p.be('town');
    await onBadLine(p);
    await p.page.goto(`/records/hazard/${h.id}`, { waitUntil: 'commit' }); // what the code on the door says
    await p.state('待验收');
    await p.test('move-close').tap();
    await p.page.locator('.el-dialog:visible').waitFor();
    await p.fill('check_note', '现场复查，已整改');
    await p.line(true);
    await p.page.locator('.el-dialog:visible [data-test="save"]').tap();
    await p.page.locator('.el-dialog:visible [role="alert"]').waitFor();
    await shot(p, 'recheck-lost');
    await p.line(false);
    const ms = await pressTwice(p, 'save');
    assert.ok(ms < SOON, `answered after ${ms} ms`);
    await p.state('已闭环');
    await until('the history', async () => (await town.ok_get(`${R}/hazard/${h.id}/history`)).items.filter((x) => x.action === 'move:close').length === 1);
    p.clean();
  });
  await p.close();
});
