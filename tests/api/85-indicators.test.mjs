// Indicators: every number of every shipped indicator against SQL that this test writes itself from the YAML; what belongs to a
// number (records, gap, scope, snapshots, public page); and the yearly assessment from self score to publication.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, until } from '../lib/server.mjs';

let s, bureau, town, enterprises;
const year = new Date(Date.now() + 8 * 3600e3).getUTCFullYear();
const month = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 7);

const sql = (text) => JSON.parse(execFileSync('sqlite3', ['-readonly', '-json', join(s.dir, 'anlan.db'), text], { encoding: 'utf8' }) || '[]');

// ---- the smallest reader of what indicator files hold: nested maps, flow maps, scalars ----------
function flow(text) {
  let i = 0;
  const ws = () => { while (/\s/.test(text[i] ?? '')) i++; };
  const scalar = (stop) => {
    if (text[i] === "'" || text[i] === '"') { const q = text[i++]; const at = text.indexOf(q, i); const v = text.slice(i, at); i = at + 1; return v; }
    const from = i;
    while (i < text.length && !stop.includes(text[i]) && !(text[i] === ':' && text[i + 1] === ' ')) i++;
    return text.slice(from, i).trim();
  };
  const value = (stop) => {
    ws();
    if (text[i] === '{') {
      const o = {};
      for (i++, ws(); text[i] !== '}'; ws()) { const k = scalar(',}'); ws(); i++; o[k] = value(',}'); ws(); if (text[i] === ',') i++; ws(); }
      i++;
      return o;
    }
    if (text[i] === '[') {
      const a = [];
      for (i++, ws(); text[i] !== ']'; ws()) { a.push(value(',]')); ws(); if (text[i] === ',') i++; ws(); }
      i++;
      return a;
    }
    return scalar(stop);
  };
  return value('');
}
function readYaml(path) {
  const o = {};
  for (const line of readFileSync(path, 'utf8').split('\n').filter((l) => l.trim() && !/^\s*#/.test(l))) {
    const m = /^([a-z_]+):\s*(.*)$/.exec(line);
    if (m) o[m[1]] = m[2] ? flow(m[2]) : {};
  }
  return o;
}
const files = readdirSync(join(root, 'packs')).flatMap((p) => {
  try { return readdirSync(join(root, 'packs', p, 'indicators')).map((f) => join(root, 'packs', p, 'indicators', f)); } catch { return []; }
});
const defs = Object.fromEntries(files.map((f) => readYaml(f)).map((d) => [d.indicator, d]));

// ---- the same in SQL, written here ---------------------------------------------------------------
const known = new Map();
function columnsOf(type) {
  if (!known.size)
    for (const r of sql("SELECT m.name AS t, i.name AS c FROM sqlite_master m, pragma_table_info(m.name) i WHERE m.type='table' AND m.name LIKE 'r\\_%' ESCAPE '\\'"))
      known.set(r.t, [...(known.get(r.t) ?? []), r.c]);
  return known.get(`r_${type}`) ?? [];
}
function whereSql(text, type) {
  if (!text) return '1';
  const columns = columnsOf(type);
  const words = (part) => part.replace(/'[^']*'|[a-z_][a-z0-9_.]*|==|!=/g, (w, at) => {
    if (w === '==') return '=';
    if (w === '!=') return '<>';
    if (['and', 'or', 'not', 'in'].includes(w) || w[0] === "'") return w;
    if (w === 'true' || w === 'false') return w === 'true' ? '1' : '0';
    if (columns.includes(w) && !/[=<>(,]\s*$/.test(part.slice(0, at))) return `coalesce("${w}",'')`;
    return `'${w}'`;
  });
  const matched = /matched(?:_ever)?\('([a-z_]+)\.([a-z_]+)'\)/;
  return text.split(/(matched(?:_ever)?\('[^']*'\))/).map((part) => {
    const [, other, column] = matched.exec(part) ?? [];
    return other ? `EXISTS(SELECT 1 FROM r_${other} o WHERE o.retired=0 AND o."${column}"=r_${type}."${column}")` : words(part);
  }).join('');
}
const simple = (text) => !text || !/empty|has\(|today|now\(|\d[dh]\b|[+*/]|\bme\b/.test(text);
let money;
function moneyOf() {
  if (!money) {
    money = new Set();
    for (const p of readdirSync(join(root, 'packs'))) {
      let types = [];
      try { types = readdirSync(join(root, 'packs', p, 'types')); } catch { continue; }
      for (const t of types) {
        const text = readFileSync(join(root, 'packs', p, 'types', t), 'utf8');
        for (const m of text.matchAll(/^ {2}([a-z_]+): \{is: money/gm)) money.add(`${t.replace('.yaml', '')}.${m[1]}`);
      }
    }
  }
  return money;
}
function sourceSql(src, from, to, key, yr) { // rows of k and v
  if (!src) return 'SELECT NULL AS k, NULL AS v LIMIT 0';
  const what = src.sum ? `sum("${src.sum}")${moneyOf().has(`${src.type}.${src.sum}`) ? '/100.0' : ''}` : 'count(*)';
  const at = src.at && typeof src.at === 'object' ? `"${src.at.year}"=${yr}`
    : src.at ? `CASE typeof("${src.at}") WHEN 'text' THEN "${src.at}">='${from.slice(0, 10)}' AND "${src.at}"<'${to.slice(0, 10)}' ELSE "${src.at}">=${Date.parse(from)}*1000 AND "${src.at}"<${Date.parse(to)}*1000 END AND "${src.at}" IS NOT NULL` : '1';
  return `SELECT ${key || 'NULL'} AS k, ${what} AS v FROM r_${src.type} WHERE retired=0 AND (${whereSql(src.where, src.type)}) AND ${at}${key ? ' GROUP BY 1' : ''}`;
}
const keys = { area: "substr(area,1,9)||'000'", sector: 'sector', enterprise: 'enterprise' };
// Numerator and denominator of each [period, by], in one run of sqlite3: it reads the schema of some hundred tables each time.
function expectedAll(d, asked) {
  const queries = asked.flatMap(([period, by]) => [d.of, d.per].map((src) => sourceSql(src, ...range(period), by && keys[by], Number(period.slice(0, 4)))));
  const [row] = sql(`SELECT ${queries.map((q, i) => `(SELECT json_group_array(json_object('k', k, 'v', v)) FROM (${q})) AS q${i}`).join(', ')}`);
  const map = (i, by) => new Map(JSON.parse(row[`q${i}`]).map((r) => [by ? String(r.k) : '', r.v]));
  return asked.map(([, by], i) => expected(d, map(2 * i, by), d.per && map(2 * i + 1, by)));
}
function expected(d, num, den) {
  const out = new Map();
  const statistic = typeof d.of.at === 'object';
  for (const k of new Set([...num.keys(), ...(den ? den.keys() : [])])) {
    const n = num.get(k) ?? (statistic ? null : 0);
    const p = den ? den.get(k) ?? null : null;
    out.set(k, { num: n, value: n === null || (den && !p) ? null : den ? (n / p) * Number(d.times ?? 1) : n });
  }
  return out;
}
const near = (a, b) => (a === null || b === null ? a === b : Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)));

const range = (period) => {
  const z = (y, m) => `${y + Math.floor((m - 1) / 12)}-${String(((m - 1) % 12) + 1).padStart(2, '0')}-01T00:00:00+08:00`;
  const y = Number(period.slice(0, 4));
  if (/Q/.test(period)) { const q = Number(period.slice(-1)); return [z(y, q * 3 - 2), z(y, q * 3 + 1)]; }
  if (period.length === 4) return [z(y, 1), z(y, 13)];
  const m = Number(period.slice(5));
  return [z(y, m), z(y, m + 1)];
};

before(async () => {
  s = await Server.start();
  bureau = await s.as('bureau');
  town = await s.as('town');
  enterprises = (await bureau.ok_get('/api/v1/records/enterprise?size=100&sort=id')).items;
  let n = 0;
  const rnd = (k) => { n = (n * 1103515245 + 12345) % 2147483648; return n % k; };
  for (let i = 0; i < 120; i++) {
    const at = new Date(Date.now() - rnd(400) * 86400e3 - rnd(86400) * 1e3);
    const h = await bureau.ok_post('/api/v1/records/hazard', { title: `隐患 ${i}`, enterprise: enterprises[rnd(enterprises.length)].id, level: rnd(5) ? 'general' : 'major', found: at.toISOString(), cost: rnd(3) ? rnd(100000) / 100 : undefined });
    if (i % 10 === 0) await bureau.ok_delete(`/api/v1/records/hazard/${h.id}`, { reason: '重复' });
  }
});
after(() => s.stop());

// A deadline may pass between the server's number and ours: then both are asked again.
const settled = async (compare) => {
  for (let again = 3; ; again--)
    try { return await compare(); } catch (e) { if (!again) throw e; }
};

test('every number of every shipped indicator equals an independent query', async () => {
  assert.ok(Object.keys(defs).length >= 7);
  let compared = 0, turns = 0;
  const shown = (await bureau.ok_get('/api/v1/indicators')).items.map((i) => i.name);
  for (const [name, d] of Object.entries(defs)) {
    if (!shown.includes(name) || !d.of || d.of.expr || d.of.own || d.per?.own || !simple(d.of.where) || !simple(d.per?.where)) continue;
    const [turn, all] = [turns++, [month, `${year}-Q4`, `${year}`, `${year - 1}`, `${year - 1}-12`]];
    // the year whole and by everything; each other period with one of them, in turn
    const ways = ['', ...(d.by ?? []).filter((b) => b !== 'organisation')];
    const asked = all.flatMap((period, p) => (period === `${year}` ? ways : [ways[(turn + p) % ways.length]]).map((by) => [period, by]));
    await settled(async () => {
      const answers = [];
      for (const [period, by] of asked) answers.push(await bureau.ok_get(`/api/v1/indicators/${name}?period=${period}${by ? `&by=${by}` : ''}`));
      for (const [n, want] of expectedAll(d, asked).entries()) {
        const [period, by] = asked[n];
        const items = by ? answers[n].items.map((i) => [i.key, i]) : [['', answers[n].total]];
        for (const [k, i] of items) {
          const w = want.get(k) ?? (k === '' ? want.get('null') ?? want.get('0') : undefined) ?? { num: 0, value: d.per ? null : 0 };
          assert.ok(near(i.num, w.num) && near(i.value, w.value), `${name} ${period} ${by} ${k}: ${JSON.stringify(i)} but SQL says ${JSON.stringify(w)}`);
          compared++;
        }
        if (by) assert.equal(items.filter(([k]) => k).length, [...want.keys()].filter((k) => k && k !== 'null' && k !== '0').length, `${name} ${period} ${by}`);
      }
    });
  }
  assert.ok(compared > 200, `${compared} numbers compared`);
});

test('an indicator over indicators, and the change against the year before', async () => {
  for (const by of ['', 'enterprise']) {
    const q = `period=${year}${by ? `&by=${by}` : ''}`;
    const [cost, found, each] = await Promise.all(['hazard_cost', 'hazard_found', 'hazard_cost_each'].map((n) => bureau.ok_get(`/api/v1/indicators/${n}?${q}`)));
    const list = (r) => (by ? r.items : [{ key: '', ...r.total }]);
    for (const e of list(each)) {
      const c = list(cost).find((x) => x.key === e.key).value, f = list(found).find((x) => x.key === e.key)?.value;
      assert.ok(near(e.value, f ? c / f : null), JSON.stringify(e));
    }
  }
  const [now, was, change] = await Promise.all([bureau.ok_get(`/api/v1/indicators/hazard_found?period=${year}`), bureau.ok_get(`/api/v1/indicators/hazard_found?period=${year - 1}`), bureau.ok_get(`/api/v1/indicators/hazard_found_change?period=${year}`)]);
  assert.ok(near(change.total.value, (now.total.value / was.total.value - 1) * 100));
});

test('the records behind a number are as many as the number, and the gap is the rest', async () => {
  const q = `period=${year}&ytd=true`;
  const t = (await bureau.ok_get(`/api/v1/indicators/hazard_closed_rate?${q}`)).total;
  const [of, per, gap] = await Promise.all(['of', 'per', 'gap'].map((p) => bureau.ok_get(`/api/v1/indicators/hazard_closed_rate/records?${q}&part=${p}`)));
  assert.deepEqual([of.total, per.total, gap.total], [t.num, t.den, t.den - t.num]);
  assert.equal(gap.type, 'hazard');
});

test('everybody sees the numbers of his own place', async () => {
  const mine = (await town.ok_get(`/api/v1/indicators/hazard_found?period=${year}&by=area`)).items.map((i) => i.key);
  const whole = await bureau.ok_get(`/api/v1/indicators/hazard_found?period=${year}&by=area`);
  assert.ok(mine.every((k) => k === town.me.area?.code || k === town.me.area || String(k).startsWith(String(town.me.area?.code ?? town.me.area).slice(0, 9))), mine.join());
  const own = (await town.ok_get(`/api/v1/indicators/hazard_found?period=${year}`)).total.value;
  assert.equal(own, whole.items.filter((i) => mine.includes(i.key)).reduce((n, i) => n + i.value, 0));
  const other = whole.items.find((i) => !mine.includes(i.key)).key;
  assert.equal((await town.get(`/api/v1/indicators/hazard_found?area=${other}`)).status, 403);
});

test('a snapshot does not change when records change; the difference shows', async () => {
  // the newest month that ended more than five days ago (freeze_after), whatever day it is today
  const frozen = new Date(Date.now() + 8 * 3600e3 - 5 * 86400e3);
  frozen.setUTCDate(0);
  const back = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - (frozen.getUTCFullYear() * 12 + frozen.getUTCMonth() + 1);
  const series = async () => (await bureau.ok_get(`/api/v1/indicators/hazard_found/series?periods=${back + 1}`)).items[0];
  const first = await until('the snapshot of the last frozen month', async () => { const i = await series(); return i.snapshot && i; });
  const before = first.snapshot.value;
  const late = `${frozen.toISOString().slice(0, 7)}-15T12:00:00+08:00`;
  await bureau.ok_post('/api/v1/records/hazard', { title: '补录', enterprise: enterprises[0].id, level: 'general', found: late });
  const now = await series();
  assert.equal(now.snapshot.value, before);
  assert.equal(now.value, first.value + 1);
  assert.equal(now.snapshot.differs, true);
  assert.throws(() => execFileSync('sqlite3', [join(s.dir, 'anlan.db'), 'UPDATE kpi_snapshot SET value = 0'], { stdio: 'pipe' }));
});

test('the public page shows public indicators and nothing else; tables leave as CSV and XLSX', async () => {
  const items = (await s.call('GET', '/public/indicators')).json.items;
  assert.ok(items.length >= 1 && items.every((i) => i.public));
  const csv = await bureau.get(`/api/v1/indicators/hazard_closed_rate?by=sector&period=${year}&format=csv`);
  assert.match(csv.text, /^\ufeff?"(代码|Code)"/);
  const xlsx = await fetch(`${s.url}/api/v1/indicators/hazard_closed_rate?by=sector&period=${year}&format=xlsx`, { headers: { Authorization: `Bearer ${bureau.token}` } });
  assert.equal(Buffer.from(await xlsx.arrayBuffer()).subarray(0, 2).toString(), 'PK');
});

test('the yearly assessment: self score, review, confirmation by another, objection, publication; the arithmetic is shown', async () => {
  const a = await town.ok_post('/api/v1/records/assessment', { title: '年度考核', year });
  const sheet = `/api/v1/records/assessment/${a.id}/sheet/sheet`;
  let r = await town.ok_post(sheet, { fill: true });
  const rate = (await town.ok_get(`/api/v1/indicators/hazard_closed_rate?period=${year}`)).total;
  const closed = r.sheet.items.find((i) => i.path === 'hazards.closed');
  if (rate.value === null) assert.equal(closed.counts, null);
  else assert.ok(near(closed.counts, rate.value / 100 * 25), JSON.stringify(closed));
  assert.equal((await town.post(sheet, { items: { 'duty.staff': { self: 8 } } })).status, 400); // 7 at most
  assert.equal((await town.post(sheet, { items: { 'duty.staff': { review: 7 } } })).status, 403);
  assert.equal((await town.post(sheet, { items: { 'duty.nothing': { self: 1 } } })).status, 400);
  assert.equal((await town.patch(`/api/v1/records/assessment/${a.id}`, { sheet: { items: {} }, version: r.version })).status, 400);
  const self = { 'duty.leaders': 10, 'duty.meetings': 8, 'duty.staff': 7, 'education.training': 9, 'education.publicity': 10, 'emergency.drills': 10, 'emergency.duty_room': 5 };
  r = await town.ok_post(sheet, { items: Object.fromEntries(Object.entries(self).map(([k, v]) => [k, { self: v, note: '有佐证' }])), version: r.version });
  await town.ok_post(`/api/v1/records/assessment/${a.id}/moves/submit`, {});
  assert.equal((await town.post(sheet, { items: { 'duty.staff': { self: 1 } } })).status, 403);
  r = await bureau.ok_post(sheet, { items: { 'duty.leaders': { review: 6, note: '缺两次记录' }, 'hazards.closed': { review: 20 }, 'hazards.major': { review: 15 } } });
  const total = r.sheet.items.filter((i) => i.leaf && !i.veto).reduce((n, i) => n + (i.counts ?? 0), 0);
  assert.ok(near(r.sheet.score, total));
  assert.equal(total, 10 + 8 + 7 + 9 + 10 + 10 + 5 - 4 + 20 + 15);
  assert.equal(r.sheet.grade.name, 'excellent');
  assert.ok(near(r.sheet.items.find((i) => i.path === 'duty').counts, 6 + 8 + 7));
  let rec = await bureau.ok_get(`/api/v1/records/assessment/${a.id}`);
  assert.equal(rec.score, total);
  await bureau.ok_post(`/api/v1/records/assessment/${a.id}/moves/reviewed`, {});
  assert.equal((await bureau.post(`/api/v1/records/assessment/${a.id}/moves/confirmed`, {})).status, 403); // not the reviewer himself
  r = await bureau.ok_post(sheet, { items: { 'veto.accident': { final: 1 } } });
  assert.equal(r.sheet.vetoed, true);
  assert.equal(r.sheet.grade.name, 'fail');
  rec = await bureau.ok_get(`/api/v1/records/assessment/${a.id}`);
  assert.deepEqual([rec.vetoed, rec.grade], [true, 'fail']);
});
