import assert from 'node:assert/strict'
import test from 'node:test'
import { areaPrefix } from '../src/lib/area'
import { rank, worst } from '../src/lib/level'
import { csvCell, num, quality, withUnit } from '../src/lib/number'
import { brief, fromWall, span, stamp, toWall } from '../src/lib/time'
import { stepFor } from '../src/chart/series'
import { asked, tileOver } from '../src/map/model'
import { ringParts } from '../src/map/style'
import { periodOf, periodWords } from '../src/measure/indicator'

test('times are China Standard Time everywhere', () => {
  assert.equal(stamp('2026-11-21T16:00:05Z'), '2026-11-22 00:00:05')
  assert.equal(fromWall(toWall('2026-11-21T16:00:05Z')), '2026-11-22T00:00:05+08:00')
  assert.equal(brief('2026-11-21T16:00:05Z', Date.parse('2026-11-22T01:00:00Z')), '00:00:05')
  assert.equal(stamp(null), '—')
})
test('spans have two units', () => {
  assert.match(span(90_061_000), /^1 .+ 1 /)
  assert.match(span(65_000), /1 .+ 05 /)
})
test('worst colour; grey says nothing about others', () => {
  assert.equal(worst(['green', 'grey', 'yellow']), 'yellow')
  assert.equal(worst(['grey', 'green']), 'green')
  assert.equal(worst(['grey']), 'grey')
  assert.ok(rank('red') < rank('orange'))
})
test('numbers', () => {
  assert.equal(num(1234567.5), '1,234,567.5')
  assert.equal(num(0.5, 2), '0.50')
  assert.equal(num(null), '—')
  assert.equal(withUnit(91.8, '%'), '91.8%')
  assert.equal(quality(4), 'range')
})
test('a CSV cell cannot be a formula', () => {
  assert.equal(csvCell('=1+1'), "'=1+1")
  assert.equal(csvCell('-5'), '-5')
  assert.equal(csvCell('a"b'), '"a""b"')
})
test('area prefix', () => {
  assert.equal(areaPrefix('990121000000'), '990121')
  assert.equal(areaPrefix('990121101000'), '990121101')
  assert.equal(areaPrefix('990121101001'), '990121101001')
})
test('short windows are raw, long ones in steps', () => {
  assert.equal(stepFor(3600_000), 0)
  assert.equal(stepFor(86400_000), 300)
})
test('the tile over a place is the one the server cuts', () => {
  assert.equal(tileOver(0, [119.5, 33.5]), '0/0/0')
  assert.equal(tileOver(12, [119.5, 33.5]), '12/3407/1643') // as in tests/unit/test_map.c
  assert.equal(tileOver(3, [180, -90]), '3/7/7')
  assert.equal(tileOver(3, [-180, 90]), '3/0/0')
})
test('the ring of a cluster: sixteen parts, the worst first, nothing too small to be seen', () => {
  assert.deepEqual(ringParts({ red: 1, blue: 999 }), [['red', 1], ['blue', 15]])
  assert.deepEqual(ringParts({ yellow: 5, orange: 5 }), [['orange', 8], ['yellow', 8]])
  assert.deepEqual(ringParts({ grey: 2 }), [['grey', 16]])
  for (const c of [{ red: 1, orange: 1, yellow: 1, blue: 1, green: 1, grey: 400 }, { red: 3, orange: 3, yellow: 3 }]) assert.equal(ringParts(c).reduce((n, p) => n + p[1], 0), 16)
})
test('a filter asks only for what it leaves out', () => {
  assert.deepEqual(asked({ by: 'state', levels: [], sectors: [] }), {})
  assert.deepEqual(asked({ by: 'risk', levels: ['red', 'blue'], sectors: ['dust'] }), { by: 'risk', level: 'red,blue', sector: 'dust' })
})
test('periods back from a day of China Standard Time', () => {
  const at = Date.parse('2026-11-22T20:00:00Z')
  assert.equal(periodOf('month', 0, at), '2026-11')
  assert.equal(periodOf('month', 11, at), '2025-12')
  assert.equal(periodOf('quarter', 0, at), '2026-Q4')
  assert.equal(periodOf('week', 0, at), '2026-W48')
  assert.equal(periodOf('day', 0, at), '2026-11-23')
})
test('a period reads as people say it, a day stays a day', () => {
  assert.deepEqual(['2026', '2026-Q4', '2026-11', '2026-W08', '2026-11-23', ''].map(periodWords), ['2026 年', '2026 年第 4 季度', '2026 年 11 月', '2026 年第 8 周', '2026-11-23', ''])
})
