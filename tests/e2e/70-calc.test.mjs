// The page of the models: form from the schema, a refusal at its field, a warning beside the answer, rows; on the desk in Chinese
// and on the phone in English; only for who may.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Person, PHONE } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

let s, browser;
before(async () => { s = await Server.start(); browser = await openBrowser(); });
after(async () => { await browser?.close(); s?.stop(); });

const choose = async (p, model) => {
  await p.page.goto(`/calc/${model}`);
  await p.test('calc-run').waitFor();
};
const fill = (p, values) => Object.entries(values).reduce((done, [k, v]) => done.then(() => p.test(`in-${k}`).fill(v)), Promise.resolve());
const shot = async (p, name) => process.env.ANLAN_SHOTS && p.page.screenshot({ path: `${process.env.ANLAN_SHOTS}/${name}.png`, fullPage: true });

test('a bureau calculates: refused at the field, then answered with its warning', async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  p.expected.push(/400 .*\/calc\//, /status of 400/);
  await choose(p, 'tnt-equivalence');
  await fill(p, { m: '1000', dHc: '51168.75', eta: '0.02', r: '-5' });
  await p.test('calc-run').click();
  await p.page.getByRole('alert').filter({ hasText: '0.1' }).waitFor();
  await fill(p, { r: '50' });
  await p.test('calc-run').click();
  assert.match(await p.test('out-W_TNT').innerText(), /218/);
  assert.match(await p.test('calc-uncertain').innerText(), /^不确定性：.*5\.6、3\.6、2\.9 kPa/);
  await shot(p, 'calc-desk');
  await choose(p, 'gb18218');
  await fill(p, { 'inventory-0-name': '液氨', 'inventory-0-q': '60', persons: '40' });
  await p.test('calc-run').click();
  assert.match(await p.test('out-grade').innerText(), /三级/);
  await p.page.getByText('60/10', { exact: false }).first().waitFor();
  await shot(p, 'calc-gb18218');
  await p.context.close();
});

test('on a phone, in English', async () => {
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('bureau');
  await choose(p, 'liquid-hole');
  await fill(p, { P: '790800', d: '0.00635', rho: '879.4' });
  await p.test('calc-run').click();
  assert.match(await p.test('out-mdot').innerText(), /0\.67/);
  const wide = await p.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `the page is ${wide} wide`);
  await shot(p, 'calc-phone');
  await p.context.close();
});
