// A field, a state and deadlines join hidden hazards while they are read and written: no record becomes another, no request fails.
//   ANLAN_ROWS=1000000 node --test tests/fault/config-million.test.mjs        (20,000 without; prints what it measured)
// The rows are written into the stopped county by SQL: what is measured is the change of the type, not the filling.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { Server, until } from '../lib/server.mjs';

const ROWS = Number(process.env.ANLAN_ROWS || 20000), READERS = 4, WRITERS = 2;
const path = 'hazard/types/hazard.yaml';

const sqlite = (s, text, ...flags) => execFileSync('sqlite3', [...flags, join(s.dir, 'anlan.db'), text], { encoding: 'utf8', maxBuffer: 1 << 26 }).trim();

// Three of four are closed; the others have time for years: the clock has nothing to do with them.
function fill(s, enterprise, area) {
  const from = Number(sqlite(s, 'SELECT coalesce(max(id),0) FROM r_hazard'));
  const now = Date.now() * 1000;
  sqlite(s, `PRAGMA synchronous=OFF; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<${ROWS})
    INSERT INTO r_hazard(id, number, state, area, title, enterprise, version, created_at, changed_at, state_at, deadline, level, source, place, content,
      found, cost, search)
    SELECT ${from}+i, printf('YH-2019-%07d', i), CASE WHEN i%4 THEN 'closed' ELSE 'found' END, '${area}', (i%30)||'号泵房安全阀未校验', ${enterprise}, 1,
      ${now}-i*1000000, ${now}-i*1000000, ${now}-i*1000000, CASE WHEN i%4 THEN 0 ELSE ${now}+100000000000000 END,
      CASE WHEN i%50 THEN 'general' ELSE 'major' END, 'inspection', (i%17)||'号罐区', '检查发现安全阀渗漏，编号'||i, ${now}-i*1000000,
      CASE WHEN i%3 THEN i*100 END, printf('yh-2019-%07d ', i)||(i%30)||'号泵房安全阀未校验 检查发现安全阀渗漏，编号'||i FROM n; COMMIT;`);
  return [from + 1, from + ROWS];
}

// SHA-256 over every column that there was, of every row that there was.
function hash(s, columns, [from, to]) {
  const child = spawn('sqlite3', ['-readonly', join(s.dir, 'anlan.db'), `SELECT ${columns.map((c) => `quote("${c}")`).join(',')} FROM r_hazard WHERE id BETWEEN ${from} AND ${to} ORDER BY id`]);
  const h = createHash('sha256');
  let lines = 0;
  child.stdout.on('data', (d) => { h.update(d); for (const b of d) lines += b === 10; });
  return new Promise((ok, no) => child.on('close', (code) => { if (code === 0) ok({ sum: h.digest('hex'), lines }); else no(new Error(`sqlite3 ended with ${code}`)); }));
}

class Load {
  constructor(town, enterprise, [from, to]) {
    Object.assign(this, { town, enterprise, from, to, going: true, done: [], made: [] });
    this.loops = [...Array.from({ length: READERS }, (_, i) => this.read(i)), ...Array.from({ length: WRITERS }, () => this.write())];
  }
  async ask(kind, method, url, body) {
    const began = performance.now();
    const r = await this.town[method](url, body).catch((e) => ({ status: 0, text: e.stack }));
    this.done.push({ kind, began, ms: performance.now() - began, status: r.status, text: r.status < 300 && r.status ? '' : `${method} ${url}: ${r.text}` });
    return r;
  }
  async read(i) {
    const lists = ['?size=20', `?size=20&page=${Math.floor(ROWS / 40)}`, '?where.level=major&size=20', '?where.state=found&sort=-found&size=20'];
    for (let n = i; this.going; n++) {
      await this.ask('list', 'get', `/api/v1/records/hazard${lists[n % lists.length]}`);
      await this.ask('get', 'get', `/api/v1/records/hazard/${this.from + (n * 7919) % (this.to - this.from)}`);
    }
  }
  async write() {
    for (let n = 0; this.going; n++) {
      const r = await this.ask('create', 'post', '/api/v1/records/hazard', { title: `新登记 ${n}`, enterprise: this.enterprise, level: 'general' });
      if (r.status !== 201) continue;
      this.made.push(r.json.id);
      await this.ask('edit', 'patch', `/api/v1/records/hazard/${r.json.id}`, { version: r.json.version, place: '三号泵房' });
    }
  }
  async stop() {
    this.going = false;
    await Promise.all(this.loops);
  }
}

const changed = (was) => was.replace('  cost: {', '  budget: {is: money, label: {zh: 预算, en: Budget}, group: fix, min: 0}\n  cost: {')
  .replace('  closed: {label:', '  evaluating: {label: {zh: 效果评价, en: Evaluation}, color: blue, within: 30d, escalate: [town, bureau], every: 1d, who: [town]}\n  closed: {label:')
  .replace('  close: {label:', '  evaluate: {label: {zh: 转评价, en: Evaluate}, from: [found, checking], to: evaluating, who: [town]}\n' +
    '  evaluated: {label: {zh: 评价完成, en: Evaluated}, from: evaluating, to: closed, who: [town]}\n  close: {label:')
  .replace('checking: {label: {zh: 待验收, en: Waiting for check}, color: blue, within: 3d', 'checking: {label: {zh: 待验收, en: Waiting for check}, color: blue, within: 5d');

function report(load, looked, took, from, to) {
  const line = (name, v) => {
    const ms = v.map((d) => d.ms).sort((a, b) => a - b);
    return ms.length ? `${name} n ${ms.length} p50 ${ms[ms.length >> 1].toFixed(1)} p99 ${ms[Math.floor(ms.length * 0.99)].toFixed(1)} max ${ms[ms.length - 1].toFixed(1)} ms` : `${name} none`;
  };
  const during = load.done.filter((d) => d.began < to && d.began + d.ms > from);
  console.log(`rows ${ROWS}: looked at the difference in ${looked.toFixed(0)} ms, put into force in ${took.toFixed(0)} ms; requests ${load.done.length}, failed ${load.done.filter((d) => d.text).length}`);
  for (const kind of ['list', 'get', 'create', 'edit'])
    console.log(`  ${line(kind, load.done.filter((d) => d.kind === kind && !during.includes(d)))}; while it was put into force: ${line('', during.filter((d) => d.kind === kind))}`);
}

test('a field, a state and deadlines join a type in use', { timeout: 900000 }, async () => {
  const s = await Server.start();
  try {
    let town = await s.as('town');
    const one = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0];
    const area = one.area?.code ?? one.area;
    s.child.kill('SIGTERM');
    await s.exited;
    const range = fill(s, one.id, area);
    s.code = s.signal = undefined;
    await s.spawn();
    town = await s.as('town');
    const admin = await s.as('admin');
    const columns = sqlite(s, "SELECT name FROM pragma_table_info('r_hazard')", '-readonly').split('\n');
    const before = await hash(s, columns, range);
    assert.equal(before.lines, ROWS);
    await town.ok_get('/api/v1/records/hazard?size=20&where.level=major');

    const load = new Load(town, one.id, range);
    const every = () => ['list', 'get', 'create', 'edit'].every((k) => load.done.some((d) => d.kind === k));
    await until('each kind of request to be made', every);
    const text = changed((await admin.ok_get(`/api/v1/config/file?path=${path}`)).text);
    const t0 = performance.now();
    const look = await admin.ok_post('/api/v1/config/check', { path, text });
    const t1 = performance.now();
    assert.deepEqual(look.errors, []);
    assert.ok(look.effects.some((e) => e.type === 'hazard' && e.records >= ROWS));
    const r = await admin.post('/api/v1/config/apply', { path, text, accept: look.digest });
    const t2 = performance.now();
    assert.equal(r.status, 200, r.text);
    const had = load.done.length;
    await until('the load to go on', () => load.done.length > had + 50);
    await load.stop();
    report(load, t1 - t0, t2 - t1, t1, t2);

    assert.deepEqual(load.done.filter((d) => d.text).map((d) => d.text), []);
    assert.deepEqual(await hash(s, columns, range), before);
    const fresh = await town.ok_get(`/api/v1/records/hazard/${load.made[0]}`);
    assert.equal((await town.ok_patch(`/api/v1/records/hazard/${fresh.id}`, { version: fresh.version, budget: 99.5 })).budget, 99.5);
    for (const id of [fresh.id, range[0] + 3]) { // a new one, and one of those that were there
      const moved = await town.post(`/api/v1/records/hazard/${id}/moves/evaluate`, {});
      assert.equal(moved.status, 200, moved.text);
      const now = await town.ok_get(`/api/v1/records/hazard/${id}`);
      assert.equal(now.state, 'evaluating');
      assert.ok(Math.abs(new Date(now.deadline) - Date.now() - 30 * 86400e3) < 2 * 86400e3, now.deadline);
    }
  } finally {
    s.tampered = true; // the rows were put in past the program
    await s.stop();
  }
});
