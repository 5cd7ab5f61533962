import assert from 'node:assert/strict'
import test from 'node:test'
import { around, diff } from '../src/config/diff'

test('what is gone, what is new, what stays; line numbers of both texts', () => {
  const d = diff('a\nb\nc\nd', 'a\nx\nc\nd\ne')
  assert.deepEqual(d.map((l) => l.kind[0] + l.text), ['sa', 'gb', 'nx', 'sc', 'sd', 'ne'])
  assert.deepEqual([d[3].old, d[3].now], [3, 3])
})
test('equal texts differ in nothing', () => {
  assert.ok(diff('a\nb', 'a\nb').every((l) => l.kind === 'same'))
  assert.deepEqual(around(diff('a\nb', 'a\nb')), [])
})
test('far from a change lines are left out', () => {
  const a = Array.from({ length: 20 }, (_, i) => String(i))
  const b = [...a]
  b[10] = 'x'
  const r = around(diff(a.join('\n'), b.join('\n')), 1)
  assert.deepEqual(r.map((l) => l && l.kind[0] + l.text), ['s9', 'g10', 'nx', 's11', null])
})
