// OGC API - Features as a map program uses it: from the landing page by links, with Basic and an access token.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

let s, town, bureau, token, auth;
before(async () => {
  s = await Server.start();
  [town, bureau] = await Promise.all(['town', 'bureau'].map((r) => s.as(r)));
  token = (await town.ok_post('/api/v1/tokens', { name: 'QGIS', scopes: ['ogc'] })).token;
  auth = { Authorization: `Basic ${Buffer.from(`${town.me.name}:${token}`).toString('base64')}` };
});
after(() => s.stop());
const get = (path, headers = auth) => s.call('GET', path.replace(s.url, ''), undefined, { headers });

test('from the landing page every link leads somewhere', async () => {
  const landing = (await get('/ogc', {})).json;
  const link = (rel) => landing.links.find((l) => l.rel === rel).href;
  assert.ok(link('self').startsWith(s.url), link('self'));
  assert.ok((await get(link('conformance'), {})).json.conformsTo.includes('http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core'));
  assert.equal((await get(link('service-desc'), {})).json.openapi, '3.0.3');
  const { collections } = (await get(link('data'))).json;
  const ids = collections.map((c) => c.id);
  for (const t of ['enterprise', 'installation', 'area']) assert.ok(ids.includes(t), t);
  for (const c of collections) {
    const items = await get(c.links.find((l) => l.rel === 'items').href + '?limit=1');
    assert.equal(items.status, 200, items.text);
    assert.match(items.headers.get('content-type'), /^application\/geo\+json/);
    assert.equal(items.json.type, 'FeatureCollection');
  }
});

test('who may: a token with the scope, its own person, nobody else', async () => {
  const none = await get('/ogc/collections', {});
  assert.equal(none.status, 401);
  assert.match(none.headers.get('www-authenticate'), /^Basic/);
  const basic = (name, pass) => ({ Authorization: `Basic ${Buffer.from(`${name}:${pass}`).toString('base64')}` });
  for (const h of [basic('admin', token), basic(town.me.name, 'anl_22222222222222222222222222222222'), basic('admin', s.password), basic(town.me.name, '')])
    assert.equal((await get('/ogc/collections', h)).status, 401);
  const other = await town.ok_post('/api/v1/tokens', { name: 'no map', scopes: ['records:read'] });
  assert.equal((await get('/ogc/collections', basic(town.me.name, other.token))).status, 403);
  assert.equal((await s.call('GET', '/api/v1/records/enterprise', undefined, { token })).status, 403, 'the map\'s token is for the map');
  const ok = await get('/ogc/collections');
  assert.equal(ok.headers.get('www-authenticate'), null);
});

test('features are those of the person: his area, his rights, masked', async () => {
  const mine = (await town.ok_get('/api/v1/records/enterprise?size=500')).total;
  const all = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).total;
  const page = (await get('/ogc/collections/enterprise/items?limit=500')).json;
  assert.ok(mine < all);
  assert.equal(page.numberMatched, mine);
  assert.equal(page.features.length, mine);
  for (const f of page.features) {
    assert.equal(f.type, 'Feature');
    assert.ok(f.properties.area.startsWith(town.me.area));
    assert.equal(f.properties.moves, undefined);
    if (f.properties.phone) assert.match(f.properties.phone, /\*/);
    if (f.geometry) assert.deepEqual([f.geometry.type, f.geometry.coordinates.length], ['Point', 2]);
  }
  const theirs = (await bureau.ok_get('/api/v1/records/enterprise?size=500')).items.find((e) => !e.area.startsWith(town.me.area));
  assert.equal((await get(`/ogc/collections/enterprise/items/${theirs.id}`)).status, 404);
  assert.equal((await get('/ogc/collections/person/items')).status, 404, 'a type without a place');
  const one = (await get(`/ogc/collections/enterprise/items/${page.features[0].id}`)).json;
  assert.deepEqual(one.geometry, page.features[0].geometry);
});

test('a page that is larger than ours is our largest, HEAD is GET without its body, and another method is told what there is', async () => {
  const much = (await get('/ogc/collections/enterprise/items?limit=1000')).json; // as QGIS asks; 17-069r4 7.15.2: no error
  assert.equal(much.numberReturned, Math.min(500, much.numberMatched));
  const at = `${s.url}/api/v1/records/enterprise?size=1`, auth = { headers: { Authorization: `Bearer ${town.token}` } };
  const head = await fetch(at, { method: 'HEAD', ...auth });
  assert.deepEqual([head.status, head.headers.get('content-type'), await head.text()], [200, 'application/json; charset=utf-8', '']);
  assert.equal((await fetch(at, { method: 'HEAD' })).status, 401);
  const put = await fetch(at, { method: 'PUT', ...auth });
  assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, HEAD, POST']);
  assert.equal((await fetch(`${s.url}/api/v1/events`, { method: 'HEAD', ...auth })).status, 405, 'a stream is nothing but its body');
});

test('pages follow one another to the end, each feature once', async () => {
  const seen = [];
  let at = '/ogc/collections/enterprise/items?limit=3', total;
  for (let n = 0; at && n < 1000; n++) {
    const p = (await get(at)).json;
    assert.ok(p.features.length <= 3 && p.numberReturned === p.features.length);
    total = p.numberMatched;
    seen.push(...p.features.map((f) => f.id));
    at = p.links.find((l) => l.rel === 'next')?.href;
  }
  assert.equal(seen.length, total);
  assert.equal(new Set(seen).size, total);
});

test('bbox and datetime choose as the standard says', async () => {
  const all = (await get('/ogc/collections/enterprise/items?limit=500')).json.features.filter((f) => f.geometry);
  const [lon, lat] = all[0].geometry.coordinates;
  const box = [lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01];
  const got = (await get(`/ogc/collections/enterprise/items?limit=500&bbox=${box}`)).json;
  const want = all.filter((f) => { const [x, y] = f.geometry.coordinates; return x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]; });
  assert.deepEqual(got.features.map((f) => f.id).sort(), want.map((f) => f.id).sort());
  assert.ok(want.length > 0 && want.length < all.length);
  assert.equal((await get('/ogc/collections/enterprise/items?bbox=0,0,1,1')).json.numberReturned, 0);
  const areas = (await get(`/ogc/collections/area/items?limit=500&bbox=${box}`)).json;
  assert.ok(areas.features.every((f) => f.geometry === null || f.geometry.type));
  assert.equal((await get('/ogc/collections/enterprise/items?bbox=170,-90,-170,90')).json.numberReturned, 0, 'over the 180th meridian');
  assert.equal((await get(`/ogc/collections/enterprise/items?limit=500&bbox=100,-90,-170,90`)).json.numberReturned, all.length);
  for (const bad of ['bbox=1,2,3', 'bbox=a,b,c,d', 'bbox=0,10,1,5', 'datetime=yesterday', 'limit=0', 'nonsense=1'])
    assert.equal((await get(`/ogc/collections/enterprise/items?${bad}`)).status, 400, bad);
  assert.equal((await get('/ogc/collections/enterprise/items?datetime=2000-01-01T00:00:00Z/2001-01-01T00:00:00Z')).json.numberMatched, 0);
  assert.ok((await get('/ogc/collections/enterprise/items?datetime=2001-01-01T00:00:00Z/..')).json.numberMatched >= all.length);
});
