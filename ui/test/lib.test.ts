import assert from 'node:assert/strict'
import test from 'node:test'
import { areaPrefix } from '../src/lib/area'
import { rank, worst } from '../src/lib/level'
import { csvCell, num, quality, withUnit } from '../src/lib/number'
import { brief, fromWall, span, stamp, toWall } from '../src/lib/time'
import { stepFor } from '../src/chart/series'
import { MapModel } from '../src/map/model'
import { periodOf } from '../src/measure/indicator'

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
test('a point gives its colour to its enterprise and its area', () => {
  const at: [number, number] = [1, 2]
  const m = new MapModel({
    enterprises: [{ id: 1, title: 'A', position: at, color: 'green', area: '990121101000' }], installations: [],
    points: [{ id: 5, code: 'P', name: 'p', position: at, color: 'green', value: 1, enterprise: 1 }, { id: 6, code: 'Q', name: 'q', position: at, color: 'grey', value: 1, enterprise: 1 }],
  })
  assert.deepEqual(m.recolor([{ id: 5, color: 'red' }]), ['p5', 'e1'])
  assert.equal(m.get('enterprise', 1)!.color, 'red')
  assert.equal(m.areaColors().get('990121101'), 'red')
  assert.deepEqual(m.recolor([{ id: 5, color: 'red' }]), [])
  assert.equal(m.find('q')[0].id, 6)
})
test('periods back from a day of China Standard Time', () => {
  const at = Date.parse('2026-11-22T20:00:00Z')
  assert.equal(periodOf('month', 0, at), '2026-11')
  assert.equal(periodOf('month', 11, at), '2025-12')
  assert.equal(periodOf('quarter', 0, at), '2026-Q4')
  assert.equal(periodOf('week', 0, at), '2026-W48')
  assert.equal(periodOf('day', 0, at), '2026-11-23')
})
