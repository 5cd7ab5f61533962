// A case from the check on site to its closed file: two certified officers, nobody decides what he investigated, nothing is
// skipped; the lot is drawn so that anybody can draw it again.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

const PASSWORD = 'Correct-Horse-9';
let s, bureau, leader, legal, duty, ent, town, one, two, people, officers, items, rules, firm, body;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (who, type, id, name, body = {}) => { const r = await move(who, type, id, name, body); assert.ok(r.status < 300, `${name}: ${r.text}`); return r.json; };
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const file = async (who, name = 'a.pdf') => {
  const r = await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body: `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n` });
  assert.ok(r.status < 300);
  return (await r.json()).id;
};
const paper = async (path) => {
  const r = await fetch(s.url + path, { headers: { Authorization: `Bearer ${bureau.token}` } });
  assert.equal(r.status, 200);
  const dir = mkdtempSync(join(tmpdir(), 'anlan-paper-'));
  writeFileSync(join(dir, 'p.pdf'), Buffer.from(await r.arrayBuffer()));
  const text = execFileSync('pdftotext', [join(dir, 'p.pdf'), '-'], { encoding: 'utf8' }).replace(/\s/g, '');
  if (process.env.ANLAN_PAPER) writeFileSync(process.env.ANLAN_PAPER, readFileSync(join(dir, 'p.pdf')));
  rmSync(dir, { recursive: true });
  return text;
};
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);

before(async () => {
  s = await Server.start();
  const admin = await s.as('admin');
  people = Object.fromEntries((await admin.ok_get('/api/v1/records/person?size=500')).items.map((p) => [p.login, p]));
  for (const who of ['bureau3', 'bureau4', 'leader', 'legal']) await admin.ok_post('/api/v1/password', { person: people[who].id, new: PASSWORD });
  [one, two, leader, legal] = await Promise.all(['bureau3', 'bureau4', 'leader', 'legal'].map((n) => s.login(n, PASSWORD)));
  [bureau, duty, ent, town] = await Promise.all(['bureau', 'duty', 'enterprise', 'town'].map((r) => s.as(r)));
  officers = Object.fromEntries((await all(bureau, 'enforcement_officer')).map((o) => [o.name, o]));
  items = Object.fromEntries((await all(bureau, 'enforcement_item')).map((o) => [o.code, o]));
  rules = Object.fromEntries((await all(bureau, 'discretion_rule')).map((o) => [o.title, o]));
  [body] = await all(bureau, 'enforcement_body');
  firm = (await bureau.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
});
after(() => s.stop());

test('a check is begun and recorded by one of two officers with certificates in force, with a photo or recording', async () => {
  const off = { officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id };
  const c = await rec(bureau, 'enforcement_check', { title: '用例检查', enterprise: firm.id, ...off });
  assert.equal((await rec(bureau, 'enforcement_check', { title: '同一人', enterprise: firm.id }).then((x) => move(one, 'enforcement_check', x.id, 'start', { officer_1: off.officer_1, officer_2: off.officer_1 }))).status, 400, 'two officers');
  const old = await rec(bureau, 'enforcement_check', { title: '证件过期', enterprise: firm.id, officer_1: off.officer_1, officer_2: officers['袁立新'].id });
  assert.equal((await move(one, 'enforcement_check', old.id, 'start')).status, 409, 'an expired certificate');
  assert.equal((await move(bureau, 'enforcement_check', c.id, 'start')).status, 409, 'somebody who is no officer of it');
  await done(one, 'enforcement_check', c.id, 'start');
  const record = { record: '现场查看罐区', attended: [{ name: '王某', post: '主要负责人', signed: true }], outcome: 'order', problems: [{ title: '静电接地失效', content: '2 号位' }] };
  const bare = await move(one, 'enforcement_check', c.id, 'record', record);
  assert.equal(bare.status, 409, `the record is not complete without a photo: ${bare.text}`);
  const full = await done(one, 'enforcement_check', c.id, 'record', { ...record, media: [await file(one)] });
  assert.equal(full.found, 1);
  const hazards = (await all(bureau, 'hazard', `&where.origin=enforcement_check:${c.id}`));
  assert.deepEqual(hazards.map((h) => h.title), ['静电接地失效']);
  await done(bureau, 'enforcement_check', c.id, 'order');
  const o = (await all(bureau, 'correction_order', `&where.check=${c.id}`))[0];
  assert.equal((await move(one, 'correction_order', o.id, 'issue', { items: [{ what: '修复' }], due: day(-1), receiver: '王某', received: new Date().toISOString() })).status, 409, 'a day that has passed');
  await done(one, 'correction_order', o.id, 'issue', { items: [{ what: '修复' }], due: day(5), receiver: '王某', received: new Date().toISOString() });
  const offered = (await one.ok_get(`/api/v1/records/correction_order/${o.id}/documents`)).available;
  assert.deepEqual(offered.map((x) => x.name), ['correction_notice'], 'the re-check has no paper yet');
});

// A case that is filed, with evidence verified.
async function filed(item, title) {
  const c = await rec(one, 'enforcement_case', { title, enterprise: firm.id, source: 'hazard' });
  const off = { officer_1: officers['方晓东'].id, officer_2: officers['石磊'].id, item: item.id, body: body.id };
  assert.equal((await move(two, 'enforcement_case', c.id, 'file', off)).status, 409, 'an officer approves his own case');
  await done(bureau, 'enforcement_case', c.id, 'file', off);
  return c.id;
}
const evidence = async (id) => {
  const e = await rec(one, 'case_evidence', { title: '现场照片', case: id, kind: 'record', place: '罐区', files: [await file(one)] });
  return e.id;
};
const served = async (id, paper) => {
  const r = await rec(one, 'case_service', { title: paper, case: id, paper, receiver: '王某' });
  await done(one, 'case_service', r.id, 'serve', { served: new Date().toISOString(), place: '企业办公室', proof: [await file(one)] });
};

test('a case goes from filing to its closed file; what is missing stops the next step', async () => {
  const id = await filed(items['虚构-CF-001'], '一般案件');
  const body = { facts: '两处隐患未消除', violated: '第四十一条', benchmark: rules['两处以上隐患（虚构）'].id, share: 25, reasons: '已部分整改', kinds: ['fine'], fine: 15000 };
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'no evidence');
  const e = await evidence(id);
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'evidence that nobody verified');
  assert.equal((await move(one, 'case_evidence', e, 'verify')).status, 403, 'verified by who took it');
  await done(two, 'case_evidence', e, 'verify');
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', { ...body, benchmark: rules['3 人以上未培训（虚构）'].id, fine: 25000 })).status, 400, 'a benchmark of another item');
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', { ...body, benchmark: rules['初次、及时改正、无后果（虚构）'].id, fine: 0 })).status, 400, 'conditions of leniency that do not hold');
  const c = await done(one, 'enforcement_case', id, 'conclude', body);
  assert.deepEqual([c.low, c.high, c.suggested, c.deviates, c.major, c.state], [10000, 30000, 15000, false, false, 'telling']);
  assert.equal((await move(one, 'enforcement_case', id, 'tell', { told_on: day() })).status, 409, 'no receipt of service');
  const offered = async () => (await bureau.ok_get(`/api/v1/records/enforcement_case/${id}/documents`)).available.map((x) => x.name).sort();
  assert.deepEqual(await offered(), ['filing_form', 'penalty_notice'], 'no decision on paper before it is made');
  await served(id, 'notice');
  await done(one, 'enforcement_case', id, 'tell', { told_on: day() });
  assert.equal((await move(one, 'enforcement_case', id, 'heard', { defence: 'none' })).status, 409, 'five days have not passed');
  assert.equal((await move(one, 'enforcement_case', id, 'heard', { defence: 'statement', defence_text: '已整改' })).status, 409, 'a statement without an answer');
  await done(one, 'enforcement_case', id, 'heard', { defence: 'statement', defence_text: '已整改', defence_review: '已在裁量时考虑' });
  const decision = { punished: true, decision: '罚款 15000 元', password: PASSWORD };
  for (const who of [bureau, one, two, legal]) assert.ok([403, 409].includes((await move(who, 'enforcement_case', id, 'decide', decision)).status), 'only the leader decides');
  assert.equal((await move(leader, 'enforcement_case', id, 'decide', { ...decision, password: 'wrong' })).status, 403, 'signed');
  const d = await done(leader, 'enforcement_case', id, 'decide', decision);
  assert.ok(d.decider && d.decided_on === day());
  const pdf = await bureau.ok_post(`/api/v1/records/enforcement_case/${id}/documents/penalty_decision`, {});
  assert.match(pdf.number, /^安应急罚〔\d{4}〕\d{3}号$/);
  const said = await paper(`/api/v1/files/${pdf.file}`);
  for (const must of [firm.name, firm.uscc, '两处隐患未消除', '现场照片', '虚构-990121-0003', '虚构-990121-0004', '已在裁量时考虑', '罚款数额：15000.00元', '人民政府申请行政复议', '人民法院提起行政诉讼', '（印章）'])
    assert.ok(said.includes(must), `the decision names ${must}: ${said}`);
  assert.equal((await move(one, 'enforcement_case', id, 'serve', { served_on: day() })).status, 409, 'the decision was not served');
  await served(id, 'decision');
  const out = await done(one, 'enforcement_case', id, 'serve', { served_on: day() });
  assert.equal(out.pay_by, day(15));
  assert.equal((await move(one, 'enforcement_case', id, 'executed', { execution: '已缴', paid: 14999, paid_on: day() })).status, 409, 'a yuan is missing');
  const contest = await rec(legal, 'case_contest', { title: '不服罚款', case: id, kind: 'review', body: '安澜县人民政府', received: day() });
  assert.deepEqual([contest.answer_by, contest.state, out.review_until], [day(10), 'answering', day(60)], 'ten days to answer, from the copy');
  const late = await done(one, 'enforcement_case', id, 'executed', { execution: '已缴', paid: 15000, paid_on: day(17) });
  assert.deepEqual([late.late_days, late.surcharge], [2, 900], '3 % a day of 15,000 yuan for two days');
  assert.equal((await move(leader, 'enforcement_case', id, 'close', { closing: '同意结案', password: PASSWORD })).status, 409, 'a review has no result yet');
  await done(legal, 'case_contest', contest.id, 'answer', { answered_on: day(), answer: [await file(legal)] });
  await done(legal, 'case_contest', contest.id, 'decide', { result: 'upheld', result_on: day(), reasons: '事实清楚' });
  const closed = await done(leader, 'enforcement_case', id, 'close', { closing: '同意结案', password: PASSWORD });
  assert.equal(closed.state, 'closed');
  assert.equal((await all(bureau, 'penalty_filing', `&where.case=${id}`)).length, 0, 'not a major one');
  const open = (await s.call('GET', '/public/types/enforcement_case')).json;
  const shown = open.items.find((x) => x.number === closed.number);
  assert.ok(shown && shown.fine === 15000 && !('facts' in shown) && !('officer_1' in shown), 'published when it was served');
});

// The members of a ZIP by its central directory (APPNOTE 4.3.12), as in the test of the replay's case file.
function unzip(b) {
  const out = {};
  for (let at = b.readUInt32LE(b.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) + 16); b.readUInt32LE(at) === 0x02014b50;) {
    const [n, m, k] = [b.readUInt16LE(at + 28), b.readUInt16LE(at + 30), b.readUInt16LE(at + 32)], local = b.readUInt32LE(at + 42), size = b.readUInt32LE(at + 20);
    const from = local + 30 + b.readUInt16LE(local + 26) + b.readUInt16LE(local + 28), raw = b.subarray(from, from + size);
    out[b.toString('utf8', at + 46, at + 46 + n)] = b.readUInt16LE(at + 10) ? inflateRawSync(raw) : raw;
    at += 46 + n + m + k;
  }
  return out;
}

test('the file of the case holds all of it, named by SM3, and its export stands in the audit chain', async () => {
  const c = (await all(bureau, 'enforcement_case', '&where.state=closed'))[0];
  const r = await fetch(`${s.url}/api/v1/records/enforcement_case/${c.id}/casefile`, { method: 'POST', headers: { Authorization: `Bearer ${bureau.token}` }, body: '{}' });
  assert.equal(r.status, 200);
  const m = unzip(Buffer.from(await r.arrayBuffer())), sm3 = (b) => createHash('sm3').update(b).digest('hex'), names = Object.keys(m);
  for (const type of ['enforcement_case', 'case_evidence', 'case_service']) assert.ok(names.some((n) => n.includes(`-${type}.json`)), type);
  assert.equal(names.filter((n) => n.startsWith('documents/')).length, 1, 'the decision');
  assert.equal(names.filter((n) => n.startsWith('files/')).length, 4, 'evidence, two receipts of service, the answer to the review');
  const sums = m['SM3SUMS.txt'].toString().trim().split('\n').map((x) => x.split('  '));
  assert.deepEqual(sums.map((x) => x[1]).sort(), names.filter((n) => !['SM3SUMS.txt', 'manifest.json'].includes(n)).sort());
  for (const [hash, name] of sums) assert.equal(sm3(m[name]), hash, name);
  for (const n of names.filter((x) => x.startsWith('files/') || x.startsWith('documents/'))) assert.ok(m['index.csv'].toString().includes(sm3(m[n])), `${n} is the original`);
  const { entry, after } = JSON.parse(m['manifest.json']).audit;
  assert.deepEqual([entry.action, entry.record, JSON.parse(entry.detail).sm3sums], ['casefile', c.id, sm3(m['SM3SUMS.txt'])]);
  assert.ok((await (await s.as('auditor')).get(`/api/v1/audit/export?from=${entry.seq}&size=1`)).text.includes(after), 'the digest of the entry is the one in the chain');
  assert.match(m['actions.csv'].toString(), /move:decide/);
  assert.equal((await ent.post(`/api/v1/records/enforcement_case/${c.id}/casefile`, {})).status, 404, 'not for who may not see the case');
});

test('a major case waits for the legal review and the minutes, outside the benchmark somebody must allow it, and it is filed', async () => {
  const id = await filed(items['虚构-CF-002'], '重大案件');
  await done(two, 'case_evidence', await evidence(id), 'verify');
  const body = { facts: '三人未培训', violated: '第二十八条', benchmark: rules['3 人以上未培训（虚构）'].id, reasons: '情节严重', kinds: ['fine'], fine: 70000 };
  assert.equal((await move(one, 'enforcement_case', id, 'conclude', body)).status, 409, 'it is major');
  assert.equal((await move(one, 'enforcement_case', id, 'to_review', body)).status, 409, 'outside the benchmark without a reason');
  const c = await done(one, 'enforcement_case', id, 'to_review', { ...body, deviation: '造成严重影响' });
  assert.deepEqual([c.major, c.deviates, c.state], [true, true, 'reviewing']);
  assert.ok([403, 409].includes((await move(one, 'enforcement_case', id, 'review_pass', { review_opinion: '同意', password: PASSWORD })).status), 'the officer does not review');
  const back = await done(legal, 'enforcement_case', id, 'review_back', { reason: '补充培训档案' });
  assert.equal(back.state, 'investigating');
  await done(one, 'enforcement_case', id, 'to_review', { deviation: '造成严重影响' });
  await done(legal, 'enforcement_case', id, 'review_pass', { review_opinion: '事实清楚', password: PASSWORD });
  await served(id, 'notice');
  await done(one, 'enforcement_case', id, 'tell', { told_on: day() });
  const at = (n) => new Date(Date.now() + n * 86400e3).toISOString();
  assert.equal((await move(one, 'enforcement_case', id, 'hear', { hearing_on: at(6), hearing_told: day(), hearing_chair: people.bureau2.id })).status, 409, 'told too late');
  assert.equal((await move(one, 'enforcement_case', id, 'hear', { hearing_on: at(30), hearing_told: day(), hearing_chair: people.bureau4.id })).status, 409, 'an officer of the case in the chair');
  await done(one, 'enforcement_case', id, 'hear', { hearing_on: at(30), hearing_told: day(), hearing_chair: people.legal.id });
  await done(legal, 'enforcement_case', id, 'hearing_done', { hearing_record: [await file(legal)], hearing_result: '维持' });
  const sign = { punished: true, decision: '罚款 70000 元', password: PASSWORD };
  assert.equal((await move(leader, 'enforcement_case', id, 'decide', { ...sign, meeting: [await file(leader)] })).status, 409, 'outside the benchmark');
  assert.equal((await move(leader, 'enforcement_case', id, 'decide_deviating', { ...sign, reason: '影响恶劣' })).status, 400, 'no minutes');
  const d = await done(leader, 'enforcement_case', id, 'decide_deviating', { ...sign, reason: '影响恶劣', meeting: [await file(leader)] });
  assert.ok(d.deviation_by);
  const filing = (await all(bureau, 'penalty_filing', `&where.case=${id}`));
  assert.equal(filing.length, 1);
  assert.ok(filing[0].deadline && filing[0].fine === 70000);
});

test('the lot is drawn once, nobody with a conflict is drawn, and anybody draws the same again from seed and pools', async () => {
  const sm3 = (text) => createHash('sm3').update(text).digest('hex');
  const avoided = (await all(bureau, 'enterprise', '&where.risk=red')).filter((e) => e.status === 'running').map((e) => e.id).slice(0, 50);
  const off = officers['石磊'];
  await bureau.ok_patch(`/api/v1/records/enforcement_officer/${off.id}`, { avoid: avoided, version: off.version });
  const d = await rec(bureau, 'random_draw', { title: '用例抽取', area: '990121000000', red: 2, orange: 2, yellow: 0, blue: 1 });
  assert.equal((await bureau.post(`/api/v1/draws/${d.id}`)).status, 409, 'the conditions are not fixed');
  await done(bureau, 'random_draw', d.id, 'lock');
  assert.equal((await move(bureau, 'random_draw', d.id, 'dispatch')).status, 409, 'not drawn yet');
  assert.equal((await town.post(`/api/v1/draws/${d.id}`)).status, 403);
  const r = await bureau.ok_post(`/api/v1/draws/${d.id}`);
  const pool = (text) => (text ? text.split(',').map(Number) : []), low = (ids, name) => ids.map((id) => [sm3(`${r.seed}:${name}${id}`), id]).sort((x, y) => (x[0] < y[0] ? -1 : 1)).map((x) => x[1]);
  const want = ['red', 'orange', 'yellow', 'blue'].flatMap((g) => low(pool(r[`pool_${g}`]), 'object:').slice(0, d[g]).map((enterprise) => {
    const two = low(pool(r.officer_pool).filter((o) => !(o === off.id && avoided.includes(enterprise))), `officer:${enterprise}:`);
    return { enterprise, risk: g, officer_1: two[0], officer_2: two[1] };
  }));
  assert.deepEqual(r.drawn.map((x) => ({ enterprise: x.enterprise.id ?? x.enterprise, risk: x.risk, officer_1: x.officer_1.id ?? x.officer_1, officer_2: x.officer_2.id ?? x.officer_2 })), want);
  assert.equal(r.drawn.length, 5);
  assert.ok(!pool(r.officer_pool).includes(officers['袁立新'].id), 'whose certificate has ended is not in the pool');
  const chain = (await (await s.as('auditor')).get(`/api/v1/audit/export?from=${r.seed_entry}&size=1`)).text;
  assert.ok(chain.includes(r.seed) && chain.includes('pool_red'), 'the seed is the digest of the entry that says the pools');
  assert.equal((await bureau.post(`/api/v1/draws/${d.id}`)).status, 409, 'once');
  await done(bureau, 'random_draw', d.id, 'dispatch');
  const checks = await all(bureau, 'enforcement_check', `&where.draw=${d.id}`);
  assert.deepEqual(checks.map((x) => x.enterprise.id).sort(), want.map((x) => x.enterprise).sort());
});

// ---- reports by the public -----------------------------------------------------------------------
const NAME = '欧阳举报', PHONE = '13812349876';
const segment = (marker, bytes) => Buffer.concat([Buffer.from([0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 255]), bytes]);
// A picture as far as its form goes, with the name wherever a camera or somebody could have put it.
const picture = () => Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xe1, Buffer.from(`Exif\0\0${NAME}`)), segment(0xe2, Buffer.from(NAME)), segment(0xfe, Buffer.from(NAME)),
  segment(0xdb, Buffer.alloc(65, 1)), segment(0xc0, Buffer.from([8, 0, 8, 0, 8, 1, 1, 0x11, 0])), segment(0xc4, Buffer.alloc(20, 0)), segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
  Buffer.from([0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0xff, 0xd9]), Buffer.from(NAME)]);
const nonce = (x) => createHash('sm3').update(x).digest('hex').slice(0, 32);
const report = (body) => s.call('POST', '/public/reports', { nonce: nonce('a'), kind: 'hazard', area: '990121101000', content: '夜班关闭可燃气体报警器', ...body });
const query = (receipt) => s.call('POST', '/public/reports/query', { receipt });
let sealed, given;

test('anybody reports a danger without logging in; sent twice it is one report, and its receipt says what became of it', async () => {
  const form = (await s.call('GET', '/public/reports')).json;
  assert.ok(form.kinds.length > 3 && form.areas.some((a) => a.code === '990121101000'));
  const body = { name: NAME, phone: PHONE, content: `我是${NAME}，电话${PHONE}，${firm.title}夜班关闭可燃气体报警器`, object: firm.title, place: `${NAME}家对面`, insider: true, position: [118.9, 33.1], photos: [picture().toString('base64')] };
  given = (await report(body)).json;
  assert.match(given.receipt, /^([0-9A-Z]{5}-){3}[0-9A-Z]{5}$/);
  const again = (await report(body)).json;
  assert.deepEqual(again, given, 'the answer was lost: the page sends it again');
  sealed = (await all(bureau, 'danger_report', '&where.channel=web'));
  assert.equal(sealed.length, 1);
  sealed = sealed[0];
  assert.equal(sealed.named, true);
  assert.ok(sealed.deadline, 'its time runs');
  const kept = Buffer.from(await (await fetch(`${s.url}/api/v1/files/${sealed.photos[0].id ?? sealed.photos[0]}`, { headers: { Authorization: `Bearer ${bureau.token}` } })).arrayBuffer());
  assert.ok(!kept.includes(NAME) && kept.subarray(0, 2).equals(Buffer.from([0xff, 0xd8])) && kept.subarray(-2).equals(Buffer.from([0xff, 0xd9])));
  assert.equal((await query(given.receipt.toLowerCase().replaceAll('-', ' '))).json.number, given.number);
  const [none, wrong] = await Promise.all([query('AAAAA-AAAAA-AAAAA-AAAAA'), query('1')]);
  assert.deepEqual([none.status, none.json], [404, wrong.json], 'a number that nobody has and one that is none are answered alike');
});

test('what is not as it should be is refused with a reason', async () => {
  for (const [body, field] of [[{ nonce: 'short' }, 'nonce'], [{ nonce: nonce('b'), content: '短' }, 'content'], [{ nonce: nonce('c'), kind: 'nothing' }, 'kind'], [{ nonce: nonce('d'), area: '12' }, 'area'],
    [{ nonce: nonce('e'), photos: [Buffer.from('MZ not a picture').toString('base64')] }, 'photos'], [{ nonce: nonce('f'), photos: ['', '', '', ''] }, 'photos']]) {
    const r = await report(body);
    assert.ok(r.status >= 400 && r.status < 500, r.text);
    assert.equal(r.json.error.field, field, r.text);
  }
  assert.equal((await all(bureau, 'danger_report', '&where.channel=web')).length, 1);
});

test('what happens to a report: sent on, verified, a hazard, answered by somebody else, rewarded by the rule', async () => {
  const id = sealed.id, org = people.town1.organisation.id ?? people.town1.organisation;
  await done(bureau, 'danger_report', id, 'accept', { owner: org, firm: firm.id, request: '夜间核查' });
  await done(bureau, 'danger_report', id, 'ask', { question: '哪一班？' });
  assert.equal((await query(given.receipt)).json.question, '哪一班？');
  assert.equal((await s.call('POST', '/public/reports/words', { receipt: given.receipt, text: `乙班，${NAME}${PHONE}` })).status, 200);
  const said = await bureau.ok_get(`/api/v1/records/danger_report/${id}/comments`);
  assert.equal(said.items[0].text, `乙班，${'*'.repeat(12)}${'*'.repeat(11)}`);
  assert.equal((await query(given.receipt)).json.reply, undefined);
  await done(bureau, 'danger_report', id, 'inspect');
  await done(one, 'danger_report', id, 'verify', { verified: day(), result: 'upheld', found: '属实', problems: [{ title: '报警器被关闭', enterprise: firm.id }] });
  assert.equal((await move(one, 'danger_report', id, 'reply', { public_reply: '已查实' })).status, 403, 'not by who verified it');
  await done(bureau, 'danger_report', id, 'reply', { public_reply: '已查实，责令整改' });
  const told = (await query(given.receipt)).json;
  assert.deepEqual([told.state, told.ended, told.reply, told.replied], ['closed', true, '已查实，责令整改', day()]);
  await done(bureau, 'danger_report', id, 'reward');
  assert.equal((await move(bureau, 'danger_report', id, 'reward')).status, 409, 'once');
  const w = (await all(bureau, 'report_reward'))[0], rule = Object.fromEntries((await all(bureau, 'reward_rule')).map((x) => [x.title, x.id]));
  assert.equal((await move(bureau, 'report_reward', w.id, 'submit', { rule: rule['非法违法查实（虚构）'], fine: 20000 })).status, 409, 'a rule for another kind');
  const sum = await done(bureau, 'report_reward', w.id, 'submit', { rule: rule['事故隐患查实（虚构）'], fine: 20000 });
  assert.deepEqual([sum.uplift, sum.amount], [20, 3600], '15 % of 20,000 yuan, and 20 % more for an insider');
  assert.deepEqual((await query(given.receipt)).json.reward, { state: 'approving', label: '待批准', collect: false }, 'no amount before it is approved');
  await done(leader, 'report_reward', w.id, 'approve', { password: PASSWORD });
  assert.deepEqual((await query(given.receipt)).json.reward, { state: 'approved', label: '待领取', amount: 3600, collect: true }, 'who has the receipt reads what is due and how to get it');
  const hazard = (await all(bureau, 'hazard', `&where.origin=danger_report:${id}`))[0];
  assert.equal(hazard.title, '报警器被关闭');
  const theirs = (await ent.ok_get(`/api/v1/records/enterprise?size=1`)).items[0];
  const own = await rec(bureau, 'danger_report', { title: '测试', kind: 'hazard', content: '本企业用例', area: theirs.area, firm: theirs.id });
  await done(bureau, 'danger_report', own.id, 'accept', { owner: org });
  await done(one, 'danger_report', own.id, 'verify', { verified: day(), result: 'upheld', found: '属实', problems: [{ title: '本企业隐患', enterprise: theirs.id }] });
  const seen = (await all(ent, 'hazard')).find((h) => h.title === '本企业隐患');
  assert.deepEqual(seen.origin, { hidden: true }, 'the enterprise sees its hazard and not that somebody reported it here');
  assert.notEqual(seen.source, 'report');
  for (const path of [`/records/hazard/${seen.id}`, `/records/hazard/${seen.id}/history`, `/thread/${seen.thread}`, '/notices', '/records/correction_order']) {
    const r = await ent.get(`/api/v1${path}`);
    assert.ok(!/举报|danger_report|"report"/.test(r.text), `${path}: ${r.text}`);
  }
  for (const path of ['/records/danger_report', `/records/danger_report/${own.id}`, '/types/danger_report', '/records/report_reward']) assert.ok([403, 404].includes((await ent.get(`/api/v1${path}`)).status), path);
});

test('who reported shows nowhere: no list, export, search, history, message, audit, public page, log, file', async () => {
  const clients = await Promise.all(['bureau', 'duty', 'town', 'department', 'leader', 'seal', 'auditor', 'admin', 'security', 'committee', 'enterprise', 'legal'].map((r) => s.as(r)));
  const base = `/records/danger_report/${sealed.id}`, q = encodeURIComponent(NAME);
  const paths = ['/records/danger_report?size=100', `/records/danger_report?format=csv`, '/records/danger_report?format=json', base, `${base}/history`, `${base}/comments`, `${base}/thread`, `/threads/${sealed.thread ?? 1}`,
    `/records/report_reward?format=csv`, '/records/hazard?size=100', '/notices', '/work', '/duties', '/audit?size=200', '/audit/export', '/map/objects?layer=danger_report', `/types/danger_report`];
  let read = 0;
  for (const c of clients)
    for (const path of paths) {
      const r = await c.get(`/api/v1${path}`).catch((e) => ({ status: 0, text: String(e) }));
      read += r.status === 200;
      assert.ok(!r.text.includes(NAME) && !r.text.includes(PHONE), `${c.me.title} ${path}`);
    }
  assert.ok(read > 60, `${read} answers were read`);
  for (const word of [q, PHONE]) assert.equal((await bureau.ok_get(`/api/v1/records/danger_report?q=${word}`)).total, 0);
  for (const path of ['/public/types', '/public/types/hazard', '/public/reports']) assert.ok(!(await s.call('GET', path)).text.includes(NAME), path);
  assert.ok(!s.out.includes(NAME) && !s.out.includes(PHONE), 'the log');
  const walk = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]));
  for (const path of walk(s.dir)) {
    const bytes = readFileSync(path);
    assert.ok(!bytes.includes(NAME) && !bytes.includes(PHONE), `${path} holds it in the clear`);
  }
});

test('however name and number are spaced, they are blanked in the text; the desk\'s receipt is kept nowhere', async () => {
  const clerk = await s.as('duty');
  const body = { nonce: nonce('spaced'), kind: 'hazard', area: '990121101000', channel: 'hotline', name: '诸葛 举发', phone: '+86 139-0000 7654', content: '诸葛举发说：致电13900007654，或１３９ ００００ ７６５４，139（0000）7654。氨罐泄漏，编号1390000765。' };
  const answer = await clerk.ok_post('/api/v1/reports/desk', body, { headers: { 'Idempotency-Key': 'desk-1' } });
  const kept = (await all(bureau, 'danger_report', `&where.number=${answer.number}`))[0];
  assert.ok(!/诸葛|举发|13900007654|１３９|7654/.test(kept.content), kept.content);
  assert.match(kept.content, /氨罐泄漏，编号1390000765。$/, 'and nothing else');
  assert.deepEqual(await clerk.ok_post('/api/v1/reports/desk', body, { headers: { 'Idempotency-Key': 'desk-1' } }), answer, 'sent again it is the same report');
  for (const name of readdirSync(s.dir).filter((x) => x.startsWith('anlan.db'))) assert.ok(!readFileSync(join(s.dir, name)).includes(answer.receipt), name);
});

test('only the keeper of the seal opens it, one at a time, with a reason that stays', async () => {
  const keeper = await s.as('seal'), why = { reason: '移送公安机关核实打击报复（用例）' };
  for (const who of [bureau, leader, duty, town, legal, await s.as('admin'), await s.as('auditor')]) assert.equal((await who.post(`/api/v1/reports/${sealed.id}/identity`, why)).status, 403);
  assert.equal((await keeper.post(`/api/v1/reports/${sealed.id}/identity`, { reason: '看看' })).status, 400, 'a reason');
  assert.deepEqual((await keeper.ok_post(`/api/v1/reports/${sealed.id}/identity`, why)), { name: NAME, phone: PHONE });
  const history = (await keeper.ok_get(`/api/v1/records/danger_report/${sealed.id}/history`)).items;
  assert.ok(history.some((h) => h.action === 'unseal' && JSON.stringify(h).includes(why.reason)));
  const silent = (await report({ nonce: nonce('g'), content: '匿名的一件举报' })).json;
  const one = (await all(bureau, 'danger_report', `&where.number=${silent.number}`))[0];
  assert.equal((await keeper.post(`/api/v1/reports/${one.id}/identity`, why)).status, 404, 'nobody is named');
  assert.equal((await keeper.post(`/api/v1/records/danger_report/${one.id}/moves/accept`, { owner: people.town1.organisation.id })).status, 403, 'the keeper has no other business');
});

test('one address cannot flood it', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => report({ nonce: nonce(`flood${i}`) })));
  assert.ok(answers.some((r) => r.status === 429), `${answers.map((r) => r.status)}`);
  const tries = await Promise.all(Array.from({ length: 30 }, () => query('AAAAA-AAAAA-AAAAA-AAAAA')));
  assert.ok(tries.some((r) => r.status === 429));
});
