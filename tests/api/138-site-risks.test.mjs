// Sites: the list of risks follows from works, phase and dangerous works and is looked at each day; key dates open checks; credit has points.
// are not counted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, firm;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const send = async (who, name, body) => (await (await fetch(`${s.url}/api/v1/files?name=${name}`, { method: 'POST', headers: { Authorization: `Bearer ${who.token}` }, body })).json()).id;
const file = (who) => send(who, 'a.pdf', `%PDF-1.4\n%${Math.random()}\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n`);
const photo = (who) => send(who, 'a.png', Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'));
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const opened = async (type, from) => (await all(bureau, type, `&where.origin=${from}`)).map((x) => x.title);
const here = [118.9, 33.1];

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept] = await Promise.all(['bureau', 'enterprise', 'town', 'department'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
});
after(() => s.stop());

const model = (name, more) => rec(dept, 'site_risk_model', { name, consequence: 'fall', lec_l: 3, lec_e: 6, lec_c: 7, controls: '防护', post: 'safety', ...more });
const posts = () => [{ post: 'manager', name: '项目经理', certificate: 'A-1' }];
async function site(name, more = {}) {
  const r = await rec(ent, 'site', { name, kind: 'small', owner: '业主', position: here, ...more });
  return done(ent, 'site', r.id, 'begin', { bid_on: day(-30), posts: posts() });
}

test('the list of risks is made from works and phase, and once a phase', async () => {
  await Promise.all([model('临边防护缺失', { families: ['building'], phase: 'foundation' }), model('盾构管片坠落', { families: ['underground'], phase: 'foundation' }),
    model('吊篮坠落', { families: ['building'], phase: 'finishing', lec_l: 6, lec_e: 6, lec_c: 15 }), model('支架失稳', { work: 'formwork', consequence: 'collapse', lec_l: 3, lec_e: 6, lec_c: 40 })]);
  const w = await site('小型厂房');
  await done(ent, 'site', w.id, 'list_risks');
  const mine = async () => (await all(ent, 'site_risk', `&where.site=${w.id}`)).map((x) => x.what).sort();
  const first = await mine();
  assert.ok(first.includes('临边防护缺失') && !first.includes('盾构管片坠落') && !first.includes('吊篮坠落'), first.join());
  await refused(ent, 'site', w.id, 'list_risks');
  await done(ent, 'site', w.id, 'list_risks', { phase: 'finishing' });
  assert.ok((await mine()).includes('吊篮坠落'));
  const basket = (await all(ent, 'site_risk', `&where.site=${w.id}`)).find((x) => x.what === '吊篮坠落');
  assert.deepEqual([basket.score, basket.level], [540, 'red']);

  const d = await rec(ent, 'site_danger', { name: '高支模', site: w.id, work: 'formwork', class: 'danger', starts: day(1), ends: day(30) });
  await done(ent, 'site_danger', d.id, 'start', { plan: [await file(ent)], briefed: [{ name: '木工', signed: true }] });
  assert.ok((await mine()).includes('支架失稳'));
  const own = await rec(ent, 'site_risk', { name: '高压线旁吊装', site: w.id, own_l: 1, own_e: 2, own_c: 40 });
  assert.deepEqual([own.what, own.score, own.level], ['高压线旁吊装', 80, 'yellow']);
});

test('a risk is posted with somebody who answers and looked at each day; what is found becomes a hazard', async () => {
  const w = await site('二号小型工程');
  const r = await rec(ent, 'site_risk', { name: '洞口', site: w.id, own_l: 3, own_e: 6, own_c: 7 });
  assert.equal((await move(ent, 'site_risk', r.id, 'post', { responsible: '安全员' })).status, 400, 'not without the sign');
  const p = await done(ent, 'site_risk', r.id, 'post', { responsible: '安全员', posted: [await photo(ent)] });
  assert.equal(p.next_check, day(1));
  assert.equal((await move(bureau, 'site_risk', r.id, 'miss')).status, 403, 'only the platform says that a day was missed');
  const rate = await value('site_risk_checked_rate');
  assert.ok(rate > 0 && rate < 100, `${rate}`);
  const c = await done(ent, 'site_risk', r.id, 'problem', { finding: '盖板缺失' });
  assert.equal(c.last_check, day());
  assert.deepEqual(await opened('hazard', `site_risk:${r.id}`), ['盖板缺失']);
  assert.ok(Number.isFinite(await value('site_dual_score')));
});

test('a key date that names building opens an extra check of each site under way', async () => {
  const w = await site('三号小型工程');
  const k = await rec(bureau, 'key_date', { name: '汛期', area: '990121000000', sectors: ['construction'], first_day: day(), last_day: day(20), measures: '基坑、边坡' });
  const round = await rec(dept, 'site_round', { title: '汛期加查', period: k.id, area: '990121000000' });
  const checks = await all(bureau, 'site_check', `&where.round=${round.id}`);
  assert.ok(checks.some((c) => c.site.id === w.id || c.site === w.id), JSON.stringify(checks[0]));
  await refused(dept, 'site_round', round.id, 'finish', { review: '已查' });
  assert.equal(round.until, day(20));
  for (const c of checks) await done(dept, 'site_check', c.id, 'finish', { items: [{ place: '1 层', item: '临边', points: 10, got: 9 }], photos: [await photo(dept)] });
  assert.equal((await done(dept, 'site_round', round.id, 'finish', { review: '已查' })).state, 'done');
});

test('marks of a check become credit points, told and contested before they count, and the score is published', async () => {
  const w = await site('四号小型工程');
  const c = await rec(dept, 'site_check', { title: '诚信检查', site: w.id });
  await done(dept, 'site_check', c.id, 'finish', { items: [{ place: '1 层', item: '临边', points: 10, got: 4 }], photos: [await photo(dept)], marks: [{ title: '拒不整改', points: -8 }, { title: '项目经理缺岗', points: -2, person: '某某', certificate: 'A-1' }] });
  const marks = await all(dept, 'site_credit', `&where.source_check=${c.id}`);
  assert.equal(marks.length, 2);
  const wrong = await dept.post('/api/v1/records/site_credit', { title: '获奖', enterprise: firm.id, kind: 'honour', points: -1 });
  assert.equal(wrong.status, 400);
  const before = await value('site_credit_score');
  for (const m of marks) assert.equal((await done(bureau, 'site_credit', m.id, 'refuse', { reason: '核对身份' })).state, 'void');
  const m = await rec(town, 'site_credit', { title: '重大隐患未改', enterprise: firm.id, kind: 'check', points: -10, site: w.id });
  await done(dept, 'site_credit', m.id, 'tell', { basis: '县评分标准 3.2' });
  await done(ent, 'site_credit', m.id, 'plead', { plea: '已改' });
  assert.equal((await done(dept, 'site_credit', m.id, 'enter')).state, 'active');
  assert.equal(await value('site_credit_score'), (before ?? 100) - 10);
  const pub = await (await fetch(`${s.url}/public/types/site_credit`)).text();
  assert.ok(pub.includes('重大隐患未改') && !pub.includes('已改"') && !pub.includes('拒不整改'), 'what counts is public, what was not entered is not');
});
