// Conditions of a list as the address keeps them: where.FIELD=VALUE, where.FIELD.OP=VALUE. Which ones a kind of field
// can have, and how they read.
import type { Field, FieldKind } from '../api/types'
import { t, tx } from '../i18n'
import { areaName } from '../use/areas'

export type Op = 'is' | 'ne' | 'prefix' | 'ge' | 'le' | 'gt' | 'lt' | 'in' | 'type' | 'null' | 'some'
const TEXT: Op[] = ['is', 'prefix', 'ne', 'null', 'some']
const ORDER: Op[] = ['ge', 'le', 'is', 'null', 'some']
const OPS: Partial<Record<FieldKind, Op[]>> = {
  text: TEXT, uscc: TEXT, phone: ['is', 'null', 'some'], idcard: ['null', 'some'],
  number: ORDER, money: ORDER, date: ['ge', 'le', 'is', 'null', 'some'], time: ['ge', 'le', 'null', 'some'],
  bool: ['is', 'null'], menu: ['in', 'ne', 'null', 'some'], menus: ['is', 'null', 'some'],
  ref: ['is', 'null', 'some'], refs: ['null', 'some'], area: ['prefix', 'null'], origin: ['type', 'null', 'some'],
  position: ['null', 'some'], shape: ['null', 'some'], files: ['null', 'some'], photos: ['null', 'some'], rows: ['null', 'some'], sheet: ['null', 'some'],
}
export const opsOf = (f: Field): Op[] => (f.personal ? ['null', 'some'] : f.name === 'state' ? ['in', 'ne'] : (OPS[f.is] ?? ['is']))
export const valueless = (op: Op) => op === 'null' || op === 'some'

export function keyOf(name: string, op: Op): string {
  return 'where.' + name + (op === 'is' ? '' : op === 'some' ? '.null' : '.' + op)
}
export const wireOf = (op: Op, value: string) => (op === 'null' ? 'true' : op === 'some' ? 'false' : value)

export interface Condition { key: string; field: Field; op: Op; value: string }
/** Reads the conditions back from the address; unknown fields are left out. */
export function conditions(fields: Field[], where: Record<string, string>): Condition[] {
  return Object.entries(where).flatMap(([key, value]) => {
    const [, name, op = 'is'] = key.split('.')
    const field = fields.find((f) => f.name === name)
    if (!field) return []
    const o = (op === 'null' && value === 'false' ? 'some' : op) as Op
    return [{ key, field, op: o, value }]
  })
}

function valueText(f: Field, v: string, titles: Record<string, string>): string {
  const one = (x: string) => f.items?.find((i) => i.value === x)?.label ?? x
  if (f.is === 'bool') return v === 'true' ? t('yes') : t('no')
  if (f.is === 'area') return areaName(v)
  if (f.is === 'origin' && v.includes(':')) return one(v.split(':')[0]) + ' #' + v.split(':')[1]
  if (f.is === 'ref') return titles[f.name] ?? '#' + v
  if (f.is === 'date' || f.is === 'time') return v.slice(0, 10)
  return v.split(',').map(one).join(t('list.or'))
}
export function sentence(c: Condition, titles: Record<string, string> = {}): string {
  const words = tx('op', c.op)
  return valueless(c.op) ? `${c.field.label} ${words}` : `${c.field.label} ${words} ${valueText(c.field, c.value, titles)}`
}
