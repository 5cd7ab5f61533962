// The four-colour map: a town is pressed, the panel says why it has its colour, an enterprise in it, a part of its score, and
// the record behind; the days; the files; the ranking page; on a phone as on a desk.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { DESK, openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

const pressTown = async (p) => { // the town in the middle of the county
  const box = await p.test('map').boundingBox();
  await p.page.mouse.click(box.x + box.width * 0.56, box.y + box.height * 0.47);
};

test('from a town on the map to the record that raises it', async () => {
  const p = await (await Person.open(browser, s, { size: DESK })).be('bureau');
  await watched([p], 'risk', async () => {
    await p.go('/map');
    await p.test('map-by-risk').click();
    await p.test('risk-legend').waitFor();
    await until('a town to be pressed', async () => { await pressTown(p); return (await p.test('why').count()) > 0; }, 60000);
    await p.test('why-because').waitFor();
    const bureau = await s.as('bureau');
    const name = await p.test('why').locator('h2').innerText();
    const town = (await bureau.ok_get('/api/v1/index/safety/rank')).items.find((t) => t.title === name);
    assert.ok(town, name);
    assert.equal(await p.test('why-score').innerText(), town.score.toFixed(1));
    assert.match(await p.test('why').innerText(), /为什么是|0\.6 × 最高/);
    await p.test('why-member').first().click();
    await p.test('why-part-risk_points').locator('button').first().click();
    await p.test('why-record').first().waitFor();
    assert.match(await p.test('why-part-risk_points').innerText(), /重大风险 3 条 × 4 = 12/);
    await p.test('why-back').click();
    await p.test('why-member').first().waitFor();
    await p.test('why-member').first().click();
    await p.test('why-part-risk_points').locator('button').first().click();
    await p.test('why-record').first().click();
    await p.at(/^\/records\/risk_point\/\d+$/);
    p.clean();
  });
  await p.close();
});

test('the map as a picture, its data as files, and a day that was not kept says so', async () => {
  const p = await (await Person.open(browser, s, { size: DESK })).be('bureau');
  await watched([p], 'risk-files', async () => {
    await p.go('/map?risk=1');
    const file = async (button) => {
      const [d] = await Promise.all([p.page.waitForEvent('download'), p.test(button).click()]);
      return readFileSync(await d.path());
    };
    await p.test('risk-csv').waitFor();
    await until('the areas to be there', async () => (await p.test('risk-legend').locator('li b').allInnerTexts()).some((n) => Number(n) > 0));
    assert.match((await file('risk-csv')).toString(), /安澜化工园区/);
    const geo = JSON.parse(await file('risk-geojson'));
    assert.equal(geo.features.length, 6);
    assert.ok(geo.features.every((f) => f.geometry && f.properties.level && f.properties.version));
    const png = await file('risk-png');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.ok(png.length > 20000, `${png.length} bytes`);
    const pdf = (await file('risk-pdf')).toString('latin1');
    const xref = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(pdf)[1]), image = /\/Width (\d+) \/Height (\d+) .*\/Length (\d+) >>\nstream\n/.exec(pdf);
    assert.ok(pdf.startsWith('%PDF-1.4\n') && pdf.startsWith('xref\n0 7\n', xref));
    for (const [i, line] of pdf.slice(xref).split('\n').slice(3, 9).entries()) assert.ok(pdf.startsWith(`${i + 1} 0 obj\n`, Number(line.slice(0, 10))), line); // each object is where the table says
    const jpeg = pdf.substr(image.index + image[0].length, Number(image[3]));
    assert.ok(jpeg.startsWith('\xff\xd8\xff') && jpeg.endsWith('\xff\xd9') && Number(image[1]) > 640);
    await p.test('risk-day').fill('3');
    await p.test('risk-legend').getByText('没有留存').waitFor();
    p.clean();
  });
  await p.close();
});

test('the ranking page: sectors, an enterprise of its own, the back-test; nothing wider than a phone', async () => {
  const p = await (await Person.open(browser, s, { size: PHONE })).be('bureau');
  await watched([p], 'risk-phone', async () => {
    await p.go('/risk?kind=sector');
    await p.test('risk-row').first().waitFor();
    await p.test('risk-row').first().click();
    await p.test('why-because').waitFor();
    await p.test('why-close').click();
    await p.test('risk-backtest').click();
    await p.test('risk-backtest-say').waitFor();
    assert.match(await p.test('risk-backtest-say').innerText(), /太少/);
    const w = await p.width();
    assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
    p.clean();
  });
  await p.close();
  const firm = await (await Person.open(browser, s, { size: DESK, lang: 'en' })).be('enterprise');
  await watched([firm], 'risk-firm', async () => {
    await firm.go('/risk');
    await firm.test('risk-row').first().waitFor();
    assert.equal(await firm.test('risk-row').count(), 1);
    firm.clean();
  });
  await firm.close();
});
