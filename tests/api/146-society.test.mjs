// Society: party branches at enterprises, associations whose members inspect one another, incentives by conditions, work-injury rates, teams in the field.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';

let s, bureau, ent, town, dept, duty, firm, firms;
const rec = (who, type, body) => who.ok_post(`/api/v1/records/${type}`, body);
const move = (who, type, id, name, body = {}) => who.post(`/api/v1/records/${type}/${id}/moves/${name}`, body);
const done = async (...a) => { const r = await move(...a); assert.ok(r.status < 300, `${a[3]}: ${r.text}`); return r.json; };
const refused = async (...a) => assert.equal((await move(...a)).status, 409, a[3]);
const all = async (who, type, query = '') => (await who.ok_get(`/api/v1/records/${type}?size=100${query}`)).items;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const at = (min) => new Date(Date.now() + min * 60e3).toISOString();
const value = async (name) => (await bureau.ok_get(`/api/v1/indicators/${name}`)).total.value;
const opened = async (type, from) => (await all(bureau, type, `&where.origin=${from}`)).map((x) => x.title);

before(async () => {
  s = await Server.start();
  [bureau, ent, town, dept, duty] = await Promise.all(['bureau', 'enterprise', 'town', 'department', 'duty'].map((r) => s.as(r)));
  firm = (await all(ent, 'enterprise'))[0];
  firms = await all(bureau, 'enterprise');
});
after(() => s.stop());

test('a party branch: hours add up, problems become hazards, the next visit is within the quarter', async () => {
  const p = await rec(bureau, 'party_pairing', { branch: '应急局第一党支部', enterprise: firm.id, leader: '某', next_visit: day(5) });
  const visit = (more) => ({ visit_on: day(), visit_hours: 2.5, visit_note: '座谈', next_visit: day(80), ...more });
  await refused(bureau, 'party_pairing', p.id, 'visit', visit({ next_visit: day(120) }));
  await done(bureau, 'party_pairing', p.id, 'visit', visit({ problems: [{ what: '应急灯损坏' }, { what: '台账缺页' }] }));
  const two = await done(bureau, 'party_pairing', p.id, 'visit', visit({ visit_hours: 1, problems: [] }));
  assert.deepEqual([two.hours, two.visits], [3.5, 2]);
  assert.equal(await value('party_hours'), 3.5);
  assert.deepEqual((await opened('hazard', `party_pairing:${p.id}`)).sort(), ['台账缺页', '应急灯损坏'].sort());
});

test('an association: members inspect one another, never themselves; below 60 points the regulator has a list', async () => {
  const other = firms.find((f) => f.id !== firm.id);
  const a = await rec(bureau, 'association', { name: '县化工协会', trade: 'chemical', members: [firm.id, other.id], term_to: day(900), report_due: day(20) });
  assert.equal(a.member_count, 2);
  await done(bureau, 'association', a.id, 'report', { figures: [{ year: 2026, inspected: 1, trained: 30, accidents: 0 }], report_due: day(380) });
  const look = { association: a.id, enterprise: firm.id, planned: day(3) };
  assert.equal((await bureau.post('/api/v1/records/mutual_inspection', { ...look, by: firm.id })).status, 400);
  const m = await rec(bureau, 'mutual_inspection', { ...look, by: other.id });
  const low = { score: 45, result: '制度缺失', problems: [{ what: '无检维修制度' }] };
  await refused(bureau, 'mutual_inspection', m.id, 'pass', low);
  await done(bureau, 'mutual_inspection', m.id, 'fail', low);
  assert.deepEqual((await all(bureau, 'mutual_inspection', '&list=failed')).map((x) => x.id), [m.id]);
  assert.deepEqual(await opened('hazard', `mutual_inspection:${m.id}`), ['无检维修制度']);
});

test('an incentive is for who fulfils its conditions, and not more than there is', async () => {
  const policy = (name, more) => rec(bureau, 'policy_item', { name, kind: 'fund', basis: '（用例）', most: 50000, valid_to: day(100), ...more });
  const open = await policy('改造奖补', {}), strict = await policy('达标奖励', { standard: true });
  const ask = (p) => rec(ent, 'policy_application', { title: p.name, policy: p.id, asked: 80000 });
  const no = await ask(strict), yes = await ask(open);
  await refused(bureau, 'policy_application', no.id, 'accept');
  const self = await rec(ent, 'standardisation', { target: 'three' }).catch(() => null);
  assert.ok(self === null || self.state === 'self', 'one that is only under way is not in force');
  await done(bureau, 'policy_application', yes.id, 'accept');
  await refused(bureau, 'policy_application', yes.id, 'grant', { granted: 60000 });
  await done(bureau, 'policy_application', yes.id, 'grant', { granted: 50000 });
  assert.equal((await done(bureau, 'policy_application', yes.id, 'pay', { paid_on: day() })).state, 'paid');
  const shown = JSON.stringify((await s.call('GET', '/public/types/policy_item')).json);
  assert.ok(shown.includes('改造奖补'), 'everybody sees the catalogue');
});

test('work-injury insurance: the use of the fund decides the band; class 1 does not go down', async () => {
  const year = (y, more) => rec(bureau, 'injury_insurance', { enterprise: firm.id, year: y, class: 4, base_rate: 1, payroll: 10000000, ...more });
  const cases = (paid) => [{ on: day(-100), what: '手指挤伤', days: 20, paid }];
  const bands = [];
  for (const [y, paid] of [[2019, 10000], [2020, 40000], [2021, 80000], [2022, 120000], [2023, 150000]]) bands.push((await year(y, { cases: cases(paid) })).band);
  assert.deepEqual(bands, [50, 80, 100, 120, 150]);
  assert.equal((await year(2024, { class: 1, cases: [] })).band, 100);
  const r = await year(2025, { cases: cases(150000), prevention: [{ what: '防护改造', spent: 8000 }] });
  assert.deepEqual([r.premium, r.use, r.next_rate, r.prevention_share], [100000, 150, 1.5, 8]);
  assert.ok(Math.abs(await value('injury_prevention_share') - 11000 / 754600 * 100) < 0.06, 'with the one of the demo');
  assert.equal((await all(bureau, 'injury_insurance', '&list=up')).length, 3);
  assert.equal((await bureau.post('/api/v1/records/injury_insurance', { enterprise: firm.id, year: 2025, class: 4, base_rate: 1, payroll: 1 })).status, 409);
});

test('a team in the field: where it arrived, what it does, and a call for help that is told at once', async () => {
  const officer = (await all(bureau, 'enforcement_officer'))[0];
  const t = await rec(bureau, 'field_team', { name: '执法一组', officers: [officer.id] });
  await refused(bureau, 'field_team', t.id, 'go', { place: '某厂', back_by: at(-5) });
  await done(bureau, 'field_team', t.id, 'go', { place: '某厂', back_by: at(180) });
  await done(bureau, 'field_team', t.id, 'arrive', { position: [118.9, 33.1] });
  await done(bureau, 'field_team', t.id, 'report', { progress: '正在核查罐区' });
  const before = (await duty.ok_get('/api/v1/notices?size=100')).items.length;
  const sos = await done(bureau, 'field_team', t.id, 'sos', { help: '被围堵' });
  assert.ok(new Date(sos.deadline) - Date.now() <= 5 * 60e3);
  assert.ok((await duty.ok_get('/api/v1/notices?size=100')).items.length > before, 'the duty room is told');
  assert.deepEqual((await all(duty, 'field_team', '&list=sos')).map((x) => x.id), [t.id]);
  assert.equal((await done(duty, 'field_team', t.id, 'relieve', { answered: '派出所到场' })).state, 'site');
});

test('a functional zone works as a county of its own: its people see its enterprises and nobody else\'s', async () => {
  const admin = await s.login('admin', s.password);
  const person = (await all(admin, 'person', '&where.login=park'))[0];
  await admin.ok_post('/api/v1/password', { person: person.id, new: 'Zone-2026-people' });
  const park = await s.login('park', 'Zone-2026-people');
  const mine = await all(park, 'enterprise');
  assert.ok(mine.length > 0 && mine.length < firms.length);
  assert.ok(mine.every((f) => f.area.startsWith('990121401')));
  const rate = await park.ok_get('/api/v1/indicators/hazard_closed_rate');
  assert.ok('value' in rate.total);
  const outside = firms.find((f) => !f.area.startsWith('990121401'));
  assert.equal((await park.get(`/api/v1/records/enterprise/${outside.id}`)).status, 404);
});
