// A span of time replayed: the states of alarms at any instant are those of their journals, readings are those of the history, gaps are
// gaps, nobody sees more than his rights; and the case file made of it holds against whoever checks it without us.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

let s, bureau, duty, town, ent, auditor, site, other, warning, alarms, T0;
const keys = {};
const rfc = (t) => new Date(t).toISOString();
const replay = (who, query) => who.ok_get(`/api/v1/replay?${query}`);
const move = (who, id, name, body = {}) => who.ok_post(`/api/v1/records/warning/${id}/moves/${name}`, body);
const push = async (device, rows) => {
  const r = await s.call('POST', '/api/v1/readings', rows.map(([point, at, value]) => ({ point, time: rfc(T0 + at * 1000), value })), { headers: { Authorization: `Device ${device}:${keys[device]}` } });
  assert.equal(r.json?.rejected?.length ?? 0, 0, r.text);
};
const listed = async (code) => (await bureau.ok_get('/api/v1/alarms?state=all&size=500')).items.filter((a) => a.point.code === code);

async function plant(code, enterprise, points) {
  const d = await bureau.ok_post('/api/v1/records/device', { code, name: `回放 ${code}`, enterprise, protocol: 'http' });
  for (const p of points) await bureau.ok_post('/api/v1/records/point', { code: p, name: `回放 ${p}`, device: d.id, enterprise, kind: 'level', unit: '%', h: 80, hh: 90, interval_s: 10 });
  keys[code] = (await bureau.ok_post(`/api/v1/devices/${d.id}/key`, {})).key;
  await until('the points', async () => (await bureau.get(`/api/v1/points/${points.at(-1)}`)).status === 200);
}

before(async () => {
  s = await Server.start();
  [bureau, duty, town, ent, auditor] = await Promise.all(['bureau', 'duty', 'town', 'enterprise', 'auditor'].map((r) => s.as(r)));
  site = ent.me.enterprise.id;
  const firms = (await bureau.ok_get('/api/v1/records/enterprise?size=200')).items;
  other = firms.find((f) => f.id !== site && !f.area.startsWith(town.me.area.slice(0, 9))).id;
  await plant('RP-GW', site, ['RP-A', 'RP-B']);
  await plant('RP-GW2', other, ['RP-C']);
  T0 = Math.floor((Date.now() - 3000e3) / 1000) * 1000; // fifty minutes ago; A is silent from 1200 to 2400 s
  const wave = (p, from, to, value) => Array.from({ length: (to - from) / 10 }, (_, i) => [p, from + i * 10, value(from + i * 10)]);
  const high = (t) => t >= 300 && t < 600 ? 85 : t >= 600 && t < 900 ? 95 : t >= 900 && t < 960 ? 85 : 70;
  await push('RP-GW', [...wave('RP-A', 0, 1200, high), ...wave('RP-B', 0, 1200, (t) => (t % 200 < 100 ? 88 : 60))]);
  await push('RP-GW', [...wave('RP-A', 2400, 2900, () => 71)]);
  await push('RP-GW2', wave('RP-C', 0, 900, (t) => (t > 300 ? 97 : 50)));
  const opened = await until('the warning of A', async () => (await listed('RP-A')).find((a) => a.opened && a.returned_at));
  warning = opened.opened.id;
  await until('B and C to have alarmed', async () => (await listed('RP-B')).length && (await listed('RP-C')).length);
  await duty.ok_post(`/api/v1/alarms/${opened.id}/comment`, { reason: '已电话核实' });
  await duty.ok_post(`/api/v1/alarms/${opened.id}/ack`, {});
  const b = (await listed('RP-B'))[0];
  if (b.state === 'unack' || b.state === 'rtn_unack') await duty.ok_post(`/api/v1/alarms/${b.id}/ack`, {});
  await move(duty, warning, 'verify');
  await move(duty, warning, 'publish', { verify_note: '属实', control_plan: '=停止进料' });
  await ent.ok_post(`/api/v1/records/warning/${warning}/receipt`, { note: '收到' }).catch(() => {}); // if the matrix told him
  await move(ent, warning, 'receive');
  alarms = [...await listed('RP-A'), ...await listed('RP-B'), ...await listed('RP-C')];
});
after(() => s.stop());

// The state at t said by the journal alone: the newest written entry among those whose time is not after t.
function byJournal(items, t) {
  let newest = -Infinity, found = null;
  for (const e of items) {
    const condition = ['raised', 'level', 'returned'].includes(e.what);
    if (condition && e.reason === 'late' && e.from === e.to && Date.parse(e.at) < newest) continue; // noted only
    if (condition) newest = Math.max(newest, Date.parse(e.at));
    if (Date.parse(e.at) <= t && (!found || e.id > found.id)) found = e;
  }
  return found ? found.to : 'normal';
}
const byReplay = (a, t) => a?.steps.findLast?.((x) => Date.parse(x[0]) <= t)?.[1] ?? 'normal';
const span = () => `from=${rfc(T0)}&to=${rfc(Date.now())}`;

test('the states at any instant are those of the journals, and those of the list at the end', async () => {
  const times = `from=${rfc(T0)}&to=${rfc(Date.now())}`;
  const asked = async () => { const r = [await replay(bureau, `${times}&enterprise=${site}`), await replay(bureau, `${times}&enterprise=${other}`)]; return { to: Date.parse(r[0].to), alarms: r.flatMap((x) => x.alarms) }; };
  // read between two replays that are the same: nothing was written meanwhile
  const { r, journals, rows } = await until('the alarms to stand', async () => {
    const got = { r: await asked(), journals: new Map(), rows: new Map() };
    for (const a of alarms) {
      got.rows.set(a.id, await bureau.ok_get(`/api/v1/alarms/${a.id}`));
      got.journals.set(a.id, (await bureau.ok_get(`/api/v1/alarms/${a.id}/journal`)).items);
    }
    return JSON.stringify(got.r.alarms) === JSON.stringify((await asked()).alarms) && got;
  }, 60000);
  const seen = new Set();
  for (const a of alarms) {
    const journal = journals.get(a.id), there = r.alarms.find((x) => x.id === a.id);
    const moments = journal.flatMap((e) => [-1, 0, 1].map((d) => Date.parse(e.at) + d));
    for (let i = 0; i <= 300; i++) moments.push(T0 + ((r.to - T0) * i) / 300);
    for (const t of moments) {
      if (t < T0 || t >= r.to) continue;
      assert.equal(byReplay(there, t), byJournal(journal, t), `alarm ${a.id} of ${a.point.code} at ${rfc(t)}`);
      seen.add(byReplay(there, t));
    }
    if (journal.every((e) => Date.parse(e.at) < r.to)) assert.equal(byReplay(there, r.to), rows.get(a.id).state);
  }
  for (const state of ['normal', 'unack', 'rtn_unack']) assert.ok(seen.has(state), `${state} was seen: ${[...seen]}`);
  const a = r.alarms.find((x) => x.code === 'RP-A' && x.steps.some((y) => y[3] === 'hh'));
  const colors = a.steps.map((x) => `${x[3]} ${x[4]}`);
  assert.notEqual(colors.find((x) => x.startsWith('h ')).split(' ')[1], colors.find((x) => x.startsWith('hh ')).split(' ')[1], 'each level in its own colour');
});

test('nothing of it is later than its end', async () => {
  const end = T0 + 700e3; // A is high-high, nobody has acted
  const r = await replay(bureau, `from=${rfc(T0)}&to=${rfc(end)}&enterprise=${site}`);
  assert.ok(r.events.length > 0 && r.events.every((e) => Date.parse(e.at) < end && Date.parse(e.at) >= T0));
  assert.ok(r.alarms.every((a) => a.steps.every((x) => Date.parse(x[0]) < end)));
  const a = r.alarms.find((x) => x.code === 'RP-A');
  assert.deepEqual(a.steps.at(-1).slice(1), ['unack', true, 'hh', a.steps.at(-1)[4]]);
  assert.doesNotMatch(JSON.stringify(r), /已电话核实|move:verify/);
  for (const p of r.points) for (const i of p.items ?? []) assert.ok(i[0] * p.step_s * 1000 < end - T0);
});

test('what was done is in it, by whom, in order; the readings are those of the history, and a gap is a gap', async () => {
  const from = await until('it all to be in the past', async () => replay(duty, `type=warning&record=${warning}`));
  assert.equal(from.subject.type, 'warning');
  assert.ok(Date.parse(from.from) <= T0 + 600e3 - 1800e3 + 1000 && Date.parse(from.to) <= Date.now());
  const r = await replay(duty, `${span()}&type=warning&record=${warning}`);
  const what = r.events.filter((e) => e.kind === 'action' && e.record === warning && e.type === 'warning').map((e) => e.what);
  assert.deepEqual(what.filter((x) => /^move:/.test(x)), ['move:verify', 'move:publish', 'move:receive']);
  assert.ok(r.events.some((e) => e.what === 'comment' && e.reason === '已电话核实' && e.actor === duty.me.title));
  assert.deepEqual(r.events.map((e) => e.at), [...r.events.map((e) => e.at)].sort((x, y) => Date.parse(x) - Date.parse(y)));
  assert.ok(r.events.some((e) => e.kind === 'message' && e.what === 'told'), 'the release told somebody');
  for (const e of r.events) if (e.kind === 'message' && e.actor) assert.match(e.actor, /^.\*\*$/, 'receivers are masked');

  const fine = await replay(bureau, `from=${rfc(T0)}&to=${rfc(T0 + 2900e3)}&alarm=${alarms[0].id}`);
  const p = fine.points[0];
  assert.equal(p.code, 'RP-A', 'the point of the alarm stands first');
  const history = (await bureau.ok_get(`/api/v1/points/RP-A/series?from=${rfc(T0)}&to=${rfc(T0 + 2900e3)}&step=${p.step_s}s`)).items;
  assert.deepEqual(p.items.map((i) => [T0 + i[0] * p.step_s * 1000, i[1], i[2], i[3], i[4]]), history.map((h) => [Date.parse(h.from), h.min, h.avg, h.max, h.last]));
  const long = p.gaps.find((g) => Date.parse(g[0]) > T0);
  assert.ok(Date.parse(long[0]) > T0 + 1200e3 && Date.parse(long[0]) < T0 + 2400e3 && Date.parse(long[1]) === T0 + 2400e3, JSON.stringify(p.gaps));
});

test('who may not see it gets nothing of it', async () => {
  const c = alarms.find((a) => a.point.code === 'RP-C');
  for (const [who, query] of [[ent, `alarm=${c.id}`], [ent, `enterprise=${other}`], [town, `enterprise=${other}`], [town, `alarm=${c.id}`], [ent, 'type=warning&record=99999']])
    assert.equal((await who.get(`/api/v1/replay?${query}`)).status, 404, query);
  for (const who of [ent, town]) {
    const r = await replay(who, `${span()}`); // everything he may see
    assert.doesNotMatch(JSON.stringify(r), /RP-C/);
    assert.ok(!r.enterprises.some((e) => e.id === other));
  }
  assert.ok((await replay(ent, span())).alarms.some((a) => a.code === 'RP-A'));
  assert.match(JSON.stringify(await replay(bureau, span())), /RP-C/);
  assert.equal((await auditor.get(`/api/v1/replay?enterprise=${site}`)).status, 403);
  assert.equal((await ent.post(`/api/v1/replay/case?alarm=${c.id}`, {})).status, 404);
});

test('limits are said, with what to do', async () => {
  const bad = async (query, status, field) => { const r = await bureau.get(`/api/v1/replay?${query}`); assert.deepEqual([r.status, r.json.error.field], [status, field], r.text); return r.json.error.message; };
  assert.match(await bad(`from=${rfc(Date.now() - 9 * 864e5)}&to=${rfc(Date.now())}&enterprise=${site}`, 413, 'to'), /7 天/);
  await bad(`from=${rfc(Date.now() - 1000)}&to=${rfc(Date.now() - 5000)}&enterprise=${site}`, 400, 'from');
  await bad('type=warning', 400, 'record');
  await bad('from=yesterday', 400, 'from');
  await bad('area=9', 400, 'area');
});

function unzip(b) {
  const parts = {};
  let end = b.length - 22;
  while (b.readUInt32LE(end) !== 0x06054b50) end--;
  for (let i = 0, at = b.readUInt32LE(end + 16); i < b.readUInt16LE(end + 10); i++) {
    const n = b.readUInt16LE(at + 28), name = b.toString('utf8', at + 46, at + 46 + n), local = b.readUInt32LE(at + 42);
    const from = local + 30 + b.readUInt16LE(local + 26) + b.readUInt16LE(local + 28), data = b.subarray(from, from + b.readUInt32LE(at + 20));
    parts[name] = b.readUInt16LE(at + 10) ? inflateRawSync(data) : data;
    at += 46 + n + b.readUInt16LE(at + 30) + b.readUInt16LE(at + 32);
  }
  return parts;
}
const sm3 = (b) => createHash('sm3').update(b).digest('hex');

test('the case file holds: every digest, its audit entry, its readings; it is read without us', async () => {
  const to = T0 + 2900e3;
  const r = await fetch(`${s.url}/api/v1/replay/case?from=${rfc(T0)}&to=${rfc(to)}&enterprise=${site}`, { method: 'POST', headers: { Authorization: `Bearer ${duty.token}`, 'Content-Type': 'application/json' }, body: '{}' });
  assert.equal(r.status, 200);
  assert.match(r.headers.get('content-type'), /application\/zip/);
  const m = unzip(Buffer.from(await r.arrayBuffer())), manifest = JSON.parse(m['manifest.json']);
  assert.deepEqual(Object.keys(m).sort(), ['README.txt', 'SM3SUMS.txt', 'actions.csv', 'alarm-journal.csv', 'manifest.json', 'messages.csv', 'readings.csv', 'replay.json', 'summary.pdf']);
  // 1 the sums, in both places
  const sums = m['SM3SUMS.txt'].toString().trim().split('\n').map((l) => l.split('  '));
  assert.equal(sums.length, 7);
  for (const [hash, name] of sums) assert.equal(sm3(m[name]), hash, name);
  for (const x of manifest.members) assert.deepEqual([sm3(m[x.name]), m[x.name].length], [x.sm3, x.size], x.name);
  // 2 and 3 the entry names them, and its digest follows from the one before
  const { entry, before: was, after: is } = manifest.audit;
  assert.equal(JSON.parse(entry.detail).sm3sums, sm3(m['SM3SUMS.txt']));
  const i64 = (v) => { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(v)); return b; };
  const text = (v) => { const b = Buffer.from(v), n = Buffer.alloc(4); n.writeUInt32LE(b.length); return Buffer.concat([n, b]); };
  assert.equal(sm3(Buffer.concat([Buffer.from(was, 'hex'), ...[entry.seq, entry.at, entry.actor, entry.record].map(i64), ...[entry.actor_name, entry.action, entry.type, entry.detail].map(text)])), is);
  const chain = (await (await fetch(`${s.url}/api/v1/audit/export?from=${entry.seq}&size=1`, { headers: { Authorization: `Bearer ${auditor.token}` } })).text()).split('\n');
  assert.equal(JSON.parse(chain[0]).hash, is);
  assert.deepEqual(JSON.parse(chain[0]).action, 'replay.export');
  assert.match(manifest.audit.anchor, new RegExp(`^anlan-anchor 1 ${entry.seq} ${is}`));
  // the readings are those of the history
  const samples = (await bureau.ok_get(`/api/v1/points/RP-A/series?from=${rfc(T0)}&to=${rfc(to)}`)).items;
  const rows = m['readings.csv'].toString().split('\n').map((l) => l.replaceAll('"', '').split(',')).filter((l) => l[1] === 'RP-A');
  assert.deepEqual(rows.map((x) => [Date.parse(x[0]), Number(x[2])]), samples.map((x) => [Date.parse(x[0]), x[1]]));
  // the tables say what the page said; nothing runs in a spreadsheet; nobody's number is in it
  const doc = JSON.parse(m['replay.json']);
  assert.equal(m['alarm-journal.csv'].toString().trim().split('\r\n').length - 1, doc.events.filter((e) => e.kind === 'alarm').length);
  const all = ['alarm-journal.csv', 'actions.csv', 'messages.csv', 'replay.json', 'README.txt'].map((n) => m[n].toString()).join('\n');
  assert.doesNotMatch(all, /(?<!\d)1[3-9]\d{9}(?!\d)/);
  assert.doesNotMatch(all, /(^|,)"?=/m);
  const pdf = join(s.dir, 'summary.pdf');
  writeFileSync(pdf, m['summary.pdf']);
  const words = execFileSync('pdftotext', [pdf, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
  assert.ok(words.includes('案卷摘要') && words.includes('事情经过') && words.includes('RP-A'), words.slice(0, 400));
});
