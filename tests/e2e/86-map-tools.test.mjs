// Pipes and the reach of rescue on the map: which valves part a pipe and who is cut off, what lies near where somebody digs, routes through
// plans; whom rescue does not reach in time. On a desk by pressing the map itself, on a phone in English.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { chinese, dataWords, openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, bureau, dept, pipes;
const shot = async (p, name) => process.env.E2E_SHOTS && p.page.screenshot({ path: `${process.env.E2E_SHOTS}/${name}.png` });
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  browser = await openBrowser();
  [bureau, dept] = await Promise.all(['bureau', 'department'].map((r) => s.as(r)));
  pipes = await bureau.ok_get('/api/v1/pipes');
});
after(async () => {
  await browser?.close();
  await s?.stop();
});
// What a finger has to hit in the panel.
const small = (p, panel) => p.page.evaluate((name) => [...document.querySelectorAll(`[data-test="${name}"] :is(button, a, label)`)].filter((e) => e.checkVisibility()).map((e) => [Math.round(e.getBoundingClientRect().height), e.textContent.trim().slice(0, 20)]).filter(([h]) => h < 44), panel);
// The middle of what the map was fitted to; beside the panel and the legend of a desk (PipesPanel.vue).
async function middle(p) {
  const box = await p.test('map').boundingBox();
  return [box.x + 320 + (box.width - 320 - 90) / 2, box.y + 80 + (box.height - 80 - 60) / 2];
}
const still = async (p) => { // the map flies there
  let was;
  await until('the map to stand', async () => { const now = (await p.page.screenshot({ clip: await p.test('map').boundingBox() })).toString('base64'); const same = now === was; was = now; return same; });
};

test('a pipe is pressed: valves, who is cut off, key users; valves add up; who digs reads distances; plans in conflict', { timeout: 900000 }, async () => {
  const section = pipes.sections.find((x) => x.title.startsWith('热网干管 K0+600'));
  const valve = pipes.nodes.find((n) => n.kind === 'valve' && section.joins.includes(n.id));
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'pipes', async () => {
    await p.go('/map');
    await p.test('map-pipes').click();
    await p.test('pipes-list').waitFor();
    assert.equal(await p.test('pipes-section').count(), pipes.sections.length);
    await p.row('pipes-section', section.title).click();
    const said = await bureau.ok_get(`/api/v1/pipes/close?section=${section.id}`);
    assert.equal(said.users, 1);
    assert.match(await p.test('pipes-cut').innerText(), /断供 1 户，停用管段 1 段/);
    assert.match(await p.test('pipes-valves').innerText(), new RegExp(valve.title.replace(/[+（）]/g, '.')));
    assert.match(await p.test('pipes-keys').innerText(), /县医院/);
    assert.equal(await p.test('pipes-still').count(), 0);
    await still(p);
    await shot(p, 'pipes-close');
    // the same on the map: the line, then the valve at its end
    await p.test('pipes-again').click();
    await p.test('pipes-list').waitFor();
    const [x, y] = await middle(p);
    await p.page.mouse.click(x, y);
    await p.test('pipes-cut').waitFor();
    assert.match(await p.test('pipes-panel').innerText(), /隔离管段：热网干管 K0\+600/);
    await p.test('pipes-again').click();
    await p.page.mouse.click(x - 99, y); // 0.006° at the closest that a pipe is fitted to: 198 px
    await until('the valve alone', async () => /关闭所选阀门/.test(await p.test('pipes-panel').innerText()));
    assert.match(await p.test('pipes-keys').innerText(), /县医院/);
    // between the source and the first valve nothing parts it from its source: said, not hidden
    await p.test('pipes-again').click();
    await p.row('pipes-section', '热网干管 K0—K0+600').click();
    await p.test('pipes-still').waitFor();
    // digging beside the pipe
    await p.test('pipes-mode-dig').click();
    await p.test('pipes-undrawn').waitFor();
    await still(p);
    await p.page.mouse.click(x, y + 8);
    await p.test('pipes-near-row').first().waitFor();
    const metres = Number(/([\d.]+) m$/m.exec(await p.test('pipes-near-row').first().innerText())[1]);
    assert.ok(metres > 5 && metres < 50, `${metres} m`);
    await p.test('pipes-notice').waitFor({ state: 'detached' }); // the bureau enters none
    await still(p);
    await shot(p, 'pipes-dig');
    p.clean('/map pipes');
  });
  await p.close();
  const square = { type: 'Polygon', coordinates: [[[118.905, 33.119], [118.909, 33.119], [118.909, 33.121], [118.905, 33.121], [118.905, 33.119]]] };
  const none = await (await Person.open(browser, s)).be('department');
  await watched([none], 'pipes-plans', async () => {
    await none.go('/map?pipes');
    await none.test('pipes-mode-plans').click();
    await until('what to do about no plan', async () => /还没有规划图层/.test(await none.test('pipes-panel').innerText()));
    const plan = await dept.ok_post('/api/v1/records/plan_area', { name: '东环路拓宽（虚构）', kind: 'road', outline: square, basis: '（用例）' });
    await none.test('pipes-mode-close').click();
    await none.test('pipes-mode-plans').click();
    await none.test('pipes-conflict-row').first().waitFor();
    const mine = (await dept.ok_get('/api/v1/pipes/conflicts?of=plan_area')).items.filter((x) => x.zone.id === plan.id);
    assert.equal(await none.test('pipes-conflict-row').count(), mine.length);
    assert.ok(mine.length >= 1);
    await none.test('pipes-conflict-row').first().click();
    await still(none);
    await shot(none, 'pipes-plans');
    none.clean('/map?pipes');
  });
  await none.close();
});

test('on a phone in English: fingers, width, no word in another language; an empty register says what to do', { timeout: 900000 }, async () => {
  const data = await dataWords(s);
  const p = await (await Person.open(browser, s, { lang: 'en', size: PHONE })).be('duty');
  await watched([p], 'pipes-phone', async () => {
    for (const name of ['pipes', 'rescue']) {
      await p.go(`/map?${name}`);
      await p.test(name === 'pipes' ? 'pipes-section' : 'rescue-sum').first().waitFor();
      await still(p);
      await shot(p, `${name}-phone`);
      const w = await p.width();
      assert.ok(w.page <= w.window && w.main <= 0, JSON.stringify(w));
      assert.ok((await p.page.locator('.seg:visible').first().boundingBox()).height >= 44, 'what is chosen from is there');
      assert.deepEqual(await small(p, `${name}-panel`), []);
      assert.deepEqual(chinese(await p.texts(), data), []);
    }
    await p.page.route('**/api/v1/pipes', (r) => r.fulfill({ json: { nodes: [], sections: [], cut: false } }));
    await p.go('/map?pipes');
    await until('what to do', async () => /No sections yet/.test(await p.test('pipes-panel').innerText()));
    p.clean('/map on a phone');
  });
  await p.close();
});

test('whom rescue does not reach: by minutes and force, farthest first, on the map and in the list', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'rescue', async () => {
    await p.go('/map?rescue');
    for (const minutes of [10, 5, 30]) {
      const said = await bureau.ok_get(`/api/v1/rescue/coverage?minutes=${minutes}&kind=station,base,team`);
      await p.test(`rescue-${minutes}`).click();
      await until(`${minutes} minutes`, async () => (await p.test('rescue-sum').innerText()).includes(`${minutes} 分钟内`) && (await p.test('rescue-sum').innerText()).includes(`${said.objects} 处中有 ${said.uncovered.length} 处`));
      assert.equal(await p.test('rescue-row').count(), Math.min(100, said.uncovered.length));
    }
    await p.test('rescue-5').click();
    const five = await bureau.ok_get('/api/v1/rescue/coverage?minutes=5&kind=station,base,team');
    await until('the farthest first', async () => (await p.test('rescue-row').count()) && (await p.test('rescue-row').first().innerText()).includes(five.uncovered[0].title));
    await still(p);
    await shot(p, 'rescue');
    // pressed in the list it comes to the middle of the map; pressed there it is the one of the list
    await p.test('rescue-row').nth(1).click();
    await still(p);
    await p.test('rescue-row').nth(0).click();
    await still(p);
    const box = await p.test('map').boundingBox();
    await p.page.mouse.click(box.x + box.width / 4, box.y + box.height - 12);
    await until('none', async () => (await p.page.locator('[data-test="rescue-list"] li.on').count()) === 0);
    await p.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await p.page.locator('[data-test="rescue-list"] li.on', { hasText: five.uncovered[0].title }).waitFor();
    const waits = p.page.waitForEvent('download');
    await p.test('rescue-csv').click();
    assert.match((await waits).suggestedFilename(), /rescue-5min\.csv/);
    for (const kind of ['station', 'team']) await p.test(`rescue-kind-${kind}`).uncheck();
    await until('no base in the demo', async () => /没有可用的这类力量/.test(await p.test('rescue-panel').innerText()));
    p.clean('/map?rescue');
  });
  await p.close();
});
