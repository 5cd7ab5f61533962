import assert from 'node:assert/strict'
import test from 'node:test'
import { branch, total, type Grade } from '../src/record/sheet'
import type { SheetInfo, SheetItem } from '../src/api/types'

const item = (path: string, level: number, more: Partial<SheetItem> = {}): SheetItem => ({ path, label: path, level, leaf: true, points: 0, veto: false, evidence: false, auto: false, ...more })
const info: SheetInfo = {
  assessment: 's', label: 'S', full: 100, score: 0, vetoed: false, complete: false, auto_at: null,
  items: [item('a', 0, { leaf: false, points: 60 }), item('a.one', 1, { points: 40 }), item('a.two', 1, { points: 20, auto: true, auto_points: 15 }), item('b', 0, { points: 40 }), item('v', 0, { veto: true })],
}
const grades: Grade[] = [{ name: 'good', label: 'Good', from: 80 }, { name: 'fair', label: 'Fair', from: 60 }, { name: 'fail', label: 'Fail', from: 0 }]

test('an automatic value stands until somebody gives another; the last word counts', () => {
  const s = total(info, { 'a.one': { self: 40 } }, grades)
  assert.deepEqual([s.score, s.done, s.of], [55, 2, 3])
  assert.equal(total(info, { 'a.one': { self: 40, review: 30, final: 35 }, 'a.two': { self: 20 }, b: { self: 30 } }, grades).score, 85)
})
test('a branch has what its leaves add up to', () => {
  assert.equal(branch(info.items, 0, { 'a.one': { self: 40 } }), 55)
  assert.equal(branch(info.items, 0, { 'a.one': { self: 40 } }, 'self'), 40)
})
test('a veto makes it the lowest grade, whatever the points', () => {
  const s = total(info, { 'a.one': { self: 40 }, 'a.two': { self: 20 }, b: { self: 40 }, v: { final: 1 } }, grades)
  assert.deepEqual([s.score, s.veto, s.grade?.name], [100, 'v', 'fail'])
})
