import assert from 'node:assert/strict'
import test from 'node:test'
import { evaluate, names, truth, wrong, type Context } from '../src/lib/expr'

const values: Record<string, unknown> = {
  level: 'major', dead: 3, photos: [], people: [{ id: 1 }, { id: 2 }], found: '2026-10-01', at: '2026-11-21T16:30:00Z', firm: { id: 7, title: 'F' },
  parts: [{ cost: 10.5 }, { cost: null }, { cost: 2 }], kinds: ['a', 'b'], note: null,
}
const c: Context = { get: (n) => values[n] ?? null, follow: (n, of) => (n === 'firm' && of === 'staff' ? 120 : null), now: Date.parse('2026-11-22T02:00:00Z') }
const f = (...n: string[]) => ['f', ...n]
const is = (e: unknown, v: unknown) => assert.deepEqual(evaluate(e, c), v, JSON.stringify(e))

test('a guard: menus, lists, and/or/not', () => {
  is(['and', ['==', f('level'), 'major'], ['not', ['empty', f('photos')]]], false)
  is(['or', ['empty', f('photos')], ['>=', ['count', f('people')], 3]], true)
  is(['in', f('level'), 'general', 'major'], true)
  is(['has', f('kinds'), 'b'], true)
})
test('columns of rows and references', () => {
  is(['*', ['sum', f('parts', 'cost')], 2], 25)
  is(['count', f('parts')], 3)
  is(['count', f('parts', 'cost')], 2)
  is(['>', f('firm', 'staff'), 100], true)
})
test('days, today and durations, in China Standard Time', () => {
  is(['days', f('found'), ['today']], 52)
  is(['>', ['days', f('found'), ['today']], 30], true)
  is(['+', f('found'), ['dur', 30 * 86400]], '2026-10-31')
  is(['year', f('at')], 2026)
  is(['days', f('at'), ['today']], 0)
})
test('missing: arithmetic is missing, a comparison is false, division by nothing is missing', () => {
  is(['+', f('nothing'), 1], null)
  is(['>', f('nothing'), 1], false)
  is(['/', 1, 0], null)
  is(['round', 2.345, 1], 2.3)
  is(['if', ['>=', f('dead'), 3], 'larger', 'general'], 'larger')
})
test('what only the server knows hides nothing', () => {
  assert.equal(evaluate(['call', 'linked', 'hazard'], c), undefined)
  assert.ok(truth(['>', ['call', 'linked', 'hazard'], 0], c))
  assert.ok(!truth(['and', ['>', ['call', 'linked', 'hazard'], 0], false], c))
})
test('a check says nothing about what is not filled in yet', () => {
  assert.ok(!wrong(['>=', f('nothing'), f('found')], c))
  assert.ok(wrong(['>=', f('dead'), 4], c))
  assert.ok(!wrong(['or', ['empty', f('nothing')], ['>', f('dead'), 4]], c))
})
test('which fields an expression reads', () => {
  assert.deepEqual(names(['and', ['==', f('level'), 'x'], ['>', f('firm', 'staff'), 1]]), ['level', 'firm'])
})
