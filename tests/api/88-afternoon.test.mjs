// A stranger's afternoon (doc/pack.md): the example pack is copied into the data folder of a server that runs, looked at as a
// difference, put into force, used by several people, counted and printed; a slip of the pen is told with file, line, column
// and what to do, by `anlan check` and by the server alike.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, Server } from '../lib/server.mjs';

const binary = process.env.ANLAN_BIN || join(root, 'build', 'anlan');
const example = join(root, 'doc', 'example-pack');
let s, admin, plant, town, bureau, started, space;

before(async () => {
  s = await Server.start();
  [admin, plant, town, bureau] = [await s.as('admin'), await s.as('enterprise'), await s.as('town'), await s.as('bureau')];
  started = (await admin.ok_get('/api/v1/health')).started;
});
after(() => s.stop());

const pack = () => join(s.dir, 'packs', 'confined');
const put = (from) => cpSync(from, pack(), { recursive: true });
const pending = async () => (await admin.ok_get('/api/v1/config')).pending;
async function apply() { // as a person does: look, then accept what was seen
  const p = await pending();
  assert.deepEqual(p.errors, []);
  assert.equal(p.refused, false, JSON.stringify(p.effects));
  await admin.ok_post('/api/v1/config/apply', { accept: p.digest });
  assert.deepEqual((await pending()).changes, []);
  return p;
}
const records = (type) => `/api/v1/records/${type}`;
const get = (who, type, id) => who.ok_get(`${records(type)}/${id}`);
const move = (who, id, name, body = {}) => who.post(`${records('confined_entry')}/${id}/moves/${name}`, body);
const minutes = (from, to) => Math.round((new Date(to) - new Date(from)) / 60e3);

// ---- mistakes, before there is a good pack -----------------------------------------------------
const bad = join(root, 'tests', 'packs', 'afternoon');
const expected = (name) => readFileSync(join(root, 'tests', 'packs', `${name}.err`), 'utf8').trim().split('\n');
function checked(folder, lang = 'en') {
  const r = spawnSync(binary, ['check', '--lang', lang, folder], { encoding: 'utf8', env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  return { status: r.status, lines: r.stdout.trim().split('\n').filter(Boolean).map((l) => l.replace(`${folder}/`, '')) };
}
const told = (errors) => errors.map((e) => `${e.file.replace(/^.*\/(?=confined\/)/, '')}:${e.line}:${e.col}: ${e.text}`);

test('twelve slips of the pen are told with their places and what to do, by anlan check', () => {
  const r = checked(bad);
  assert.equal(r.status, 1);
  assert.deepEqual(r.lines, expected('afternoon'));
  assert.equal(r.lines.length, 12);
  for (const l of r.lines) assert.match(l, /^confined\/(types|menus)\/\w+\.yaml:[1-9]\d*:[1-9]\d*: ..+(;|: )/);
  const zh = checked(bad, 'zh');
  assert.equal(zh.lines.length, 12);
  for (const l of zh.lines) assert.match(l, /[\u4e00-\u9fff]/);
});

test('the server says the same of the files on disk, and nothing of them comes into force', async () => {
  put(join(bad, 'confined'));
  const c = (await admin.post('/api/v1/config/check', {}, { lang: 'en' })).json;
  assert.equal(c.ok, false);
  assert.deepEqual(told(c.errors), expected('afternoon'));
  assert.equal((await admin.post('/api/v1/config/apply', { accept: c.digest })).status, 400);
  assert.equal((await plant.get(records('confined_space'))).status, 404);
});

test('a text typed into the page is checked before it lies anywhere', async () => {
  rmSync(pack(), { recursive: true });
  put(example);
  for (const folder of ['types', 'menus'])
    for (const f of readdirSync(join(bad, 'confined', folder))) {
      const path = `confined/${folder}/${f}`;
      const text = readFileSync(join(bad, path), 'utf8');
      const c = (await admin.post('/api/v1/config/check', { path, text }, { lang: 'en' })).json;
      assert.deepEqual(told(c.errors).filter((l) => l.startsWith(path)), expected('afternoon').filter((l) => l.startsWith(path)));
      assert.equal(readFileSync(join(pack(), folder, f), 'utf8'), readFileSync(join(example, folder, f), 'utf8'));
    }
});

test('when the types are right, indicators and documents are checked against them', async () => {
  put(join(root, 'tests', 'packs', 'afternoon_second', 'confined'));
  assert.deepEqual(checked(join(s.dir, 'packs')).lines, expected('afternoon_second'));
  const c = (await admin.post('/api/v1/config/check', {}, { lang: 'en' })).json;
  assert.deepEqual(told(c.errors), expected('afternoon_second'));
  rmSync(pack(), { recursive: true });
});

// ---- the pack as it should be ------------------------------------------------------------------
test('the example has no mistake, over the packs of the program', () => {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-pack-'));
  cpSync(example, join(dir, 'confined'), { recursive: true });
  const r = checked(dir);
  rmSync(dir, { recursive: true });
  assert.deepEqual(r, { status: 0, lines: [] });
});

test('the files that doc/pack.md prints have no mistake either', () => {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-pack-'));
  cpSync(example, join(dir, 'confined'), { recursive: true });
  const folder = { menu: 'menus', type: 'types', indicator: 'indicators', document: 'documents' };
  const printed = [...readFileSync(join(root, 'doc', 'pack.md'), 'utf8').matchAll(/```yaml\n((menu|type|indicator|document): (\w+)[^]*?)```/g)];
  assert.deepEqual(printed.map((m) => m[3]), ['space_kind', 'confined_space', 'entry_closed', 'entry_permit']);
  for (const [, text, kind, name] of printed) writeFileSync(join(dir, 'confined', folder[kind], `${name}.yaml`), text);
  const r = checked(dir);
  rmSync(dir, { recursive: true });
  assert.deepEqual(r, { status: 0, lines: [] });
});

test('copied into the data folder it waits; looked at and accepted it is in force, without a restart', async () => {
  put(example);
  const p = await pending();
  assert.deepEqual(p.changes.map((c) => `${c.what} ${c.file}`).sort(), ['documents/entry_permit', 'indicators/entry_closed', 'menus/space_kind',
    'types/confined_entry', 'types/confined_space'].map((f) => `added confined/${f}.yaml`));
  assert.equal((await plant.get(records('confined_space'))).status, 404, 'not before somebody says so');
  await apply();
  const types = (await plant.ok_get('/api/v1/types')).types.map((t) => t.name);
  assert.ok(types.includes('confined_space') && types.includes('confined_entry'));
});

test('the register: a space, with what is missing or wrong said', async () => {
  const lacking = await plant.post(records('confined_space'), { name: '污水池' });
  assert.equal(lacking.status, 400, lacking.text);
  assert.equal(lacking.json.error.field, 'kind');
  space = await plant.ok_post(records('confined_space'), { name: '一号污水池', kind: 'underground', gases: '硫化氢、甲烷', sign: true });
  assert.match(space.number, /^KJ-\d{4}-\d{5}$/);
  assert.equal((await bureau.post(records('confined_space'), { name: '他人的', kind: 'underground' })).status, 403);
});

async function applied(work, people = [{ name: '赵安', part: '清淤' }]) {
  return plant.ok_post(records('confined_entry'), { work, space: space.id, guardian: '钱宁', people });
}
async function tested(work, oxygen) {
  const e = await applied(work);
  const r = await move(plant, e.id, 'test', { oxygen, tested: new Date().toISOString() });
  assert.equal(r.status, 200, r.text);
  return e;
}

test('what must be unique is told by the names of the fields', async () => {
  const twin = { enterprise: (await plant.ok_get(records('enterprise'))).items[0].id, year: 2031, base: 1e6, rate: 2, clause: '示例条款' };
  const made = await plant.post(records('safety_cost'), twin);
  assert.equal(made.status, 201, made.text);
  const again = await plant.post(records('safety_cost'), twin);
  assert.deepEqual([again.status, again.json.error.message], [409, '另一条记录的企业、年度与此完全相同；请改其中一项，或打开那条记录']);
});

test('the workflow: a deadline in each state, the guard, and never the same person twice', async () => {
  const e = await applied('清理污泥');
  let now = await get(plant, 'confined_entry', e.id);
  assert.equal(now.state, 'applied');
  assert.equal(minutes(now.state_at, now.deadline), 120);
  const early = await move(town, e.id, 'approve');
  assert.equal(early.status, 409, early.text);
  const nothing = await move(plant, e.id, 'test', {});
  assert.equal(nothing.status, 400, nothing.text);
  assert.equal((await move(plant, e.id, 'test', { oxygen: 15, tested: new Date().toISOString() })).status, 200);
  now = await get(plant, 'confined_entry', e.id);
  assert.equal(minutes(now.state_at, now.deadline), 30);
  const guard = await move(town, e.id, 'approve');
  assert.ok([400, 409].includes(guard.status), guard.text);
  assert.match(guard.json.error.message, /19\.5/);
  assert.equal((await get(plant, 'confined_entry', e.id)).state, 'tested');
});

test('who tested may not approve, another may; it is closed when the work is done', async () => {
  const e = await tested('更换水泵', 20.9);
  const self = await move(plant, e.id, 'approve');
  assert.equal(self.status, 403, self.text);
  assert.equal(self.json.error.hint, '你是这条记录的：检测人', 'who he is in it');
  assert.equal((await move(town, e.id, 'approve')).status, 200);
  const open = await get(plant, 'confined_entry', e.id);
  assert.equal(open.state, 'open');
  assert.equal(minutes(open.state_at, open.deadline), 480);
  const closing = await move(town, e.id, 'close', { finished: new Date().toISOString() });
  assert.deepEqual([closing.status, closing.json.error.hint], [403, '可以办理的角色：企业安全管理员'], 'closing is for the enterprise');
  assert.equal((await move(plant, e.id, 'close', { finished: new Date().toISOString() })).status, 200);
  const closed = await get(plant, 'confined_entry', e.id);
  assert.equal(closed.state, 'closed');
  const history = (await plant.ok_get(`${records('confined_entry')}/${e.id}/history`)).items;
  assert.ok(history.length >= 4, JSON.stringify(history));
});

test('the indicator counts what is there, and its gap list is what is not closed', async () => {
  const e = await applied('检查阀门'); // three: closed is one of them
  const month = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 7);
  const i = await bureau.ok_get(`/api/v1/indicators/entry_closed?period=${month}`);
  assert.deepEqual([i.total.num, i.total.den, Math.round(i.total.value * 10) / 10, i.total.light], [1, 3, 33.3, 'red']);
  const gap = await bureau.ok_get(`/api/v1/indicators/entry_closed/records?part=gap&period=${month}`);
  assert.equal(gap.total, 2);
  assert.ok(gap.items.some((r) => r.id === e.id));
});

test('the document is issued with a number, as a PDF that holds what the record says', async () => {
  const waiting = await applied('未批准的');
  assert.deepEqual((await plant.ok_get(`${records('confined_entry')}/${waiting.id}/documents`)).available, [], 'not before it is permitted');
  const e = await tested('焊接爬梯', 21);
  assert.equal((await move(town, e.id, 'approve')).status, 200);
  const d = await plant.ok_post(`${records('confined_entry')}/${e.id}/documents/entry_permit`, {});
  assert.match(d.number, /^作业票〔\d{4}〕00001号$/);
  const r = await fetch(`${s.url}/api/v1/files/${d.file}`, { headers: { Authorization: `Bearer ${plant.token}` } });
  const pdf = Buffer.from(await r.arrayBuffer());
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  const file = join(s.dir, 'permit.pdf');
  writeFileSync(file, pdf);
  const text = execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
  for (const want of ['有限空间作业票', d.number, '焊接爬梯', '一号污水池', '赵安', '钱宁', '21']) assert.ok(text.includes(want), `${want} in ${text}`);
});

// ---- changed later -----------------------------------------------------------------------------
const edit = (file, from, to) => {
  const path = join(pack(), file);
  const was = readFileSync(path, 'utf8');
  assert.ok(was.includes(from), from);
  writeFileSync(path, was.replace(from, to));
};

test('a field is added later; records keep their version until somebody edits them', async () => {
  const old = await get(plant, 'confined_space', space.id);
  edit('types/confined_space.yaml', '  sign: {', '  depth: {is: number, label: {zh: 深度, en: Depth}, unit: m, min: 0, max: 100, decimals: 1}\n  sign: {');
  const p = await apply();
  assert.deepEqual(p.changes.map((c) => `${c.what} ${c.key}`), ['added fields.depth']);
  const now = await get(plant, 'confined_space', space.id);
  assert.deepEqual([now.version, now.type_version], [old.version, old.type_version]);
  const r = await plant.ok_patch(`${records('confined_space')}/${space.id}`, { version: now.version, depth: 4.5 });
  assert.equal(r.depth, 4.5);
  assert.ok((await plant.ok_get('/api/v1/types/confined_space/versions')).items.length >= 2);
});

test('what would lose data is refused; a written migration carries it over, once', async () => {
  edit('types/confined_space.yaml', '  gases: {is: text', '  hazards: {is: text');
  const refused = await pending();
  assert.equal(refused.refused, true);
  assert.deepEqual(refused.effects.filter((e) => e.loses).map((e) => [e.type, e.key, e.records]), [['confined_space', 'fields.gases', 1]]);
  assert.equal((await admin.post('/api/v1/config/apply', { accept: refused.digest })).status, 409);
  mkdirSync(join(pack(), 'migrations'));
  writeFileSync(join(pack(), 'migrations', 'gases_to_hazards.yaml'),
    'migration: gases_to_hazards\ntype: confined_space\nsteps:\n  - rename: {gases: hazards}\n  - value: {kind: {underground: below_ground}}\n');
  edit('menus/space_kind.yaml', '  underground:', '  below_ground:');
  const p = await apply();
  assert.ok(p.effects.some((e) => e.key === 'fields.gases' && !e.loses && e.records === 1), JSON.stringify(p.effects));
  const now = await get(plant, 'confined_space', space.id);
  assert.deepEqual([now.hazards, now.kind], ['硫化氢、甲烷', 'below_ground']);
});

test('nothing was restarted', async () => {
  const h = await admin.ok_get('/api/v1/health');
  assert.equal(h.started, started);
  assert.ok(h.disk_free > 0 && h.disk_free <= h.disk_size, 'how full the disk is stands on the page of its keeper');
  assert.equal(s.child.exitCode, null);
});
