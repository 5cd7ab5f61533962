// What a text file can say, in the browser: every kind of field, a workflow with return and extension, an import, the work
// centre, a change of configuration while everybody works, and all of it on a phone.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, Server, until } from '../lib/server.mjs';
import { openBrowser, Person, PHONE, watched } from '../lib/browser.mjs';

let s, browser, dir, bureau, town, firm;
// the smallest picture there is: one red point
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64');

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'anlan-e2e-'));
  mkdirSync(join(dir, 'packs'));
  cpSync(join(root, 'tests', 'e2e', 'packs', 'every'), join(dir, 'packs', 'every'), { recursive: true });
  s = await Server.start({ dir, copied: true, args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  bureau = await s.as('bureau');
  town = await s.as('town');
  firm = (await town.ok_get('/api/v1/records/enterprise?size=1')).items[0];
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const made = (fields) => town.ok_post('/api/v1/records/every', { title: '测试', area: firm.area, ...fields });
async function pickRef(p, field, text) {
  const box = p.page.locator(`.el-select:has([data-test="field-${field}"]), [data-test="field-${field}"].el-select`).first();
  await box.click();
  await box.locator('input').fill(text);
  await p.page.locator('.el-select-dropdown:visible .el-select-dropdown__item', { hasText: text }).first().click();
  await p.page.keyboard.press('Escape');
}
const number = (p, field, value) => p.fill(field, String(value)).then(() => p.page.keyboard.press('Tab'));

test('a form with every kind of field: live sums, conditions, checks, files; a draft is kept', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('town');
  await watched([p], 'every', async () => {
    await p.go('/records/every/new');
    await p.fill('title', '检修作业');
    await number(p, 'amount', 3);
    await number(p, 'price', 12.5);
    await until('the computed sum', async () => (await p.test('shown-sum').innerText()).includes('37.50'));
    assert.equal(await p.test('field-plan').count(), 0, 'shown only for hot work');
    await p.test('field-hot').click();
    await p.fill('plan', '清理、监护、灭火器');
    await p.fill('until', '2026-11-01');
    await p.page.keyboard.press('Enter');
    await p.fill('day', '2026-11-05');
    await p.page.keyboard.press('Enter');
    await p.row('check-until', '结束不能早于开始').waitFor();
    await pickRef(p, 'firm', firm.title);
    await until('the address drawn from the firm', async () => (await p.test('shown-address').innerText()).includes(firm.address));

    // the page is closed by mistake: what was typed is there again
    await until('the draft', () => p.page.evaluate(() => Object.keys(localStorage).some((k) => k.startsWith('anlan.draft.'))));
    await p.page.reload();
    await p.test('draft-restored').waitFor();
    assert.equal(await p.test('field-title').inputValue(), '检修作业');

    await p.fill('until', '2026-11-09');
    await p.page.keyboard.press('Enter');
    await until('the check to hold', async () => (await p.test('check-until').count()) === 0);
    await p.test('field-parts-add').click();
    await p.fill('parts-0-name', '垫片');
    await number(p, 'parts-0-cost', 8);
    await p.test('field-parts-add').click();
    await p.fill('parts-1-name', '螺栓');
    await number(p, 'parts-1-cost', 4.5);
    await until('the sum of the rows', async () => (await p.test('shown-total').innerText()).includes('12.50'));
    await p.test('field-papers').locator('input[type="file"]').first().setInputFiles({ name: '方案.txt', mimeType: 'text/plain', buffer: Buffer.from('步骤一') });
    await p.test('field-papers').locator('[data-test="file-row"]').waitFor();
    await p.test('field-photos').locator('input[type="file"]').first().setInputFiles({ name: '现场.png', mimeType: 'image/png', buffer: PNG });
    await p.test('field-photos').locator('[data-test="file-row"]').waitFor();
    await p.fill('card', '110105194912310021'); // wrong check character
    await p.fill('contact', '王小明');
    await p.fill('phone', '13800001234');
    p.expected.push(/400 .*\/api\//);
    await p.test('save').click();
    const wrong = p.page.locator('.el-form-item.is-error');
    await wrong.waitFor();
    assert.equal(await wrong.locator('[data-test="field-card"]').count(), 1, 'said at its field');
    await p.fill('card', '11010519491231002X');
    await p.test('save').click();
    await p.at(/^\/records\/every\/\d+$/);
    await p.row('value-sum', '37.50').waitFor();
    await p.row('value-total', '12.50').waitFor();
    await p.row('value-parts', '垫片').waitFor();
    await p.row('value-papers', '方案.txt').waitFor();
    await p.test('value-photos').locator('img').waitFor();
    assert.match(await p.test('value-card').innerText(), /\*/, 'masked');
    assert.equal(await p.page.evaluate(() => Object.keys(localStorage).filter((k) => k.startsWith('anlan.draft.')).length), 0, 'what is saved is no draft');
    p.clean();
  });
  await p.close();
});

test('a workflow: returned with a reason, more time asked for and granted, a guard says what is missing', { timeout: 900000 }, async () => {
  const rec = await made({ title: '退回与延期' });
  const [t, b] = await Promise.all(['town', 'bureau'].map(async (role) => (await Person.open(browser, s)).be(role)));
  for (const p of [t, b]) p.expected.push(/4\d\d .*\/api\//);
  await watched([t, b], 'workflow', async () => {
    await t.go(`/records/every/${rec.id}`);
    await t.move('start', {}, '办理');
    await b.go(`/records/every/${rec.id}`);
    await b.move('send_back', { reason: '缺少方案' }, '起草');
    await t.state('起草');
    await t.page.locator('.time .said', { hasText: '缺少方案' }).waitFor();
    await t.move('start', {}, '办理');

    await t.test('ext-ask').click();
    await t.fill('reason', '等待备件到货');
    await t.test('ext-send').click();
    await t.row('extension', '等待备件到货').waitFor();
    await b.page.reload();
    const before = (await bureau.ok_get(`/api/v1/records/every/${rec.id}`)).deadline;
    await b.test('ext-approve').click();
    await b.fill('reason', '同意');
    await b.test('ext-confirm').click();
    await until('a later deadline', async () => Date.parse((await bureau.ok_get(`/api/v1/records/every/${rec.id}`)).deadline) > Date.parse(before));

    // the guard: without photos it cannot be finished, and the page says so
    await b.page.reload();
    await b.state('办理');
    if (await b.test('move-finish').count()) {
      await b.test('move-finish').click();
      await b.page.locator('.el-dialog:visible [data-test="save"]').click();
      await b.page.locator('.el-dialog:visible [role="alert"]', { hasText: '须先上传照片' }).waitFor();
    } else await b.row('blocked-finish', '须先上传照片').waitFor();
    const now = await bureau.ok_get(`/api/v1/records/every/${rec.id}`);
    assert.equal(now.state, 'doing');
  });
  await t.close();
  await b.close();
});

test('comments, linked records and the code of the record', { timeout: 900000 }, async () => {
  const rec = await made({ title: '意见与关联', firm: firm.id });
  const p = await (await Person.open(browser, s)).be('town');
  await watched([p], 'tabs', async () => {
    await p.go(`/records/every/${rec.id}`);
    await p.page.locator('.qr svg').waitFor();
    await p.test('tab-comments').click();
    await p.test('comment-text').fill('现场已看过');
    await p.test('comment-send').click();
    await p.row('comment-row', '现场已看过').waitFor();
    await p.go(`/records/enterprise/${firm.id}?tab=linked`);
    await p.test('linked-every').getByText('意见与关联').waitFor();
    p.clean();
  });
  await p.close();
});

test('an import: mistakes by cell, the good rows in, and all of it taken back', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'import', async () => {
    const file = join(dir, 'rows.csv');
    writeFileSync(file, `\ufeff标题,区域,数量\r\n导入甲,${firm.area},3\r\n导入乙,${firm.area},很多\r\n导入丙,${firm.area},5\r\n`);
    await p.go('/records/every');
    await p.test('import').click();
    const [template] = await Promise.all([p.page.waitForEvent('download'), p.test('template-csv').click()]);
    assert.match(template.suggestedFilename(), /\.csv$/);
    await p.test('import-file').setInputFiles(file);
    await p.row('import-mistake', 'C3').waitFor();
    assert.equal((await p.test('import-bad').innerText()).trim(), '1');
    await p.test('import-run').click();
    await p.row('import-state', '已导入').waitFor();
    assert.equal((await p.test('import-created').innerText()).trim(), '2');
    assert.equal((await bureau.ok_get(`/api/v1/records/every?q=${encodeURIComponent('导入')}`)).total, 2);
    await p.test('import-undo').click();
    await p.page.locator('.el-message-box__btns .el-button--primary').click();
    await p.row('import-state', '已撤销').waitFor();
    await until('the rows to be gone', async () => (await bureau.ok_get(`/api/v1/records/every?q=${encodeURIComponent('导入')}`)).total === 0);
    p.clean();
  });
  await p.close();
});

test('a list: any condition, counts one can press, a saved view, many at once', { timeout: 900000 }, async () => {
  for (const n of [1, 2, 3]) await made({ title: `批量${n}`, amount: n, price: 1 });
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'list', async () => {
    await p.go(`/records/every?q=${encodeURIComponent('批量')}`);
    const total = async () => Number((await p.test('total').innerText()).replace(/\D/g, ''));
    await until('three', async () => (await total()) === 3);
    await p.test('filter-add').click();
    const choose = async (name, text) => {
      await p.page.locator(`.el-select:has([data-test="${name}"]), [data-test="${name}"].el-select`).first().click();
      await p.page.locator('.build .el-select-dropdown__item:visible', { hasText: text }).first().click();
    };
    await choose('filter-field', '数量');
    await p.test('filter-value').locator('input').fill('2');
    await p.page.keyboard.press('Tab');
    await p.test('filter-put').click();
    await until('two of at least two', async () => (await total()) === 2);
    await p.test('views').click();
    await p.test('view-name').fill('数量不小于二');
    await p.test('view-save').click();
    await p.row('view-row', '数量不小于二').waitFor();
    await p.page.keyboard.press('Escape');
    await p.test('panel-counts').click();
    await p.row('count-bar', '起草').waitFor();
    await p.test('choose-all').click();
    await p.test('bulk-retire').click();
    await p.fill('reason', '重复登记');
    await p.test('bulk-go').click();
    await p.row('bulk-result', '2').waitFor();
    p.clean();
  });
  await p.close();
});

test('the work centre: to do and done, the calendar; somebody acts for me while I am on leave', { timeout: 900000 }, async () => {
  const rec = await made({ title: '工作台事项' });
  await town.ok_post(`/api/v1/records/every/${rec.id}/moves/start`, { version: rec.version });
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'work', async () => {
    await p.go('/work');
    const row = p.row('duty-row', '工作台事项');
    await row.waitFor();
    assert.match(await row.innerText(), /剩余/);
    await p.test('work-calendar').click();
    await p.page.locator('[role="gridcell"]').nth(20).waitFor();
    await p.page.locator('[role="gridcell"] b').first().waitFor();
    p.clean();
  });
  await p.close();

  const duty = (await bureau.ok_get('/api/v1/records/person?q=duty&size=50')).items.find((x) => x.login === 'duty');
  await bureau.ok_post('/api/v1/delegations', { to: duty.id, until: new Date(Date.now() + 864e5).toISOString(), reason: '年休假' });
  const d = await (await Person.open(browser, s)).be('duty');
  await watched([d], 'acting', async () => {
    await d.go('/work');
    const box = d.page.locator('.el-select:has([data-test="act-for"]), [data-test="act-for"].el-select').first();
    await box.click();
    await d.page.locator('.el-select-dropdown:visible .el-select-dropdown__item').nth(1).click();
    await d.test('acting').waitFor();
    await d.row('duty-row', '工作台事项').waitFor();
    await d.test('acting-end').click();
    await until('the banner to go', async () => (await d.test('acting').count()) === 0);
  });
  await d.close();
});

test('the configuration is changed while people work: a mistake at its line, then in force without a restart', { timeout: 900000 }, async () => {
  const a = await (await Person.open(browser, s)).be('admin');
  const t = await (await Person.open(browser, s)).be('town');
  await watched([a, t], 'config', async () => {
    await a.go('/config?file=every/types/every.yaml');
    const text = a.test('config-text');
    await until('the text', async () => (await text.inputValue()).includes('type: every'));
    const good = await text.inputValue();
    const line = '  remark: {is: text, label: {zh: 备注, en: Remark}, group: main}\n';
    await text.fill(good.replace('  level: {', `${line.replace('is: text', 'is: txet')}  level: {`));
    await a.test('config-check').click();
    await a.test('config-error').first().waitFor();
    assert.ok(await a.test('config-apply').isDisabled());
    await text.fill(good.replace('  level: {', `${line}  level: {`));
    await a.test('config-check').click();
    await a.row('config-result', 'remark').waitFor();
    await a.test('config-apply').click();
    await a.page.locator('.el-message-box__btns .el-button--primary').click();
    await until('the field to be there', async () => (await town.ok_get('/api/v1/types/every')).fields.some((f) => f.name === 'remark'));
    await t.go('/records/every/new');
    await t.test('field-remark').waitFor();
    await a.test('config-versions').click();
    await a.test('config-version').first().waitFor();
    a.clean();
    t.clean();
  });
  await a.close();
  await t.close();
});

test('the public page, without logging in: indicators with their targets, records, a search, both languages, desk and phone', { timeout: 900000 }, async () => {
  const committee = await s.as('committee');
  for (const title of ['储罐区联锁改造', '粉尘清扫做法'])
    await committee.ok_post('/api/v1/records/good_practice', { title, content: `${title}的经过`, effect: '已推广', published: true });
  for (const [size, lang] of [[undefined, 'zh'], [PHONE, 'en']]) {
    const p = await Person.open(browser, s, { lang, ...(size ? { size } : {}) });
    await p.page.goto('/public');
    await p.test('public-indicator').first().waitFor();
    assert.ok(await p.test('public-indicator').count() >= 4);
    await p.test('public-good_practice').click();
    await p.row('public-row', '粉尘清扫做法').waitFor();
    assert.equal(await p.test('public-row').count(), 2);
    await p.test('public-search').fill('联锁');
    await p.page.keyboard.press('Enter');
    await until('the search', async () => (await p.test('public-row').count()) === 1);
    assert.ok((await p.test('public-row').innerText()).includes('已推广'));
    assert.equal(await p.test('public-accident_listing').count(), 0, 'what has nothing published is not offered');
    assert.ok(await p.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is too wide');
    await p.test('lang-switch').click();
    await p.page.getByText(lang === 'zh' ? 'Published indicators' : '公开指标').waitFor();
    assert.deepEqual(p.trouble.filter((t) => !p.expected.some((e) => e.test(t))), []);
    await p.context.close();
  }
});

test('on a phone: rows as cards, the camera offered, nothing too wide; Ctrl+K finds a page on a desk', { timeout: 900000 }, async () => {
  const rec = await made({ title: '手机查看', parts: [{ name: '阀门', cost: 20 }], firm: firm.id });
  const p = await (await Person.open(browser, s, { size: PHONE })).be('town');
  await watched([p], 'phone', async () => {
    for (const path of ['/work', '/work?tab=calendar', '/records/every', `/records/every/${rec.id}`, '/records/every/new', '/indicators', '/reports', `/enterprise/${firm.id}`, '/me']) {
      await p.go(path);
      await until(`a page at ${path}`, async () => (await p.texts()).length > 3);
      const w = await p.width();
      assert.ok(w.page <= w.window && w.main <= 0, `${path}: ${w.page} in ${w.window}, ${w.main} hidden`);
    }
    await p.go('/records/every/new');
    assert.ok(await p.page.locator('[data-test="field-photos"] input[capture="environment"]').count(), 'the camera');
    await p.test('field-parts-add').click();
    assert.equal(await p.test('field-parts').locator('table').count(), 0, 'cards, no table');
    p.clean();
  });
  await p.close();
  const d = await (await Person.open(browser, s)).be('bureau');
  await watched([d], 'find', async () => {
    await d.page.keyboard.press('Control+k');
    await d.test('find').fill('全项');
    await d.row('find-hit', '全项登记').first().waitFor();
    await d.page.keyboard.press('Enter');
    await d.at('/records/every');
    d.clean();
  });
  await d.close();
});
