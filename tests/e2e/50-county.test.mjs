// The demo as a visitor meets it: the real simulator speaks the real protocols (its scenarios four times faster than for a visitor), and
// an alarm that nobody typed in stands on the page, its warning beside it; the first one is something that happens, not missing data.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, watched } from '../lib/browser.mjs';

let s, browser, sim;
const program = join(process.env.ANLAN_BIN ? dirname(process.env.ANLAN_BIN) : join(root, 'build'), 'anlan-sim');

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
});
after(async () => {
  sim?.kill();
  await browser?.close();
  await s?.stop();
});

test('after the start a visitor sees a real alarm and its warning', { timeout: 900000 }, async () => {
  assert.ok(existsSync(program), program);
  const p = await (await Person.open(browser, s)).be('duty');
  await p.test('nav-alarms').click();
  await p.settled();
  sim = spawn(program, ['--speed', '4', '--devices', join(s.dir, 'demo', 'devices.tsv'), '--recordings', join(root, 'packs'), '--mqtt', `127.0.0.1:${s.mqtt}`,
    '--hj212', `127.0.0.1:${s.hj212}`, '--gb26875', `127.0.0.1:${s.gb26875}`, '--http', `127.0.0.1:${s.http}`], { stdio: 'ignore' });
  await watched([p], 'county', async () => {
    await p.test('alarm-row').first().waitFor();
    const duty = await s.as('duty');
    const alarm = await until('a warning of a simulated device', async () => (await duty.ok_get('/api/v1/alarms')).items.find((a) => a.opened));
    assert.match(alarm.enterprise.title, /安澜/);
    const first = (await duty.ok_get('/api/v1/alarms?state=all&size=100')).items.reduce((a, b) => (a.id < b.id ? a : b));
    assert.doesNotMatch(JSON.stringify(first), /blind|缺数/, 'the first alarm is something that happens');
    await p.go(`/alarms/${alarm.id}`);
    await p.test('alarm-opened').click();
    await p.test('record-state').waitFor();
    // and each of the next three roles of the loop can see it
    for (const role of ['enterprise', 'town', 'bureau']) {
      const who = await s.as(role);
      assert.equal((await who.get(`/api/v1/records/warning/${alarm.opened.id}`)).status, 200, `${role} of the demo answers for this place`);
    }
    p.clean();
  });
  await p.close();
});
