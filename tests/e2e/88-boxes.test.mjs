// Boxes of single records as a person sees them: a patrol whose track is compared with its plan, the nearest vessels to one in distress; and long
// lists of a phone, which come in parts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { chinese, DESK, openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, v, bureau, dept, town, duty;
const LON = 118.9, LAT = 33.1, M = 1 / 111195;
const t0 = Math.floor(Date.now() / 1000) * 1000 - 3600e3;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const done = (who, type, id, name, body = {}) => who.ok_post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const time = (sec) => new Date(t0 + sec * 1000).toISOString();
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
const fits = async (p) => {
  const w = await p.width();
  assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
};
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  [bureau, dept, town, duty] = await Promise.all(['bureau', 'department', 'town', 'duty'].map((r) => s.as(r)));
  v = await makeDevice(s, { code: 'BOX-1', protocol: 'http', points: [
    { code: 'B-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'B-LAT', kind: 'latitude', unit: '°', address: 'lat' }] });
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('a patrol: compared by a press, each point with its time or marked as missed, at both sizes', { timeout: 900000 }, async () => {
  const area = v.enterprise.area?.code ?? v.enterprise.area;
  const point = (name, north) => ({ name, lon: LON, lat: Number((LAT + north * M).toFixed(6)), radius: 30 });
  const route = await rec(bureau, 'patrol_route', { name: '安澜站护路线（虚构）', kind: 'rail', area, unit: '护路队', points: [point('K12', 0), point('K12+500', 500), point('K13', 1000)], device: v.device.id });
  const rows = Array.from({ length: 7 }, (_, i) => [['B-LON', i * 20, LON], ['B-LAT', i * 20, LAT + i * 100 * M]]).flat().map(([p, sec, value]) => ({ point: p, value, time: time(sec) }));
  assert.equal((await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Bearer ${v.key}` } })).status, 200);
  for (const [size, lang, name] of [[DESK, 'zh', 'patrol'], [PHONE, 'en', 'patrol-phone']]) {
    const round = await rec(dept, 'patrol_round', { title: '上午（虚构）', route: route.id });
    await done(town, 'patrol_round', round.id, 'walked', { who: '巡一', started: time(-10), ended: time(200) });
    const p = await (await Person.open(browser, s, { size, lang })).be('department');
    await watched([p], name, async () => {
      await p.go(`/records/patrol_round/${round.id}`);
      const press = p.test('patrol-compare');
      await press.waitFor();
      assert.ok((await press.boundingBox()).height >= 44);
      await press.click();
      await p.test('patrol-sum').waitFor();
      assert.match(await p.test('patrol-sum').innerText(), lang === 'zh' ? /3 个点到位 2 个，漏 1 个/ : /2 of 3 points passed, 1 missed/);
      assert.equal(await p.test('patrol-missed').count(), 1);
      assert.match(await p.test('patrol-missed').innerText(), /K13/);
      await fits(p);
      await shot(p, name);
      p.clean('/records/patrol_round');
    });
    await p.close();
  }
});

test('a vessel in distress: who is nearest, how far, how old its position is; nobody near says so', { timeout: 900000 }, async () => {
  const area = v.enterprise.area?.code ?? v.enterprise.area;
  const ship = await rec(dept, 'ship', { name: '虚渔 882', area, owner: '船东', phone: '13900009129', kind: 'fishing', hull: 'steel', length: 11, port: '虚构港', survey_to: '2099-01-01' });
  await done(dept, 'ship', ship.id, 'sail', { terminal: 'online', mmsi: '虚渔 882', equipment: [{ item: '救生衣', required: 4, lacking: 0, valid_to: '2099-01-01' }] });
  await bureau.ok_patch(`/api/v1/records/ship/${ship.id}`, { device: v.device.id, version: (await bureau.ok_get(`/api/v1/records/ship/${ship.id}`)).version });
  const now = new Date().toISOString();
  assert.equal((await s.call('POST', '/api/v1/readings', [{ point: 'B-LON', value: LON, time: now }, { point: 'B-LAT', value: LAT + 2000 * M, time: now }], { headers: { Authorization: `Bearer ${v.key}` } })).status, 200);
  await rec(dept, 'water_facility', { name: '虚构救助艇', area, kind: 'boat', port: '虚构港', position: [LON, Number((LAT - 5000 * M).toFixed(6))], keeper: '海事处', status: 'good', radius: 20, next_check: '2099-01-01' });
  const d = await rec(duty, 'ship_distress', { title: '机舱进水（虚构）', area, unknown: '虚渔 777', by: '甚高频 16 频道', people: 3 });
  await done(duty, 'ship_distress', d.id, 'locate', { position: [LON, LAT] });
  for (const [size, lang, name] of [[DESK, 'zh', 'distress'], [PHONE, 'en', 'distress-phone']]) {
    const p = await (await Person.open(browser, s, { size, lang })).be('duty');
    await watched([p], name, async () => {
      await p.go(`/records/ship_distress/${d.id}`);
      await p.test('distress').waitFor();
      const text = await p.test('distress').innerText();
      assert.match(text, /虚渔 882[\s\S]*2\.0 km[\s\S]*虚构救助艇[\s\S]*5\.0 km/, 'the nearest first');
      const heights = await p.page.evaluate(() => [...document.querySelectorAll('[data-test="distress"] a')].map((a) => a.getBoundingClientRect().height));
      assert.ok(heights.length >= 2 && heights.every((h) => h >= 44), String(heights));
      if (lang === 'en') assert.deepEqual(chinese([text], '虚渔 882虚构救助艇' + JSON.stringify(await duty.ok_get(`/api/v1/distress/${d.id}`))), []);
      await fits(p);
      await shot(p, name);
      p.clean('/records/ship_distress');
    });
    await p.close();
  }
});

test('long lists of a phone come in parts, and every one can be reached', { timeout: 600000 }, async () => {
  const p = await (await Person.open(browser, s, { size: PHONE })).be('duty');
  await watched([p], 'long', async () => {
    for (const [page, row] of [['devices', '.devs > *'], ['rules', '.page ul > li']]) {
      await p.go(`/${page}`);
      await p.page.locator(row).first().waitFor();
      assert.equal(await p.page.locator(row).count(), 20, page);
      await p.test('more-rows').click();
      await until('more of them', async () => (await p.page.locator(row).count()) === 40);
      assert.ok((await p.test('more-rows').boundingBox()).height >= 44);
    }
    p.clean('long lists');
  });
  await p.close();
});
