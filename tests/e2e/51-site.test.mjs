// An inspector in a basement: takes the work along, loses the signal, finds a hidden hazard with a picture, and nothing is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const found = async (who, title) => (await who.ok_get(`/api/v1/records/hazard?q=${encodeURIComponent(title)}&size=20`)).items.filter((r) => r.title === title);

test('without signal: work is read, a hazard with a picture is filed, sent once when the signal is back', { timeout: 900000 }, async () => {
  const bureau = await s.as('bureau');
  const p = await Person.open(browser, s, { size: PHONE });
  p.expected.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  const shot = (n) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/site-${n}.png` });
  await watched([p], 'site', async () => {
    await p.be('town');
    await p.go('/work');
    await p.context.setOffline(true); // nothing taken along: it says that what is seen is old, and how old
    await p.page.locator('.offline.lost', { hasText: '与服务器的连接中断' }).waitFor();
    await p.test('offline-again').waitFor();
    await p.context.setOffline(false);
    await p.test('offline').waitFor({ state: 'detached' });
    await p.test('carry').tap();
    await p.page.locator('[data-test="carry"]', { hasText: '已带到现场' }).waitFor({ timeout: 900000 });

    await shot('carry');
    await p.context.setOffline(true);
    await p.page.reload(); // the page itself comes from this device
    await p.test('offline').waitFor();
    await p.go('/records/hazard/new');
    await p.fill('title', '地下室无信号');
    await p.fill('enterprise', '安澜');
    await p.page.locator('.el-select-dropdown__item:visible').first().click();
    await p.page.locator('[data-test="field-before_photos"] input[type="file"]').first().setInputFiles({ name: 'cellar.png', mimeType: 'image/png', buffer: PICTURE });
    await p.row('file-row', 'cellar').waitFor();
    await shot('form');
    await p.test('save').tap();
    await p.row('outbox-row', '地下室无信号').waitFor();
    await shot('outbox');
    assert.equal((await found(bureau, '地下室无信号')).length, 0);

    await p.page.reload(); // still there after the page was closed
    await p.row('outbox-row', '地下室无信号').waitFor();
    await p.context.setOffline(false);
    await p.page.locator('[data-test="outbox-row"]').waitFor({ state: 'detached', timeout: 60000 });
    const [r, ...more] = await until('the hazard on the server', async () => { const f = await found(bureau, '地下室无信号'); return f.length && f; });
    assert.equal(more.length, 0, 'sent once');
    const whole = await bureau.ok_get(`/api/v1/records/hazard/${r.id}`);
    assert.equal(whole.before_photos[0].mime.startsWith('image/'), true);

    await p.go('/me');
    await p.page.reload();
    await p.settled();
    await p.test('logout').tap();
    await p.at(/^\/login/);
    const left = await p.page.evaluate(async () => ({ caches: await caches.keys(), workers: (await navigator.serviceWorker.getRegistrations()).length, mark: localStorage.getItem('anlan.carried'),
      kept: await new Promise((ok) => { const r = indexedDB.open('anlan'); r.onsuccess = () => { const n = [...r.result.objectStoreNames]; const t = r.result.transaction(n); let sum = 0; n.forEach((x) => { t.objectStore(x).count().onsuccess = (e) => { sum += e.target.result; }; }); t.oncomplete = () => ok(sum); }; }) }));
    assert.deepEqual(left, { caches: [], workers: 0, mark: null, kept: 0 }, 'nothing of the person stays');
    p.clean();
  });
  await p.close();
});
