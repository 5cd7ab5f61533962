// What a role cannot see it is not offered, and the address does not help; lists, forms, two editors, export.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Server, until } from '../lib/server.mjs';
import { openBrowser, Person, watched } from '../lib/browser.mjs';

let s, browser, bureau;

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  bureau = await s.as('bureau');
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

test('menus offer what the role may do; the address of anything else shows a clear page; the API refuses', { timeout: 900000 }, async () => {
  const foreign = (await bureau.ok_get('/api/v1/records/enterprise?size=50')).items;
  const mine = (await s.as('enterprise')).me.enterprise.id;
  const other = foreign.find((e) => e.id !== mine);
  const roles = {
    duty: { has: ['map', 'alarms', 'duties', 'warning', 'devices'], not: ['audit', 'nothing'], refused: ['/audit'], api: [['/api/v1/audit', 403]] },
    enterprise: { has: ['map', 'alarms', 'warning'], not: ['audit'], refused: [`/records/enterprise/${other.id}`, '/audit'], api: [[`/api/v1/records/enterprise/${other.id}`, 404], ['/api/v1/audit', 403]] },
    admin: { has: ['person', 'area'], not: ['map', 'alarms', 'warning', 'audit'], refused: ['/records/warning', '/audit'], api: [['/api/v1/records/warning', 404], ['/api/v1/alarms', 403], ['/api/v1/audit', 403]] },
    auditor: { has: ['audit'], not: ['map', 'alarms', 'warning', 'devices'], refused: ['/records/warning', '/devices'], api: [['/api/v1/records/warning', 404], ['/api/v1/devices/health', 403]] },
  };
  for (const [role, want] of Object.entries(roles)) {
    const p = await (await Person.open(browser, s)).be(role);
    p.expected.push(/40[34] .*\/api\//);
    await watched([p], `rights-${role}`, async () => {
      await p.unfold();
      for (const page of want.has) await p.test(`nav-${page}`).last().waitFor();
      for (const page of want.not) assert.equal(await p.test(`nav-${page}`).count(), 0, `${role} is not offered ${page}`);
      for (const path of want.refused) {
        await p.go(path);
        const said = p.page.locator('#main [role="alert"]');
        await said.waitFor();
        assert.match((await said.innerText()).trim(), /[\u4e00-\u9fff]{4}/, `${path} tells ${role} why`);
      }
      const who = await s.as(role);
      for (const [path, status] of want.api) assert.equal((await who.get(path)).status, status, `${role} ${path}`);
      p.clean(role);
    });
    await p.close();
  }
});

test('list: named lists, filter, search, sort, export', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'list', async () => {
    await p.nav('enterprise');
    await p.test('row').first().waitFor();
    const total = async () => Number((await p.test('total').innerText()).replace(/\D/g, ''));
    const all = await total();
    assert.equal(all, (await bureau.ok_get('/api/v1/records/enterprise?size=1')).total);

    await p.test('list-chemical').click();
    const chemical = (await bureau.ok_get('/api/v1/records/enterprise?list=chemical&size=1')).total;
    await until('the list of chemical enterprises', async () => (await total()) === chemical);
    await p.test('list-all').click();
    await until('all of them', async () => (await total()) === all);

    await p.test('list-search').fill('仓储');
    await p.test('list-search').press('Enter');
    const found = (await bureau.ok_get(`/api/v1/records/enterprise?list=all&size=1&q=${encodeURIComponent('仓储')}`)).total;
    assert.ok(found > 0 && found < all);
    await until('what was searched', async () => (await total()) === found);
    await p.test('filter-clear').click();
    await until('all again', async () => (await total()) === all);

    const choose = async (field, label) => {
      await p.page.locator(`.el-select:has([data-test="filter-${field}"]), [data-test="filter-${field}"].el-select`).first().click();
      await p.page.locator('.el-select-dropdown:visible').getByText(label, { exact: true }).click();
    };
    await choose('sector', '涉氨制冷');
    const ammonia = (await bureau.ok_get('/api/v1/records/enterprise?list=all&where.sector=ammonia&size=1')).total;
    await until('the filtered list', async () => (await total()) === ammonia);

    await p.test('sort-name').click();
    await p.page.locator('th[aria-sort="ascending"]').waitFor();
    const want = (await bureau.ok_get('/api/v1/records/enterprise?list=all&where.sector=ammonia&sort=name&size=1')).items[0].name;
    await until('the sorted list', async () => (await p.test('row').first().innerText()).includes(want));
    await p.test('sort-name').click();
    await p.page.locator('th[aria-sort="descending"]').waitFor();

    const [file] = await Promise.all([p.page.waitForEvent('download'), p.test('export').click().then(() => p.test('export-csv').click())]);
    const text = readFileSync(await file.path(), 'utf8');
    assert.equal(text.charCodeAt(0), 0xfeff, 'spreadsheets see UTF-8');
    assert.equal(text.trim().split(/\r?\n/).length, ammonia + 1, 'exactly the rows of the list');
    assert.ok(text.includes(want));
    p.clean();
  });
  await p.close();
});

test('form: a wrong value is said at its field; saved, edited; two editors lose nothing', { timeout: 900000 }, async () => {
  const [a, b] = await Promise.all([0, 1].map(async () => (await Person.open(browser, s)).be('bureau')));
  a.expected.push(/40[09] .*\/api\//);
  b.expected.push(/40[09] .*\/api\//);
  await watched([a, b], 'form', async () => {
    await a.go('/records/organisation/new');
    await a.test('save').click();
    await a.page.locator('.el-form-item.is-error', { hasText: '请填写' }).first().waitFor();

    // an enterprise's code with a wrong check digit: the server's word stands at that field, what was typed stays
    const ent = (await bureau.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
    await a.go(`/records/enterprise/${ent.id}/edit`);
    const good = await a.test('field-uscc').inputValue();
    await a.fill('uscc', `${good.slice(0, 17)}${good[17] === 'A' ? 'B' : 'A'}`);
    await a.fill('address', '安澜县城关镇校验路1号');
    await a.test('save').click();
    const item = a.page.locator('.el-form-item.is-error');
    await item.waitFor();
    assert.equal(await item.locator('[data-test="field-uscc"]').count(), 1);
    assert.match(await item.locator('.el-form-item__error').innerText(), /校验/);
    assert.equal(await a.test('field-address').inputValue(), '安澜县城关镇校验路1号');
    await a.fill('uscc', good);
    await a.test('save').click();
    await a.at(`/records/enterprise/${ent.id}`);
    await a.row('value-address', '校验路1号').waitFor();

    // both open the form; the second to save is shown what the first changed, and chooses
    await Promise.all([a, b].map((x) => x.go(`/records/enterprise/${ent.id}/edit`)));
    await a.fill('address', '安澜县城关镇先到路2号');
    await a.test('save').click();
    await a.at(`/records/enterprise/${ent.id}`);
    await b.fill('trade', '后到产品');
    await b.test('save').click();
    const conflict = b.test('conflict');
    await conflict.waitFor();
    assert.match(await conflict.innerText(), /先到路2号/);
    await conflict.getByRole('button').first().click();
    await b.at(`/records/enterprise/${ent.id}`);
    const now = await bureau.ok_get(`/api/v1/records/enterprise/${ent.id}`);
    assert.equal(now.address, '安澜县城关镇先到路2号');
    assert.equal(now.trade, '后到产品');
    a.clean();
    b.clean();
  });
  await a.close();
  await b.close();
});

test('a new record from its form, and retired with a reason', { timeout: 900000 }, async () => {
  const p = await (await Person.open(browser, s)).be('bureau');
  await watched([p], 'create', async () => {
    await p.nav('enterprise');
    const site = (await bureau.ok_get('/api/v1/records/enterprise?size=1&sort=id')).items[0];
    await p.nav('hazard');
    if (await p.test('new').count() === 0) return;
    await p.test('new').click();
    await p.at('/records/hazard/new');
    const info = await bureau.ok_get('/api/v1/types/hazard');
    for (const f of info.fields.filter((x) => x.need && !x.readonly)) {
      if (f.is === 'text') await p.fill(f.name, `防火堤排水阀常开 ${f.name}`.slice(0, f.max ?? 60));
      else if (f.is === 'ref') {
        const box = p.page.locator(`.el-select:has([data-test="field-${f.name}"]), [data-test="field-${f.name}"].el-select`).first();
        if ((await box.innerText()).trim().length > 1 && !(await box.innerText()).includes('查找')) continue;
        await box.click();
        await box.locator('input').fill(f.to === 'enterprise' ? site.name : '');
        await p.page.locator('.el-select-dropdown:visible .el-select-dropdown__item').first().click();
      } else if (f.is === 'menu' && f.items.length <= 5) await p.test(`field-${f.name}`).locator(`[data-value="${f.items[0].value}"]`).click();
    }
    await p.test('save').click();
    await p.at(/^\/records\/hazard\/\d+$/);
    await p.test('record-state').waitFor();
    if (await p.test('retire').count()) {
      await p.test('retire').click();
      await p.fill('reason', '重复录入');
      await p.test('retire-confirm').click();
      await p.at('/records/hazard');
    }
    p.clean();
  });
  await p.close();
});
