import assert from 'node:assert/strict'
import test from 'node:test'
import type { Field, Rec, TypeInfo } from '../src/api/types'
import { changed, defaults, empty, masked, toForm, toWire } from '../src/record/values'
import { defaultColumns, filterFields, neededFor, wayAhead } from '../src/record/describe'

const f = (name: string, is: Field['is'], more: Partial<Field> = {}): Field => ({ name, is, label: name, ...more })
const fields = [f('name', 'text', { need: true }), f('firm', 'ref', { to: 'enterprise' }), f('tags', 'menus'), f('at', 'time', { default: 'now' }), f('n', 'number', { default: '3' })]
const info: TypeInfo = {
  name: 'x', label: 'X', groups: [], fields, lists: [], can: [], number: 'X-{seq:3}',
  states: ['a', 'b', 'c', 'z'].map((name) => ({ name, label: name.toUpperCase(), end: name === 'c' || name === 'z' })),
  moves: [
    { name: 'go', label: 'Go', from: ['a'], to: 'b', who: [], needs: ['name'] },
    { name: 'drop', label: 'Drop', from: ['a', 'b'], to: 'z', who: [] },
    { name: 'end', label: 'End', from: ['b'], to: 'c', who: [] },
  ],
}

test('only what changed is sent, references by id', () => {
  const start = toForm(fields, { id: 1, version: 1, name: 'A', firm: { id: 7, title: 'F' }, tags: ['x'], at: null, n: 2 } as Rec)
  const form = { ...start, firm: { id: 8, title: 'G' }, name: ' A ' }
  assert.deepEqual(changed(fields, form, start), { firm: 8 })
})
test('empty is null on the wire', () => {
  assert.equal(toWire(fields[0], '  '), null)
  assert.ok(empty(fields[2], []))
  assert.ok(!empty(fields[4], 0))
})
test('defaults: now, numbers, choices', () => {
  const d = defaults(fields, null, Date.UTC(2026, 0, 2, 3, 4, 5))
  assert.equal(d.at, '2026-01-02T03:04:05.000Z')
  assert.equal(d.n, 3)
  assert.deepEqual(d.tags, [])
})
test('masked data are recognised', () => {
  assert.ok(masked('138****1234'))
  assert.ok(!masked('13800001234'))
})
test('the way ahead takes the first move and stops at an end', () => {
  assert.deepEqual(wayAhead(info, 'a').map((s) => s.name), ['b', 'z'])
  assert.deepEqual(wayAhead(info, 'c'), [])
})
test('fields say which move needs them', () => {
  assert.deepEqual(neededFor(info, 'a'), { name: ['Go'] })
  assert.deepEqual(neededFor(info, undefined), { name: ['Go'] })
})
test('columns and filters follow the description', () => {
  assert.deepEqual(defaultColumns(info, { name: 'l', label: '', show: ['name', 'nope', 'state'] }), ['name', 'state'])
  assert.equal(filterFields(info)[0].name, 'state')
})
