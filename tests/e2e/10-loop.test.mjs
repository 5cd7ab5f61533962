// The whole warning loop by mouse: a reading becomes an alarm on an open page, a warning, three people's duty, and is
// archived; in Chinese, and once more in English.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { chinese, dataWords, keysShown, openBrowser, Person, watched, wordsOf } from '../lib/browser.mjs';

let s, browser, bureau, device, data;

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  bureau = await s.as('bureau');
  const site = (await s.as('enterprise')).me.enterprise;
  device = await bureau.ok_post('/api/v1/records/device', { code: 'E2E-GW', name: '演练网关', enterprise: site.id, protocol: 'http' });
  for (const [code, name] of [['E2E-LT1', '演练储罐液位'], ['E2E-LT2', '复训储罐液位']])
    await bureau.ok_post('/api/v1/records/point', { code, name, device: device.id, enterprise: site.id, kind: 'level', unit: '%', h: 80, hh: 90, range_min: 0, range_max: 100, interval_s: 1 });
  device.key = (await bureau.ok_post(`/api/v1/devices/${device.id}/key`, {})).key;
  await until('the points', async () => (await bureau.get('/api/v1/points/E2E-LT2')).status === 200);
  data = await dataWords(s);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

// 70 % for a while, then 95 %: the tank overfills. Times lie in the last minute, so that no delay has to be waited for.
async function overfill(code) {
  const t0 = Date.now() - 45e3;
  const rows = Array.from({ length: 40 }, (_, i) => ({ point: code, time: new Date(t0 + i * 1000).toISOString(), value: i < 10 ? 70 : 95 }));
  for (const part of [rows.slice(0, 20), rows.slice(20)]) {
    const r = await s.call('POST', '/api/v1/readings', part, { headers: { Authorization: `Device E2E-GW:${device.key}` } });
    assert.equal(r.status, 200, r.text);
    assert.equal(r.json.rejected.length, 0, r.text);
  }
}

const WORDS = {
  zh: {
    point: '演练储罐液位', code: 'E2E-LT1', states: ['触发', '核实', '发布', '签收', '处置', '反馈', '复核', '解除', '归档'], acked: '已确认', raw: '原始样本 40 个',
    verify: '电话核实，液位计读数属实', plan: '停止进料，打开倒罐线', handle: '已停泵并倒罐', result: '液位降至 70%', check: '现场复核属实', reason: '液位恢复正常', cause: '进料阀内漏，已更换',
  },
  en: {
    point: '复训储罐液位', code: 'E2E-LT2', states: ['Triggered', 'Verifying', 'Published', 'Received', 'Handling', 'Fed back', 'Checked', 'Released', 'Archived'], acked: 'Acknowledged', raw: '40 raw samples',
    verify: 'Called the site, the gauge is right', plan: 'Stop the feed, open the transfer line', handle: 'Pump stopped, transferring', result: 'Level down to 70%', check: 'Seen on site', reason: 'Level normal again', cause: 'Inlet valve leaked, replaced',
  },
};

for (const lang of ['zh', 'en']) {
  test(`reading → alarm → warning → four roles → archive, in ${lang}`, { timeout: 900000 }, async () => {
    const w = WORDS[lang];
    const read = async (who, where) => {
      const known = `${data}\n${await wordsOf(bureau, 'warning')}`; // its title is the alarm's, in the county's language
      const texts = await who.texts();
      const wrong = lang === 'en' ? chinese(texts, known) : keysShown(texts, known);
      assert.deepEqual(wrong, [], `${where} in ${lang}`);
    };
    const [duty, ent, town] = await Promise.all(['duty', 'enterprise', 'town'].map(async (role) => (await Person.open(browser, s, { lang })).be(role)));
    await watched([duty, ent, town], `loop-${lang}`, async () => {
      // the console is open before anything happens; it must show the alarm by itself
      await duty.test('nav-alarms').click();
      await duty.at(/^\/alarms/);
      await duty.settled();
      await duty.page.evaluate(() => { window.__sameDocument = true; });
      await overfill(w.code);
      const row = duty.row('alarm-row', w.point).first();
      await row.waitFor();
      assert.equal(await duty.page.evaluate(() => window.__sameDocument), true, 'without a reload');

      // what to do, whom to call, the last hour
      await row.locator('button').first().click();
      const card = duty.test('alarm-card');
      await card.locator('header', { hasText: w.point }).waitFor();
      assert.ok(await card.locator('.guide li').count() > 0, 'what to do');
      await card.locator('a[href^="tel:"]').first().waitFor();
      await card.locator('canvas').waitFor();
      await read(duty, 'the alarm');
      await duty.test('alarm-ack').click();
      await duty.row('alarm-state', w.acked).waitFor();

      // duty: verify, publish
      await duty.test('alarm-opened').click();
      await duty.state(w.states[0]);
      const number = (await duty.page.locator('header .num').allTextContents()).find((x) => /^YJ-\d{4}-\d{5}$/.test(x.trim()))?.trim();
      assert.ok(number, 'the warning has its number');
      await read(duty, 'the warning');
      await duty.move('verify', { verify_note: w.verify }, w.states[1]);
      await duty.move('publish', { control_plan: w.plan }, w.states[2]);

      // from the warning to the samples and back: two clicks each
      const warning = new URL(duty.page.url()).pathname;
      await duty.test('to-trend').click();
      await duty.at(/\/points\/\d+\/trend$/);
      await duty.page.locator('canvas').first().waitFor();
      await duty.page.getByText(w.raw).waitFor();
      await read(duty, 'the trend');
      await duty.row('alarm-opened', number).first().click();
      await duty.at(warning);
      await duty.test('thread-alarm').first().click();
      await duty.test('alarm-trend').click();
      await duty.at(/\/points\/\d+\/trend$/);
      await duty.row('alarm-opened', number).first().click();
      await duty.at(warning);

      // enterprise: it is among the duties, by itself; receive, handle, report back
      await ent.test('nav-duties').click();
      const duties = ent.row('duty-row', number);
      await duties.waitFor();
      await read(ent, 'the duties');
      await duties.click();
      await ent.state(w.states[2]);
      await ent.move('receive', {}, w.states[3]);
      await ent.move('handle', {}, w.states[4]);
      await ent.move('feed_back', { handle_note: w.handle, feedback_note: w.result }, w.states[5]);
      await read(ent, 'the warning of the enterprise');

      // town: check
      await town.test('nav-duties').click();
      await town.row('duty-row', number).click();
      await town.move('review_pass', { review_note: w.check }, w.states[6]);

      // duty: the page followed without a reload; release, archive
      await duty.state(w.states[6]);
      await duty.move('release', { reason: w.reason }, w.states[7]);
      await duty.move('archive', { evaluation: 'valid', evaluation_note: w.cause }, w.states[8]);
      await duty.page.locator('.time li').nth(8).waitFor();
      assert.equal(await duty.page.locator('[data-test^="move-"]').count(), 0, 'nothing left to do');
      assert.equal(await duty.page.evaluate(() => window.__sameDocument), true);
      await read(duty, 'the archived warning');

      // what the county keeps is what was done on the pages
      const kept = (await bureau.ok_get(`/api/v1/records/warning?q=${number}`)).items.find((x) => x.number === number);
      assert.equal(kept.state, 'archived');
      for (const [field, value] of Object.entries({ verify_note: w.verify, control_plan: w.plan, handle_note: w.handle, feedback_note: w.result, review_note: w.check, evaluation: 'valid', evaluation_note: w.cause }))
        assert.equal(kept[field], value, field);

    });
    for (const who of [duty, ent, town]) {
      who.clean(`(${lang})`);
      await who.close();
    }
  });
}
