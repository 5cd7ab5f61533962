// A call is taken down with the keyboard in one screen; a double is merged with one click; a citizen with a phone finds his town
// without sending where he is, asks what became of it and says whether he is satisfied; experts are drawn on the page.
import { createHash } from 'node:crypto';
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from '../lib/server.mjs';
import { DESK, PHONE, Person, openBrowser } from '../lib/browser.mjs';

const TOWN = '990121101000', shots = process.env.ANLAN_SHOTS;
let s, browser, bureau;
const day = (n = 0) => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10);
const look = async (p, name) => { if (shots) await p.page.screenshot({ path: `${shots}/${name}.png`, fullPage: p.phone }); };
const tell = async (x, body) => (await s.call('POST', '/public/reports', { nonce: createHash('sm3').update(x).digest('hex').slice(0, 32), kind: 'illegal', area: TOWN, ...body })).json;
const done = async (type, id, name, body = {}) => { const r = await bureau.post(`/api/v1/records/${type}/${id}/moves/${name}`, body); assert.ok(r.status < 300, `${name}: ${r.text}`); };

before(async () => {
  [s, browser] = await Promise.all([Server.start(), openBrowser()]);
  bureau = await s.as('bureau');
});
after(async () => { await browser.close(); await s.stop(); });

test('the operator writes a call down on one screen and reads the receipt out', async () => {
  const p = await Person.open(browser, s, { size: DESK });
  await p.be('duty');
  await p.page.goto('/call');
  await p.page.locator('[data-test=call-content]').waitFor();
  assert.ok(await p.page.locator('[data-test=call-content]').evaluate((e) => e === document.activeElement || e.contains(document.activeElement)), 'the caller speaks, the operator types');
  await p.page.keyboard.type('夜里车间把可燃气体报警器关了');
  await p.page.locator('[data-test=call-kind-hazard]').click();
  await p.page.locator('[data-test=call-area]').click();
  await p.page.locator('.el-select-dropdown__item:visible', { hasText: '城关镇' }).first().click();
  await look(p, 'call');
  await p.page.locator('[data-test=call-save]').click();
  const receipt = await p.page.locator('[data-test=call-receipt]').textContent();
  assert.match(receipt.trim(), /^([0-9A-Z]{5}-){3}[0-9A-Z]{5}$/);
  await look(p, 'call-done');
  await p.close();
});

test('a double is merged with one click, and its reporter reads on a phone what became of the other and says whether he is satisfied', async () => {
  const a = await tell('one', { content: '化工厂夜里往河边排放有刺鼻气味的废液', position: [118.9, 33.12] }), b = await tell('two', { content: '夜里化工厂往河边排放刺鼻气味废液', position: [118.9004, 33.1203] });
  const id = async (r) => (await bureau.ok_get(`/api/v1/records/danger_report?where.number=${r.number}`)).items[0].id;
  const p = await Person.open(browser, s, { size: DESK });
  await p.be('bureau');
  await p.page.goto(`/records/danger_report/${await id(b)}`);
  await p.page.locator('[data-test=similar-merge]').first().waitFor();
  await look(p, 'similar');
  await p.page.locator('[data-test=similar-merge]').first().click();
  await p.page.locator('[data-test=similar]').waitFor({ state: 'detached' });
  assert.equal((await bureau.ok_get(`/api/v1/records/danger_report/${await id(b)}`)).state, 'merged');
  await p.close();
  const main = await id(a), org = (await bureau.ok_get('/api/v1/records/organisation?size=100')).items.find((o) => o.title.startsWith('城关镇'));
  await done('danger_report', main, 'accept', { owner: org.id });
  const other = (await s.as('admin')), person = (await other.ok_get('/api/v1/records/person?size=500')).items.find((x) => x.login === 'bureau3');
  await other.ok_post('/api/v1/password', { person: person.id, new: 'Correct-Horse-9' });
  const one = await s.login('bureau3', 'Correct-Horse-9');
  assert.equal((await one.post(`/api/v1/records/danger_report/${main}/moves/verify`, { verified: day(), result: 'upheld', found: '属实' })).status, 200);
  await done('danger_report', main, 'reply', { public_reply: '已查封排放口，立案查处。' });
  const c = await Person.open(browser, s, { size: PHONE });
  await c.page.goto('/report?tab=ask');
  await c.page.locator('[data-test=report-receipt-in]').fill(b.receipt);
  await c.page.locator('[data-test=report-find]').click();
  const found = c.page.locator('[data-test=report-found]');
  await found.waitFor();
  const text = await found.textContent();
  for (const word of [b.number, a.number, '已查封排放口']) assert.ok(text.includes(word), word);
  await look(c, 'ask');
  await c.page.locator('[data-test=report-rate-yes]').click();
  await c.page.locator('[data-test=report-rated]').waitFor();
  await c.close();
});

test('a citizen finds what is published in his town; his position is not sent', async () => {
  const c = await Person.open(browser, s, { size: PHONE });
  await c.context.grantPermissions(['geolocation']);
  await c.context.setGeolocation({ latitude: 33.1241, longitude: 118.8935 });
  const sent = [];
  c.page.on('request', (r) => sent.push(r.url() + (r.postData() ?? '')));
  await c.page.goto('/public');
  await c.page.locator('[data-test=public-nearest]').click();
  await c.page.waitForURL(new RegExp(`area=${TOWN}`));
  await c.page.locator('[data-test=public-culture_facility]').click();
  await c.page.locator('[data-test=public-row]').first().waitFor();
  await look(c, 'near');
  assert.ok(!sent.some((x) => x.includes('118.89') || x.includes('33.12')), 'where the phone is stays on it');
  await c.close();
  const d = await Person.open(browser, s, { size: DESK });
  await d.page.goto('/public');
  await d.page.locator('[data-test=public-area]').waitFor();
  await d.page.locator('[data-test=public-culture_facility]').waitFor();
  await look(d, 'public');
  await d.close();
});

test('what had to be published and was not leads to its record; experts are drawn on the page', async () => {
  const late = await bureau.ok_post('/api/v1/records/consultation', { title: '逾期未反馈的征求意见', summary: '草案', channels: '来信', starts: day(-90), ends: day(-60) });
  await done('consultation', late.id, 'open');
  const p = await Person.open(browser, s, { size: DESK });
  await p.be('bureau');
  await p.page.goto('/publications');
  await p.page.locator('[data-test=publ-consultation] a', { hasText: '逾期未反馈' }).waitFor();
  await look(p, 'publications');
  const d = (await bureau.ok_get('/api/v1/records/expert_draw')).items[0];
  await done('expert_draw', d.id, 'lock');
  await p.page.goto(`/records/expert_draw/${d.id}`);
  await p.page.locator('[data-test=draw]').click();
  await p.page.locator('[data-test=draw]').waitFor({ state: 'detached' });
  assert.equal((await bureau.ok_get(`/api/v1/records/expert_draw/${d.id}`)).drawn.length, 1);
  await look(p, 'experts');
  await p.close();
});
