// What plans ask of indicators, with a pack of its own: rates over yearly statistics, targets of all kinds, the straight line to
// the target year, lights, projection, and a change that is printed in a plan.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Server } from '../lib/server.mjs';

const county = '990121000000';
const pack = {
  'menus/goal_kind.yaml': `menu: goal_kind
label: {zh: 目标种类, en: Kind of target}
items:
  drop: {label: {zh: 下降, en: Drop}}
  ceiling: {label: {zh: 上限, en: Ceiling}}
  floor: {label: {zh: 下限, en: Floor}}
  zero: {label: {zh: 零, en: Zero}}
  relative: {label: {zh: 相对, en: Relative}}
`,
  'types/goal.yaml': `type: goal
label: {zh: 目标, en: Target}
title: indicator
area_from: area
fields:
  indicator: {is: text, label: {zh: 指标, en: Indicator}, need: true}
  area: {is: area, label: {zh: 区域, en: Area}, need: true, default: my_area}
  year: {is: number, label: {zh: 目标年, en: Year}, need: true}
  kind: {is: menu, of: goal_kind, label: {zh: 种类, en: Kind}, need: true}
  base_year: {is: number, label: {zh: 基期年, en: Base year}}
  base: {is: number, label: {zh: 基期值, en: Base}}
  value: {is: number, label: {zh: 目标值, en: Value}}
  comparator: {is: number, label: {zh: 对照, en: Comparator}}
rights: {create: [bureau], read: [bureau, town], edit: [bureau], retire: [bureau]}
`,
  'types/figure.yaml': `type: figure
label: {zh: 统计数, en: Statistic}
title: series
area_from: area
fields:
  series: {is: text, label: {zh: 序列, en: Series}, need: true}
  area: {is: area, label: {zh: 区域, en: Area}, need: true, default: my_area}
  year: {is: number, label: {zh: 年份, en: Year}, need: true}
  value: {is: number, label: {zh: 数值, en: Value}, need: true}
rights: {create: [bureau], read: [bureau, town], edit: [bureau], retire: [bureau]}
`,
  'types/death.yaml': `type: death
label: {zh: 死亡, en: Deaths}
title: name
area_from: area
fields:
  name: {is: text, label: {zh: 名称, en: Name}, need: true}
  area: {is: area, label: {zh: 区域, en: Area}, need: true, default: my_area}
  day: {is: date, label: {zh: 日期, en: Day}, need: true}
  dead: {is: number, label: {zh: 死亡人数, en: Dead}, need: true, min: 0}
rights: {create: [bureau, town], read: [bureau, town], edit: [bureau], retire: [bureau]}
`,
  'indicators/died.yaml': `indicator: died
label: {zh: 死亡人数, en: Deaths}
unit: {zh: 人, en: persons}
property: binding
of: {type: death, at: day, sum: dead}
target: {from: goal}
amber: 10
by: [area]
`,
  'indicators/gdp_rate.yaml': `indicator: gdp_rate
label: {zh: 亿元GDP死亡率, en: Deaths per 100 million yuan}
unit: {zh: 人/亿元, en: persons}
decimals: 3
of: {type: death, at: day, sum: dead}
per: {type: figure, where: series == 'gdp', sum: value, at: {year: year}, own: true}
target: {from: goal}
amber: 10
by: [area]
`,
  'indicators/printed.yaml': `indicator: printed
label: {zh: 规划所印, en: As printed}
unit: {zh: 人/亿元, en: persons}
decimals: 3
of: {type: figure, where: series == 'rate', sum: value, at: {year: year}, own: true}
`,
  'indicators/printed_change.yaml': `indicator: printed_change
label: {zh: 累计下降, en: Change}
unit: '%'
decimals: 2
change: {of: printed, base: 2010}
`,
};

let s, b, dir;
const year = new Date(Date.now() + 8 * 3600e3).getUTCFullYear();
const stat = (series, y, value, area = county) => b.ok_post('/api/v1/records/figure', { series, year: y, value, area });
const goal = (g) => b.ok_post('/api/v1/records/goal', { area: county, ...g });
const total = async (name, q) => (await b.ok_get(`/api/v1/indicators/${name}?${q}`)).total;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'anlan-'));
  for (const [path, text] of Object.entries(pack)) {
    const at = join(dir, 'packs', 'plantest', path);
    mkdirSync(join(at, '..'), { recursive: true });
    writeFileSync(at, text);
  }
  s = await Server.start({ dir, copied: true });
  b = await s.as('bureau');
  for (const [y, n] of [[2020, 10], [2022, 8], [2024, 6]])
    for (let i = 0; i < n; i++) await b.ok_post('/api/v1/records/death', { name: `${y}-${i}`, day: `${y}-0${1 + (i % 9)}-11`, dead: 1, area: i % 2 ? '990121101000' : '990121102000' });
  await stat('gdp', 2020, 100);
  await stat('gdp', 2022, 160);
  await stat('gdp', 2022, 30, '990121101000'); // a town's own figure is not added to the county's
});
after(async () => { await s.stop(); rmSync(dir, { recursive: true, force: true }); });

test('a rate takes the figure of the area itself; where there is none there is no rate', async () => {
  assert.deepEqual([(await total('gdp_rate', 'period=2022')).value, (await total('gdp_rate', 'period=2022')).den], [8 / 160, 160]);
  const t = await total('gdp_rate', 'period=2024');
  assert.deepEqual([t.num, t.value, t.light], [6, null, '']);
  const towns = (await b.ok_get('/api/v1/indicators/gdp_rate?period=2022&by=area')).items;
  assert.equal(towns.find((i) => i.key === '990121101000').value, 4 / 30);
  assert.equal(towns.find((i) => i.key === '990121102000').value, null);
});

test('a drop against the base year lies on a straight line; lights and change follow', async () => {
  await goal({ indicator: 'died', year: 2025, kind: 'drop', base_year: 2020, value: 50 }); // base 10 is computed → 5 in 2025
  const at = async (y) => (await total('died', `period=${y}`));
  const t22 = await at(2022), t24 = await at(2024);
  assert.deepEqual([t22.target.base, t22.target.last, t22.target.goal, t22.light, t22.target.change], [10, 5, 8, 'green', -20]);
  assert.deepEqual([t24.target.goal, t24.light], [6, 'green']);
  await b.ok_post('/api/v1/records/death', { name: 'x', day: '2024-12-31', dead: 0.5 });
  assert.equal((await at(2024)).light, 'amber'); // 6.5 is within 10 % of 6
  await b.ok_post('/api/v1/records/death', { name: 'y', day: '2024-12-31', dead: 1 });
  assert.equal((await at(2024)).light, 'red');
});

test('ceiling, zero and relative targets', async () => {
  await goal({ indicator: 'gdp_rate', year: 2022, kind: 'ceiling', value: 0.04 });
  let t = await total('gdp_rate', 'period=2022');
  assert.deepEqual([t.target.kind, t.target.goal, t.light], ['ceiling', 0.04, 'red']);
  await goal({ indicator: 'gdp_rate', year: 2020, kind: 'zero' });
  t = await total('gdp_rate', 'period=2020');
  assert.deepEqual([t.target.goal, t.light], [0, 'red']);
  await goal({ indicator: 'died', year: 2022, kind: 'relative', base: 10, base_year: 2020, comparator: 10 });
  t = await total('died', 'period=2022');
  assert.deepEqual([t.target.last, t.light], [9, 'green']); // it fell by 20 %, the province by 10 %
});

test('the running year is carried on to its end', async () => {
  const now = new Date(Date.now() + 8 * 3600e3);
  await b.ok_post('/api/v1/records/death', { name: 'now', day: `${year}-01-01`, dead: 3 });
  await goal({ indicator: 'died', year, kind: 'ceiling', value: 3 });
  const t = await total('died', 'period=ytd');
  const begin = Date.UTC(year, 0, 1), end = Date.UTC(year + 1, 0, 1);
  assert.equal(t.value, 3);
  assert.ok(Math.abs(t.target.projected - 3 * (end - begin) / (now.getTime() - begin)) < 0.01, `${t.target.projected}`);
});

test('the changes printed in a plan come out as printed', async () => {
  // 阳江“十二五”: 0.268 → 0.139, −48.13 %
  await stat('rate', 2010, 0.268);
  await stat('rate', 2015, 0.139);
  assert.equal((await total('printed_change', 'period=2015')).value.toFixed(2), '-48.13');
  assert.equal((await total('printed_change', 'period=2014')).value, null);
});
