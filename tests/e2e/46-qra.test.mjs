// Regional risk in the browser: a bureau begins an assessment of the invented park, sees it advance to its result (map, places, curve, ranking, what is
// planned), compares it with one without a source, exports; on the phone in English nothing is wider than the screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openBrowser, Person, PHONE } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

let s, browser, first;
before(async () => { s = await Server.start(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await s?.stop(); });
const shot = async (p, name) => process.env.ANLAN_SHOTS && p.page.screenshot({ path: `${process.env.ANLAN_SHOTS}/${name}.png`, fullPage: true });
const SLOW = { timeout: 900000 };

test('begin, watch, read, compare, export', async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await p.page.goto('/qra');
  await p.test('qra-name').fill('全部风险源');
  await p.test('qra-begin').click();
  await p.test('qra-figures').waitFor(SLOW);
  first = p.page.url().match(/qra\/(\d+)/)[1];
  assert.match(await p.test('qra-pll').innerText(), /×10⁻/);
  assert.ok((await p.test('qra-places').locator('tbody tr').count()) >= 5);
  assert.match(await p.test('qra-places').innerText(), /达标|超标/);
  assert.match(await p.test('qra-brings').innerText(), /拟建/);
  await p.page.locator('[data-test=qra-map] canvas').first().waitFor();
  await p.page.locator('[data-test=qra-fn] canvas').first().waitFor();
  const top = (await p.test('qra-sources').locator('tbody tr').first().innerText()).split('\n')[0].trim();
  await shot(p, 'qra-desk');

  const [file] = await Promise.all([p.page.waitForEvent('download'), p.test('qra-geojson').click()]);
  const geo = JSON.parse(readFileSync(await file.path(), 'utf8'));
  assert.equal(geo.type, 'FeatureCollection');
  assert.ok(geo.features.some((f) => f.properties.kind === 'contour' && f.geometry.type === 'MultiPolygon'));
  const [table] = await Promise.all([p.page.waitForEvent('download'), p.test('qra-csv').click()]);
  assert.match(readFileSync(await table.path(), 'utf8'), /N,F_per_year/);

  await p.test('qra-name').fill('去掉第一位');
  await p.test('qra-without').locator('input').first().fill(top.slice(0, 4));
  await p.page.getByRole('option', { name: top.slice(0, 6) }).first().click();
  await p.page.keyboard.press('Escape');
  await p.test('qra-begin').click();
  await p.page.waitForURL((u) => /qra\/\d+/.test(u.href) && !u.href.endsWith('/' + first));
  await p.test('qra-figures').waitFor(SLOW);
  await p.test('qra-other').click();
  await p.page.getByRole('option', { name: '全部风险源' }).click();
  await p.test('qra-differs').waitFor(SLOW);
  assert.match(await p.test('qra-differs').innerText(), new RegExp(top.slice(0, 4)));
  await shot(p, 'qra-compare');
  await p.context.close();
});

test('on a phone, in English', async () => {
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('bureau');
  await p.page.goto('/qra/' + first);
  await p.test('qra-figures').waitFor(SLOW);
  assert.match(await p.test('qra-places').innerText(), /Met|Over/);
  const wide = await p.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `the page is ${wide} wide`);
  await shot(p, 'qra-phone');
  await p.context.close();
});
