// The pictures of the operator guide: doc/img/*.jpg. Runs the demo county with its simulated devices for some minutes
// first, so that they show a county at work.
//   node tests/e2e/screenshots.mjs [MINUTES]        default 3
//   node tests/e2e/screenshots.mjs 0 --contracts    only work centre, indicators, one file, configuration
//   node tests/e2e/screenshots.mjs 0 --risk         only zones, four colours, why, regional risk (zones-two: e2e/45-zones with ANLAN_SHOTS)
//   ANLAN_URL=http://127.0.0.1:8080 node …          of a demo that is already running
import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DESK, openBrowser, Person, PHONE } from '../lib/browser.mjs';
import { root, Server, sleep, until } from '../lib/server.mjs';

const out = process.env.ANLAN_SHOTS || join(root, 'doc', 'img');
mkdirSync(out, { recursive: true });

let server, sim;
if (process.env.ANLAN_URL) {
  server = Object.assign(new Server(), { url: process.env.ANLAN_URL });
} else {
  server = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  sim = spawn(join(root, 'build', 'anlan-sim'), ['--devices', join(server.dir, 'demo', 'devices.tsv'), '--recordings', join(root, 'packs'),
    '--mqtt', `127.0.0.1:${server.mqtt}`, '--hj212', `127.0.0.1:${server.hj212}`, '--gb26875', `127.0.0.1:${server.gb26875}`, '--http', `127.0.0.1:${server.http}`], { stdio: 'ignore' });
  spawn('node', [join(root, 'sim', 'unit.mjs'), server.url], { stdio: 'ignore' });
  await sleep((Number(process.argv[2]) || 3) * 60000);
}
const duty = await server.as('duty');
const worst = process.argv.includes('--contracts') || process.argv.includes('--risk') ? null : await until('an alarm with a warning', async () => {
  const items = (await duty.ok_get('/api/v1/alarms?state=all&size=200')).items.filter((a) => a.opened);
  const rank = { red: 0, orange: 1, yellow: 2, blue: 3 };
  return items.sort((a, b) => (b.state === 'unack') - (a.state === 'unack') || rank[a.color] - rank[b.color] || Date.parse(b.raised_at) - Date.parse(a.raised_at))[0];
}, 240000);

const browser = await openBrowser();
const taker = (p, suffix) => async (name) => {
  await p.settled();
  await sleep(1500); // tiles, charts and fonts have no event of their own; a picture is no test
  const path = join(out, `${name}${suffix}.jpg`);
  for (const quality of [82, 70, 55]) {
    await p.page.screenshot({ path, type: 'jpeg', quality });
    if (statSync(path).size <= 250 * 1024) break;
  }
  console.log(path, Math.round(statSync(path).size / 1024), 'KiB');
};
async function shots(size, suffix, lang = 'zh') {
  const p = await (await Person.open(browser, server, { lang, size })).be('duty');
  const take = taker(p, suffix);
  await p.page.evaluate(() => localStorage.setItem('anlan.sound', 'off'));
  await p.go('/map');
  await take('map');
  await p.go('/alarms');
  if (p.phone) await take('alarms');
  await p.go(`/alarms/${worst.id}`);
  await take(p.phone ? 'alarm' : 'alarms');
  await p.go(`/records/warning/${worst.opened.id}`);
  await take('warning');
  await p.go(`/points/${worst.point.id}/trend?at=${encodeURIComponent(worst.raised_at)}`);
  await take('trend');
  await p.go(`/points/${worst.point.id}/tune?days=1`);
  await p.test('tune-suggest').click();
  await p.test('tune-proposal').waitFor();
  await take('tune');
  await p.go('/records/enterprise');
  await take('list');
  if (!p.phone) {
    await p.go('/devices');
    await sleep(2500); // readings a second want two counts
    await take('devices');
  }
  await p.context.clearCookies();
  await p.be('bureau');
  const enterprise = worst.enterprise?.id;
  await p.go(`/records/enterprise/${enterprise}/edit`);
  await take('form');
  await p.close();
}
// The pages of the contracts: work centre, indicators, one file, configuration.
async function contracts(size, suffix) {
  const p = await (await Person.open(browser, server, { size })).be('bureau');
  const take = taker(p, suffix);
  await p.page.evaluate(() => localStorage.setItem('anlan.sound', 'off'));
  await p.go('/work');
  await take('work');
  await p.go('/detect');
  await take('detect');
  if (!p.phone) {
    if (worst) {
      await p.go('/detect/1');
      await take('detect-unit');
    }
    await p.go('/indicators');
    await take('indicators');
    const firm = (await (await server.as('bureau')).ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
    await p.go(`/enterprise/${firm.id}`);
    await take('dossier');
    await p.context.clearCookies();
    await p.be('admin');
    await p.go('/config?file=hazard/types/hazard.yaml');
    await p.test('config-check').click();
    await p.test('config-result').waitFor();
    await take('config');
  }
  await p.close();
}
// Zones on the map, the four-colour map, why, and a regional assessment with natural triggers that are invented.
async function risk(size, suffix) {
  const bureau = await server.as('bureau');
  const p = await (await Person.open(browser, server, { size })).be('bureau');
  const take = taker(p, suffix);
  await p.page.evaluate(() => localStorage.setItem('anlan.sound', 'off'));
  const tanks = (await bureau.ok_get(`/api/v1/records/installation?q=${encodeURIComponent('C17')}`)).items[0];
  await p.go(`/map?zones=1&installation=${tanks.id}`);
  await p.test('zone-live').waitFor();
  await p.test('zone-live').uncheck(); // the wind of the picture is typed
  await p.test('zone-air-from').fill('235');
  await sleep(4000); // the zones of this wind, not of the one before
  await p.test('zone-list').waitFor();
  await p.test('zone-fit').click();
  await p.page.locator('[data-test="zone-panel"] .body').evaluate((el) => { document.activeElement.blur(); el.scrollTop = 0; });
  await take('zones');
  if (p.phone) {
    await p.go('/map?risk=1');
    await p.test('map-legend').click();
    await until('areas', async () => (await p.test('risk-legend').locator('li b').allInnerTexts()).some((n) => Number(n) > 0));
    await take('four');
  } else {
    await p.go('/map?risk=1');
    await until('areas', async () => (await p.test('risk-legend').locator('li b').allInnerTexts()).some((n) => Number(n) > 0));
    await take('four');
    const box = await p.test('map').boundingBox();
    await until('an area to be pressed', async () => { await p.page.mouse.click(box.x + box.width * 0.8, box.y + box.height * 0.66); return (await p.test('why').count()) > 0; });
    await p.test('why-because').waitFor();
    await take('why-red');
    const park = (await bureau.ok_get('/api/v1/records/qra_park')).items[0], sources = (await bureau.ok_get('/api/v1/records/qra_source?size=50')).items.filter((x) => !x.planned && x.scenarios.some((c) => c.rupture));
    for (const [name, kind, return_years, damage] of [['五十年一遇洪水（虚构）', 'flood', 50, 0.002], ['设防烈度地震（虚构）', 'quake', 475, 0.01]])
      await bureau.ok_post('/api/v1/records/qra_trigger', { name, park: park.id, kind, return_years, damage, sources: sources.slice(0, 4).map((x) => x.id), damage_source: '虚构', demo: true });
    const run = await bureau.ok_post('/api/v1/qra', { name: '园区评估（虚构）', park: park.id });
    await until('the assessment', async () => (await bureau.ok_get(`/api/v1/qra/${run.id}`)).state === 'done', 300000);
    await p.go(`/qra/${run.id}`);
    await p.test('qra-figures').waitFor();
    await take('qra');
  }
  await p.close();
}
const only = process.argv.includes('--contracts') ? 'contracts' : process.argv.includes('--risk') ? 'risk' : '';
if (!only) {
  await shots(DESK, '');
  await shots(PHONE, '-phone');
}
if (only !== 'risk') {
  await contracts(DESK, '');
  await contracts(PHONE, '-phone');
}
if (only !== 'contracts') {
  await risk(DESK, '');
  await risk(PHONE, '-phone');
}
if (process.argv.includes('--en')) await shots(DESK, '-en', 'en');
await browser.close();
sim?.kill();
if (!process.env.ANLAN_URL) await server.stop();
