import assert from 'node:assert/strict'
import test from 'node:test'
import { qr } from '../src/lib/qr'

test('size by length; too long is refused', () => {
  assert.equal(qr('http://127.0.0.1:8080/')!.length, 25)
  assert.equal(qr('x'.repeat(14))!.length, 21)
  assert.equal(qr('x'.repeat(213))!.length, 57)
  assert.equal(qr('x'.repeat(214)), null)
})
test('finders and timing are where the standard wants them', () => {
  const g = qr('http://127.0.0.1:8080/records/hazard/12345')!
  const n = g.length
  for (const [y, x] of [[0, 0], [0, n - 7], [n - 7, 0]]) {
    assert.ok(g[y][x] && g[y + 6][x + 6] && g[y + 3][x + 3] && !g[y + 1][x + 1])
  }
  for (let i = 8; i < n - 8; i++) assert.equal(g[6][i], i % 2 === 0)
})
