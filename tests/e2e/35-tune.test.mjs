// Try → see → save → undo: a noisy point's settings on its history, on a desk and on a phone, in both languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { chinese, keysShown, openBrowser, Person, PHONE, watched, wordsOf } from '../lib/browser.mjs';

let s, browser, d, id;
const STEP = 10e3, N = 2400; // the last 400 minutes
let seed = 11;
const random = () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  d = await makeDevice(s, { code: 'TUNE-GW', protocol: 'http', points: [{ code: 'TUNE-LT', name: 'TUNE', kind: 'level', unit: '%', h: 80, hh: 95, deadband: 0.5, delay_on_s: 0, delay_off_s: 0, interval_s: 10 }] });
  id = d.points[0].id;
  const t0 = Date.now() - N * STEP - 60e3;
  const v = Array.from({ length: N }, (_, i) => ({ point: 'TUNE-LT', time: new Date(t0 + i * STEP).toISOString(),
    value: Math.round((i > 1500 && i < 1600 ? 88 + random() : Math.sin(i / 90) > 0.5 ? 78.5 + random() * 2 : 70 + random()) * 100) / 100 }));
  for (let at = 0; at < N; at += 400) {
    const r = await s.call('POST', '/api/v1/readings', v.slice(at, at + 400), { headers: { Authorization: `Device TUNE-GW:${d.key}` } });
    assert.equal(r.status, 200, r.text);
  }
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

const record = () => d.bureau.ok_get(`/api/v1/records/point/${id}`);
const of = async (p, row) => (await p.test(`tune-row-${row}`).locator('td').allInnerTexts()).map((x) => x.replaceAll(',', '').trim());

test('try, see, save, undo', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'tune', async () => {
    const was = await record();
    await p.go(`/points/${id}/trend`);
    await p.test('trend-tune').click();
    await p.test('tune-days-1').click();
    const before = Number((await until('the figures', async () => { const x = await of(p, 'alarms'); return Number(x[1]) > 50 && x; }))[1]);
    assert.ok(await p.test('tune-save').isDisabled(), 'nothing is changed yet');

    // see: a number that is none is said; a limit tried shows both sets side by side, and nothing is saved
    await p.test('tune-h').fill('eighty');
    await p.page.locator('[role="alert"]').waitFor();
    assert.ok(await p.test('tune-try').isDisabled());
    await p.test('tune-h').fill('84');
    await p.test('tune-try').click();
    await p.test('tune-strip-candidate').waitFor();
    const [, now, then] = await of(p, 'alarms');
    assert.equal(Number(now), before);
    assert.ok(Number(then) < before && Number(then) > 0);
    assert.ok(await p.test('tune-strip-stored').locator('rect').count() > await p.test('tune-strip-candidate').locator('rect').count());
    assert.equal((await record()).version, was.version);

    // the proposal, taken over and saved
    await p.test('tune-h').fill('80');
    await p.test('tune-suggest').click();
    await p.test('tune-use').click();
    // what it is rid of is what it said
    const quiet = await until('the proposal tried', async () => { const x = Number((await of(p, 'alarms'))[2]); return x > 0 && x <= before * 0.2 && x; });
    if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/tune.jpg`, type: 'jpeg', quality: 80 });
    await p.test('tune-save').click();
    await p.test('tune-saved').waitFor();
    const saved = await record();
    assert.ok(saved.version > was.version && saved.h === 80);
    assert.ok(['deadband', 'delay_on_s', 'delay_off_s'].some((k) => saved[k] !== was[k]));
    assert.equal(Number((await of(p, 'alarms'))[1]), quiet, 'what was tried is in force');

    // undone with one press; history has both
    await p.test('tune-undo').click();
    await p.test('tune-saved').waitFor({ state: 'detached' });
    const back = await record();
    for (const k of ['ll', 'l', 'h', 'hh', 'deadband', 'delay_on_s', 'delay_off_s']) assert.equal(back[k], was[k], k);
    assert.equal(back.version, saved.version + 1);
    assert.equal(Number((await of(p, 'alarms'))[1]), before);
    p.clean();
  });
  await p.close();
});

test('on a phone in English: it fits, is all English, and who may not edit is not offered to save', { timeout: 900000 }, async () => {
  const data = await wordsOf(d.bureau, 'point');
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('duty');
  await watched([p], 'tune-phone', async () => {
    await p.go(`/points/${id}/tune?days=1`);
    await p.test('tune-deadband').fill('3');
    await p.test('tune-try').click();
    await p.test('tune-strip-candidate').waitFor();
    await p.test('tune-suggest').click();
    await p.test('tune-proposal').waitFor();
    assert.equal(await p.test('tune-save').count(), 0);
    const w = await p.width();
    assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
    const texts = await p.texts();
    assert.deepEqual(chinese(texts, data), []);
    assert.deepEqual(keysShown(texts, data), []);
    if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/tune-phone.png`, fullPage: true });
    p.clean();
  });
  await p.close();
});
