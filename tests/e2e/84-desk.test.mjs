// The desk at night: several alarms at once are acknowledged together only once the list was narrowed and what is meant was shown; an alarm
// of another day is found by its words; a record says whose turn it is; a step that does not bring it on does not stand out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, watched } from '../lib/browser.mjs';

let s, browser, d, alarms;
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
const open = async () => (await d.bureau.ok_get('/api/v1/alarms?size=500')).items.filter((a) => a.point.code.startsWith('DESK-'));
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  const points = [1, 2, 3].map((i) => ({ code: `DESK-L${i}`, name: `夜班${i}号罐液位`, kind: 'level', unit: '%', h: 80, hh: 90, range_min: 0, range_max: 100, position: [119.0574, 33.0875] }));
  d = await makeDevice(s, { code: 'DESK-1', protocol: 'http', points });
  const t = Date.now() - 45e3;
  const rows = points.flatMap((p) => Array.from({ length: 40 }, (_, i) => ({ point: p.code, time: new Date(t + i * 1000).toISOString(), value: i < 10 ? 70 : p.code === 'DESK-L3' ? 85 : 95 })));
  assert.equal((await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device DESK-1:${d.key}` } })).status, 200);
  alarms = await until('the alarms', async () => { const a = await open(); return a.filter((x) => x.color === 'red').length === 2 && a.some((x) => x.point.code === 'DESK-L3' && x.color !== 'red') && a.some((x) => x.opened) && a; });
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('alarms are acknowledged together only as a list that was narrowed and shown', { timeout: 600000 }, async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await watched([p], 'desk', async () => {
    await p.go('/alarms');
    await p.test('alarm-row').first().waitFor();
    assert.equal(await p.test('ack-listed').count(), 0, 'not for everything at once');
    const reds = alarms.filter((a) => a.color === 'red').length;
    assert.ok(reds >= 2);
    await p.test('count-red').click();
    await p.test('ack-listed').click();
    await shot(p, 'desk-ack');
    const said = await p.page.locator('.acking:visible li').allInnerTexts();
    assert.equal(said.length, reds);
    assert.ok(said.every((x) => /夜班\d号罐液位/.test(x)), 'what is meant is shown by name');
    await p.test('ack-listed-confirm').click();
    await until('the red ones to be acknowledged', async () => (await open()).filter((a) => a.color === 'red').every((a) => a.state === 'acked'));
    assert.ok((await open()).some((a) => a.color !== 'red' && a.state === 'unack'), 'what was not listed still waits');
    p.clean('/alarms');
  });
  await p.close();
});

test('an alarm of other days is found by its words', { timeout: 600000 }, async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await watched([p], 'desk-past', async () => {
    await p.go('/alarms');
    await p.test('filter-state').click();
    await p.page.locator('.el-select-dropdown__item:visible', { hasText: '历史' }).click();
    await p.test('past-filters').waitFor();
    await p.test('past-words').fill('夜班2号');
    await until('only its alarms', async () => { const rows = await p.test('alarm-row').allInnerTexts(); return rows.length > 0 && rows.every((x) => x.includes('夜班2号罐液位')); });
    await p.test('past-words').fill('没有这样的词');
    await until('none', async () => (await p.test('alarm-row').count()) === 0);
    await shot(p, 'desk-past');
    p.clean('/alarms past');
  });
  await p.close();
});

test('who looks at a record that is not his to do reads whose turn it is', { timeout: 600000 }, async () => {
  const warning = alarms.find((a) => a.opened).opened;
  const p = await (await Person.open(browser, s)).be('leader');
  await watched([p], 'desk-turn', async () => {
    await p.go(`/records/warning/${warning.id}`);
    assert.match(await p.test('waits').innerText(), /轮到：.*值班员/);
    const c = (await d.bureau.ok_get('/api/v1/records/enforcement_case?where.state=investigating')).items[0];
    await p.go(`/records/enforcement_case/${c.id}`);
    assert.match(await p.test('waits').innerText(), /轮到：方晓东、石磊/, 'the officers by name');
    assert.equal(await p.page.locator('[data-test="move-reassign"].el-button--primary').count(), 0, 'to change the officers is not the next step');
    await shot(p, 'desk-turn');
    p.clean('/records');
  });
  await p.close();
});
