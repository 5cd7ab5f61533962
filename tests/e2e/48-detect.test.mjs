// A model of a unit: learned, tried, put in force and seen in force, on a desk; on a phone in English the page fits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { chinese, keysShown, openBrowser, Person, PHONE, watched, wordsOf } from '../lib/browser.mjs';

let s, browser, d, unit;
const rfc = (t) => new Date(t).toISOString();
const STEP = 10e3, N = 520;
const t0 = Math.floor(Date.now() / STEP) * STEP - (N + 10) * STEP;
let seed = 3;
const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648) - 0.5;

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  d = await makeDevice(s, { code: 'DET-GW', protocol: 'http', points: [1, 2, 3, 4].map((i) => ({ code: `DET-${i}`, name: `DET-${i}`, kind: 'flow', unit: 'm³/h', interval_s: 10 })) });
  const rows = [];
  for (let i = 0, a = 0, b = 0; i < N; i++) {
    a = 0.7 * a + random();
    b = 0.7 * b + random();
    const fault = i >= N - 15; // the third no longer follows the others
    [50 + 4 * a, 30 + 3 * b, 20 + 2 * (fault ? -a - b - 1.5 : a + b), 10 + a - b].forEach((v, p) => rows.push({ point: `DET-${p + 1}`, time: rfc(t0 + i * STEP), value: Math.round((v + 0.2 * random()) * 1000) / 1000 }));
  }
  for (let at = 0; at < rows.length; at += 800) {
    const r = await s.call('POST', '/api/v1/readings', rows.slice(at, at + 800), { headers: { Authorization: `Device DET-GW:${d.key}` } });
    assert.equal(r.status, 200, r.text);
  }
  unit = await d.bureau.ok_post('/api/v1/records/unit_model', { name: 'DET-UNIT', enterprise: d.enterprise.id, points: d.points.map((p) => p.id), interval_s: 10, learn_from: rfc(t0), learn_to: rfc(t0 + 450 * STEP) });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('learn, try, put in force, see it in force', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'detect', async () => {
    await p.go('/detect');
    await p.test('det-lead').waitFor();
    await p.test(`unit-open-${unit.id}`).click();
    await p.test('unit-panel').waitFor();
    assert.equal(await p.test('unit-start').count(), 0, 'nothing is learned yet');
    await p.test('unit-learn').click();
    await p.test('unit-version-1').waitFor();
    await p.test('unit-trial-1').click();
    await p.test('unit-trial').waitFor();
    assert.match(await p.test('unit-trial').innerText(), /DET-3/, 'the point that parted from the others is named');
    await p.test('unit-start').click();
    await until('the live score', async () => /^(0\.\d\d|1\.00)$/.test((await p.test('unit-score').allInnerTexts())[0] ?? ''), 60000);
    await p.test('unit-stop').waitFor();
    if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/detect-unit.png`, fullPage: true });
    await p.go('/detect');
    await p.test(`unit-${unit.id}`).locator('[data-test="unit-score"]').waitFor();
    if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/detect.png`, fullPage: true });
    p.clean();
  });
  await p.close();
});

test('on a phone in English it fits, and who may not edit is not offered to learn', { timeout: 900000 }, async () => {
  const data = await wordsOf(d.bureau, 'unit_model');
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('duty');
  await watched([p], 'detect-phone', async () => {
    for (const path of ['/detect', `/detect/${unit.id}`]) {
      await p.go(path);
      await p.test('unit-score').first().waitFor();
      assert.equal(await p.test('unit-learn').count(), 0);
      const w = await p.width();
      assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
      const texts = await p.texts();
      assert.deepEqual(keysShown(texts, data), []);
      if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/detect-phone${path.length > 8 ? '-unit' : ''}.png`, fullPage: true });
    }
    assert.deepEqual(chinese((await p.texts()).filter((x) => !/DET/.test(x)), data), []);
    p.clean();
  });
  await p.close();
});
