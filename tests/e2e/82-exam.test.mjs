// An exam on a cheap phone: found, begun after its rules, one question a screen, a lost network and a closed tab lose nothing, what is
// open is said before it is handed in, the result comes at once; on the desk in English.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { DESK, openBrowser, Person, PHONE } from '../lib/browser.mjs';

let s, browser, exam;
const R = '/api/v1/records', LOGIN = 'welder', PASSWORD = 'Anlan-2026-welder';
const at = (h) => new Date(Date.now() + h * 3600e3).toISOString();
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  const [town, firm, examiner] = await Promise.all(['town', 'enterprise', 'examiner'].map((r) => s.as(r)));
  const area = (await firm.ok_get(`${R}/enterprise/${firm.me.enterprise.id}`)).area;
  const w = await town.ok_post(`${R}/person`, { login: LOGIN, name: '耿师傅', role: ['worker'], area, enterprise: firm.me.enterprise.id });
  await town.ok_post('/api/v1/password', { person: w.id, new: PASSWORD });
  const q = (text, fields) => examiner.ok_post(`${R}/question`, { text, subject: 'confined', clause: '虚构', ...fields });
  await q('进入有限空间作业，应当遵守下列哪一顺序？', { kind: 'single', option_a: '先通风、再检测、后作业', option_b: '先作业、再检测、后通风', option_c: '先检测、再作业、后通风', option_d: '边作业、边通风', answer: ['a'] });
  await q('有限空间作业现场应当有专人监护，监护人不得擅离。', { kind: 'judge', answer: ['yes'] });
  await q('有限空间作业前须检测哪些气体？', { kind: 'multiple', option_a: '氧气', option_b: '可燃气体', option_c: '有毒气体', option_d: '氮气的价格', answer: ['a', 'b', 'c'] });
  exam = await examiner.ok_post(`${R}/exam`, { title: '有限空间作业人员上岗考试', kind: 'qualification', opens: at(-1), closes: at(3), minutes: 30, tries: 2, pass_mark: 60, candidates: [w.id], rule: [{ subject: 'confined', kind: 'single', many: 1, points: 30 }, { subject: 'confined', kind: 'judge', many: 1, points: 30 }, { subject: 'confined', kind: 'multiple', many: 1, points: 40 }] });
  await examiner.ok_post(`${R}/exam/${exam.id}/moves/publish`, {});
});
after(async () => { await browser?.close(); await s?.stop(); });

const mine = (p, what) => p.test(`exam-${exam.id}`).locator(`[data-test="exam-${what}"]`);
async function login(p) {
  await p.page.goto('/login');
  await p.page.locator('input').first().fill(LOGIN);
  await p.page.locator('input[type="password"]').fill(PASSWORD);
  await p.page.keyboard.press('Enter');
  await p.at(/^\/(?!login)/);
  await p.go('/exam');
}

test('a welder sits it on his phone: nothing is lost, and he knows what is open before he hands in', { timeout: 300000 }, async () => {
  const p = await Person.open(browser, s, { size: PHONE });
  await login(p);
  await shot(p, 'exam-list');
  await mine(p, 'start').click();
  await shot(p, 'exam-rules');
  await p.test('exam-go').click();
  await p.test('exam-text').waitFor();
  assert.match(await p.test('exam-left').innerText(), /^(30:00|29:\d\d)$/);
  for (const b of await p.page.locator('.option').all()) assert.ok((await b.boundingBox()).height >= 60, 'a big button');
  await p.test('option-a').click();
  await until('it is saved', async () => /已保存/.test(await p.test('exam-saved').innerText()));
  await shot(p, 'exam-question');
  // the network goes: the answer waits in the phone; the tab is closed; both come back
  await p.test('exam-next').click();
  await p.context.setOffline(true);
  await p.test('option-yes').click();
  await p.test('exam-offline').waitFor();
  await shot(p, 'exam-offline');
  await p.page.close();
  await p.context.setOffline(false);
  p.page = await p.context.newPage();
  await p.go('/exam');
  await mine(p, 'resume').click();
  await p.test('exam-text').waitFor();
  assert.match(await p.test('exam-at').innerText(), /第 3 题/, 'at the first that is open');
  await p.test('exam-overview').click();
  assert.match(await p.test('exam-open').innerText(), /还有 1 题没有答：\s*3/);
  await shot(p, 'exam-overview');
  await p.test('to-3').click();
  for (const key of ['a', 'b', 'c']) await p.test(`option-${key}`).click();
  await until('it is saved', async () => /已保存/.test(await p.test('exam-saved').innerText()));
  const wide = await p.width();
  assert.ok(wide.page <= wide.window, 'nothing is wider than the phone');
  await p.test('exam-next').click();
  await p.test('exam-handin').click();
  assert.equal(await p.test('exam-verdict').innerText(), '合格');
  assert.match(await p.test('exam-result').innerText(), /100 分（满分 100，60 分合格）[\s\S]*答对 3 题/);
  await shot(p, 'exam-result');
  await p.context.close();
});

test('on the desk in English the list says it is passed', { timeout: 300000 }, async () => {
  const p = await Person.open(browser, s, { size: DESK, lang: 'en' });
  await login(p);
  await mine(p, 'show').click();
  assert.equal(await p.test('exam-verdict').innerText(), 'Passed');
  await shot(p, 'exam-desk');
  await p.context.close();
});

test('the examiner sees the paper with its keys and how the questions fared', { timeout: 300000 }, async () => {
  const p = await (await Person.open(browser, s)).be('examiner');
  const examiner = await s.as('examiner');
  const sitting = (await examiner.ok_get(`${R}/exam_sitting?where.exam=${exam.id}`)).items[0];
  await p.go(`/records/exam_sitting/${sitting.id}`);
  await p.test('exam-sheet').waitFor();
  assert.match(await p.test('exam-sheet').innerText(), /先通风、再检测、后作业/);
  await p.go(`/records/exam/${exam.id}`);
  await p.test('exam-stats').waitFor();
  assert.equal(await p.test('exam-stats').locator('tbody tr').count(), 3);
  await shot(p, 'exam-record');
  await p.context.close();
});
