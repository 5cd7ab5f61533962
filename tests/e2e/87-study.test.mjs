// A course on line: the page counts by the server's clock, stands still while it is hidden, goes on after a reload, knows one record a learner,
// shows text and a video that cannot be wound on; at the end the hours count.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, sleep, until } from '../lib/server.mjs';
import { chinese, dataWords, openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, bureau, ent, course;
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
// Four seconds of a canvas, recorded by the browser itself: a real MP4 file.
async function video(p) {
  const bytes = await p.page.evaluate(async () => {
    const c = document.createElement('canvas');
    c.width = 320; c.height = 180;
    const g = c.getContext('2d'), type = ['video/mp4;codecs=vp9', 'video/mp4;codecs=avc1.42E01E', 'video/mp4'].find((x) => MediaRecorder.isTypeSupported(x));
    const r = new MediaRecorder(c.captureStream(10), { mimeType: type }), parts = [];
    r.ondataavailable = (e) => parts.push(e.data);
    const end = new Promise((ok) => { r.onstop = ok; });
    r.start();
    for (let i = 0; i < 40; i++) { g.fillStyle = `hsl(${i * 9} 80% 50%)`; g.fillRect(0, 0, 320, 180); await new Promise((ok) => setTimeout(ok, 100)); }
    r.stop();
    await end;
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  return Buffer.from(bytes);
}
const hide = (p, on) => p.page.evaluate((v) => { Object.defineProperty(document, 'hidden', { value: v, configurable: true }); document.dispatchEvent(new Event('visibilitychange')); }, on);
const mine = async () => (await ent.ok_get('/api/v1/records/course_study?list=mine')).items.filter((x) => x.course.id === course.id);
const counted = async (i) => { const r = await ent.ok_get(`/api/v1/records/course_study/${(await mine())[0].id}`); return r.progress?.[i]?.seconds ?? 0; };

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  [bureau, ent] = await Promise.all(['bureau', 'enterprise'].map((r) => s.as(r)));
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('a course is studied to its end', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('enterprise');
  await watched([p], 'study', async () => {
    const mp4 = await video(p);
    const up = await fetch(`${s.url}/api/v1/files?name=${encodeURIComponent('防护.mp4')}`, { method: 'POST', headers: { Authorization: `Bearer ${bureau.token}`, 'Content-Type': 'video/mp4' }, body: mp4 });
    assert.equal(up.status, 201, await up.clone().text());
    const file = await up.json();
    course = await bureau.ok_post('/api/v1/records/course', { title: '有限空间三问（虚构）', subject: 'law', hours: 2, material: [file.id], chapters: [{ title: '先通风', minutes: 0.3, text: '先通风，再检测，后作业。' }, { title: '看一遍', minutes: 0.1, file: 1 }] });
    // a player asks for a part of the file
    const part = await fetch(`${s.url}/api/v1/files/${file.id}`, { headers: { Authorization: `Bearer ${bureau.token}`, Range: 'bytes=4-11' } });
    assert.deepEqual([part.status, part.headers.get('content-range'), Buffer.from(await part.arrayBuffer()).toString('latin1')], [206, `bytes 4-11/${mp4.length}`, mp4.subarray(4, 12).toString('latin1')]);
    const beyond = await fetch(`${s.url}/api/v1/files/${file.id}`, { headers: { Authorization: `Bearer ${bureau.token}`, Range: `bytes=${mp4.length + 5}-` } });
    assert.deepEqual([beyond.status, (await beyond.arrayBuffer()).byteLength], [200, mp4.length]);

    await p.go('/study');
    const card = p.test(`study-${course.id}`);
    await card.locator('[data-test="study-open"]').click();
    await p.test('study-text').waitFor();
    assert.match(await p.test('study-text').innerText(), /先通风/);
    await p.page.locator('[data-test="study-state"][data-state="on"]').waitFor();
    assert.ok(await p.test('study-chapter-2').isDisabled(), 'chapters in their order');
    await sleep(4000);
    // hidden: what has passed is told, then nothing counts
    await hide(p, true);
    await until('what passed to count', async () => (await counted(0)) >= 3);
    const was = await counted(0);
    await sleep(5000);
    assert.equal(await counted(0), was, 'nothing counts while it is hidden');
    await hide(p, false);
    await p.page.locator('[data-test="study-state"][data-state="on"]').waitFor();
    await sleep(1500);
    await hide(p, true);
    await until('the clock to go on', async () => (await counted(0)) > was);
    assert.ok((await counted(0)) < was + 5, 'not what was hidden');
    await shot(p, 'study');
    const before = await counted(0);
    await p.page.reload();
    await p.page.locator('[data-test="study-state"][data-state="on"]').waitFor();
    const [m, sec] = /(\d+):(\d+) \//.exec(await p.test('study-time').innerText()).slice(1).map(Number);
    assert.ok(60 * m + sec >= Math.floor(before), 'it goes on after a reload');
    // from the list it is the same record, not a second one
    await p.test('study-back').click();
    await card.locator('[data-test="study-open"]').click();
    await p.test('study-text').waitFor();
    assert.equal((await mine()).length, 1);
    assert.equal((await ent.post('/api/v1/records/course_study', { title: '又一次', course: course.id })).status, 409);

    await p.test('study-next').click({ timeout: 120000 });
    assert.ok((await counted(0)) >= 18, 'the whole chapter');
    await p.page.locator('[data-test="study-state"][data-state="video"]').waitFor();
    await sleep(1500);
    assert.equal(await counted(1), 0, 'a video that stands does not count');
    await p.test('study-video').evaluate(async (v) => { v.muted = true; await v.play(); });
    await p.page.locator('[data-test="study-state"][data-state="on"]').waitFor();
    await shot(p, 'study-video');
    await p.test('study-finish').click({ timeout: 120000 });
    await until('it to be over', async () => (await mine())[0].state === 'done');
    assert.equal((await mine())[0].hours, 2);
    await until('the page to say so', async () => /获得 2 学时/.test(await p.test('study-end').innerText()));
    p.expected.push(/AbortError/);
    p.clean('/study');
  });
  await p.close();
});

test('on a phone in English nothing is too small, too wide or in another language', { timeout: 600000 }, async () => {
  const data = await dataWords(s);
  const other = await bureau.ok_post('/api/v1/records/course', { title: 'Gloves', subject: 'law', hours: 1, chapters: [{ title: 'One', minutes: 5, text: 'Look first.' }] });
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('enterprise');
  await watched([p], 'study-phone', async () => {
    await p.go('/study');
    await p.test(`study-${other.id}`).waitFor();
    const look = async () => {
      const w = await p.width();
      assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
      assert.deepEqual(await p.page.evaluate(() => [...document.querySelectorAll('.study :is(button, a)')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 40).map((e) => e.textContent)), []);
      assert.deepEqual(chinese(await p.texts(), data + course.title + JSON.stringify(course.chapters)), []);
    };
    await look();
    await p.test(`study-${other.id}`).locator('[data-test="study-open"]').click();
    await p.page.locator('[data-test="study-state"][data-state="on"]').waitFor();
    await look();
    await shot(p, 'study-phone');
    p.clean('/study on a phone');
  });
  await p.close();
});
