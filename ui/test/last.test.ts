import assert from 'node:assert/strict'
import test from 'node:test'
import type { Field, Me, Move, Rec, TypeInfo } from '../src/api/types'
import { asLastTime } from '../src/record/last'
import { refsOf, shared } from '../src/record/values'
import { ahead } from '../src/offline/ahead'
import type { Waiting } from '../src/offline/outbox'

const f = (name: string, is: Field['is'], more: Partial<Field> = {}): Field => ({ name, is, label: name, ...more })

test('as last time: place and people, never the day, a number, a signature, a picture, personal data, the title', () => {
  const rows = (name: string, columns: Field[]) => f(name, 'rows', { columns })
  const fields = [f('work', 'text'), f('place', 'text'), f('guardian', 'ref', { to: 'person' }), f('starts', 'time'), f('grams', 'number'), f('photos', 'photos'), f('tel', 'phone'), f('name', 'text', { personal: true } as Partial<Field>),
    rows('workers', [f('name', 'text', { need: true }), f('paper', 'text')]), rows('signed', [f('name', 'text', { need: true }), f('ok', 'bool')]), f('typed_now', 'text')]
  const start = { work: null, place: null, guardian: null, starts: null, grams: null, photos: [], tel: null, name: null, workers: [], signed: [], typed_now: null }
  const last = { id: 7, version: 1, work: 'yesterday', place: 'tank farm', guardian: { id: 3, title: 'G' }, starts: '2026-01-01T00:00:00Z', grams: 5, photos: [{ id: 1 }], tel: '138****1234', name: 'N', workers: [{ name: 'A', paper: '1' }], signed: [{ name: 'A', ok: true }], typed_now: 'old' } as unknown as Rec
  const got = asLastTime(fields, last, { ...start, typed_now: 'new' }, start, 'work')
  assert.deepEqual(got, { place: 'tank farm', guardian: { id: 3, title: 'G' }, workers: [{ name: 'A', paper: '1' }] })
})

test('a table takes lines over from another if both need a text of the same name', () => {
  const staff = f('staff', 'rows', { columns: [f('name', 'text', { need: true }), f('post', 'text'), f('until', 'date')] })
  const briefed = f('briefed', 'rows', { columns: [f('name', 'text', { need: true }), f('post', 'text'), f('signed', 'bool')] })
  assert.deepEqual(shared(staff, briefed), ['name', 'post'])
  assert.deepEqual(shared(staff, f('gas', 'rows', { columns: [f('gas', 'text', { need: true }), f('post', 'text')] })), [])
  assert.deepEqual(refsOf([f('firm', 'ref', { to: 'contractor' }), f('other', 'ref', { to: 'x' })], { firm: { id: 4, title: 'F' }, other: null }), [{ type: 'contractor', id: 4, title: 'F' }])
})

test('a record with steps that wait on the device is shown as it will be, with the steps that then are its person’s', () => {
  const move = (name: string, from: string, to: string, who: string[]): Move => ({ name, label: name, from: [from], to, who })
  const info = { name: 'check', label: '', groups: [], lists: [], can: [], fields: [], states: [], moves: [move('start', 'planned', 'site', ['town']), move('record', 'site', 'done', ['town']), move('judge', 'site', 'done', ['court']), move('own', 'site', 'done', ['creator'])] } as unknown as TypeInfo
  const rec = { id: 5, version: 3, state: 'planned', moves: ['start'], note: null } as unknown as Rec
  const w = { id: 1, path: '/records/check/5/moves/start', body: { version: 3, note: 9 }, move: { type: 'check', id: 5, name: 'start', to: 'site', values: { note: { id: 9, title: 'N' }, unasked: 1 } } } as unknown as Waiting
  const me = { roles: [{ name: 'town', label: '' }] } as unknown as Me
  const then = ahead(info, rec, [w], me)
  assert.deepEqual([then.state, then.moves, then.note, then.version], ['site', ['record', 'own'], { id: 9, title: 'N' }, 3])
  assert.equal('unasked' in then, false)
  assert.equal(ahead(info, rec, [], me), rec)
  assert.equal(ahead(info, rec, [{ ...w, refused: 'no' }], me), rec, 'what was refused has not happened')
})
