// What everybody may see without logging in: the records that `publish` of their type names, of them the fields under `show`,
// and nothing else by any way of asking.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const type = `type: bulletin
label: {zh: 公示台账, en: Bulletin}
about: {zh: 测试用, en: For the test}
number: GS-{year}-{seq:4}
title: title
area_from: area
fields:
  title: {is: text, label: {zh: 标题, en: Title}, need: true, search: true}
  area: {is: area, label: {zh: 区划, en: Area}, need: true, default: my_area}
  firm: {is: ref, to: enterprise, label: {zh: 企业, en: Enterprise}}
  seen: {is: refs, to: bulletin, label: {zh: 参见, en: See}}
  cost: {is: money, label: {zh: 金额, en: Cost}}
  steps: {is: rows, label: {zh: 步骤, en: Steps}, columns: {what: {is: text, label: {zh: 内容, en: What}}, firm: {is: ref, to: enterprise, label: {zh: 单位, en: Firm}}}}
  text: {is: text, label: {zh: 内容, en: Text}}
  inner: {is: text, label: {zh: 内部意见, en: Inner note}, search: true}
  caller: {is: text, personal: true, label: {zh: 举报人, en: Reported by}}
  clerk: {is: ref, to: person, label: {zh: 经办人, en: Clerk}}
  open: {is: bool, label: {zh: 公开, en: Open}, default: false}
  until: {is: date, label: {zh: 公示至, en: Until}}
states:
  draft: {label: {zh: 起草, en: Draft}}
  out: {label: {zh: 公示中, en: On show}, color: green, end: true}
moves:
  show: {label: {zh: 公示, en: Show}, from: draft, to: out, who: [bureau]}
rights: {create: [bureau], read: [bureau], edit: [bureau], retire: [bureau]}
publish: {when: "state == out and open and (empty(until) or until >= today())", show: [number, title, area, firm, seen, cost, steps, text, state]}
`;
const secrets = ['内部意见甲', '王举报', '未公开的一条'];
let s, dir, b, firm, me, shown, early, day;
const open = (path, opt) => s.call('GET', path, undefined, opt);
const list = async (query = '') => (await open(`/public/types/bulletin${query}`)).json;
const make = async (fields, move = true) => {
  const r = await b.ok_post('/api/v1/records/bulletin', { area: '990121101000', inner: secrets[0], caller: secrets[1], clerk: me, open: true, ...fields });
  if (move) await b.ok_post(`/api/v1/records/bulletin/${r.id}/moves/show`, {});
  return r;
};

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'anlan-'));
  mkdirSync(join(dir, 'packs', 'board', 'types'), { recursive: true });
  writeFileSync(join(dir, 'packs', 'board', 'types', 'bulletin.yaml'), type);
  s = await Server.start({ dir, copied: true });
  b = await s.as('bureau');
  me = b.me.id;
  firm = (await b.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
  day = (n) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
  early = await make({ title: '储罐区整改', text: '已完成', until: day(3) });
  shown = await make({ title: '加油站 Pump 检查', text: '管线更换', firm: firm.id, seen: [early.id], cost: 12.5, steps: [{ what: '停用', firm: firm.id }], until: day(0) });
  await make({ title: secrets[2] }, false);
  await make({ title: secrets[2], open: false });
  await make({ title: secrets[2], until: day(-1) });
});
after(async () => { await s.stop(); rmSync(dir, { recursive: true, force: true }); });

test('who has not logged in gets the records that are published, with the fields that are shown and no other', async () => {
  const page = await list();
  assert.equal(page.total, 2);
  assert.deepEqual(page.fields.map((f) => f.name), ['number', 'title', 'area', 'firm', 'seen', 'cost', 'steps', 'text', 'state']);
  const one = page.items.find((r) => r.number === shown.number);
  assert.deepEqual(one, {
    number: shown.number, title: '加油站 Pump 检查', area: '990121101000', area_title: shown.area_title, firm: { title: firm.title }, seen: [{ title: '储罐区整改' }],
    cost: 12.5, steps: [{ what: '停用', firm: { title: firm.title } }], text: '管线更换', state: 'out',
  });
  const raw = (await open('/public/types/bulletin')).text;
  for (const word of [...secrets, b.me.title, '"id"', 'caller', 'inner', 'clerk']) assert.ok(!raw.includes(word), word);
});

test('what is shown is named in the language of who asks', async () => {
  assert.equal((await list()).fields.find((f) => f.name === 'state').items.find((i) => i.value === 'out').label, '公示中');
  const en = (await open('/public/types/bulletin', { lang: 'en' })).json;
  assert.deepEqual([en.label, en.fields[0].label, en.fields.at(-1).items[1].label], ['Bulletin', 'Number', 'On show']);
  const types = (await open('/public/types', { lang: 'en' })).json;
  assert.ok(types.county && types.items.some((t) => t.name === 'bulletin' && t.label === 'Bulletin' && t.about === 'For the test'));
});

test('a search finds in the texts that are shown and not in the others', async () => {
  const found = async (q) => (await list(`?q=${encodeURIComponent(q)}`)).items.map((r) => r.number);
  assert.deepEqual(await found('管线'), [shown.number]);
  assert.deepEqual(await found('整改 已完成'), [early.number]);
  assert.deepEqual(await found(shown.number), [shown.number]);
  for (const q of ['内部意见', '王举报', '未公开', b.me.title, '管线 储罐', '%', "' OR 1=1"]) assert.deepEqual(await found(q), [], q);
});

test('pages are turned; what asks for too much or for something else is refused', async () => {
  const [p1, p2, p3] = await Promise.all([1, 2, 3].map((p) => list(`?size=1&page=${p}`)));
  assert.deepEqual([p1.items.length, p2.items.length, p3.items.length, p1.total], [1, 1, 0, 2]);
  assert.notEqual(p1.items[0].number, p2.items[0].number);
  for (const q of ['size=51', 'page=0', 'page=100000000', 'sort=caller', 'where.caller=x', 'format=csv', `q=${'a'.repeat(101)}`])
    assert.equal((await open(`/public/types/bulletin?${q}`)).status, 400, q);
  for (const t of ['person', 'hazard', 'no_such', 'bulletin/1']) assert.equal((await open(`/public/types/${t}`)).status, 404, t);
  for (const m of ['POST', 'PATCH', 'DELETE']) assert.ok((await s.call(m, '/public/types/bulletin')).status >= 404, m);
});

test('an answer may be kept, and is sent again only when something has changed', async () => {
  const first = await open('/public/types/bulletin');
  const tag = first.headers.get('etag');
  assert.match(first.headers.get('cache-control'), /^public, max-age=\d+$/);
  const same = await open('/public/types/bulletin', { headers: { 'If-None-Match': tag } });
  assert.deepEqual([same.status, same.text], [304, '']);
  const other = await open('/public/types/bulletin', { headers: { 'If-None-Match': tag }, lang: 'en' });
  assert.equal(other.status, 200, 'another language is another answer');
  const gone = await make({ title: '很快撤下' });
  const now = await open('/public/types/bulletin', { headers: { 'If-None-Match': tag } });
  assert.deepEqual([now.status, now.json.total], [200, 3]);
  const r = await b.ok_get(`/api/v1/records/bulletin/${gone.id}`);
  assert.equal((await b.delete(`/api/v1/records/bulletin/${gone.id}`, { reason: '撤下', version: r.version })).status, 200);
  assert.deepEqual([(await list()).total, (await list('?q=很快')).total], [2, 0]);
});

test('every shipped type that is published shows no person, no file, nothing that is masked or for some roles only', async () => {
  const people = await Promise.all(['bureau', 'committee', 'leader', 'town', 'enterprise'].map((r) => s.as(r)));
  const names = (await open('/public/types')).json.items.map((t) => t.name);
  for (const must of ['hazard_listing', 'accident', 'accident_listing', 'accident_evaluation', 'investigation', 'circular', 'plan_evaluation', 'key_project', 'assessment'])
    assert.ok(names.includes(must), must);
  for (const name of names) {
    const page = (await open(`/public/types/${name}`)).json;
    const full = (await Promise.all(people.map((p) => p.get(`/api/v1/types/${name}`)))).find((r) => r.status === 200).json;
    for (const f of page.fields) {
      const own = full.fields.find((x) => x.name === f.name);
      assert.ok(!own?.personal && own?.to !== 'person' && !['files', 'photos', 'sheet', 'phone', 'idcard'].includes(f.is), `${name}.${f.name}`);
    }
    const may = new Set([...page.fields.map((f) => f.name), 'area_title']);
    for (const r of page.items) assert.deepEqual(Object.keys(r).filter((k) => !may.has(k)), [], name);
  }
});

test('one address gets so many answers a minute and no more', async () => {
  let refused;
  for (let i = 0; !refused && i < 1000; i += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${s.url}/public/types`)));
    assert.ok(answers.every((a) => [200, 429, 503].includes(a.status)));
    refused = answers.find((a) => a.status === 429);
  }
  assert.ok(refused);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await b.get('/api/v1/records/bulletin')).status, 200, 'who has logged in is not held back');
});
