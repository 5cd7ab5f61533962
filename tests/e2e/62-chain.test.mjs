// From a level to the people: chlorine comes into a tank, the installation's grade rises, the town changes its colour on the map, the
// panel says why, the record behind it is opened; a warning computes the zones, lists who is inside, and takes the area over.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Person, watched } from '../lib/browser.mjs';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, browser, bureau, device, unit, firm;
const TOWN = '990121105000'; // 南桥镇, where nothing is high
const rec = (t, id) => bureau.ok_get(`/api/v1/records/${t}/${id}`);
const town = async () => (await bureau.ok_get('/api/v1/index/safety/rank?kind=area&tier=town')).items.find((t) => t.key === TOWN);

before(async () => {
  s = await Server.start();
  browser = await openBrowser();
  bureau = await s.as('bureau');
  const firms = (await bureau.ok_get('/api/v1/index/safety/rank?kind=enterprise&size=500')).items.filter((e) => e.area.startsWith(TOWN.slice(0, 9)));
  firm = await rec('enterprise', Number(firms[0].key)); // the highest of the town
  device = await makeDevice(s, { code: 'CHAIN-GW', enterprise: firm.id, points: [['LT', 'level', '%'], ['WS', 'wind_speed', 'm/s'], ['WD', 'wind_direction', '°'], ['AT', 'ambient_temperature', '℃']]
    .map(([c, kind, unit]) => ({ code: `CHAIN-${c}`, kind, unit, enterprise: firm.id, position: firm.position })) });
  const [point] = device.points;
  const like = (await bureau.ok_get(`/api/v1/records/equipment?q=${encodeURIComponent('液氯')}&size=5`)).items[0];
  unit = await bureau.ok_post('/api/v1/records/installation', { name: '加氯间液氯罐', unit: 'storage', enterprise: firm.id, position: firm.position, exposed: 0,
    substances: [{ name: '液氯', cas: '7782-50-5', state: 'liquefied', quantity_t: 6 }],
    tanks: [{ name: 'V-1', substance: '液氯', point: point.id, shape: 'vertical', volume_m3: 200, density: 1400 }] });
  await bureau.ok_post('/api/v1/records/equipment', { name: '液氯罐 V-1', kind: like.kind, enterprise: firm.id, installation: unit.id, medium: '液氯', capacity: 200, capacity_unit: 'm³', position: firm.position });
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

let clock = Date.now() - 3600e3;
async function say(values) {
  const time = new Date(clock += 60e3).toISOString();
  const r = await s.call('POST', '/api/v1/readings', values.map(([point, value]) => ({ point: `CHAIN-${point}`, time, value })), { headers: { Authorization: `Device CHAIN-GW:${device.key}` } });
  assert.equal(r.json.accepted, values.length, r.text);
}

test('level → grade → colour of the map → why → record; warning → zones → people → its area', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'chain', async () => {
    await say([['LT', 2]]); // 5.6 t
    await until('the installation to be graded', async () => (await rec('installation', unit.id)).live_r > 0);
    assert.equal((await rec('installation', unit.id)).grade, '4');
    await until('the index to have counted it', async () => (await town()).score > 0);
    const before = await town();
    assert.equal(before.level, 'blue', JSON.stringify(before));
    await p.go('/map?risk=1');
    const blue = p.test('risk-legend').locator('li', { hasText: '蓝色' }).locator('b');
    await until('the county in four colours', async () => (await blue.innerText()) === '1');

    await say([['LT', 95]]); // 266 t: R = 0.5 × 4 × 266 / 5 = 106
    await until('the grade to rise', async () => (await rec('installation', unit.id)).grade === '1');
    await until('the map to lose its blue town, by itself', async () => (await blue.innerText()) === '0');
    const now = await town();
    assert.equal(now.level, 'yellow', JSON.stringify(now));
    assert.ok(now.score > before.score);

    await p.go('/risk?kind=enterprise');
    await p.row('risk-row', firm.name).first().click();
    await p.test('why-because').waitFor();
    await p.test('why-part-inherent').locator('button').first().click();
    assert.match(await p.test('why-part-inherent').innerText(), /一级/);
    await p.row('why-record', '加氯间液氯罐').first().click();
    await p.at(new RegExp(`^/records/installation/${unit.id}$`));
    await p.page.getByText('现存量等级').first().waitFor();

    clock = Date.now() - 120e3;
    await say([['WS', 2.4], ['WD', 200], ['AT', 18]]);
    const duty = await s.as('duty');
    const w = await duty.ok_post('/api/v1/records/warning', { title: '加氯间液氯罐超量', level: 'orange', enterprise: firm.id, installation: unit.id, happened: new Date().toISOString() });
    await p.go(`/records/warning/${w.id}`);
    await p.test('record-zones').click();
    await p.test('zone-list').getByText('AEGL-3').waitFor();
    await p.test('zone-places').waitFor();
    assert.match(await p.test('zone-places').innerText(), new RegExp(`${firm.name}\n${firm.trade || '企业'} · 0 m`)); // who is nearest stands first
    await p.test('zone-to-warning').click();
    const reach = await until('the area of the warning', async () => (await rec('warning', w.id)).reach);
    assert.equal(reach.type, 'Polygon');
    p.clean();
  });
  await p.close();
});
