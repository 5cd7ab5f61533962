// Documents: a number without gaps, the same bytes again, a public answer that notices every change, and reports.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from '../lib/server.mjs';

let s, town, bureau, ent;
before(async () => {
  s = await Server.start();
  [town, bureau, ent] = [await s.as('town'), await s.as('bureau'), await s.as('enterprise')];
});
after(() => s.stop());

const work = mkdtempSync(join(tmpdir(), 'anlan-pdf-'));
after(() => rmSync(work, { recursive: true }));
const textOf = (pdf) => {
  const file = join(work, 'a.pdf');
  writeFileSync(file, pdf);
  return execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' });
};
const bytes = async (who, path, body) => {
  const r = await fetch(s.url + path, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${who.token}`, 'Content-Type': 'application/json' } });
  return { status: r.status, type: r.headers.get('content-type'), data: Buffer.from(await r.arrayBuffer()) };
};
const flat = (t) => t.replace(/\s/g, '');

async function hazard(title) { // an ordered rectification
  const e = (await ent.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const who = (await town.get(`/api/v1/records/enterprise/${e.id}`)).status === 200 ? town : bureau;
  const h = await who.ok_post('/api/v1/records/hazard', { title, enterprise: e.id, content: '可燃气体报警器未检定' });
  await who.ok_post(`/api/v1/records/hazard/${h.id}/moves/assign`, { requirement: '三日内送检' });
  return h;
}
const docs = (h) => `/api/v1/records/hazard/${h.id}/documents`;
const issue = (who, h) => who.ok_post(`${docs(h)}/rectification_notice`, {});

test('only in the states that the document names, only by the roles that it names', async () => {
  const e = (await bureau.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  const h = await bureau.ok_post('/api/v1/records/hazard', { title: '未下达', enterprise: e.id });
  assert.deepEqual((await bureau.ok_get(docs(h))).available.map((d) => d.name), ['hazard_file'], 'the file of a hazard can be had at any time');
  assert.equal((await bureau.post(`${docs(h)}/rectification_notice`, {})).status, 409);
  const ordered = await hazard('已下达');
  assert.ok((await bureau.ok_get(docs(ordered))).available.some((d) => d.name === 'rectification_notice'));
  assert.equal((await ent.post(`${docs(ordered)}/rectification_notice`, {})).status, 403);
  assert.equal((await bureau.post(`${docs(ordered)}/nothing`, {})).status, 404);
  assert.equal((await bureau.post(`${docs({ id: 999999 })}/rectification_notice`, {})).status, 404);
});

test('the preview says that it is one, and has no number', async () => {
  const h = await hazard('储罐区报警器');
  const p = await bytes(bureau, `${docs(h)}/rectification_notice/preview`);
  assert.equal(p.status, 200, p.data.toString());
  assert.equal(p.type, 'application/pdf');
  const text = flat(textOf(p.data));
  assert.ok(text.includes('编号待定') && text.includes('预'), text);
  assert.equal((await bureau.ok_get(docs(h))).issued.length, 0);
});

test('what is issued holds what the record says; printed again it is the same, byte for byte', async () => {
  const h = await hazard('储罐区报警器');
  const d = await issue(bureau, h);
  assert.match(d.number, /^安应急改〔\d{4}〕\d{3}号$/);
  const first = (await bytes(bureau, `/api/v1/files/${d.file}`)).data;
  const text = flat(textOf(first));
  for (const want of [d.number, '隐患整改通知书', '可燃气体报警器未检定', '三日内送检', '至出具之日已0日', h.number, `${d.anchor}-${d.hash.slice(0, 16)}`]) assert.ok(text.includes(flat(want)), `${want} in ${text}`);
  assert.ok(!text.includes('职工代表大会'), 'a block whose condition does not hold');
  await bureau.ok_patch(`/api/v1/records/hazard/${h.id}`, { version: (await bureau.ok_get(`/api/v1/records/hazard/${h.id}`)).version, content: '后来改了' });
  assert.deepEqual((await bytes(bureau, `/api/v1/files/${d.file}`)).data, first);
  const history = (await bureau.ok_get(`/api/v1/records/hazard/${h.id}/history`)).items;
  assert.ok(history.some((x) => x.action === 'document:rectification_notice'));
});

test('numbers have no gaps, also when an issue fails in between', async () => {
  const seq = (d) => Number(/(\d+)号$/.exec(d.number)[1]);
  const a = await issue(bureau, await hazard('甲'));
  await bureau.post(`${docs({ id: 999999 })}/rectification_notice`, {});
  const b = await issue(bureau, await hazard('乙'));
  assert.equal(seq(b), seq(a) + 1);
});

test('the paper is for who may read the record: not for others who guess its number', async () => {
  const d = await issue(bureau, await hazard('丙'));
  assert.equal((await bytes(await s.as('admin'), `/api/v1/files/${d.file}`)).status, 404);
  assert.equal((await fetch(`${s.url}/api/v1/files/${d.file}`)).status, 401);
  assert.equal((await bytes(ent, `/api/v1/files/${d.file}`)).status, 200);
});

test('anybody who holds the paper can check it, and learns nothing about persons', async () => {
  const d = await issue(bureau, await hazard('丁'));
  const url = `/verify/${encodeURIComponent(d.number)}?h=${d.anchor}-${d.hash.slice(0, 16)}`;
  const v = (await s.call('GET', `/api/v1${url}`)).json;
  assert.deepEqual([v.genuine, v.content, v.chain, v.anchor, v.void], [true, true, true, true, false]);
  assert.deepEqual(Object.keys(v).sort(), ['anchor', 'at', 'chain', 'content', 'document', 'genuine', 'number', 'office', 'sm3', 'void']);
  const page = await s.call('GET', url);
  assert.equal(page.status, 200);
  assert.ok(page.text.includes('属实') && !page.text.includes(bureau.me.title), page.text);
  const forged = (await s.call('GET', `/api/v1/verify/${encodeURIComponent(d.number)}?h=${d.anchor}-0123456789abcdef`)).json;
  assert.deepEqual([forged.genuine, forged.anchor], [false, false]);
  assert.equal((await s.call('GET', `/api/v1/verify/${encodeURIComponent('安应急改〔2026〕999号')}`)).status, 404);
  assert.equal((await s.call('GET', '/verify/%3Cscript%3E')).text.includes('<script>'), false);
});

test('void stays void, with its reason', async () => {
  const d = await issue(bureau, await hazard('戊'));
  assert.equal((await bureau.post(`/api/v1/documents/${d.id}/void`, {})).status, 400);
  assert.equal((await ent.post(`/api/v1/documents/${d.id}/void`, { reason: '不服' })).status, 403);
  await bureau.ok_post(`/api/v1/documents/${d.id}/void`, { reason: '文字有误' });
  assert.equal((await bureau.post(`/api/v1/documents/${d.id}/void`, { reason: '再次' })).status, 409);
  const v = (await s.call('GET', `/api/v1/verify/${encodeURIComponent(d.number)}`)).json;
  assert.deepEqual([v.genuine, v.void], [false, true]);
});

test('many are printed as one, and those that were issued are not issued again', async () => {
  const hs = [await hazard('一'), await hazard('二'), await hazard('三')];
  const d = await issue(bureau, hs[0]);
  const p = await bytes(bureau, '/api/v1/documents/batch', { type: 'hazard', ids: hs.map((h) => h.id), document: 'rectification_notice' });
  assert.equal(p.status, 200, p.data.toString().slice(0, 300));
  const text = flat(textOf(p.data));
  for (const h of hs) assert.ok(text.includes(h.number));
  assert.ok(text.includes(flat(d.number)));
  assert.equal((await bureau.ok_get(docs(hs[0]))).issued.length, 1);
  assert.equal((await bytes(bureau, '/api/v1/documents/batch', { type: 'hazard', ids: [], document: 'rectification_notice' })).status, 400);
  assert.equal((await bytes(ent, '/api/v1/documents/batch', { type: 'hazard', ids: [hs[1].id, 999999], document: 'rectification_notice' })).status, 404);
});

test('reports: made for a period that is over, once; seen by the roles they name', async () => {
  const list = (await bureau.ok_get('/api/v1/reports')).items;
  assert.deepEqual(list.map((r) => r.name).sort(), ['area_risk_report', 'audit_package', 'base_numbers', 'duty_daily', 'farm_accident_report', 'major_risk_list', 'plan_statistics', 'safety_monthly', 'safety_weekly']);
  assert.deepEqual((await ent.ok_get('/api/v1/reports')).items, []);
  const daily = list.find((r) => r.name === 'duty_daily');
  const d = await bureau.ok_post('/api/v1/reports/duty_daily/run', {});
  assert.equal(d.period, daily.last);
  assert.equal((await bureau.ok_post('/api/v1/reports/duty_daily/run', { period: daily.last })).id, d.id);
  const text = flat(textOf((await bytes(bureau, `/api/v1/files/${d.file}`)).data));
  assert.ok(text.includes('安全生产值班日报') && text.includes('监测报警') && text.includes('本期发生'), text);
  assert.equal((await bytes(ent, `/api/v1/files/${d.file}`)).status, 404);
  const today = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
  assert.equal((await bureau.post('/api/v1/reports/duty_daily/run', { period: today })).status, 409);
  assert.equal((await bureau.post('/api/v1/reports/duty_daily/run', { period: '2026-13' })).status, 400);
  for (const [name, period] of [['safety_weekly', '2026-W46'], ['safety_monthly', '2026-10']]) {
    const p = await bytes(bureau, `/api/v1/reports/${name}/preview?period=${period}`);
    assert.equal(p.status, 200);
    const text = flat(textOf(p.data));
    assert.ok(text.includes('隐患排查治理'));
    if (name === 'safety_monthly') assert.ok(text.includes('四、指标') && text.includes('2026-10'), text);
  }
});

test('a change of the stored paper or of the database is noticed', async () => {
  const [a, b] = [await issue(bureau, await hazard('己')), await issue(bureau, await hazard('庚'))];
  const check = async (d) => (await s.call('GET', `/api/v1/verify/${encodeURIComponent(d.number)}?h=${d.anchor}-${d.hash.slice(0, 16)}`)).json;
  const path = (d) => join(s.dir, 'files', d.sm3.slice(0, 2), d.sm3.slice(2));
  const good = readFileSync(path(a));
  writeFileSync(path(a), Buffer.concat([good.subarray(0, good.length - 1), Buffer.from('x')]));
  assert.deepEqual([(await check(a)).genuine, (await check(a)).content], [false, false]);
  writeFileSync(path(a), good);
  assert.equal((await check(a)).genuine, true);
  await s.kill('SIGTERM');
  s.code = s.signal = null;
  execFileSync('sqlite3', [join(s.dir, 'anlan.db'), `UPDATE issued SET sm3='${a.sm3}' WHERE id=${b.id}; UPDATE file SET sm3='${a.sm3}' WHERE id=${b.file};`]);
  await s.spawn();
  assert.deepEqual([(await check(b)).genuine, (await check(b)).chain], [false, false]);
  assert.equal((await check(a)).genuine, true);
  assert.ok(readdirSync(join(s.dir, 'files', 'tmp')).length === 0);
});
