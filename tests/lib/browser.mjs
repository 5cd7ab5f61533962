// A Chromium that behaves like a person's: opened once a test file, one context a person, everything that goes wrong
// on a page (console error, exception, failed request to our own server) is kept and asserted.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root, until } from './server.mjs';

export const DESK = { width: 1920, height: 1080 };
export const PHONE = { width: 390, height: 844 };

const launch = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--mute-audio'],
};
export const openBrowser = () => chromium.launch(launch);
const looks = (server, lang, size) => ({
  viewport: size, locale: lang === 'zh' ? 'zh-CN' : 'en-US', timezoneId: 'Asia/Shanghai', hasTouch: size.width < 768, isMobile: size.width < 768,
  deviceScaleFactor: 1, baseURL: server.url, acceptDownloads: true, reducedMotion: 'reduce',
});

// Layout shifts the page itself causes, as Chromium scores them; counted from the first paint of each document.
const watchShifts = () => {
  window.__shift = 0;
  window.__shifts = [];
  new PerformanceObserver((list) => {
    for (const e of list.getEntries())
      if (!e.hadRecentInput) {
        window.__shift += e.value;
        window.__shifts.push(`${e.value.toFixed(3)} ${e.sources?.map((s) => s.node?.className || s.node?.nodeName).join(',')}`);
      }
  }).observe({ type: 'layout-shift', buffered: true });
};

export class Person {
  // lang zh|en; size DESK or PHONE. Nobody is logged in yet.
  static async open(browser, server, { lang = 'zh', size = DESK } = {}) {
    const p = new Person();
    return p.begin(await browser.newContext(looks(server, lang, size)), server, lang, size);
  }
  // A phone of his own: what its browser keeps lies in dir and is there again when it is opened anew. offline: it has no signal then.
  static async own(dir, server, { lang = 'zh', size = PHONE, offline = false } = {}) {
    const p = new Person();
    return p.begin(await chromium.launchPersistentContext(dir, { ...launch, ...looks(server, lang, size), offline }), server, lang, size);
  }
  async begin(context, server, lang, size) {
    const p = this;
    p.server = server;
    p.lang = lang;
    p.phone = size.width < 768;
    p.context = context;
    p.context.setDefaultTimeout(Number(process.env.E2E_WAIT ?? 120000));
    await p.context.addInitScript(watchShifts);
    p.page = await p.context.newPage();
    p.trouble = [];
    p.expected = [/401 .*\/api\/v1\/me$/]; // asked before the login; tests add what they cause on purpose
    p.page.on('pageerror', (e) => p.trouble.push(`exception: ${e.message}`));
    p.page.on('console', (m) => {
      if (m.type() === 'error') p.trouble.push(`console: ${m.text()} ${m.location().url}`);
    });
    p.page.on('response', (r) => {
      if (r.status() >= 500) p.trouble.push(`${r.status()} ${r.url()}`);
    });
    return p;
  }

  async be(role) {
    await this.page.goto('/login');
    await this.test(`demo-role-${role}`).click();
    await this.at(/^\/(?!login)/);
    await this.page.locator('#main').waitFor();
    return this;
  }

  test(name) { return this.page.locator(`[data-test="${name}"]`); }
  // Packs of the menu are folded when there are many registers: all of them open.
  async unfold() {
    for (;;) {
      const shut = this.page.locator('[data-test^="pack-"][aria-expanded="false"]');
      if (!(await shut.count())) return;
      await shut.first().click();
    }
  }
  async nav(page) {
    await this.unfold();
    await this.test(`nav-${page}`).last().click();
  }
  row(test, text) { return this.page.locator(`[data-test="${test}"]`, { hasText: text }); }

  // The address is this path (text) or fits it (pattern).
  async at(path) {
    await until(`the address ${path}`, () => { const at = new URL(this.page.url()).pathname; return path.test ? path.test(at) : at === path; })
      .catch(async (e) => { throw new Error(`${e.message}; it is ${this.page.url()}`); });
  }
  async go(path) {
    await this.page.goto(path);
    await this.settled();
  }
  // The page shows what it will show: no skeleton or spinner, its fetches answered.
  async settled() {
    // not waitForFunction: that needs eval, which our own content security policy forbids
    await until('the page to settle', () => this.page.evaluate(() => document.querySelector('#app > *') && !document.querySelector('#app .el-skeleton, #app .skeleton, [aria-busy="true"]')));
  }

  // Fills a field by its data-test, whatever kind of input it is drawn as.
  async fill(field, value) {
    const box = this.test(`field-${field}`).last();
    const kind = await box.evaluate((el) => el.tagName + (el.matches('.choice') ? '.choice' : ''));
    if (kind === 'INPUT' || kind === 'TEXTAREA') return box.fill(value);
    if (kind === 'DIV.choice') return box.locator(`[data-value="${value}"]`).click();
    return box.locator('input, textarea').first().fill(value);
  }

  // One step of the work: press its button, fill what it asks, confirm; then the record is in that state.
  async move(name, fields, state) {
    await this.test(`move-${name}`).click();
    const dialog = this.page.locator('.el-dialog:visible');
    await dialog.waitFor();
    for (const [f, v] of Object.entries(fields)) await this.fill(f, v);
    await dialog.locator('[data-test="save"]').click();
    await this.state(state);
    await dialog.waitFor({ state: 'hidden' });
  }
  async state(label) {
    await this.page.locator('[data-test="record-state"]', { hasText: new RegExp(`^\\s*${label}\\s*$`) }).waitFor();
  }

  async width() {
    return this.page.evaluate(() => ({
      page: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth), window: innerWidth,
      main: (() => { const m = document.querySelector('#main'); return m ? m.scrollWidth - m.clientWidth : 0; })(),
    }));
  }
  shift() { return this.page.evaluate(() => ({ sum: window.__shift, by: window.__shifts })); }

  // Every text a person can see or a screen reader says: text nodes, placeholders, titles, labels.
  texts() {
    return this.page.evaluate(() => {
      const out = [];
      const visible = (el) => el.checkVisibility?.({ checkOpacity: false, checkVisibilityCSS: true }) ?? true;
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      for (let n = walk.currentNode; n; n = walk.nextNode()) {
        if (n.nodeType === 3) {
          const s = n.textContent.trim();
          if (s && !n.parentElement.closest('script, style, textarea, code') && visible(n.parentElement)) out.push(s);
        } else {
          for (const a of ['placeholder', 'title', 'aria-label', 'alt'])
            if (n.getAttribute(a) && visible(n)) out.push(n.getAttribute(a));
        }
      }
      return [...new Set(out)];
    });
  }

  clean(where = '') {
    const bad = this.trouble.filter((t) => !this.expected.some((e) => e.test(t)));
    assert.deepEqual(bad, [], `the page complains ${where}`);
  }
  close() { return this.context.close(); }
}

// Runs a test; if it fails, what everybody saw lies in E2E_SHOTS (or the system's temporary folder) and is named.
export async function watched(people, name, fn) {
  try {
    return await fn();
  } catch (e) {
    const dir = process.env.E2E_SHOTS || tmpdir();
    for (const [i, p] of people.entries()) {
      const file = join(dir, `e2e-${name}-${i}.png`);
      if (await p.page.screenshot({ path: file }).then(() => true, () => false)) e.message += `\n  seen: ${file} at ${p.page.url()}`;
    }
    throw e;
  }
}

// Titles that schedules and types give to records that are not there yet when the words are collected.
const scheduled = () => readdirSync(join(root, 'packs'), { recursive: true }).map(String).filter((f) => /(schedules|types)\/[a-z_]+\.yaml$/.test(f))
  .flatMap((f) => readFileSync(join(root, 'packs', f), 'utf8').match(/(?:title|default): [^,}\n]*/g) ?? []).join('\n');

// Reasons that the demo's people gave: they stand in histories, not in records.
const reasons = () => readdirSync(join(root, 'packs'), { recursive: true }).map(String).filter((f) => /demo\/records\.json$/.test(f))
  .flatMap((f) => readFileSync(join(root, 'packs', f), 'utf8').match(/"reason": "[^"]*"/g) ?? []).join('\n');

// What is data, not wording: every text value of every record the county has. Wording never comes from here, so a
// Chinese word on an English page that is not in it is a word somebody forgot to translate.
export async function dataWords(server) {
  const words = [scheduled(), reasons()];
  for (const role of ['bureau', 'admin']) {
    const who = await server.as(role);
    for (const t of (await who.ok_get('/api/v1/types')).types)
      if (t.can.includes('read')) words.push(await wordsOf(who, t.name));
    words.push(JSON.stringify(who.me.county ?? ''), who.me.title);
  }
  return [...new Set(words.join('\n').split('\n'))].join('\n');
}
export async function wordsOf(who, type) {
  const words = [];
  for (let page = 1; ; page++) {
    const got = await who.ok_get(`/api/v1/records/${type}?size=500&page=${page}`);
    for (const r of got.items) collect(r, words);
    if (page * 500 >= got.total) return words.join('\n');
  }
}
function collect(v, out) {
  if (typeof v === 'string') { if (/[^\x00-\x7f]/.test(v)) out.push(v); }
  else if (v && typeof v === 'object') for (const x of Object.values(v)) collect(x, out);
}

const CJK = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+/g;
// Chinese in texts that is not data (and not the name of the other language on the switch).
export function chinese(texts, data, allowed = ['中文', '中', '安澜']) {
  const out = [];
  for (const s of texts)
    for (const run of s.match(CJK) ?? [])
      if (!allowed.includes(run) && !data.includes(run)) out.push(`${run} ← ${s}`);
  return out;
}
// Names of things inside the program on a page for people: alarm.state, review_pass, undefined, [object Object].
export function keysShown(texts, data = '') {
  return texts.filter((s) => /(^|[\s(（“:：·])([a-z]+(\.[a-z_]+)+|[a-z]+(_[a-z]+)+|undefined|null|NaN|\[object Object\]|true|false)($|[\s)）”,，。·])/.test(s) && !data.includes(s));
}
