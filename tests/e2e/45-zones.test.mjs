// Consequence zones on the map: a click, and the zones are there; the time is measured and printed. Who is inside, the cloud after
// half an hour, typed weather, keep and compare, save, the warning's area; on a phone; the page of the models by families.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Person, PHONE } from '../lib/browser.mjs';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, browser, installation, equipment;
before(async () => {
  s = await Server.start();
  browser = await openBrowser();
  const bureau = await s.as('bureau');
  installation = (await bureau.ok_get(`/api/v1/records/installation?q=${encodeURIComponent('C17')}`)).items[0];
  equipment = (await bureau.ok_get(`/api/v1/records/equipment?where.installation=${installation.id}&size=50`)).items[0];
  const position = [installation.position[0] + 0.01, installation.position[1]];
  const d = await makeDevice(s, { code: 'ZONE-WX', points: [['WS', 'wind_speed', 'm/s'], ['WD', 'wind_direction', '°'], ['AT', 'ambient_temperature', '℃']].map(([c, kind, unit]) => ({ code: `ZONE-${c}`, kind, unit, position })) });
  const time = new Date(Date.now() - 60e3).toISOString();
  const r = await s.call('POST', '/api/v1/readings', [['ZONE-WS', 2.6], ['ZONE-WD', 235], ['ZONE-AT', 15]].map(([point, value]) => ({ point, time, value })), { headers: { Authorization: `Device ZONE-WX:${d.key}` } });
  assert.equal(r.json.accepted, 3, r.text);
});
after(async () => { await browser?.close(); await s?.stop(); });
const shot = async (p, name) => process.env.ANLAN_SHOTS && p.page.screenshot({ path: `${process.env.ANLAN_SHOTS}/${name}.png` });
const drawn = (p) => until('the zones to be drawn', async () => Number(await p.test('zone-ms').getAttribute('data-ms', { timeout: 200 }).catch(() => 0)));

test('a duty officer: pick, see, compare, save; how long a click takes', async () => {
  const p = await (await Person.open(browser, s)).be('duty');
  await p.page.goto('/map');
  await p.test('map-zones').click();
  await p.test('map-search').fill('C17');
  await p.page.getByRole('option').filter({ hasText: '液氯储槽' }).first().click();
  await p.test('zone-list').waitFor();
  await p.test('zone-list').getByText('AEGL-3').waitFor();
  assert.match(await p.test('zone-weather').innerText(), /西南.*2\.6 m\/s/s);
  assert.match(await p.test('zone-weather').innerText(), /分钟前/);
  assert.match(await p.test('zone-places').innerText(), /小学|幼儿园|医院/);
  await p.test('zone-roads').waitFor();
  await drawn(p);
  await shot(p, 'zones-desk');
  const times = [];
  const box = await p.test('map').boundingBox();
  for (let i = 0; i < 20; i++) { // anywhere on the map: the substance stays
    await p.page.mouse.click(box.x + box.width * (0.35 + 0.012 * i), box.y + box.height * (0.35 + 0.011 * i));
    times.push(await drawn(p));
  }
  times.sort((a, b) => a - b);
  console.log(`# zones: click to drawn, 20 clicks: p50 ${times[10]} ms, most ${times[19]} ms (limit wanted 300 ms; the machine may be loaded)`);
  assert.ok(times[10] < 5000, `${times}`);
  await p.test('zone-keep').click();
  await p.test('zone-in-Q').fill('5');
  await p.test('zone-list').getByText('对比').first().waitFor();
  await p.test('zone-then').getByText('30').click();
  await p.test('zone-night').click();
  await p.test('zone-s-toxic-puff').click();
  await drawn(p);
  await shot(p, 'zones-compare');
  await p.test('zone-live').uncheck();
  await p.test('zone-air-u').fill('4');
  await p.test('zone-air-from').fill('400');
  p.expected.push(/status of 400/);
  await p.page.getByRole('alert').filter({ hasText: '360' }).waitFor();
  await p.test('zone-air-from').fill('90');
  await p.test('zone-list').waitFor();
  await p.test('zone-save').click();
  await p.test('zone-open').click();
  await p.at(/records\/consequence_case\/\d+/);
  await p.page.getByText('AEGL-3', { exact: false }).first().waitFor();
  await shot(p, 'zones-case');
  await p.done?.();
  assert.deepEqual(p.trouble.filter((x) => !p.expected.some((e) => e.test(x))), []);
  await p.context.close();
});

test('two saved cases side by side, from the record of one', async () => {
  const duty = await s.as('duty'), made = [];
  for (const Q of [2, 5])
    made.push(await duty.ok_post('/api/v1/zones/cases', { equipment: equipment.id, scenario: 'toxic-plume', substance: '氯', inputs: { Q }, weather: { u: 2, from: 235, stability: 'D' }, title: `泄漏 ${Q} kg/s` }));
  const p = await (await Person.open(browser, s)).be('duty');
  await p.page.goto(`/records/consequence_case/${made[0].id}`);
  await p.test('record-compare').click();
  await p.test('zone-compare-b').click();
  await p.page.getByRole('option').filter({ hasText: '泄漏 5 kg/s' }).first().click();
  await p.test('zone-compare-table').waitFor();
  const c = await duty.ok_get(`/api/v1/zones/compare?a=${made[0].id}&b=${made[1].id}`);
  const rows = await p.test('zone-compare-table').locator('tbody').first().locator('tr').allInnerTexts();
  const plain = (n) => n.toLocaleString('en-US');
  assert.deepEqual(rows[1].split('\t').slice(1), [plain(c.levels[0].a.reach), plain(c.levels[0].b.reach), `+${plain(c.levels[0].more.reach)}`]);
  await shot(p, 'zones-two');
  const [csv] = await Promise.all([p.page.waitForEvent('download'), p.test('zone-compare-csv').click()]);
  assert.match(csv.suggestedFilename(), /^TY-.*\.csv$/);
  await p.test('zone-compare-open-b').click();
  await p.at(`/records/consequence_case/${made[1].id}`);
  assert.deepEqual(p.trouble.filter((x) => !p.expected.some((e) => e.test(x))), []);
  await p.context.close();
});

test('from a warning: the zone of a case becomes its area', async () => {
  const duty = await s.as('duty');
  const w = await duty.ok_post('/api/v1/records/warning', { title: '液氯储槽泄漏', level: 'red', enterprise: installation.enterprise.id, installation: installation.id, happened: new Date().toISOString() });
  const p = await (await Person.open(browser, s)).be('duty');
  await p.page.goto(`/records/warning/${w.id}`);
  await p.test('record-zones').click();
  await p.test('zone-list').waitFor();
  await p.test('zone-to-warning').click();
  const reach = await until('the area of the warning', async () => (await duty.ok_get(`/api/v1/records/warning/${w.id}`)).reach);
  assert.equal(reach.type, 'Polygon');
  const cases = await duty.ok_get('/api/v1/records/consequence_case?size=50');
  assert.ok(cases.items.some((c) => c.warning?.id === w.id && JSON.stringify(c.zone) === JSON.stringify(reach)));
  await p.context.close();
});

test('on a phone, a fire among tanks', async () => {
  const p = await (await Person.open(browser, s, { size: PHONE })).be('duty');
  await p.page.goto(`/map?zones=1&installation=${installation.id}`);
  await p.test('zone-list').waitFor();
  await p.test('zone-s-vessel-burst').click();
  await p.test('zone-list').getByText('30 kPa').waitFor();
  await drawn(p);
  const wide = await p.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= PHONE.width, `the page is ${wide} wide`);
  await shot(p, 'zones-phone');
  await p.context.close();
});

test('the models by families, with a search', async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await p.page.goto('/calc');
  await p.test('calc-family-fire').waitFor();
  assert.equal(await p.page.locator('[data-test^="calc-family-"]').count(), 13);
  await p.test('calc-search').fill('池火');
  await until('the families to be fewer', async () => (await p.page.locator('[data-test^="calc-family-"]').count()) === 1);
  await p.page.getByRole('link', { name: '池火', exact: true }).click();
  await p.test('calc-run').waitFor();
  await p.page.goto('/calc');
  await p.test('calc-search').fill('没有这样的');
  await p.test('calc-none').waitFor();
  await p.test('calc-search').fill('');
  await shot(p, 'calc-families');
  await p.context.close();
});
