// Vector tiles and what lies within an area: read with OpenLayers' own decoder, which is not ours. Nobody gets an object that is
// not his, neither by name nor counted; what did not change is not sent again; a change is there when the stream says so.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import MVT from '../../ui/node_modules/ol/format/MVT.js';
import { makeDevice, Server, until } from '../lib/server.mjs';

let s, bureau, town, own, admin;
before(async () => {
  s = await Server.start();
  [bureau, town, own, admin] = await Promise.all(['bureau', 'town', 'enterprise', 'admin'].map((r) => s.as(r)));
});
after(() => s.stop());

const COLORS = ['grey', 'green', 'blue', 'yellow', 'orange', 'red'];
const format = new MVT();
const at = (z, [lon, lat]) => {
  const n = 2 ** z, r = (lat * Math.PI) / 180;
  return { z, x: Math.floor(((lon + 180) / 360) * n), y: Math.floor(((1 - Math.asinh(Math.tan(r)) / Math.PI) / 2) * n) };
};
async function raw(who, layer, t, query = '', headers = {}) {
  return fetch(`${s.url}/api/v1/tiles/${layer}/${t.z}/${t.x}/${t.y}.mvt${query}`, { headers: { Authorization: `Bearer ${who.token}`, ...headers } });
}
async function tile(who, layer, t, query) {
  const res = await raw(who, layer, t, query), bytes = await res.arrayBuffer();
  assert.equal(res.status, 200, Buffer.from(bytes).toString());
  assert.equal(res.headers.get('content-type'), 'application/vnd.mapbox-vector-tile');
  if (!bytes.byteLength) return [];
  return format.readFeatures(bytes).map((f) => ({ ...f.getProperties(), id: f.getId() }));
}
const sum = (features, color) => features.reduce((n, f) => n + (color ? (f.n ? f[color] ?? 0 : +(f.level === color)) : f.n ?? 1), 0);
const all = async (who, type, where = '') => {
  const items = [];
  for (let page = 1; ; page++) {
    const p = await who.ok_get(`/api/v1/records/${type}?size=500&page=${page}${where}`);
    items.push(...p.items);
    if (items.length >= p.total) return items;
  }
};
const WORLD = { z: 0, x: 0, y: 0 };

test('every layer of a reader counts what his list holds, at every depth', async () => {
  for (const who of [bureau, town, own]) {
    const layers = (await who.ok_get('/api/v1/tiles')).items.map((l) => l.layer);
    for (const layer of ['enterprise', 'installation']) {
      assert.ok(layers.includes(layer));
      const mine = (await all(who, layer)).filter((r) => r.position);
      const world = await tile(who, layer, WORLD);
      assert.equal(sum(world), mine.length, `${layer} of ${who.me.name}`);
      assert.equal(COLORS.reduce((n, c) => n + sum(world, c), 0), mine.length);
      const under = mine.map((r) => at(9, r.position)).map((t) => JSON.stringify(t));
      let n = 0;
      for (const t of new Set(under)) n += sum(await tile(who, layer, JSON.parse(t)));
      assert.equal(n, mine.length, `${layer} of ${who.me.name} at depth 9`);
    }
  }
});

test('another town\'s objects are in no tile of a town: not by id, not by title, not in a count', async () => {
  const theirs = (await all(bureau, 'enterprise')).filter((e) => e.position && !e.area.startsWith(town.me.area));
  const mine = new Set((await all(town, 'enterprise')).map((e) => e.id));
  assert.ok(theirs.length > 5 && mine.size > 1);
  for (const e of theirs.slice(0, 12)) {
    for (const z of [5, 11, 16, 20]) {
      const [whole, part] = await Promise.all([bureau, town].map((who) => tile(who, 'enterprise', at(z, e.position))));
      assert.ok(sum(whole) > sum(part), `${e.title} at depth ${z}`);
      for (const f of part) if (f.id !== undefined) assert.ok(mine.has(f.id), f.title);
      assert.ok(!part.some((f) => f.title === e.title));
    }
  }
  const single = (await all(own, 'enterprise')).length;
  assert.equal(single, 1);
  assert.equal(sum(await tile(own, 'enterprise', WORLD)), 1);
  assert.equal((await raw(admin, 'enterprise', WORLD)).status, 403, 'an administrator of the system has no business here');
});

const agree = async (check) => {
  let wrong;
  await until('the two to agree', () => check().then(() => true, (e) => { wrong = e; return false; })).catch((e) => { throw wrong ?? e; });
};
const risks = async () => new Map((await bureau.ok_get('/api/v1/index/safety/rank?kind=enterprise&size=500')).items.map((x) => [Number(x.key), x.level]));
test('filters and colours: sector, level, state; now or by the risk index', async () => {
  const dust = await all(bureau, 'enterprise', '&where.sector=dust');
  assert.equal(sum(await tile(bureau, 'enterprise', WORLD, '?sector=dust')), dust.length);
  assert.equal(sum(await tile(bureau, 'enterprise', WORLD, '?sector=dust,metal')), dust.length + (await all(bureau, 'enterprise', '&where.sector=metal')).length);
  const ranked = [...(await risks()).values()], of = (c) => ranked.filter((x) => x === c).length;
  assert.ok(of('red') && of('blue'));
  for (const risk of ['red', 'orange', 'yellow', 'blue']) {
    await until(`${risk} by the index`, async () => sum(await tile(bureau, 'enterprise', WORLD, `?by=risk&level=${risk}`)) === of(risk));
    assert.equal(sum(await tile(bureau, 'enterprise', WORLD, '?by=risk'), risk), of(risk), risk);
  }
  const graded = await all(bureau, 'risk_point', '&where.level=red'); // other types have their own grade
  if (graded.some((r) => r.position)) assert.equal(sum(await tile(bureau, 'risk_point', WORLD, '?by=risk'), 'red'), graded.filter((r) => r.position).length);
  const one = dust[0], f = (await tile(bureau, 'enterprise', at(20, one.position))).find((x) => x.id === one.id);
  assert.deepEqual([f.title, f.type, f.sector], [one.title, 'enterprise', 'dust']);
  const now = (await bureau.ok_get('/api/v1/map/objects')).enterprises;
  assert.deepEqual(COLORS.map((c) => sum([], c) + now.filter((e) => e.position && e.color === c).length),
    await tile(bureau, 'enterprise', WORLD).then((w) => COLORS.map((c) => sum(w, c))), 'the same colours as the objects of the map');
});

test('what is wrong with an address is said', async () => {
  const wrong = [['enterprise/21/0/0.mvt', 422, 'z'], ['enterprise/x/0/0.mvt', 422, 'z'], ['enterprise/3/8/0.mvt', 422, 'x'], ['enterprise/3/0/-1.mvt', 422, 'y'],
    ['enterprise/3/0/0', 404, 'y'], ['nothing/3/0/0.mvt', 404, 'layer'], ['person/3/0/0.mvt', 404, 'layer'], ['area/3/0/9.mvt', 422, 'y'],
    ['enterprise/3/0/0.mvt?level=pink', 422, 'level'], ['enterprise/3/0/0.mvt?by=luck', 422, 'by'], [`enterprise/3/0/0.mvt?sector=${'a'.repeat(5000)}`, 413, 'sector']];
  for (const [path, status, field] of wrong) {
    const r = await bureau.get(`/api/v1/tiles/${path}`, undefined, { lang: 'en' });
    assert.equal(r.json.error.field, field, path);
    assert.ok([status, status === 422 ? 400 : status].includes(r.status), `${path} ${r.status}`);
  }
  assert.equal((await fetch(`${s.url}/api/v1/tiles/enterprise/0/0/0.mvt`)).status, 401);
});

test('a tile that did not change is not sent again; a change is told to who may see it, and only its tiles are new', async () => {
  const enterprises = await all(bureau, 'enterprise');
  const mine = enterprises.find((e) => e.position && e.area.startsWith(town.me.area));
  const far = enterprises.find((e) => e.position && !e.area.startsWith(town.me.area) && at(12, e.position).x !== at(12, mine.position).x);
  const [here, there] = [mine, far].map((e) => at(12, e.position));
  const first = await raw(bureau, 'enterprise', here), tag = first.headers.get('etag'), elsewhere = (await raw(bureau, 'enterprise', there)).headers.get('etag');
  assert.match(first.headers.get('cache-control'), /private, no-cache/);
  assert.equal(first.headers.get('content-encoding'), 'gzip');
  assert.equal((await raw(bureau, 'enterprise', here, '', { 'If-None-Match': tag })).status, 304);
  assert.equal((await raw(town, 'enterprise', here, '', { 'If-None-Match': tag })).status, 200, 'another reader is another answer');
  const plain = await raw(bureau, 'enterprise', here, '', { 'Accept-Encoding': 'identity' });
  assert.equal(plain.headers.get('content-encoding'), null);
  const [stream, others] = await Promise.all([bureau.events(), (await elsewhereTown(far)).events()]);
  const title = `${mine.title} 改名`;
  await bureau.ok_patch(`/api/v1/records/enterprise/${mine.id}`, { name: title, version: mine.version });
  const told = await stream.wait('the map to be told', (e) => e.name === 'map' && e.data.layer === 'enterprise' && e.data.at);
  assert.ok(Math.abs(told.data.at[0] - mine.position[0]) < 1e-6 && Math.abs(told.data.at[1] - mine.position[1]) < 1e-6);
  assert.notEqual((await raw(bureau, 'enterprise', here)).headers.get('etag'), tag);
  assert.equal((await raw(bureau, 'enterprise', there, '', { 'If-None-Match': elsewhere })).status, 304);
  const f = (await tile(bureau, 'enterprise', at(20, mine.position))).find((x) => x.id === mine.id);
  assert.equal(f.title, title);
  // moved and retired: out of the old tile
  const moved = await bureau.ok_get(`/api/v1/records/enterprise/${mine.id}`);
  const before = sum(await tile(bureau, 'enterprise', here));
  await bureau.ok_patch(`/api/v1/records/enterprise/${mine.id}`, { position: far.position, version: moved.version });
  await until('the object to move', async () => sum(await tile(bureau, 'enterprise', here)) === before - 1);
  assert.equal(sum(await tile(bureau, 'enterprise', WORLD)), enterprises.filter((e) => e.position).length);
  assert.ok(!others.got.some((e) => e.name === 'map' && e.data.at?.[0] === told.data.at[0]), 'not told to another enterprise');
  stream.close();
  others.close();
});
const elsewhereTown = async () => own; // an account that sees its own enterprise only

test('alarms colour the map within a moment', async () => {
  const d = await makeDevice(s, { code: 'TILE-GW', protocol: 'http', points: [{ code: 'TILE-1', kind: 'level', unit: '%', h: 80, hh: 90 }] });
  const red = async () => (await tile(bureau, 'enterprise', at(20, d.enterprise.position))).find((f) => f.id === d.enterprise.id)?.level;
  assert.ok(['grey', 'green'].includes(await red()));
  const stream = await bureau.events();
  const push = (value) => s.call('POST', '/api/v1/readings', [{ point: 'TILE-1', time: new Date().toISOString(), value }], { headers: { Authorization: `Bearer ${d.key}` } });
  await push(95);
  await stream.wait('the map to be told', (e) => e.name === 'map' && e.data.layer === 'enterprise' && e.data.at);
  await until('a worse colour', async () => !['grey', 'green'].includes(await red()));
  stream.close();
});

test('within a circle, a polygon, of a thing: as the list says, in scope, and as a table', async () => {
  const mine = (await all(town, 'enterprise')).filter((e) => e.position), middle = mine[0];
  const km = (a, b) => {
    const r = Math.PI / 180, h = Math.sin(((b[1] - a[1]) * r) / 2) ** 2 + Math.cos(a[1] * r) * Math.cos(b[1] * r) * Math.sin(((b[0] - a[0]) * r) / 2) ** 2;
    return 2 * 6371.0088 * Math.asin(Math.sqrt(h));
  };
  const near = mine.filter((e) => km(e.position, middle.position) <= 3).map((e) => e.id).sort((a, b) => a - b);
  const got = await town.ok_get(`/api/v1/map/within?layer=enterprise&near=enterprise:${middle.id}&m=3000`);
  assert.deepEqual(got.items.map((x) => x.id).sort((a, b) => a - b), near);
  assert.equal(got.layers[0].total, near.length);
  assert.equal(got.items[0].id, middle.id);
  const same = await town.ok_get(`/api/v1/map/within?layer=enterprise,installation&lon=${middle.position[0]}&lat=${middle.position[1]}&m=3000`);
  assert.equal(same.layers[0].total, near.length);
  const [w, e, so, n] = [Math.min(...mine.map((x) => x.position[0])), Math.max(...mine.map((x) => x.position[0])), Math.min(...mine.map((x) => x.position[1])), Math.max(...mine.map((x) => x.position[1]))];
  const ring = [[w - 0.001, so - 0.001], [e + 0.001, so - 0.001], [e + 0.001, n + 0.001], [w - 0.001, n + 0.001]].map((p) => p.join(',')).join(';');
  assert.equal((await town.ok_get(`/api/v1/map/within?layer=enterprise&ring=${encodeURIComponent(ring)}`)).layers[0].total, mine.length);
  assert.ok((await bureau.ok_get(`/api/v1/map/within?layer=enterprise&ring=${encodeURIComponent(ring)}`)).layers[0].total >= mine.length);
  const csv = await town.get(`/api/v1/map/within?layer=enterprise&ring=${encodeURIComponent(ring)}&format=csv`);
  assert.equal(csv.text.trim().split('\r\n').length, mine.length + 1);
  assert.match(csv.headers.get('content-disposition'), /within\.csv/);
  for (const [query, field] of [['', 'layer'], ['?layer=enterprise', 'm'], ['?layer=enterprise&m=5&lon=200&lat=1', 'lon'], ['?layer=enterprise&m=0&lon=1&lat=1', 'm'],
    ['?layer=enterprise&ring=1,2;3,4', 'ring'], ['?layer=enterprise&ring=1,2;3,4;x', 'ring'], ['?layer=enterprise&near=1&m=5', 'near'], ['?layer=person&m=5&lon=1&lat=1', 'layer']])
    assert.equal((await bureau.get(`/api/v1/map/within${query}`)).json.error.field, field, query);
  const theirs = (await all(bureau, 'enterprise')).find((x) => x.position && !x.area.startsWith(town.me.area));
  assert.equal((await town.get(`/api/v1/map/within?layer=enterprise&near=enterprise:${theirs.id}&m=3000`)).status, 404, 'where another\'s thing is, is not told');
});

test('last positions: a vehicle and a tag, their age and trust, only to whom they belong', async () => {
  const known = (await bureau.ok_get('/api/v1/map/positions')).items.length; // asked before there is one more
  const v = await makeDevice(s, { code: '13800000147', protocol: 'http', points: [{ code: 'P-LON', kind: 'longitude', unit: '°', address: 'lon' }, { code: 'P-LAT', kind: 'latitude', unit: '°', address: 'lat' },
    { code: 'P-SPD', kind: 'vehicle_speed', unit: 'km/h', address: 'speed' }, { code: 'P-DIR', kind: 'wind_direction', unit: '°', address: 'direction' },
    { code: 'P-T-LON', kind: 'longitude', unit: '°', address: 'T9.longitude' }, { code: 'P-T-LAT', kind: 'latitude', unit: '°', address: 'T9.latitude' }, { code: 'P-T-SOS', kind: 'person_alarm', address: 'T9.alarm' },
    { code: 'P-X-LON', kind: 'longitude', unit: '°', address: 'T8.longitude' }] });
  const now = Date.now(), push = (time, values) => s.call('POST', '/api/v1/readings', Object.entries(values).map(([point, value]) => ({ point, value, time: new Date(time).toISOString() })), { headers: { Authorization: `Bearer ${v.key}` } });
  await push(now - 3600e3, { 'P-T-LON': 119.2, 'P-T-LAT': 33.1, 'P-T-SOS': 0 });
  await push(now - 5e3, { 'P-LON': 119.25, 'P-LAT': 33.15, 'P-SPD': 42.5, 'P-DIR': 270, 'P-X-LON': 119.3 });
  const { items } = await bureau.ok_get('/api/v1/map/positions'), mine = items.filter((x) => x.device === v.device.id);
  assert.equal(items.length, known + 2);
  assert.equal(mine.length, 2, 'a longitude without a latitude is no place');
  const [lorry, tag] = ['vehicle', 'person'].map((w) => mine.find((x) => x.what === w));
  assert.equal(lorry.code, '13800000147');
  assert.deepEqual([lorry.position, lorry.speed, lorry.heading, lorry.stale, lorry.tag], [[119.25, 33.15], 42.5, 270, false, '']);
  assert.ok(lorry.age_s >= 4 && lorry.age_s < 600);
  assert.deepEqual([tag.position, tag.stale, tag.tag, tag.alarm], [[119.2, 33.1], true, 'T9', false]);
  assert.ok(tag.age_s >= 3599);
  for (const who of [town, own]) {
    const theirs = (await who.ok_get('/api/v1/map/positions')).items.map((x) => x.device);
    const sees = (await who.get(`/api/v1/records/device/${v.device.id}`)).status === 200;
    assert.equal(theirs.includes(v.device.id), sees, who.me.name);
  }
});

test('areas: the worst and how many, of what the reader may see', async () => {
  for (const who of [bureau, town]) {
    const list = await all(who, 'enterprise');
    await agree(async () => { // the index goes on meanwhile
      const risk = await risks(), { items } = await who.ok_get('/api/v1/map/areas?by=risk');
      assert.equal(items.find((x) => x.code === '9901').total, list.length);
      for (const a of items) {
        const inside = list.filter((e) => e.position && e.area.startsWith(a.code));
        assert.equal(a.total, inside.length, a.code);
        assert.equal(a.level, ['red', 'orange', 'yellow', 'blue'].find((c) => inside.some((e) => risk.get(e.id) === c)) ?? 'grey');
        assert.equal(a.red, inside.filter((e) => risk.get(e.id) === 'red').length);
      }
    });
  }
});

test('areas and grids as polygons: cut to the tile, coloured by what the reader sees inside', async () => {
  const [w, so, e, n] = (await bureau.ok_get('/api/v1/map')).bounds, middle = [(w + e) / 2, (so + n) / 2];
  const grid = await bureau.ok_post('/api/v1/records/grid', { name: '第一网格', area: town.me.area.padEnd(12, '0'), leader: bureau.me.id,
    shape: { type: 'Polygon', coordinates: [[[w, so], [e, so], [e, n], [w, n], [w, so]]] } });
  const list = await all(bureau, 'enterprise'), inside = list.filter((x) => x.position && x.position[0] > w && x.position[0] < e && x.position[1] > so && x.position[1] < n);
  for (const z of [6, 14]) await agree(async () => {
    const risk = await risks(), worst = ['red', 'orange', 'yellow', 'blue'].find((c) => inside.some((x) => risk.get(x.id) === c));
    const [f] = await tile(bureau, 'grid', at(z, middle), '?by=risk');
    assert.deepEqual([f.title, f.n, f.level, f.red ?? 0], ['第一网格', inside.length, worst, inside.filter((x) => risk.get(x.id) === 'red').length]);
  });
  assert.deepEqual(await tile(bureau, 'grid', at(14, [w - 1, so])), []);
  assert.ok((await tile(town, 'grid', at(6, middle)))[0].n < inside.length, 'a town counts its own');
  const res = await raw(bureau, 'grid', at(6, middle));
  assert.equal((await raw(bureau, 'grid', at(6, middle), '', { 'If-None-Match': res.headers.get('etag') })).status, 304);
  const town9 = (await tile(bureau, 'area', at(6, middle), '?by=risk')).find((x) => x.code === town.me.area);
  if (town9) assert.equal(town9.n, list.filter((x) => x.position && x.area.startsWith(town.me.area)).length);
  const areas = (await bureau.ok_get('/api/v1/tiles')).items.filter((l) => l.kind === 'area').map((l) => l.layer);
  assert.ok(['area', 'grid'].every((l) => areas.includes(l)), areas.join());
  await bureau.ok_get(`/api/v1/records/grid/${grid.id}`);
});
