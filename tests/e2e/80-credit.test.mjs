// The credit of enterprises and who answers for one, as people see them, at a desk and on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, bureau, evaluation;
const shots = process.env.ANLAN_SHOTS; // a folder: pictures for the eye
const shot = async (p, name) => { if (shots) await p.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true }); };
const fits = async (p) => { const w = await p.width(); assert.ok(w.page <= w.window + 1, JSON.stringify(w)); };

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  bureau = await s.as('bureau');
  [evaluation] = (await bureau.ok_get('/api/v1/records/credit_evaluation?size=1')).items;
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

for (const size of [undefined, PHONE])
  test(`the lowest score is first, opens to its arithmetic and to the record behind it${size ? ', on a phone' : ''}`, { timeout: 900000 }, async () => {
    const p = await (await Person.open(browser, s, { size })).be('bureau');
    await watched([p], 'credit', async () => {
      await p.go('/credit?kind=enterprise');
      const first = p.test('risk-row').first();
      await first.waitFor();
      assert.match(size ? await first.innerText() : await first.locator('xpath=ancestor-or-self::tr').innerText(), /安澜利民仓储有限公司/);
      await shot(p, size ? 'credit-phone' : 'credit-desk');
      await fits(p);
      await first.click();
      await until('the score', async () => Number(await p.test('why-score').innerText()) < 50);
      await p.test('why-part-bad_marks').locator('button').first().click();
      await p.test('why-record').first().waitFor();
      await shot(p, size ? 'credit-why-phone' : 'credit-why-desk');
    });
  });

test('an evaluation is computed by one press, and the page of an enterprise says who answers for it', { timeout: 900000 }, async () => {
  for (const size of [undefined, PHONE]) {
    const p = await (await Person.open(browser, s, { size })).be('bureau');
    await watched([p], 'evaluation', async () => {
      await p.go(`/records/credit_evaluation/${evaluation.id}`);
      await p.test('credit-compute').click();
      await until('the grade', async () => /D 级/.test(await p.test('value-grade').innerText()));
      assert.match(await p.test('value-items').innerText(), /失信信息[\s\S]*XY-/);
      await shot(p, size ? 'evaluation-phone' : 'evaluation-desk');
      await fits(p);
      await p.go('/records/enterprise/1');
      await p.test('holder').first().waitFor();
      assert.match(await p.test('responsible').innerText(), /化工园区管委会[\s\S]*0900-8861400/);
      assert.match(await p.test('responsible-missing').innerText(), /市级党政领导/);
      await shot(p, size ? 'responsible-phone' : 'responsible-desk');
      await fits(p);
    });
  }
});
