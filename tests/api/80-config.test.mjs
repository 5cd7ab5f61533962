// Packs change while the server runs: checked, shown as a difference with the records it touches, put into force as a new
// version, refused if it would lose data unless a migration says what becomes of it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Server } from '../lib/server.mjs';

let s, admin, town;
const path = 'hazard/types/hazard.yaml';
const text = async (p) => (await admin.get(`/api/v1/config/file?path=${p}`)).json.text;
const check = async (p, t) => (await admin.post('/api/v1/config/check', { path: p, text: t })).json;
const apply = async (p, t) => {
  const c = await check(p, t);
  assert.deepEqual(c.errors, []);
  return admin.post('/api/v1/config/apply', { path: p, text: t, accept: c.digest });
};

before(async () => {
  s = await Server.start();
  admin = await s.as('admin');
  town = await s.as('town');
});
after(() => s.stop());

// A type of the county's own for what is taken away below.
const own = 'mine/types/note.yaml';
const note = `type: note
label: {zh: 便签, en: Note}
title: title
fields:
  title: {is: text, label: {zh: 标题, en: Title}, need: true}
  content: {is: text, label: {zh: 内容, en: Content}}
rights: {create: [town], read: [town, bureau], edit: [town], retire: [town]}
lists:
  all: {label: {zh: 全部, en: All}, show: [title]}
`;
const noted = async () => {
  const r = await town.post('/api/v1/records/note', { title: '巡查', content: '二层平台' });
  assert.equal(r.status, 201, r.text);
  return r.json;
};

const found = async () => {
  const enterprise = (await town.get('/api/v1/records/enterprise?size=1')).json.items[0].id;
  const r = await town.post('/api/v1/records/hazard', { title: '防护栏缺失', enterprise, level: 'general', content: '二层平台' });
  assert.equal(r.status, 201, r.text);
  return r.json;
};

test('a field, a state and a time limit are added while records are there; the records do not change', async () => {
  const old = await found();
  const was = await text(path);
  const now = was.replace('  cost: {', '  budget: {is: money, label: {zh: 预算, en: Budget}, group: fix, min: 0}\n  cost: {')
    .replace('  closed: {label:', '  evaluating: {label: {zh: 效果评价, en: Evaluation}, color: blue, within: 30d, escalate: [town, bureau], every: 1d, who: [town]}\n  closed: {label:')
    .replace('  close: {label:', '  evaluate: {label: {zh: 转评价, en: Evaluate}, from: checking, to: evaluating, who: [town]}\n' +
      '  evaluated: {label: {zh: 评价完成, en: Evaluated}, from: evaluating, to: closed, who: [town]}\n  close: {label:')
    .replace('checking: {label: {zh: 待验收, en: Waiting for check}, color: blue, within: 3d', 'checking: {label: {zh: 待验收, en: Waiting for check}, color: blue, within: 5d');
  const c = await check(path, now);
  assert.equal(c.ok, true, JSON.stringify(c.errors));
  assert.equal(c.refused, false);
  assert.deepEqual(c.changes.map((x) => `${x.what} ${x.key}`).sort(),
    ['added fields.budget', 'added moves.evaluate', 'added moves.evaluated', 'added states.evaluating', 'changed states.checking.within']);
  assert.ok(c.effects.some((e) => e.type === 'hazard' && e.key === '' && e.records >= 1));
  assert.equal((await apply(path, now)).status, 200);
  const again = await town.get(`/api/v1/records/hazard/${old.id}`);
  assert.equal(again.json.version, old.version);
  assert.equal(again.json.type_version, old.type_version);
  assert.equal(again.json.title, old.title);
  const type = (await town.get('/api/v1/types/hazard')).json;
  assert.ok(type.fields.some((f) => f.name === 'budget'));
  const before = (await town.get(`/api/v1/types/hazard?version=${old.type_version}`)).json;
  assert.ok(!before.fields.some((f) => f.name === 'budget'), 'the old version reads as it was');
  const fresh = await town.patch(`/api/v1/records/hazard/${old.id}`, { version: old.version, budget: 1200.5 });
  assert.equal(fresh.status, 200, fresh.text);
  assert.equal(fresh.json.budget, 1200.5);
  assert.notEqual(fresh.json.type_version, old.type_version);
});

test('what would lose data is refused by name and count; nothing is written', async () => {
  assert.equal((await apply(own, note)).status, 200, 'a type of the county comes into force while the server runs');
  await noted();
  const now = note.replace(/^ {2}content: .*\n/m, '');
  const c = await check(own, now);
  assert.equal(c.refused, true, JSON.stringify(c));
  const e = c.effects.find((x) => x.key === 'fields.content');
  assert.equal(e.loses, true);
  assert.equal(e.records, 1);
  const r = await admin.post('/api/v1/config/apply', { path: own, text: now, accept: c.digest });
  assert.equal(r.status, 409);
  assert.equal(r.json.error.field, 'loses');
  assert.equal(await text(own), note);
  assert.equal((await town.get('/api/v1/records/note?size=1')).json.items[0].content, '二层平台');
});

test('a migration that would put data where nobody sees it is told with line and column, and forgives nothing', async () => {
  mkdirSync(join(s.dir, 'packs', 'mine', 'migrations'), { recursive: true });
  const file = join(s.dir, 'packs', 'mine', 'migrations', 'astray.yaml');
  const gone = note.replace(/^ {2}content: /m, '  description: '), number = note.replace(/^ {2}content: {is: text/m, '  amount: {is: number');
  const told = async (steps, now, type = 'note') => {
    writeFileSync(file, `migration: astray\ntype: ${type}\nsteps:\n  - ${steps}\n`);
    const c = (await admin.post('/api/v1/config/check', { path: own, text: now }, { lang: 'en' })).json;
    return c.errors.length ? c.errors.map((e) => `${e.file.replace(/^.*mine/, 'mine')}:${e.line}:${e.col}: ${e.text}`).join() :
      c.effects.filter((e) => e.loses).map((e) => e.key).join();
  };
  const at = 'mine/migrations/astray.yaml:4:';
  assert.equal(await told('rename: {content: descripton}', gone),
    `${at}23: the new type has no field "descripton", the data would be out of sight; write the new field's name - did you mean "description"?`);
  assert.match(await told('rename: {content: title}', gone), /:4:23: there is a field "title" already; choose another name/);
  assert.match(await told('rename: {content: amount}', number), /:4:23: field "amount" is of another kind, the data does not fit/);
  assert.match(await told('drop: [content]', note), /:4:12: field "content" stays in the new type, only its data would go/);
  assert.match(await told('rename: {contnt: description}', gone), /:4:14: field "contnt" is not in the type as it is in force.* did you mean "content"\?/);
  assert.match(await told('rename: {content: description}', gone, 'nota'), /:2:7: there is no type "nota"; correct it/);
  assert.equal(await told('value: {content: {a: b}}', gone), 'fields.content', 'a value that is changed does not answer for the field that goes');
  rmSync(file);
});

test('a written migration renames the field with its data, once, after a dry run', async () => {
  const old = await noted();
  const now = note.replace(/^ {2}content: /m, '  description: ');
  const migration = 'migration: content_to_description\ntype: note\nsteps:\n  - rename: {content: description}\n';
  mkdirSync(join(s.dir, 'packs', 'mine', 'migrations'), { recursive: true });
  writeFileSync(join(s.dir, 'packs', 'mine', 'migrations', 'content_to_description.yaml'), migration);
  const c = await check(own, now);
  assert.equal(c.refused, false, JSON.stringify(c));
  assert.deepEqual(c.effects.filter((e) => e.key === 'fields.content').map((e) => [e.loses, e.records, /迁移/.test(e.text)]), [[false, 2, true]]);
  assert.equal((await admin.post('/api/v1/config/apply', { path: own, text: now, accept: c.digest })).status, 200);
  assert.equal((await town.get(`/api/v1/records/note/${old.id}`)).json.description, '二层平台');
});

test('what was changed meanwhile is not put into force unseen', async () => {
  const was = await text(path);
  const c = await check(path, `${was}\n# one\n`);
  mkdirSync(join(s.dir, 'packs', 'mine', 'menus'), { recursive: true });
  writeFileSync(join(s.dir, 'packs', 'mine', 'menus', 'weather.yaml'), 'menu: weather\nlabel: {zh: 天气, en: Weather}\nitems: {fine: {label: {zh: 晴, en: Fine}}}\n');
  const r = await admin.post('/api/v1/config/apply', { path, text: `${was}\n# one\n`, accept: c.digest });
  assert.equal(r.status, 409);
  assert.equal(r.json.error.field, 'accept');
});

test('a file on disk waits as a difference until someone puts it into force', async () => {
  const g = (await admin.get('/api/v1/config')).json;
  assert.deepEqual(g.pending.changes.map((x) => x.file), ['mine/menus/weather.yaml']);
  const r = await admin.post('/api/v1/config/apply', { accept: g.pending.digest });
  assert.equal(r.status, 200, r.text);
  assert.deepEqual((await admin.get('/api/v1/config')).json.pending.changes, []);
  assert.ok((await admin.get('/api/v1/config/versions')).json.items.length >= 3);
});

test('mistakes are told with file, line and column, and nothing of it comes into force', async () => {
  const was = await text(path);
  const c = await check(path, was.replace('is: money', 'is: mony'));
  assert.equal(c.ok, false);
  assert.match(c.errors[0].text, /mony.*money/);
  assert.equal(c.errors[0].file, path);
  assert.ok(c.errors[0].line > 10 && c.errors[0].col > 1);
  assert.equal((await admin.post('/api/v1/config/apply', { path, text: was.replace('is: money', 'is: mony'), accept: c.digest })).status, 400);
});

test('only who may change the configuration reads or changes it', async () => {
  assert.equal((await town.get('/api/v1/config')).status, 403);
  assert.equal((await town.post('/api/v1/config/check', { path, text: '' })).status, 403);
  for (const bad of ['../../etc/passwd', 'hazard/demo/x.yaml', 'hazard/types/../x.yaml', 'hazard/types/x.json'])
    assert.ok([400, 404].includes((await admin.post('/api/v1/config/check', { path: bad, text: 'a: b' })).status), bad);
});

test('a mistake made on disk does not keep the server from starting: what was in force goes on', async () => {
  writeFileSync(join(s.dir, 'packs', 'mine', 'menus', 'weather.yaml'), 'menu: weather\nlabel: oops\n');
  await s.kill('SIGTERM');
  s.code = null; s.signal = null;
  await s.spawn();
  town = await s.as('town');
  assert.ok((await town.get('/api/v1/types/note')).json.fields.some((f) => f.name === 'description'));
  assert.ok(existsSync(join(s.dir, 'packs', 'mine', 'menus', 'weather.yaml')), 'the file is left for its author to mend');
});
