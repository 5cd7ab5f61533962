// A hidden hazard from the own check to the evaluation of its fix; a major one is listed and assigned twice.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server } from '../lib/server.mjs';

let s, town, firm, bureau, committee, enterprise;
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const photo = async (who) => {
  const r = await fetch(`${s.url}/api/v1/files?name=p.png`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}`, 'Content-Type': 'image/png' }, body: png });
  assert.ok(r.status < 300, await r.clone().text());
  return (await r.json()).id;
};
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const ok = async (p) => { const r = await p; assert.ok(r.status < 300, r.text); return r.json; };

before(async () => {
  s = await Server.start();
  [town, firm, bureau, committee] = await Promise.all(['town', 'enterprise', 'bureau', 'committee'].map((r) => s.as(r)));
  enterprise = firm.me.enterprise.id;
});
after(() => s.stop());

test('a check finds two hazards: each becomes a record on the thread of the check', async () => {
  const c = await ok(firm.post('/api/v1/records/self_check', { title: '四月自查' }));
  const refused = await move(firm, 'self_check', c.id, 'finish', { on: '2026-11-20', results: [{ item: '消防通道', result: 'ok' }] });
  assert.equal(refused.status, 409, refused.text);
  await ok(move(firm, 'self_check', c.id, 'finish', { on: '2026-11-20', results: [{ item: '消防通道', result: 'not_ok' }],
    found: [{ title: '消防通道堆物', place: '一号库' }, { title: '灭火器过期' }] }));
  const made = (await firm.get('/api/v1/records/hazard?where.source=self_check&sort=id')).json.items.filter((h) => h.origin?.type === 'self_check' && h.origin.id === c.id);
  assert.deepEqual(made.map((h) => h.title), ['消防通道堆物', '灭火器过期']);
  assert.ok(made.every((h) => h.enterprise.id === enterprise && h.state === 'found' && h.thread === c.thread));
});

test('the loop of a general hazard: a photo of the fix is needed, a return costs no new time, closing plans the evaluation', async () => {
  const h = await ok(firm.post('/api/v1/records/hazard', { title: '护栏缺失', enterprise }));
  await ok(move(town, 'hazard', h.id, 'assign', { requirement: '加装护栏' }));
  await ok(move(firm, 'hazard', h.id, 'accept', { responsible: '王主任' }));
  const bare = await move(firm, 'hazard', h.id, 'done', { measures: '已装' });
  assert.equal(bare.status, 400);
  assert.equal(bare.json.error.field, 'after_photos');
  await ok(move(firm, 'hazard', h.id, 'done', { measures: '已装', after_photos: [await photo(firm)] }));
  assert.equal((await move(town, 'hazard', h.id, 'reject', {})).status, 400, 'a return needs a reason');
  await ok(move(town, 'hazard', h.id, 'reject', { reason: '护栏高度不够' }));
  await ok(move(firm, 'hazard', h.id, 'done', { measures: '加高到 1.2 米', after_photos: [await photo(firm)] }));
  const closed = await ok(move(town, 'hazard', h.id, 'close', { check_note: '合格' }));
  assert.equal(closed.state, 'closed');
  const e = (await town.get(`/api/v1/records/hazard_evaluation?where.hazard=${h.id}`)).json.items;
  assert.equal(e.length, 1);
  assert.equal(e[0].state, 'due');
  await ok(move(town, 'hazard_evaluation', e[0].id, 'recur', { note: '护栏又被拆' }));
  const again = (await town.get(`/api/v1/records/hazard?where.origin=hazard_evaluation:${e[0].id}`)).json.items;
  assert.equal(again.length, 1);
  assert.equal(again[0].thread, h.thread);
});

test('a major hazard is listed, assigned to territory and department at once, reported to the congress and to the province', async () => {
  const h = await ok(town.post('/api/v1/records/hazard', { title: '储罐紧急切断阀失效', enterprise, level: 'major' }));
  assert.equal((await move(town, 'hazard', h.id, 'assign', { requirement: '更换' })).status, 409, 'not as a general one');
  const organisation = (await bureau.get('/api/v1/records/organisation?q=' + encodeURIComponent('住房'))).json.items[0].id;
  const plain = await move(bureau, 'hazard', h.id, 'assign_major', { requirement: '更换切断阀', department: organisation });
  assert.equal(plain.status, 409, 'neither a criterion nor an expert');
  await ok(move(bureau, 'hazard', h.id, 'assign_major', { requirement: '更换切断阀', department: organisation, expert_opinion: '属重大隐患' }));
  for (const [type, n] of [['hazard_listing', 1], ['hazard_duty', 2], ['congress_report', 1], ['direct_report', 1]]) {
    const items = (await bureau.get(`/api/v1/records/${type}?where.hazard=${h.id}`)).json.items;
    assert.equal(items.length, n, type);
    assert.ok(items.every((x) => x.thread === h.thread));
  }
  const sides = (await bureau.get(`/api/v1/records/hazard_duty?where.hazard=${h.id}`)).json.items.map((x) => x.side).sort();
  assert.deepEqual(sides, ['department', 'territory']);
  const department = await s.as('department');
  const mine = (await department.get(`/api/v1/records/hazard_duty?where.hazard=${h.id}&where.side=department`)).json.items[0];
  assert.ok(mine.moves.includes('sign'), 'the department signs its own');
});

test('a special work permit needs a gas test for hot work, and somebody else to approve it', async () => {
  const at = (h) => new Date(Date.now() + h * 3600e3).toISOString();
  const body = { work: '罐区管线动火', kind: 'hot', place: 'T-101', workers: [{ name: '李工' }], guardian: '赵工', starts: at(1), ends: at(5) };
  const wrong = await firm.post('/api/v1/records/special_work', { ...body, ends: at(0.5) });
  assert.equal(wrong.json.error.field, 'ends');
  const w = await ok(firm.post('/api/v1/records/special_work', body));
  assert.ok(!w.moves.includes('approve'), 'the applicant may not approve his own work');
});

test('the tier with the level says how long: what the county supervises is fixed sooner, a major one soonest', async () => {
  const days = async (tier, level) => {
    const h = await ok(town.post('/api/v1/records/hazard', { title: `档次 ${tier}`, enterprise, tier, ...(level && { level }) }));
    assert.equal(h.track, level === 'major' ? 'major' : tier);
    if (level) return (Date.parse(h.deadline) - Date.parse(h.state_at)) / 3600e3;
    await ok(move(bureau, 'hazard', h.id, 'assign', { requirement: '整改' }));
    const f = await ok(move(firm, 'hazard', h.id, 'accept', { responsible: '王主任' }));
    return Math.round((Date.parse(f.deadline) - Date.parse(f.state_at)) / 86400e3);
  };
  assert.deepEqual([await days('city'), await days('county'), await days('town'), await days('enterprise')], [7, 10, 15, 15]);
  assert.equal(await days('county', 'major'), 4, 'hours until it is assigned');
});

test('the whole file of a hazard is one paper: what was ordered, who answers, what was reported, all that was done', async () => {
  const [h] = (await bureau.get('/api/v1/records/hazard?where.level=major&q=' + encodeURIComponent('储罐紧急切断阀失效'))).json.items;
  const issued = await ok(bureau.post(`/api/v1/records/hazard/${h.id}/documents/hazard_file`, {}));
  assert.match(issued.number, /^安应急档〔\d{4}〕\d{4}号$/);
  const pdf = await fetch(`${s.url}/api/v1/records/hazard/${h.id}/documents/hazard_file/preview`, { headers: { Authorization: `Bearer ${bureau.token}` } });
  const file = join(mkdtempSync(join(tmpdir(), 'anlan-file-')), 'f.pdf');
  writeFileSync(file, Buffer.from(await pdf.arrayBuffer()));
  const text = execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' }).replace(/\s/g, '');
  rmSync(dirname(file), { recursive: true });
  assert.match(text, /事故隐患治理档案[\s\S]*一、登记与判定[\s\S]*属重大隐患[\s\S]*二、交办与督办[\s\S]*更换切断阀[\s\S]*四、向职工代表大会报告[\s\S]*七、办理经过/);
  assert.ok(text.includes('属地') && text.includes('行业部门'), 'both assignments stand in it');
});
