// The sensing network in the browser: the matrix with its gaps, risks now, an enterprise's remote screen with a real still, a remote
// inspection that keeps it, the nearest camera on an alarm's card, an observed image on the map; on a phone in English.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, camera, picture, d, firm, alarm, file;
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png`, fullPage: true });
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: 640, height: 360 } });
  await page.setContent('<body style="margin:0;background:linear-gradient(#8fb3d9 45%,#7d7a70 45%)"><div style="position:absolute;left:120px;top:90px;width:130px;height:150px;background:#d9dde2;border-radius:8px"></div><div style="position:absolute;left:330px;top:110px;width:150px;height:130px;background:#cfd4da;border-radius:8px"></div><b style="position:absolute;left:12px;top:8px;color:#fff;font:20px monospace">CAM 01</b>');
  picture = await page.screenshot({ type: 'jpeg' });
  await page.close();
  camera = createServer((q, r) => r.end(picture));
  await new Promise((ok) => camera.listen(0, '127.0.0.1', ok));
  d = await makeDevice(s, { code: 'SEE-1', protocol: 'http', points: [{ code: 'SEE-POST', name: '中控室在岗', kind: 'post_headcount', unit: '人', l: 0, position: [119.0574, 33.0875] }, { code: 'SEE-XV', name: '隔爆阀状态', kind: 'protective_state', position: [119.0574, 33.0875] }] });
  firm = d.enterprise;
  const admin = await s.as('admin');
  await admin.ok_post('/api/v1/records/camera_network', { name: '测试', network: '127.0.0.1/32' });
  const c = await d.bureau.ok_post('/api/v1/records/camera', { name: '罐区全景', enterprise: firm.id, part: 'tank', position: [119.0573, 33.0874], still_url: `http://127.0.0.1:${camera.address().port}/still.jpg` });
  const t = Math.floor(Date.now() / 1000) * 1000 - 90e3;
  const rows = [{ point: 'SEE-POST', time: new Date().toISOString(), value: 2 }, ...[0, 70].map((k) => ({ point: 'SEE-XV', time: new Date(t + k * 1000).toISOString(), value: 2 }))];
  assert.equal((await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device SEE-1:${d.key}` } })).status, 200);
  alarm = await until('the trip', async () => (await d.bureau.ok_get('/api/v1/alarms?point=SEE-XV')).items[0]);
  await until('the camera is online', async () => (await d.bureau.ok_get(`/api/v1/records/camera/${c.id}`)).link === 'online');
  const up = await fetch(`${s.url}/api/v1/files?name=ortho.jpg`, { method: 'POST', body: picture, headers: { Authorization: `Bearer ${d.bureau.token}` } });
  file = await up.json();
  await d.bureau.ok_post('/api/v1/records/observation_layer', { name: '罐区正射影像（虚构）', area: '990121401000', source: 'drone', product: 'image', taken: new Date().toISOString(), picture: [file.id], west: 119.04, south: 33.08, east: 119.075, north: 33.095 });
});
after(async () => {
  await browser?.close();
  camera?.closeAllConnections?.();
  camera?.close();
  await s?.stop();
});

test('from the gap to the enterprise, its picture, the inspection that keeps it', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'sensing', async () => {
    await p.go('/sensing');
    await p.test('matrix').waitFor();
    const people = Number(await p.test('dim-people').locator('b').innerText());
    await shot(p, 'sensing-matrix');
    await p.test('dim-people').click();
    await until('only the gaps', async () => !(await p.test('matrix').innerText()).includes(firm.title));
    assert.ok(people >= 1);
    await p.test('sense-risks').click();
    await p.test('rate-major').waitFor();
    await until('risks with values', async () => (await p.test('risk-installation').count()) > 3);
    await shot(p, 'sensing-risks');
    await p.test('sense-systems').click();
    await p.test('systems').waitFor();
    assert.match(await p.test('systems').innerText(), /已接入/);
    await shot(p, 'sensing-systems');

    await p.go(`/remote/${firm.id}`);
    await until('a picture', async () => (await p.page.locator('[data-test="cameras"] img').first().evaluate((i) => i.naturalWidth).catch(() => 0)) === 640);
    await until('a live point', async () => /^[1-9]\d*\//.test(await p.test('remote-live').innerText()));
    await shot(p, 'sensing-remote');
    await p.test('inspect').click();
    await p.at(/remote_inspection\/\d+$/);
    const rec = await d.bureau.ok_get('/api/v1/records/remote_inspection/' + /(\d+)$/.exec(p.page.url())[1]);
    assert.equal(rec.stills.length, 1, 'the still is kept as a photo');
    assert.ok(rec.alarms_open >= 1 && /隔爆阀状态/.test(rec.situation) && rec.points_live >= 1, JSON.stringify(rec));
    await shot(p, 'sensing-inspection');

    await p.go(`/alarms/${alarm.id}`);
    await until('the nearest camera', async () => /罐区全景/.test(await p.test('alarm-card').locator('[data-test="cameras"]').innerText().catch(() => '')));
    await shot(p, 'sensing-alarm');
    await p.go('/map');
    const drawn = p.page.waitForResponse((r) => r.url().endsWith(`/api/v1/files/${file.id}`), { timeout: 900000 });
    await p.test('map-layer-pictures').check();
    assert.equal((await drawn).status(), 200, 'the observed image is fetched to be drawn');
    await p.settled();
    await shot(p, 'sensing-map');
    p.clean();
  });
  await p.close();
});

test('on a phone in English it fits', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('bureau');
  await watched([p], 'sensing-phone', async () => {
    for (const [path, mark, name] of [['/sensing', 'dim-people', 'matrix'], ['/sensing?part=risks', 'rate-major', 'risks'], [`/remote/${firm.id}`, 'remote-live', 'remote'], ['/remote', 'remote-firm', 'firms']]) {
      await p.go(path);
      await p.test(mark).first().waitFor();
      const wide = await p.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
      await shot(p, `sensing-phone-${name}`);
    }
    p.clean();
  });
  await p.close();
});
