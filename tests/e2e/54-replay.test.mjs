// From an alarm to what happened around it: its replay is opened with the time filled in, played, stepped through event by event, by
// button and by key, and taken away; on a phone too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, browser, duty, alarm;
const T0 = Math.floor((Date.now() - 1800e3) / 1000) * 1000;
const rfc = (t) => new Date(t).toISOString();

before(async () => {
  s = await Server.start();
  browser = await openBrowser();
  duty = await s.as('duty');
  const made = await makeDevice(s, { code: 'PLAY-GW', protocol: 'http', points: [{ code: 'PLAY-LT', kind: 'level', unit: '%', h: 80, hh: 90, interval_s: 10 }] });
  const rows = Array.from({ length: 120 }, (_, i) => ({ point: 'PLAY-LT', time: rfc(T0 + i * 10e3), value: i < 40 ? 70 : i < 80 ? 85 : 72 }));
  await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device PLAY-GW:${made.key}` } });
  alarm = await until('the alarm to be over', async () => (await duty.ok_get('/api/v1/alarms?size=500')).items.find((a) => a.point.code === 'PLAY-LT' && a.level === 'h' && a.returned_at));
  await duty.ok_post(`/api/v1/alarms/${alarm.id}/ack`, {});
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

const at = async (p) => Date.parse((await p.test('replay-at').innerText()).replace(' ', 'T') + '+08:00');
const mine = (p) => p.test('replay-open').filter({ has: p.page.locator(`a[href$="/alarms/${alarm.id}"]`) });

test('a replay is opened from its alarm, played, stepped through, exported', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await watched([p], 'replay', async () => {
    await p.go(`/alarms/${alarm.id}`);
    await p.test('alarm-replay').click();
    await p.at('/replay');
    await p.test('replay-slider').waitFor();
    const start = await at(p);
    assert.equal(start, Date.parse(alarm.raised_at) - 1800e3 - ((Date.parse(alarm.raised_at)) % 1000), 'half an hour before it');
    assert.equal(await mine(p).count(), 0, 'not yet');

    // by key: to the first event at or after the raise
    const seek = async (key, what, done) => {
      for (let i = 0; i < 200; i++) {
        if (await done()) return;
        await p.page.keyboard.press(key);
      }
      assert.fail(`no ${what} by ${key}`);
    };
    await seek('ArrowRight', 'raise of the alarm', async () => (await mine(p).count()) === 1);
    assert.equal(await mine(p).getAttribute('data-state'), 'unack');
    assert.match(await p.test('replay-now').innerText(), /报警/);
    assert.match(await p.test('replay-value').first().innerText(), /^(70|85) ?%$/, 'the value that had come by then');
    await p.test('replay-next').click();
    const one = await at(p);
    await p.test('replay-previous').click();
    assert.ok((await at(p)) < one);
    await p.page.keyboard.press('Home');
    assert.equal(await at(p), start);

    // it plays, faster than the clock, and stands when it is paused
    await p.test('replay-speed-100').click();
    await p.test('replay-play').click();
    await until('it to have played a minute', async () => (await at(p)) >= start + 60e3);
    await p.test('replay-play').click();
    const stood = await at(p);
    await p.page.keyboard.press('End');
    assert.ok((await at(p)) > stood);
    await until('the end to be as the alarm is', async () => (await mine(p).count()) === 0);

    const [file] = await Promise.all([p.page.waitForEvent('download'), p.test('replay-case').click()]);
    assert.match(file.suggestedFilename(), /^case-\d{12}\.zip$/);
    assert.equal(readFileSync(await file.path()).subarray(0, 2).toString(), 'PK');
    p.clean();
  });
  await p.close();

  const q = await (await Person.open(browser, s, { size: PHONE })).be('duty');
  await watched([q], 'replay-phone', async () => {
    await q.go(`/replay?alarm=${alarm.id}`);
    await q.test('replay-slider').waitFor();
    const begin = await at(q);
    await q.test('replay-next').click();
    assert.ok((await at(q)) > begin);
    const box = await q.test('replay-slider').boundingBox();
    await q.page.mouse.click(box.x + box.width - 2, box.y + box.height / 2);
    assert.ok((await at(q)) > begin + 1800e3);
    const w = await q.width();
    assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
    q.clean();
  });
  await q.close();
});
