// An emergency from the alarm to its end on the command page: two presses open it, one sends the nearest team, the log keeps what was
// written while the network was away; on the wall, and on a phone in English.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, d, alarm, event;
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  d = await makeDevice(s, { code: 'CMD-1', protocol: 'http', points: [{ code: 'CMD-LT', name: '苯乙烯罐液位', kind: 'level', unit: '%', h: 80, hh: 90, range_min: 0, range_max: 100, position: [119.0574, 33.0875] }] });
  const t = Date.now() - 45e3;
  const rows = Array.from({ length: 40 }, (_, i) => ({ point: 'CMD-LT', time: new Date(t + i * 1000).toISOString(), value: i < 10 ? 70 : 95 }));
  assert.equal((await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device CMD-1:${d.key}` } })).status, 200);
  alarm = await until('the alarm', async () => (await d.bureau.ok_get('/api/v1/alarms?point=CMD-LT')).items.find((a) => a.opened));
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('two presses from the alarm, a team is sent with one, an entry survives the cut', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await watched([p], 'command', async () => {
    await p.go(`/alarms/${alarm.id}`);
    await p.test('cards-open').click();
    assert.match(await p.test('disposal-card').innerText(), /关罐根阀[\s\S]*空气呼吸器/, 'what to do first is two presses away');
    await shot(p, 'command-cards');
    await p.page.keyboard.press('Escape');
    await p.test('event-open').click();
    await p.test('event-confirm').click();
    await p.at(/command\/\d+$/);
    event = (await d.bureau.ok_get(`/api/v1/records/emergency_event?where.alarm=${alarm.id}`)).items[0];
    assert.deepEqual([event.warning.id, event.enterprise.id, event.point.title, event.position, event.happened], [alarm.opened.id, d.enterprise.id, '苯乙烯罐液位', [119.0574, 33.0875], alarm.raised_at]);

    await p.test('near-item').first().waitFor();
    const near = await p.test('near-item').allInnerTexts();
    assert.match(near[0], /恒沣石化专职应急队[\s\S]*\d+ m[\s\S]*约 \d+ 分钟到/, 'the plant\'s own team is nearest');
    assert.ok(near.findIndex((x) => x.includes('园区消防救援站')) > 0 && near.some((x) => /园区消防救援站[\s\S]*已派 RW-/.test(x)), 'who is out elsewhere says so');
    const before = await p.test('cmd-clock').innerText();
    await until('the clock runs', async () => (await p.test('cmd-clock').innerText()) !== before);
    await p.row('near-item', '恒沣石化专职应急队').locator('[data-test^="dispatch-"]').click();
    await until('the order', async () => /待接令/.test(await p.test('task-state').first().innerText().catch(() => '')));
    await p.test('task-arrive').first().click();
    await until('on site', async () => /已到场/.test(await p.test('task-state').first().innerText()));
    await until('the log says both', async () => (await p.test('log-entry').allInnerTexts()).filter((x) => x.includes('调派 恒沣')).length === 2);

    await p.test('cmd-figures').click();
    await p.page.locator('[data-test="field-evacuated"] input').fill('35');
    await p.test('save').click();
    await until('the figures', async () => (await p.test('harm-evacuated').innerText()) === '35');

    await p.page.route('**/api/v1/records/event_log', (r) => (r.request().method() === 'POST' ? r.abort() : r.continue()));
    p.expected.push(/event_log/, /ERR_FAILED/);
    await p.test('log-kind-reading').click();
    await p.test('log-what').fill('下风向 200 米 5%LEL');
    await p.test('log-add').click();
    await p.test('log-held').waitFor();
    const typed = Date.now();
    await p.page.unroute('**/api/v1/records/event_log');
    await p.page.evaluate(() => dispatchEvent(new Event('online')));
    const entry = await until('it is sent', async () => (await d.bureau.ok_get(`/api/v1/records/event_log?where.event=${event.id}&where.kind=reading`)).items[0]);
    assert.ok(Date.parse(entry.at) < typed, 'with the time at which it was written');
    await until('nothing waits', async () => (await p.test('log-held').count()) === 0);
    await shot(p, 'command-desk');
    await p.test('cmd-wall').click();
    await p.settled();
    await shot(p, 'command-wall');
    await p.test('cmd-wall').click();
    await p.test('cmd-zones').click();
    await p.test('zone-type-weather').click(); // no weather station in this county
    await p.test('zone-save').click();
    await p.at(`/command/${event.id}`);
    await until('the computed zone', async () => /后果推演 TY-[\s\S]*处 · \d+ 人/.test(await p.test('cmd-inside').innerText()));
    await shot(p, 'command-zone');
    await p.go(`/alarms/${alarm.id}`);
    assert.match(await p.test('event-there').innerText(), new RegExp(event.number), 'the alarm leads to it from now on');
  });
});

test('a scenario says what is missing within its minutes', { timeout: 900000 }, async () => {
  const sc = await d.bureau.ok_post('/api/v1/records/accident_scenario', { title: '罐区泄漏', category: 'leak', area: '990121401001', position: [119.0574, 33.0875], trigger: '法兰断裂', needs: [
    { kind: 'team', quantity: 2, within_min: 5 }, { kind: 'team', quantity: 4, within_min: 5 }, { kind: 'material', what: '泡沫', quantity: 50 }, { kind: 'shelter', quantity: 5000 }] });
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'scenario', async () => {
    await p.go(`/records/accident_scenario/${sc.id}`);
    await p.test('supply-row').first().waitFor();
    const rows = await p.test('supply-row').evaluateAll((v) => v.map((r) => [...r.querySelectorAll('td.num')].map((c) => c.innerText)));
    assert.deepEqual(rows, [['2', '2', '—'], ['4', '2', '2'], ['50', '42', '8'], ['5000', '4200', '800']], 'two teams in five minutes, 42 t of foam, room for 1200 and 3000');
  });
});

test('on a phone in English: five parts, and a call is one tap', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('duty');
  await watched([p], 'command on a phone', async () => {
    await p.go('/command');
    await p.row('event-row', alarm.enterprise.title).click();
    await p.at(`/command/${event.id}`);
    await p.test('cmd-map').waitFor();
    await p.settled();
    const fits = async (where) => { const w = await p.width(); assert.ok(w.page <= w.window && w.main <= 0, `${where} ${JSON.stringify(w)}`); };
    await fits('map');
    await shot(p, 'command-phone');
    await p.test('cmd-tab-near').click();
    await p.test('near-item').first().waitFor();
    assert.match(await p.test('near-item').first().locator('a.tel').getAttribute('href'), /^tel:\d/);
    await fits('near');
    await shot(p, 'command-phone-near');
    await p.test('cmd-tab-tasks').click();
    assert.match(await p.test('tasks-open').innerText(), /^1\/1$/);
    await p.test('cmd-tab-log').click();
    await p.test('log-entry').first().waitFor();
    await fits('log');
    await shot(p, 'command-phone-log');
    await p.test('cmd-tab-call').click();
    await until('whom to call', async () => (await p.test('cmd-calls').locator('a[href^="tel:"]').count()) >= 3);
    await fits('call');
    await shot(p, 'command-phone-call');
    p.clean();
  });
});
