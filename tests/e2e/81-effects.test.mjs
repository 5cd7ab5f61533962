// What an enterprise's data decide, on its page: for the bureau and for itself, at a desk and on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, firm;
const shots = process.env.ANLAN_SHOTS; // a folder: pictures for the eye
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  const ent = await s.as('enterprise');
  firm = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

for (const [role, size] of [['bureau', undefined], ['enterprise', PHONE]])
  test(`the page of an enterprise says what its data decide, to ${role}`, { timeout: 900000 }, async () => {
    const p = await (await Person.open(browser, s, { size })).be(role);
    await watched([p], 'effects', async () => {
      await p.go(`/records/enterprise/${firm.id}`);
      await p.test('effect-inspection').waitFor();
      assert.match(await p.test('effect-inspection').innerText(), /年检查次数/);
      assert.match(await p.test('effect-premium').innerText(), /浮动系数/);
      await p.test('effect-why-inspection').click();
      await until('what other values give', async () => /如果是D[\s\S]*年检查次数/.test(await p.test('effect-input-credit').innerText()));
      if (shots) await p.page.screenshot({ path: join(shots, `effects-${role}.png`), fullPage: true });
      const w = await p.width();
      assert.ok(w.page <= w.window + 1, JSON.stringify(w));
    });
  });
