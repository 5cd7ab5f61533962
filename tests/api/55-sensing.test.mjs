// What is watched and what is not: cameras with their stills (only where the administrator lets the server go), coverage by dimension,
// the online monitoring rate of major risks and tanks, lightning that stops loading, a bypass with and without a permit, a remote inspection.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';

// A camera of nobody's making: a still that can be told apart, one that is too large, a page, a redirect, a door with a lock.
const still = (n) => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), Buffer.from('JFIF\0'), Buffer.alloc(9), Buffer.from(`still ${n}`), Buffer.from([0xff, 0xd9])]);
const asked = [];
let s, bureau, duty, admin, town, camera, broken = false;
before(async () => {
  camera = createServer((q, r) => {
    asked.push(q.url);
    if (q.url === '/big') return r.end(Buffer.concat([still(0), Buffer.alloc(3 << 20)]));
    if (q.url === '/page') return r.end('<html>login</html>');
    if (q.url === '/away') return r.writeHead(302, { Location: '/still' }).end();
    if (q.url === '/locked') return r.writeHead(401).end();
    if (broken) return q.socket.destroy();
    r.end(still(asked.filter((x) => x === '/still').length));
  });
  await new Promise((ok) => camera.listen(0, '127.0.0.1', ok));
  s = await Server.start();
  [bureau, duty, admin, town] = await Promise.all(['bureau', 'duty', 'admin', 'town'].map((r) => s.as(r)));
});
after(async () => {
  camera.closeAllConnections?.();
  camera.close();
  await s.stop();
});

const iso = (t) => new Date(t).toISOString();
const post = async (d, code, rows) => {
  const r = await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device ${code}:${d.key}` } });
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.json.rejected, []);
};
const alarmOf = (point, fits = () => true) => until(`an alarm of ${point}`, async () => (await duty.ok_get(`/api/v1/alarms?state=all&point=${point}`)).items.find(fits));
const link = async (id, want) => until(`camera ${id} ${want}`, async () => {
  const r = await bureau.ok_get(`/api/v1/records/camera/${id}`);
  return r.link === want && r;
});

test('a still is fetched only where the administrator lets the server go, and only what is a picture', async () => {
  const firm = (await bureau.ok_get('/api/v1/records/enterprise?q=' + encodeURIComponent('安澜恒沣石化'))).items[0];
  const at = `http://127.0.0.1:${camera.address().port}`;
  const make = (name, still_url, position = [119.0573, 33.0874]) => bureau.ok_post('/api/v1/records/camera', { name, enterprise: firm.id, part: 'tank', position, still_url });
  const good = await make('抓图一', `${at}/still`);
  assert.match((await link(good.id, 'offline')).link_why, /网段/);
  assert.deepEqual(asked, [], 'nothing was asked before a network is allowed');
  assert.equal((await bureau.post('/api/v1/records/camera_network', { name: '越权', network: '127.0.0.0/8' })).status, 404);

  const odd = { 'http://user:pw@127.0.0.1/still': /用户名/, 'http://localhost/still': /IPv4/, 'file:///etc/passwd': /IPv4/, 'http://169.254.169.254/latest': /网段/, 'http://[::1]/still': /IPv4/ };
  const odds = [];
  for (const url of Object.keys(odd)) odds.push([await make(`异常 ${odds.length}`, url), odd[url]]);
  await admin.ok_post('/api/v1/records/camera_network', { name: '测试网段', network: '127.0.0.1/32' });
  await admin.ok_post('/api/v1/records/camera_network', { name: '链路本地', network: '169.254.0.0/16' });
  await link(good.id, 'online');
  const r = await fetch(`${s.url}/api/v1/cameras/${good.id}/still`, { headers: { Authorization: `Bearer ${duty.token}` } });
  assert.equal(r.headers.get('content-type'), 'image/jpeg');
  assert.match(Buffer.from(await r.arrayBuffer()).toString('latin1'), /still \d/);
  for (const [c, why] of odds) assert.match((await link(c.id, 'offline')).link_why, why);

  const bad = { '/big': /太大/, '/page': /JPEG/, '/away': /没有答复图片/, '/locked': /用户名密码/ };
  for (const [path, why] of Object.entries(bad)) {
    const c = await make(`坏 ${path}`, at + path);
    assert.match((await link(c.id, 'offline')).link_why, why);
    assert.equal((await bureau.get(`/api/v1/cameras/${c.id}/still`)).status, 404);
  }
  assert.equal((await duty.get(`/api/v1/records/camera/${good.id}`)).text.includes('127.0.0.1'), false, 'the address is told to those who enter it');

  // asked for: a newer one; one failure of a camera that was online does not count yet, the second does
  const before = asked.filter((x) => x === '/still').length;
  await until('a newer still', async () => {
    await duty.ok_post(`/api/v1/cameras/${good.id}/still`, {});
    return asked.filter((x) => x === '/still').length > before;
  });
  broken = true;
  await until('the second failure', async () => {
    await duty.ok_post(`/api/v1/cameras/${good.id}/still`, {});
    return (await bureau.ok_get(`/api/v1/records/camera/${good.id}`)).link === 'offline';
  });
  const counts = await bureau.ok_get('/api/v1/cameras');
  assert.equal(counts.total, counts.online + counts.offline + counts.unknown);
  assert.ok(counts.offline >= 10, JSON.stringify(counts));
  assert.equal((await bureau.ok_get('/api/v1/indicators/camera_online_rate')).total?.value ?? 0, 0);
});

test('an alarm names the nearest cameras, nearest first, in the scope of who asks', async () => {
  const point = (await bureau.ok_get('/api/v1/records/point?q=' + encodeURIComponent('1号苯乙烯储罐液位'))).items[0];
  const near = await bureau.ok_get(`/api/v1/cameras?point=${point.id}&m=2000`);
  assert.ok(near.items.length >= 3, JSON.stringify(near.items));
  assert.deepEqual(near.items.map((c) => c.metres), near.items.map((c) => c.metres).sort((a, b) => a - b));
  assert.ok(near.items.every((c) => c.metres <= 2000));
  const far = (await bureau.ok_get('/api/v1/records/enterprise?q=' + encodeURIComponent('安澜万澜水产'))).items[0];
  const farPoint = (await bureau.ok_get(`/api/v1/records/point?where.enterprise=${far.id}&size=1`)).items[0];
  assert.equal((await town.get(`/api/v1/cameras?point=${farPoint.id}`)).status, 404, 'another town');
  assert.equal((await town.ok_get('/api/v1/cameras')).total, (await town.ok_get('/api/v1/records/camera')).total);
  assert.equal((await bureau.get(`/api/v1/cameras?point=${point.id}&m=0`)).status, 400);
});

test('coverage by dimension, and the online monitoring rate of major risks and tanks, are those of the live points', async () => {
  const before = await bureau.ok_get('/api/v1/sensing/coverage?size=500');
  assert.equal(before.items.length, before.total);
  const d = await makeDevice(s, { code: 'SENSE-1', protocol: 'http', points: [{ code: 'SN-POST', kind: 'post_headcount', unit: '人', l: 0 }] });
  const mine = async () => (await bureau.ok_get('/api/v1/sensing/coverage?size=500')).items.find((e) => e.id === d.enterprise.id);
  await until('the new point to count', async () => (await mine())?.people.points === 1);
  assert.equal((await mine()).people.live, 0);
  await post(d, 'SENSE-1', [{ point: 'SN-POST', time: iso(Date.now()), value: 2 }]);
  await until('the new point to be live', async () => (await mine()).people.live === 1);
  const people = (c) => c.dimensions.find((x) => x.name === 'people');
  const now = await bureau.ok_get('/api/v1/sensing/coverage?size=500');
  assert.equal(people(now).points, people(before).points + 1);
  const gaps = await bureau.ok_get('/api/v1/sensing/coverage?gap=people&size=500');
  assert.equal(gaps.total, now.total - now.items.filter((e) => e.people.points).length);
  assert.ok(!gaps.items.some((e) => e.id === d.enterprise.id));
  assert.equal((await bureau.get('/api/v1/sensing/coverage?gap=space')).status, 400);
  assert.ok((await town.ok_get('/api/v1/sensing/coverage?size=500')).total < now.total);

  const all = await bureau.ok_get('/api/v1/sensing/risks?size=500');
  const major = all.items.filter((r) => r.major);
  assert.deepEqual([all.major, all.online], [major.length, major.filter((r) => r.measured.live).length]);
  assert.equal(all.rate, (100 * all.online) / all.major);
  const tanks = all.items.reduce((n, r) => n + (r.tanks?.points ?? 0), 0);
  assert.equal(all.tanks, tanks);
  assert.ok(tanks > 0);
  const missing = await bureau.ok_get('/api/v1/sensing/risks?missing=true&major=true&size=500');
  assert.equal(missing.total, all.major - all.online);
  assert.ok(missing.items.every((r) => r.measured.live === 0 && r.major));
  const facility = all.items.find((r) => r.type === 'key_facility' && r.record.points?.length);
  assert.equal(facility.shown.length, 1);
});

test('lightning stops loading: one order for the enterprise, whatever the sign of the field and how many sensors', async () => {
  const d = await makeDevice(s, { code: 'LIGHT-1', protocol: 'http', points: [
    { code: 'EF-1', kind: 'electric_field', unit: 'kV/m', h: 2, hh: 5 }, { code: 'LN-1', kind: 'lightning_near', unit: '次', hh: 1 }] });
  const t = Math.floor(Date.now() / 1000) * 1000 - 60e3;
  await post(d, 'LIGHT-1', [0, 5, 10, 15].map((k) => ({ point: 'EF-1', time: iso(t + k * 1000), value: -7 })));
  await alarmOf('EF-1', (a) => a.rule === 'lightning_stop' && a.opened);
  await post(d, 'LIGHT-1', [{ point: 'LN-1', time: iso(t + 20e3), value: 3 }]);
  await alarmOf('LN-1', (a) => a.opened);
  const orders = (await bureau.ok_get(`/api/v1/records/lightning_stop?where.enterprise=${d.enterprise.id}&where.state=ordered`)).items;
  assert.equal(orders.length, 1, 'the second sensor joins the order: ' + JSON.stringify(orders));
  assert.deepEqual([orders[0].state, orders[0].value, orders[0].point.title], ['ordered', -7, '测试点 EF-1']);
  assert.ok(orders[0].deadline);
});

test('a bypass alarms without a permit in force; a trip through any', async () => {
  const d = await makeDevice(s, { code: 'GUARD-1', protocol: 'http', points: [{ code: 'XV-A', kind: 'protective_state' }, { code: 'XV-B', kind: 'protective_state' }] });
  const b = (await bureau.ok_get('/api/v1/records/point?q=XV-B')).items[0];
  const permit = await bureau.ok_post('/api/v1/records/maintenance_window', { kind: 'bypass', name: '隔爆阀检验', enterprise: d.enterprise.id, point: b.id, begins: iso(Date.now() - 3600e3),
    ends: iso(Date.now() + 3600e3), why: '年度检验', measures: '专人监护' });
  assert.equal((await bureau.post(`/api/v1/records/maintenance_window/${permit.id}/moves/approve`, {})).status, 403, 'not by who applied');
  await duty.ok_post(`/api/v1/records/maintenance_window/${permit.id}/moves/approve`, {});
  const t = Math.floor(Date.now() / 1000) * 1000 - 120e3;
  await post(d, 'GUARD-1', ['XV-A', 'XV-B'].flatMap((point) => [0, 30, 61, 70].map((k) => ({ point, time: iso(t + k * 1000), value: 1 }))));
  assert.equal((await alarmOf('XV-A')).state, 'unack');
  await alarmOf('XV-B', (a) => a.state === 'out_of_service'); // hidden by its permit
  await post(d, 'GUARD-1', [{ point: 'XV-B', time: iso(t + 80e3), value: 2 }]);
  assert.equal((await alarmOf('XV-B', (a) => a.level === 'hh')).state, 'unack', 'a trip is never hidden');
  assert.equal((await bureau.ok_get('/api/v1/records/maintenance_window?list=bypass')).items.filter((w) => w.id === permit.id).length, 1);
});
