// Where a record came from: one field for whatever type opened it, open to packs that come later, shown by rights, filtered by
// record and by type; the fields it replaces are gathered into it without losing one.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server, root } from '../lib/server.mjs';

let s, packs, admin, town, bureau, firm, enterprise, check, made;
const R = '/api/v1/records';
const move = async (who, type, id, name, body = {}) => who.ok_post(`${R}/${type}/${id}/moves/${name}`, body);
const list = async (who, type, query) => (await who.ok_get(`${R}/${type}?size=100&sort=id&${query}`)).items;

// The packs as they were: a field of its own in hazard.yaml for each type that opens one.
function packsOfOld() {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-packs-'));
  cpSync(join(root, 'packs'), dir, { recursive: true });
  const fields = [], edit = (file, fn) => writeFileSync(file, fn(readFileSync(file, 'utf8')));
  for (const pack of readdirSync(dir).filter((p) => !p.includes('.')))
    for (const file of (() => { try { return readdirSync(join(dir, pack, 'types')); } catch { return []; } })())
      edit(join(dir, pack, 'types', file), (text) => text.replace(/type: hazard, link: origin/g, () => {
        const type = file.replace('.yaml', ''), name = { integrated_survey: 'survey', hazard_evaluation: 'recurrence_of' }[type] ?? type;
        fields.push(`  ${name}: {is: ref, to: ${type}, label: {zh: ${name}, en: ${name}}, group: main, readonly: true}`);
        return `type: hazard, link: ${name}`;
      }));
  edit(join(dir, 'hazard/types/hazard.yaml'), (text) => text.replace(/^ {2}origin: .*$/m, [...new Set(fields)].join('\n')));
  rmSync(join(dir, 'hazard/migrations'), { recursive: true });
  return dir;
}
const login = async () => { [admin, town, bureau, firm] = await Promise.all(['admin', 'town', 'bureau', 'enterprise'].map((r) => s.as(r))); };

before(async () => {
  packs = packsOfOld();
  s = await Server.start({ args: ['--packs', packs] });
  await login();
  enterprise = (await list(firm, 'enterprise', ''))[0].id;
  check = await firm.ok_post(`${R}/self_check`, { title: '来源自查' });
  await move(firm, 'self_check', check.id, 'finish', { on: '2026-11-20', results: [{ item: '消防通道', result: 'not_ok' }], found: [{ title: '通道堆物' }, { title: '灭火器过期' }] });
  made = await list(firm, 'hazard', `where.self_check=${check.id}`);
});
after(async () => { await s.stop(); rmSync(packs, { recursive: true, force: true }); });

test('a data folder of before comes up with its sources in the one field', async () => {
  assert.deepEqual(made.map((h) => [h.title, h.self_check.id, 'origin' in h]), [['通道堆物', check.id, false], ['灭火器过期', check.id, false]]);
  s.args = [];
  await s.stopAndStart();
  await login();
  assert.deepEqual((await pending()).changes, [], 'the new packs are in force');
  const now = await list(firm, 'hazard', `where.origin=self_check:${check.id}`);
  assert.deepEqual(now.map((h) => h.id), made.map((h) => h.id));
  assert.ok(!('self_check' in now[0]));
  made = now;
});

test('what a check opens says which check it was, with type, number and title', async () => {
  assert.deepEqual(made.map((h) => h.title), ['通道堆物', '灭火器过期']);
  assert.deepEqual(made[0].origin, { type: 'self_check', id: check.id, number: check.number, title: '来源自查' });
  const of = (await town.ok_get('/api/v1/types/hazard')).fields.find((f) => f.name === 'origin');
  assert.equal(of.is, 'origin');
  assert.equal(of.readonly, true);
  assert.ok(['self_check', 'warning', 'hazard_evaluation'].every((t) => of.from.includes(t)), String(of.from));
  assert.equal((await list(firm, 'hazard', 'where.origin.null=true')).some((h) => h.origin), false);
});

test('it is found by record, by type, and not by what is no origin', async () => {
  const typed = await list(town, 'hazard', 'where.origin.type=self_check');
  assert.ok(typed.length >= 2 && typed.every((h) => h.origin.type === 'self_check'));
  assert.ok(typed.some((h) => h.id === made[1].id));
  assert.deepEqual(await list(town, 'hazard', `where.origin.in=self_check:${check.id},warning:999999`).then((v) => v.map((h) => h.id)), made.map((h) => h.id));
  for (const q of ['where.origin=12', 'where.origin=self_check:', 'where.origin=enterprise:1', 'where.origin.type=nothing', 'where.origin.contains=check', 'where.origin.lt=a'])
    assert.deepEqual(await town.get(`${R}/hazard?${q}`).then((r) => [r.status, r.json.error.field]), [400, 'where'], q);
  assert.equal((await town.get(`${R}/hazard?sort=origin`)).status, 400);
});

test('nobody writes it: not at creation, not later', async () => {
  const body = { title: '自填来源', enterprise, origin: { type: 'self_check', id: check.id } };
  const r = await town.post(`${R}/hazard`, body);
  assert.deepEqual([r.status, r.json.error.field], [400, 'origin']);
  assert.equal((await town.patch(`${R}/hazard/${made[0].id}`, { version: made[0].version, origin: null })).status, 400);
});

test('who may not read what it came from sees that there is one, in the record, the export, the history and by no filter', async () => {
  const w = await town.ok_post(`${R}/small_visit`, { title: '网格走访', enterprise, next: '2126-12-01' });
  await move(town, 'small_visit', w.id, 'record', { results: [{ item: '用电', result: 'not_ok' }], found: [{ title: '私拉电线' }], next: '2126-12-01' });
  const h = (await list(bureau, 'hazard', `where.origin=small_visit:${w.id}`))[0];
  assert.equal(h.origin.title, '网格走访');
  assert.deepEqual((await firm.ok_get(`${R}/hazard/${h.id}`)).origin, { hidden: true });
  const said = JSON.stringify((await firm.ok_get(`${R}/hazard/${h.id}/history`)).items);
  assert.ok(!said.includes('small_visit'), said);
  assert.match(JSON.stringify((await bureau.ok_get(`${R}/hazard/${h.id}/history`)).items), new RegExp(`small_visit:${w.id}`));
  const csv = (await firm.get(`${R}/hazard?format=csv&where.title=${encodeURIComponent('私拉电线')}`)).text;
  assert.match(csv, /无权查看/);
  assert.ok(!csv.includes(w.number));
  assert.ok((await bureau.get(`${R}/hazard?format=csv&where.origin=small_visit:${w.id}`)).text.includes(w.number));
  for (const q of [`where.origin=small_visit:${w.id}`, 'where.origin.type=small_visit', `where.origin.ne=small_visit:${w.id}`])
    assert.equal((await firm.get(`${R}/hazard?${q}`)).status, 403, q);
  const from = (await firm.ok_get('/api/v1/types/hazard')).fields.find((f) => f.name === 'origin').from;
  assert.ok(from.includes('self_check') && !from.includes('small_visit'));
});

// ---- packs that come later ---------------------------------------------------------------------
const write = (path, text) => {
  const file = join(s.dir, 'packs', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
const L = (zh) => `label: {zh: ${zh}, en: ${zh.length}x}`;
const source = (name, link, type = 'note', more = '') => `type: ${name}
${L(name === 'visit' ? '走访' : '谈话')}
number: ${name === 'visit' ? 'ZF' : 'TH'}-{year}-{seq:4}
title: title
area_from: enterprise
enterprise_from: enterprise
fields:
  title: {is: text, ${L('标题')}, need: true}
  enterprise: {is: ref, to: enterprise, ${L('企业')}, need: true}
states:
  open: {${L('办理')}}
  done: {${L('办结')}, end: true}
moves:
  note: {${L('记录')}, from: open, who: [town], opens: [{type: ${type}, link: ${link}, fields: {title: "= title"}}]}
  finish: {${L('办结')}, from: open, to: done, who: [town], if: "linked(${type}) > 0", say: {zh: 还没有记录, en: Nothing noted}}
rights: {create: [town], read: [town, bureau], edit: [town]}
${more}`;
const note = (fields, list = '') => `type: note
${L('便签')}
title: title
area_from: enterprise
enterprise_from: enterprise
fields:
  title: {is: text, ${L('标题')}, need: true}
  enterprise: {is: ref, to: enterprise, ${L('企业')}}
${fields}
rights: {create: [town], read: [town, bureau, enterprise], edit: [town], retire: [town]}
lists:
  all: {${L('全部')}, show: [title]}
${list}`;
const old = note(`  visit: {is: ref, to: visit, ${L('走访')}}\n  talk: {is: ref, to: talk, ${L('谈话')}}\n  who: {is: ref, to: person, ${L('同行')}}`);
const now = note(`  who: {is: ref, to: person, ${L('同行')}}\n  source: {is: origin, ${L('来源')}}\n  code: {is: text, ${L('来源编号')}, compute: source.number}`,
  `  visited: {${L('走访的')}, where: source.type == visit and source.type != talk, show: [title, source]}\n  made: {${L('自记')}, where: empty(source), show: [title]}`);
const pending = async (lang = 'en') => (await admin.get('/api/v1/config', undefined, { lang })).json.pending;
const apply = async () => {
  const p = await pending();
  assert.deepEqual(p.errors ?? [], []);
  return admin.post('/api/v1/config/apply', { accept: p.digest });
};

test('a type of a later pack opens hazards without a word in hazard.yaml', async () => {
  write('mine/types/visit.yaml', source('visit', 'origin', 'hazard').replace('fields: {title: "= title"}', 'fields: {title: "= title", enterprise: "= enterprise"}'));
  assert.equal((await apply()).status, 200);
  const v = await town.ok_post(`${R}/visit`, { title: '到厂走访', enterprise });
  assert.equal((await town.post(`${R}/visit/${v.id}/moves/finish`, {})).status, 409, 'linked() counts by the origin');
  await move(town, 'visit', v.id, 'note');
  assert.deepEqual((await list(town, 'hazard', 'where.origin.type=visit')).map((h) => [h.title, h.origin.number]), [['到厂走访', v.number]]);
  await move(town, 'visit', v.id, 'finish');
});

test('the fields of old are gathered into the new one: dry run, two of them in one record refused, nothing lost', async () => {
  write('mine/types/visit.yaml', source('visit', 'visit').replace('  title: {', '  title: {').replace('fields: {title: "= title"}', 'fields: {title: "= title", enterprise: "= enterprise"}'));
  write('mine/types/talk.yaml', source('talk', 'talk').replace('fields: {title: "= title"}', 'fields: {title: "= title", enterprise: "= enterprise"}'));
  write('mine/types/note.yaml', old);
  assert.equal((await apply()).status, 200);
  const v = await town.ok_post(`${R}/visit`, { title: '走访一', enterprise }), k = await town.ok_post(`${R}/talk`, { title: '谈话一', enterprise });
  await move(town, 'visit', v.id, 'note');
  await move(town, 'talk', k.id, 'note');
  await town.ok_post(`${R}/note`, { title: '自记', enterprise });
  const both = await town.ok_post(`${R}/note`, { title: '两处', enterprise, visit: v.id, talk: k.id });

  write('mine/types/visit.yaml', source('visit', 'source').replace('fields: {title: "= title"}', 'fields: {title: "= title", enterprise: "= enterprise"}'));
  write('mine/types/talk.yaml', source('talk', 'source').replace('fields: {title: "= title"}', 'fields: {title: "= title", enterprise: "= enterprise"}'));
  write('mine/types/note.yaml', now);
  assert.equal((await pending()).refused, true, 'without a migration the data of two fields would go');
  const told = async (step) => {
    write('mine/migrations/sources.yaml', `migration: sources\ntype: note\nsteps:\n  - ${step}\n`);
    const p = await pending();
    return (p.errors ?? []).map((e) => `${e.line}:${e.col}: ${e.text}`).join();
  };
  assert.equal(await told('gather: {into: sorce, from: [visit]}'), '4:20: the new type has no origin field "sorce"; write its name - did you mean "source"?');
  assert.equal(await told('gather: {into: source, from: [title]}'), '4:35: field "title" is no ref, it cannot be gathered; take it out');
  assert.match(await told('gather: {into: source, from: [who]}'), /^4:35: "who" refers to person, which opens no such records/);
  write('mine/types/note.yaml', now.replace('  source: {', `  talk: {is: origin, ${L('谈话')}}\n  source: {`));
  assert.match(await told('gather: {into: talk, from: [visit]}'), /field "talk" is of another kind now; choose another name/);
  write('mine/types/note.yaml', now);
  assert.match(await told('gather: [visit]'), /^4:13: \{into: new, from: \[old\]\} is expected/);
  assert.equal(await told('gather: {into: source, from: [visit, talk]}'), '');
  const p = await pending();
  const e = p.effects.filter((x) => x.type === 'note' && /^fields\.(visit|talk)$/.test(x.key)).map((x) => [x.key, x.records, x.loses]);
  assert.deepEqual(e, [['fields.visit', 2, false], ['fields.talk', 1, true]], 'one record has both');
  assert.equal((await apply()).status, 409);
  assert.equal((await town.ok_get(`${R}/note/${both.id}`)).visit.id, v.id, 'nothing was done');

  await town.ok_patch(`${R}/note/${both.id}`, { version: both.version, talk: null });
  assert.equal((await apply()).status, 200);
  const got = await list(town, 'note', '');
  assert.deepEqual(got.map((x) => [x.title, x.source?.type ?? null, x.source?.id ?? null]),
    [['走访一', 'visit', v.id], ['谈话一', 'talk', k.id], ['自记', null, null], ['两处', 'visit', v.id]]);
  assert.deepEqual((await list(town, 'note', 'list=visited')).map((x) => x.title), ['走访一', '两处']);
  assert.deepEqual((await list(town, 'note', 'list=made')).map((x) => x.title), ['自记']);
  assert.deepEqual((await pending()).changes, []);
  const again = await town.ok_post(`${R}/visit`, { title: '走访二', enterprise });
  await move(town, 'visit', again.id, 'note');
  const last = (await list(town, 'note', `where.source=visit:${again.id}`))[0];
  assert.equal(last.code, again.number, 'an expression steps through it');
  const history = JSON.stringify((await firm.ok_get(`${R}/note/${got[0].id}/history`)).items);
  assert.ok(!/"visit"/.test(history), 'what a field held that is gone is not shown to everybody');
  rmSync(join(s.dir, 'packs', 'mine', 'migrations', 'sources.yaml'));
});

test('the server starts again on the data: what shipped with it as done is not asked for a second time', async () => {
  await s.stopAndStart();
  await login();
  assert.deepEqual((await pending()).errors ?? [], []);
  assert.deepEqual((await list(town, 'hazard', `where.origin=self_check:${check.id}`)).map((h) => h.id), made.map((h) => h.id));
});
