// The map from tiles in a real browser: it draws, counts what the reader may see, answers a press on a sign, filters, finds what
// is near and where a vehicle was last; on a phone too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, bureau, all;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  bureau = await s.as('bureau');
  all = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items.filter((e) => e.position);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});
const km = (a, b) => Math.hypot((a[0] - b[0]) * 93.5, (a[1] - b[1]) * 111.2); // near 33° N
const lonely = () => all.find((e) => all.every((o) => o === e || km(o.position, e.position) > 1));
const counts = (p) => p.page.locator('[data-test^="map-level-"] b').allInnerTexts().then((t) => t.map((x) => Number(x.replaceAll(',', ''))));
const total = async (p) => (await counts(p)).reduce((a, b) => a + b, 0);

test('signs are drawn from tiles; a press on one opens its card; four colours, sectors, layers, what is near', async () => {
  const p = await Person.open(browser, s), tiles = [];
  p.page.on('response', (r) => /\/tiles\/.*\.mvt/.test(r.url()) && tiles.push({ url: r.url(), status: r.status() }));
  await p.be('bureau');
  await watched([p], 'map', async () => {
    await p.go('/map');
    await until('every enterprise to be counted', async () => (await total(p)) === all.length);
    await until('tiles', () => tiles.some((t) => /\/tiles\/enterprise\//.test(t.url)));
    const one = lonely();
    await p.test('map-search').fill(one.title);
    await p.page.locator('.find li', { hasText: one.title }).first().click();
    await p.test('map-card').locator('h2', { hasText: one.title }).waitFor();
    await p.test('map-card').locator('.x').click();
    await p.test('map-card').waitFor({ state: 'detached' });
    const box = await p.test('map').boundingBox();
    await until('the sign to be hit', async () => { // the map flies there meanwhile
      await p.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      return p.test('map-card').locator('h2', { hasText: one.title }).count();
    });
    await p.page.keyboard.press('Escape');

    await p.test('map-sectors').click();
    await p.test('map-sector-dust').check();
    const dust = (await bureau.ok_get('/api/v1/records/enterprise?size=1&where.sector=dust')).total;
    await until('only dust is counted', async () => (await total(p)) === dust);
    await until('only dust is asked for', () => tiles.some((t) => /sector=dust/.test(t.url)));
    await p.test('map-sector-dust').uncheck();

    // by risk: the four colours of the index, of areas, and close by of each enterprise
    await p.test('map-by-risk').click();
    await p.test('risk-legend').waitFor();
    await p.test('map-search').fill(one.title);
    await p.page.locator('.find li', { hasText: one.title }).first().click();
    await p.test('why').locator('h2', { hasText: one.title }).waitFor();
    await until('tiles by risk', () => tiles.some((t) => /\/tiles\/enterprise\/.*by=risk/.test(t.url)));
    assert.ok(!tiles.some((t) => /\/tiles\/(point|installation)\/.*by=risk/.test(t.url)));
    await p.test('why-close').click();
    await p.test('map-by-state').click();

    // layers in groups, found by name, and as they were left
    await p.test('map-layers-find').fill('网格');
    await p.test('map-layer-grid').check();
    await p.test('map-layers-find').fill('没有这样的');
    assert.equal(await p.page.locator('[data-test^="map-group-"]').count(), 0);
    await p.test('map-layers-find').fill('');
    await p.page.reload();
    await p.settled();
    await p.test('map-layers-find').fill('网格');
    assert.ok(await p.test('map-layer-grid').isChecked());
    assert.ok(await p.test('map-layer-grid').isVisible());
    await p.test('map-layers-find').fill('');

    await p.test('map-ask').click();
    await p.test('within-5000').click();
    await p.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await p.test('within-total').waitFor();
    const [csv] = await Promise.all([p.page.waitForEvent('download'), p.test('within-csv').click()]);
    assert.match(csv.suggestedFilename(), /within\.csv/);
    assert.ok(tiles.length && tiles.every((t) => [200, 304].includes(t.status)), JSON.stringify(tiles.filter((t) => ![200, 304].includes(t.status))));
    p.clean();
  });
  await p.close();
});

test('a change is on the map without loading anything else again', async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'map-live', async () => {
    await p.go('/map');
    await until('every enterprise to be counted', async () => (await total(p)) === all.length);
    const one = lonely(), asked = [];
    p.page.on('request', (r) => /\/tiles\/enterprise\//.test(r.url()) && asked.push(r.url()));
    const record = await bureau.ok_get(`/api/v1/records/enterprise/${one.id}`);
    await bureau.ok_patch(`/api/v1/records/enterprise/${one.id}`, { name: `${one.title}二`, version: record.version });
    await until('the touched tile to be asked for', () => asked.some((u) => /[?&]v=\d/.test(u)));
    const at = (z) => { const n = 2 ** z, r = (one.position[1] * Math.PI) / 180; return `${z}/${Math.floor(((one.position[0] + 180) / 360) * n)}/${Math.floor(((1 - Math.asinh(Math.tan(r)) / Math.PI) / 2) * n)}.mvt`; };
    for (const u of asked.filter((x) => /[?&]v=/.test(x))) assert.ok(Array.from({ length: 21 }, (_, z) => at(z)).some((t) => u.includes(`/enterprise/${t}`)), u);
    p.clean();
  });
  await p.close();
});

test('on a phone: a vehicle\'s last place with its age and way; the map fits the screen', async () => {
  const v = await makeDevice(s, { code: '13800000047', protocol: 'http', points: [{ code: 'M-LON', kind: 'longitude', unit: '°', address: 'lon' },
    { code: 'M-LAT', kind: 'latitude', unit: '°', address: 'lat' }, { code: 'M-SPD', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }] });
  const me = (await bureau.ok_get('/api/v1/map')).bounds, middle = [(me[0] + me[2]) / 2, (me[1] + me[3]) / 2], began = Date.now();
  for (let i = 4; i >= 0; i--)
    await s.call('POST', '/api/v1/readings', [['M-LON', middle[0] - i * 0.002], ['M-LAT', middle[1]], ['M-SPD', 30 + i]].map(([point, value]) => ({ point, value, time: new Date(began - i * 20e3).toISOString() })), { headers: { Authorization: `Bearer ${v.key}` } });
  const p = await (await Person.open(browser, s, { size: PHONE })).be('bureau');
  await watched([p], 'map-phone', async () => {
    await p.go('/map');
    await p.test('map-legend').click();
    await until('every enterprise to be counted', async () => (await total(p)) === all.length);
    await p.test('map-legend').click();
    const box = await p.test('map').boundingBox();
    await until('the vehicle to be hit', async () => {
      await p.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      return p.test('mover-card').count();
    });
    await p.test('mover-card').getByText('30').first().waitFor();
    await p.test('mover-card').getByText(/5 个位置/).waitFor();
    const w = await p.width();
    assert.ok(w.page <= w.window, JSON.stringify(w));
    p.clean();
  });
  await p.close();
});
