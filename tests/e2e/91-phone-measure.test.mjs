// On a phone nothing moves under the finger, and everything that can be pressed is big enough: measured on the pages of each role.
// Shift: the sum of what Chromium scores (layout-shift, without those that follow a press) from the first paint until the page stands. Targets:
// width and height of what is pressed; a link inside a sentence is exempt (WCAG 2.2, 2.5.8: inline).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, sleep } from '../lib/server.mjs';
import { openBrowser, Person, PHONE } from '../lib/browser.mjs';

const SHIFT = 0.01, TARGET = 44;
const PAGES = {
  bureau: ['/today', '/work', '/work?tab=notices', '/alarms', '/map', '/records', '/records/hazard', '/records/hazard/new', 'hazard', 'enforcement_check', '/devices', '/rules', '/me', '/outbox', '/credit'],
  town: ['/work', '/records', '/records/enterprise', '/records/patrol_round', '/records/danger_report', 'danger_report'],
  enterprise: ['/work', '/records', '/records/self_check', '/records/self_check/new', 'hazard', '/me'],
  nobody: ['/report', '/report?tab=ask', '/public', '/login'],
};
let s, browser;
before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [], copied: true });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await s?.stop(); });

const small = (least) => {
  const out = [];
  const inText = (e) => getComputedStyle(e).display.startsWith('inline') && [...e.parentElement.childNodes].some((n) => n !== e && n.nodeType === 3 && n.textContent.trim().length > 1);
  const hit = (e) => e.closest('.el-input__wrapper, .el-select__wrapper, .el-textarea, .el-input-number, .el-checkbox, .el-radio, .el-switch, .el-segmented__item, label') ?? e;
  for (const e of document.querySelectorAll('a[href], button, input:not([type=file]), select, textarea, summary, [role=tab], [role=button]')) {
    const box = hit(e).getBoundingClientRect(), seen = e.getBoundingClientRect();
    if (!box.width || !seen.width || e.closest('.skip, [aria-hidden=true], .ol-viewport, .el-select__wrapper [role=combobox]') || !e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    if (e.matches('.el-select__input') && box.height >= least - 0.5) continue;
    if (e.tagName === 'A' && inText(e)) continue;
    if (box.height < least - 0.5 || box.width < least - 0.5) out.push(`${Math.round(box.width)}x${Math.round(box.height)} ${e.tagName.toLowerCase()}.${String(e.className).split(' ').join('.')} ${e.dataset?.test ?? ''} ${(e.textContent || e.getAttribute('aria-label') || '').trim().slice(0, 16)}`);
  }
  return [...new Set(out)];
};

// Stands: nothing loads and nothing moved for a while.
async function stands(p) {
  await p.settled();
  for (let last = -1, same = 0; same < 3; await sleep(250)) {
    const now = (await p.shift()).by.length;
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

for (const [role, pages] of Object.entries(PAGES))
  test(`${role}: nothing moves, and everything is big enough to hit`, { timeout: 900000 }, async () => {
    const p = await Person.open(browser, s, { size: PHONE }), found = [];
    const who = role === 'nobody' ? null : await s.as(role);
    if (who) await p.be(role);
    for (let at of pages) {
      if (!at.startsWith('/')) at = `/records/${at}/${(await who.ok_get(`/api/v1/records/${at}?size=1`)).items[0]?.id}`;
      await p.page.goto(at);
      await stands(p);
      const shift = await p.shift(), targets = await p.page.evaluate(small, TARGET), w = await p.width();
      if (shift.sum > SHIFT) found.push(`${at} moves by ${shift.sum.toFixed(3)}: ${shift.by.join(' | ')}`);
      if (targets.length) found.push(`${at} is too small at ${targets.length}: ${targets.slice(0, 8).join(' | ')}`);
      if (w.page > w.window || w.main > 0) found.push(`${at} is wider than the phone`);
      if (process.env.E2E_SHOTS) await p.page.screenshot({ path: `${process.env.E2E_SHOTS}/phone-${role}${at.replace(/[^a-z0-9]+/g, '-')}.png` });
    }
    await p.close();
    assert.deepEqual(found, []);
  });
