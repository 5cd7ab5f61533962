// Every page, for every role that has it, at both sizes and in both languages: nothing overflows, nothing complains,
// nothing jumps, no word of the other language and no name from inside the program. The lists of the types are all drawn by
// the same components: they are dealt out among the four combinations, each list opened once. Every other page is seen in both
// languages and at both sizes, in two of the four combinations.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeDevice, Server, until } from '../lib/server.mjs';
import { chinese, dataWords, DESK, keysShown, openBrowser, Person, PHONE, watched, wordsOf } from '../lib/browser.mjs';

let s, browser, data, alarm, made;

before(async () => {
  s = await Server.start({ args: process.env.ANLAN_UI ? ['--ui', process.env.ANLAN_UI] : [] });
  made = await makeDevice(s, { code: 'PAGE-GW', protocol: 'http', points: [{ code: 'PAGE-LT', kind: 'level', unit: '%', h: 80, hh: 90 }] });
  const t0 = Date.now() - 45e3;
  const rows = Array.from({ length: 40 }, (_, i) => ({ point: 'PAGE-LT', time: new Date(t0 + i * 1000).toISOString(), value: i < 10 ? 70 : 95 }));
  await s.call('POST', '/api/v1/readings', rows, { headers: { Authorization: `Device PAGE-GW:${made.key}` } });
  alarm = await until('the warning', async () => (await made.bureau.ok_get('/api/v1/alarms')).items.find((a) => a.point.code === 'PAGE-LT' && a.opened));
  data = `${await dataWords(s)}\n${await wordsOf(made.bureau, 'warning')}`;
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await s?.stop();
});

// quarter: of the lists; half: of the other pages.
async function pagesOf(role, quarter, half) {
  const who = await s.as(role);
  const typesOf = async (x) => (await x.ok_get('/api/v1/types')).types.filter((t) => t.can.includes('read')).map((t) => t.name);
  const deal = (list, of, k) => list.filter((_, i) => i % of === k);
  const common = ['/work', '/work?tab=notices', '/work?tab=calendar', '/records', '/rules', '/me', '/try', '/help', '/no/such/page'];
  if (role === 'auditor') return ['/audit', '/roles', '/notify', ...common];
  if (role === 'admin') { // its own lists; those that the bureau reads too are dealt to the bureau
    const bureaus = new Set(await typesOf(made.bureau));
    const own = (await typesOf(who)).filter((t) => !bureaus.has(t));
    return [...common, '/devices', ...deal(own, 2, quarter % 2).map((t) => `/records/${t}`),
      '/records/person/new', '/config', '/config?file=hazard/types/hazard.yaml', '/config?tab=versions', '/roles', '/notify'];
  }
  const first = async (type) => (await who.ok_get(`/api/v1/records/${type}?size=1`)).items[0]?.id;
  const pages = [...common, '/devices', '/map', '/map?wall=1', `/replay?alarm=${alarm.id}`, '/alarms', '/alarms/load', `/alarms/${alarm.id}`, `/records/warning/${alarm.opened.id}`, `/points/${alarm.point.id}/trend`,
    `/records/enterprise/${await first('enterprise')}`, `/records/enterprise/${made.enterprise.id}/edit`, '/records/point/new', '/records/warning/new', '/records/hazard/new', '/records/hazard/import', '/indicators', '/indicators/hazard_closed_rate', '/reports', '/quality',
    `/enterprise/${made.enterprise.id}`, ...['linked', 'docs', 'comments'].map((t) => `/records/enterprise/${made.enterprise.id}?tab=${t}`), '/records/hazard?panel=counts', '/public'];
  return [...deal(pages, 2, half), ...deal(await typesOf(who), 4, quarter).map((t) => `/records/${t}`)];
}

// Two at a time: it is the longest of all files, and at the end it runs alone.
describe('pages', { concurrency: 2 }, () => {
  for (const [size, name] of [[DESK, 'desk'], [PHONE, 'phone']])
    for (const lang of ['zh', 'en'])
      test(`pages at ${name} size in ${lang}`, { timeout: 900000 }, async () => {
        // the keepers of the platform have few pages: once in each language and at each size is enough
        for (const role of (lang === 'zh') === (size === DESK) ? ['bureau', 'admin', 'auditor'] : ['bureau']) {
          const p = await Person.open(browser, s, { lang, size });
          const wrong = [];
          await watched([p], `pages-${name}-${lang}`, async () => {
            await p.go('/login');
            const pages = ['/login', ...(await pagesOf(role, (lang === 'zh' ? 0 : 1) + (size === DESK ? 0 : 2), (lang === 'zh') === (size === DESK) ? 0 : 1))];
            for (const path of pages) {
              if (path !== '/login') await p.go(path);
              else await p.test('demo-role-duty').waitFor();
              await until(`a heading on ${path}`, async () => (await p.texts()).length > 3);
              const w = await p.width();
              if (w.page > w.window || w.main > 0) wrong.push(`${path}: ${w.page} wide in a window of ${w.window}, ${w.main} hidden at the side`);
              const shift = await p.shift();
              if (shift.sum > 0.1) wrong.push(`${path}: jumps by ${shift.sum.toFixed(2)} (${shift.by.join('; ')})`);
              const texts = await p.texts();
              for (const x of lang === 'en' ? chinese(texts, data) : keysShown(texts, data)) wrong.push(`${path}: ${x}`);
              if (path === '/login') await p.be(role);
            }
            assert.deepEqual(wrong, [], `${role}, ${name}, ${lang}`);
            p.clean(`${role} ${name} ${lang}`);
          });
          await p.close();
        }
      });
});
