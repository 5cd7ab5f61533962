// Every role against every type, record, move and way of asking: what is not granted is refused, within and outside of the
// caller's area, enterprise and sectors, also when the id is guessed. What is granted is read from the YAML of the packs here,
// a second time and in another language than the server's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import yaml from 'js-yaml';
import { Server, root, withoutSanitizers } from '../lib/server.mjs';

// ---- the packs, read independently -----------------------------------------------------------------
const packs = join(root, 'packs');
function files(folder) {
  const out = [];
  for (const p of readdirSync(packs)) {
    const dir = join(packs, p, folder);
    if (existsSync(dir)) for (const f of readdirSync(dir)) out.push(yaml.load(readFileSync(join(dir, f), 'utf8'), { schema: yaml.CORE_SCHEMA }));
  }
  return out;
}
const list = (v) => (v == null ? [] : Array.isArray(v) ? v : [v]);
const roles = Object.fromEntries(files('roles').map((r) => [r.role, r]));
const fragments = Object.fromEntries(files('fragments').map((f) => [f.fragment, f]));
const expand = (names) => {
  const n = list(names);
  return n.includes('all') ? Object.keys(roles).filter((r) => r !== 'auditor' || n.includes('auditor')) : n;
};
const types = files('types').map((t) => {
  const fields = Object.assign({}, ...list(t.uses).map((u) => fragments[u]?.fields ?? {}), t.fields);
  const right = Object.fromEntries(['create', 'read', 'edit', 'retire'].map((k) => [k, expand(t.rights?.[k])]));
  return { ...t, name: t.type, fields, right, states: t.states ?? {}, moves: t.moves ?? {}, ofEnterprise: !!(t.enterprise_from || t.type === 'enterprise' || fields.enterprise) };
});

// ---- a county with one person a role, and of each type a record a state, here and elsewhere ---------
const HERE = '990121401000', THERE = '990121102000';
const DATA = 50000; // ids of what the test puts in: above those of the demo county; tables by id are as long as the highest
let s, people, old;
const alarms = [[HERE, 'ent', ''], [HERE, 'ent', 'mine_sector'], [HERE, 'ent', 'other_sector'], [HERE, 'beside', 'mine_sector'], [HERE, 'beside', 'other_sector'],
  [THERE, '3', 'mine_sector'], [THERE, '3', ''], [HERE, 'ent', null]].map(([area, of, sector]) => ({ area, of, sector }));
const ids = new Map(); // type → { here: {state: id}, there: id, other: id }
const sql = (text) => execFileSync('sqlite3', [join(s.dir, 'anlan.db')], { input: text, encoding: 'utf8' });

// More than a hundred thousand questions: on connections that stay, without what fetch does beside.
const agent = new Agent({ keepAlive: true, maxSockets: 12 });
const lean = (method, path, headers, body) => new Promise((done, fail) => {
  const r = request({ host: '127.0.0.1', port: s.http, agent, method, path, headers: { ...headers, 'Content-Length': Buffer.byteLength(body ?? '') } }, (res) => {
    let text = '';
    res.setEncoding('utf8');
    res.on('data', (part) => { text += part; });
    res.on('end', () => done({ status: res.statusCode, headers: new Map(Object.entries(res.headers)), text }));
    res.on('error', fail);
  });
  r.on('error', fail);
  r.end(body);
});

before(async () => {
  withoutSanitizers();
  s = await Server.start();
  s.tampered = true; // rows are put in past the program
  const password = s.password;
  s.child.kill('SIGTERM');
  await s.exited;
  const q = (v) => `'${String(v).replaceAll("'", "''")}'`;
  const ent = Number(sql(`SELECT id FROM r_enterprise WHERE area LIKE '990121401%' ORDER BY id LIMIT 1;`));
  const beside = Number(sql(`SELECT id FROM r_enterprise WHERE area LIKE '990121401%' AND id<>${ent} ORDER BY id LIMIT 1;`));
  const out = ['BEGIN;'];
  people = Object.keys(roles).map((role, i) => ({ role, id: DATA + i, login: `m-${role}`, enterprise: roles[role].bound === 'enterprise' || role === 'enterprise' ? ent : 0, sectors: '' }));
  people.push({ role: 'bureau', id: DATA + people.length, login: 'm-bureau-sector', enterprise: 0, sectors: ',mine_sector,' });
  for (const p of people)
    out.push(`INSERT INTO r_person(id,title,name,login,role,area,enterprise,version,sectors) VALUES(${p.id},${q(p.login)},${q(p.login)},${q(p.login)},${q(`,${p.role},`)},${q(HERE)},${p.enterprise},1,${q(p.sectors)});`,
      `INSERT INTO credential SELECT ${p.id}, encoded, changed_at FROM credential LIMIT 1;`);
  let id = DATA + 1000;
  for (const t of types) {
    const states = Object.keys(t.states).length ? Object.keys(t.states) : [''];
    const one = { here: {}, there: 0, beside: 0, sector: 0 };
    const insert = (state, area, enterprise, sector = '') => {
      id++;
      const owner = t.name === 'enterprise' && enterprise !== ent ? id : enterprise;
      out.push(`INSERT INTO r_${t.name}(id,title,state,area,enterprise,sector,version,search) VALUES(${id},${q(`标记${id}号`)},${q(state)},${q(area)},${owner},${q(sector)},1,${q(`标记${id}号\n`)});`);
      return id;
    };
    for (const st of states) one.here[st] = t.name === 'enterprise' ? ent : insert(st, HERE, ent);
    one.there = insert(states[0], THERE, 3);
    one.beside = insert(states[0], HERE, beside);
    one.sector = insert(states[0], HERE, ent, 'other_sector');
    ids.set(t.name, one);
  }
  alarms.forEach((a, i) => Object.assign(a, { id: DATA + i, enterprise: { ent, beside, 3: 3 }[a.of] }));
  for (const a of alarms) // the last is of a time when alarms had no sector yet: it gets that of its enterprise at the start
    out.push(`INSERT INTO alarm(id,point,rule,family,level,color,state,active,acked,raised_at,level_at,cause_time,area,enterprise,sector) VALUES(${a.id},${a.id},'m','limit','hh','red','unack',1,0,1000000,1000000,1000000,${q(a.area)},${a.enterprise},${a.sector === null ? 'NULL' : q(a.sector)});`);
  old = sql(`SELECT sector FROM r_enterprise WHERE id=${ent};`).trim();
  out.push('COMMIT;');
  sql(out.join('\n'));
  s.code = s.signal = undefined;
  await s.spawn();
  s.send = lean;
  for (const p of people) {
    const r = await s.call('POST', '/api/v1/login', { name: p.login, password });
    if (r.status !== 200) throw new Error(`${p.login}: ${r.text}`);
    p.token = r.json.token;
  }
}, { timeout: 900000 });
after(() => { agent.destroy(); return s.stop(); });

// ---- what is right ----------------------------------------------------------------------------------
const may = (p, t, right) => t.right[right].includes(p.role);
function visible(p, t, which) {
  if (t.name === 'area') return true;
  const county = p.enterprise && !t.ofEnterprise; // the county's own registers
  if (which === 'there') return !!county;
  if (which === 'beside') return !p.enterprise || county;
  if (which === 'sector') return county || !p.sectors;
  return true;
}
const wrong = [];
let asked = 0;
async function expect(p, what, method, path, body, ok) {
  const r = await s.call(method, path, body, { token: p.token });
  asked++;
  if (!ok(r.status, r)) wrong.push(`${p.login}: ${method} ${path} (${what}): ${r.status} ${r.text.slice(0, 160)}`);
  return r;
}
const refused = (st) => st === 403 || st === 404;
const notRefused = (st) => st !== 403 && st !== 404 && st < 500;
const none = { version: 999999 }; // refused as out of date after the rights were asked: nothing changes

async function oneType(p, t, doc) {
  const at = `/api/v1/records/${t.name}`, one = ids.get(t.name), read = may(p, t, 'read');
  const first = Object.values(one.here)[0];
  await expect(p, 'type', 'GET', `/api/v1/types/${t.name}`, undefined, (st) => (read ? st === 200 : st === 404));
  await expect(p, 'list', 'GET', `${at}?size=1`, undefined, (st) => (read ? st === 200 : st === 404));
  await expect(p, 'create', 'POST', at, { no_such_field_anywhere: 1 }, (st) => (!read ? refused(st) : may(p, t, 'create') ? st === 400 : st === 403));
  // Every address below a record, whatever it is. Of a type that a person may not read every eleventh, of a record out of sight
  // every third, others for each person and type: together the people ask all of them.
  const below = async (what, id, every = 1) => {
    const start = people.indexOf(p) + types.indexOf(t);
    for (const [path, methods] of doc.filter((_, i) => (i + start) % every === 0))
      for (const m of methods)
        await expect(p, `below ${what}`, m, path.replace('{type}', t.name).replace('{id}', id).replace('{move}', Object.keys(t.moves)[0] ?? 'x').replace(/\{\w+\}/g, '1'),
          m === 'GET' ? undefined : { ...none, reason: '测试', fields: ['phone'] }, refused);
  };
  if (!read) return below('unread', first, 11);
  for (const which of ['there', 'beside', 'sector']) {
    const id = one[which], sees = visible(p, t, which);
    await expect(p, `one ${which}`, 'GET', `${at}/${id}`, undefined, (st) => (sees ? st === 200 : st === 404));
    if (sees) continue;
    await expect(p, `filter ${which}`, 'GET', `${at}?where.id=${id}`, undefined, (st, r) => st === 200 && r.json.total === 0);
    await expect(p, `search ${which}`, 'GET', `${at}?q=${encodeURIComponent(`标记${id}号`)}`, undefined, (st, r) => st === 200 && r.json.total === 0);
    if (which === 'there' || !visible(p, t, 'there')) await below(which, id, 3);
  }
  await expect(p, 'csv', 'GET', `${at}?format=csv&where.id.ge=${DATA}`, undefined, (st, r) => st === 200 && ['there', 'beside', 'sector'].every((w) => visible(p, t, w) || !r.text.includes(`标记${one[w]}号`)));
  if (t.name === 'enterprise' && p.sectors) return; // the real enterprise is of another sector than the test's person
  await expect(p, 'history', 'GET', `${at}/${first}/history`, undefined, (st) => st === 200);
  await expect(p, 'edit', 'PATCH', `${at}/${first}`, none, (st) => {
    const state = t.states[Object.keys(one.here)[0]];
    const edits = state?.edit ? expand(state.edit).includes(p.role) : may(p, t, 'edit');
    return edits ? notRefused(st) || t.name === 'person' : st === 403 || (st === 409 && state?.end);
  });
  await expect(p, 'retire', 'DELETE', `${at}/${first}`, {}, (st) => (may(p, t, 'retire') ? st === 400 : st === 403));
  for (const [name, m] of Object.entries(t.moves))
    for (const from of list(m.from)) {
      const called = expand(m.who).includes(p.role);
      await expect(p, `move ${name} from ${from}`, 'POST', `${at}/${one.here[from]}/moves/${name}`, none, (st) => (called ? notRefused(st) : st === 403));
    }
}

test('no role reaches further than its packs say', { timeout: 600000 }, async () => {
  const openapi = (await s.call('GET', '/api/v1/openapi.json')).json;
  const doc = Object.entries(openapi.paths).filter(([path]) => path.startsWith('/api/v1/records/{type}/{id}'))
    .map(([path, m]) => [path, Object.keys(m).map((x) => x.toUpperCase()).filter((x) => ['GET', 'POST', 'PATCH', 'DELETE'].includes(x))]);
  assert.ok(types.length >= 13 && doc.length >= 4 && people.length >= 8);
  // the rows of this test; what schedules make meanwhile has higher numbers
  const last = sql(types.map((t) => `SELECT coalesce(max(id), 0) FROM r_${t.name};`).join('')).trim().split('\n'); // one call: connections do not wait for 160
  const dump = () => sql(types.map((t, i) => `SELECT '${t.name}', id, version, state, retired FROM r_${t.name} WHERE id BETWEEN ${DATA} AND ${last[i]};`).join(''));
  const untouched = dump();
  const work = people.flatMap((p) => types.map((t) => () => oneType(p, t, doc)));
  const began = Date.now();
  await Promise.all(Array.from({ length: 12 }, async () => { for (let f; (f = work.pop());) await f(); }));
  console.log(`# ${asked} questions in ${((Date.now() - began) / 1000).toFixed(1)} s: ${people.length} people, ${types.length} types`);
  assert.deepEqual(wrong.slice(0, 40), [], `${wrong.length} answers are wrong`);
  const before = untouched.split('\n'), after = new Set(dump().split('\n'));
  assert.deepEqual(before.filter((row) => !after.has(row)), [], 'nothing was changed');
});

test('alarms are narrowed by area, enterprise and sector like records: lists, counts, one, its journal, what is done with it', async () => {
  const rule = (p, a) => a.area === HERE && (!p.enterprise || a.of === 'ent') && (!p.sectors || ['', ...p.sectors.split(',')].includes(a.sector ?? old));
  const mine = (r) => r.json.items.map((a) => a.id).filter((id) => id >= DATA && id < DATA + alarms.length).sort();
  const readers = people.filter((p) => list(roles[p.role].may).includes('alarm.read'));
  assert.ok(readers.length >= 4 && readers.some((p) => p.sectors) && readers.some((p) => p.enterprise));
  for (const p of readers) {
    const at = (path) => s.call('GET', `/api/v1/alarms${path}`, undefined, { token: p.token });
    const may = alarms.filter((a) => rule(p, a)).map((a) => a.id);
    const all = await at('?state=all&size=500'), open = await at('?size=500');
    assert.deepEqual([mine(all), mine(open)], [may, may], p.login);
    assert.equal(open.json.total, open.json.items.length, `${p.login} total`);
    assert.equal(open.json.counts.unack, open.json.items.filter((a) => a.state === 'unack').length, `${p.login} counts`);
    for (const a of alarms) {
      const sees = rule(p, a), handles = list(roles[p.role].may).includes('alarm.handle');
      for (const path of [`/${a.id}`, `/${a.id}/journal`]) assert.equal((await at(path)).status, sees ? 200 : 404, `${p.login} ${path}`);
      assert.deepEqual(mine(await at(`?state=all&point=${a.id}`)), sees ? [a.id] : [], `${p.login} by point`);
      const acts = await s.call('POST', `/api/v1/alarms/${a.id}/${sees ? 'comment' : 'ack'}`, {}, { token: p.token });
      assert.equal(acts.status, !handles ? 403 : sees ? 400 : 404, `${p.login} acts on ${a.id}: ${acts.text}`);
    }
  }
  assert.equal(sql(`SELECT count(*) FROM alarm WHERE id BETWEEN ${DATA} AND ${DATA + alarms.length} AND acked_at IS NOT NULL;`).trim(), '0', 'nothing was changed');
});

test('the event stream brings an alarm only to whom it concerns, by sector too', async () => {
  const whole = people.find((p) => p.login === 'm-bureau'), part = people.find((p) => p.sectors);
  const streams = await Promise.all([whole, part].map((p) => s.events(p.token)));
  const by = people.find((p) => list(roles[p.role].may).includes('alarm.handle') && !p.enterprise && !p.sectors);
  const other = alarms.find((a) => a.sector === 'other_sector'), own = alarms.find((a) => a.sector === 'mine_sector');
  for (const a of [other, own]) assert.equal((await s.call('POST', `/api/v1/alarms/${a.id}/ack`, {}, { token: by.token })).status, 200);
  await streams[0].wait('how often it beats', (e) => e.name === 'hello' && e.data.beat_s > 0); // a reader that hears less is cut off
  const got = (k, a) => streams[k].got.some((e) => e.name === 'alarm' && e.data.id === a.id);
  await streams[1].wait('its own', (e) => e.name === 'alarm' && e.data.id === own.id);
  await streams[0].wait('both', (e) => e.name === 'alarm' && e.data.id === own.id);
  assert.deepEqual([got(0, other), got(1, other)], [true, false]);
  streams.forEach((x) => x.close());
});

test('permissions beside the types: each address that needs one is closed to every role without it', async () => {
  const openapi = (await s.call('GET', '/api/v1/openapi.json')).json;
  for (const [path, methods] of Object.entries(openapi.paths))
    for (const [m, r] of Object.entries(methods))
      for (const p of people.filter((x) => r['x-permission'] && !list(roles[x.role].may).includes(r['x-permission'])))
        assert.equal((await s.call(m.toUpperCase(), path.replace(/\{\w+\}/g, '1'), m === 'get' ? undefined : {}, { token: p.token })).status, 403, `${p.login} ${m} ${path}`);
});

test('the administrator, the security officer and the auditor stay apart from business and from each other', async () => {
  // what a pack opens to everybody (plans, circulars) is for them as well
  const business = types.filter((t) => Object.keys(t.states).length && !list(t.rights?.read).includes('all')).map((t) => t.name);
  for (const role of ['admin', 'security', 'auditor']) {
    const p = people.find((x) => x.role === role);
    const mine = (await s.call('GET', '/api/v1/types', undefined, { token: p.token })).json.types.map((t) => t.name);
    assert.deepEqual(mine.filter((t) => business.includes(t)), [], `${role} reads business`);
    for (const t of types.filter((x) => business.includes(x.name) || Object.keys(x.moves).length))
      assert.ok(!['create', 'edit', 'retire'].some((k) => t.right[k].includes(role)) && !Object.values(t.moves).some((m) => expand(m.who).includes(role)), `${role} handles ${t.name}`);
    if (role === 'auditor') assert.deepEqual(mine.filter((t) => !['area', 'channel', 'directory', 'webhook'].includes(t)), []); // names of places, ways of messages out, ways to log in
  }
  const sets = ['admin', 'security', 'auditor'].map((r) => list(roles[r].may));
  for (const perm of ['user.manage', 'session.manage', 'audit.read']) assert.equal(sets.filter((x) => x.includes(perm)).length, 1, perm);
});

test('the report of a role says what the packs say', async () => {
  const auditor = people.find((p) => p.role === 'auditor');
  for (const role of Object.keys(roles)) {
    const r = (await s.call('GET', `/api/v1/roles/${role}/reach`, undefined, { token: auditor.token })).json;
    for (const t of types) {
      const got = r.types.find((x) => x.type === t.name);
      const read = t.right.read.includes(role);
      assert.equal(got.read, read, `${role} ${t.name}`);
      for (const k of ['create', 'edit', 'retire']) assert.equal(got[k], read && t.right[k].includes(role), `${role} ${t.name} ${k}`);
      assert.deepEqual(got.moves.filter((m) => !m.as_person).map((m) => m.name).sort(), Object.entries(t.moves).filter(([, m]) => expand(m.who).includes(role)).map(([n]) => n).sort(), `${role} ${t.name} moves`);
    }
    for (const p of people.filter((x) => !['admin', 'security', 'auditor'].includes(x.role)).slice(0, 3))
      assert.equal((await s.call('GET', `/api/v1/roles/${role}/reach`, undefined, { token: p.token })).status, 403);
  }
  const csv = await s.call('GET', '/api/v1/roles/town/reach?format=csv', undefined, { token: auditor.token });
  assert.equal(csv.text.trim().split('\n').length, types.length + 1);
});
