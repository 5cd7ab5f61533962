// Values between the API and a form: what an input holds, what is sent, what has changed.
import type { Field, Me, Rec } from '../api/types'
import { t } from '../i18n'
import { trueNow } from '../lib/clock'

export type Form = Record<string, unknown>

/** Kinds whose value is a list. */
const LISTS = ['menus', 'refs', 'files', 'photos', 'rows']
export const isList = (f: Field) => LISTS.includes(f.is)
/** What a person can type in: neither made by the server nor shown from elsewhere. */
export const typed = (f: Field) => !f.readonly && !f.compute && !f.draw && f.is !== 'sheet'
const blankOf = (f: Field): unknown => (isList(f) ? [] : null)

const isRef = (v: unknown): v is { id: number; title: string } => !!v && typeof v === 'object' && 'id' in v
export const refId = (v: unknown): number | null => (isRef(v) ? v.id : typeof v === 'number' ? v : null)

export function toForm(fields: Field[], rec: Rec): Form {
  const form: Form = {}
  for (const f of fields) form[f.name] = rec[f.name] ?? blankOf(f)
  return form
}

/** What a new record starts with. */
export function defaults(fields: Field[], me: Me | null, now = trueNow()): Form {
  const form: Form = {}
  for (const f of fields) form[f.name] = fallback(f, me, now)
  return form
}
function fallback(f: Field, me: Me | null, now: number): unknown {
  const d = f.default
  if (d === 'now') return f.is === 'date' ? new Date(now + 8 * 3600_000).toISOString().slice(0, 10) : new Date(now).toISOString()
  if (d === 'me') return me ? { id: me.id, title: me.title } : null
  if (d === 'my_area') return me?.area ? me.area.padEnd(12, '0') : null
  if (d === 'my_enterprise') return me?.enterprise ?? null
  if (f.is === 'ref' && f.to === 'enterprise' && f.need === true && me?.enterprise) return me.enterprise
  if (d === undefined || d === null || d === '') return isList(f) ? [] : f.is === 'bool' && f.need === true ? false : null
  if (f.is === 'number' || f.is === 'money') return Number(d)
  if (f.is === 'bool') return d === true || d === 'true'
  if (f.is === 'menus') return Array.isArray(d) ? d : String(d).split(',')
  return d
}

/** As it is sent: references by id, empty as null. */
export function toWire(f: Field, v: unknown): unknown {
  if (f.is === 'ref') return refId(v)
  if (f.is === 'menus') return Array.isArray(v) ? v : []
  if (f.is === 'refs' || f.is === 'files' || f.is === 'photos') return (Array.isArray(v) ? v : []).map((x) => refId(x)).filter((x) => x !== null)
  if (f.is === 'rows') return rowsToWire(f, v)
  if (typeof v === 'string') return v.trim() === '' ? null : v.trim()
  return v === undefined ? null : v
}

const COPIED = ['text', 'menu', 'ref']
/** Columns that a table can take over from another: of the same name and kind, if one of them is a text that both need. */
export function shared(from: Field, to: Field): string[] {
  const both = (to.columns ?? []).filter((c) => typed(c) && COPIED.includes(c.is) && from.columns?.some((x) => x.name === c.name && x.is === c.is))
  const named = (f: Field, name: string) => f.columns?.some((c) => c.name === name && c.is === 'text' && c.need === true)
  return both.some((c) => named(from, c.name) && named(to, c.name)) ? both.map((c) => c.name) : []
}

/** What a record refers to, of fields with one value. */
export const refsOf = (fields: Field[], values: Form) => fields.flatMap((f) => {
  const v = values[f.name]
  return f.is === 'ref' && f.to && isRef(v) && v.id > 0 ? [{ type: f.to, id: v.id, title: v.title }] : []
})

/** Rows without the lines nobody filled in. */
function rowsToWire(f: Field, v: unknown): Form[] {
  const rows = (Array.isArray(v) ? v : []) as Form[]
  return rows
    .map((r) => Object.fromEntries((f.columns ?? []).filter(typed).map((c) => [c.name, toWire(c, r[c.name])]).filter(([, x]) => x !== null)) as Form)
    .filter((r) => Object.keys(r).length)
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** Only what differs from the beginning. */
export function changed(fields: Field[], form: Form, start: Form): Form {
  const out: Form = {}
  for (const f of fields) {
    const now = toWire(f, form[f.name])
    if (!same(now, toWire(f, start[f.name]))) out[f.name] = now
  }
  return out
}

export function filled(f: Field, form: Form): Form {
  const v = toWire(f, form[f.name])
  return v === null || (Array.isArray(v) && !v.length) ? {} : { [f.name]: v }
}

export const empty = (f: Field, v: unknown): boolean => {
  const w = toWire(f, v)
  return w === null || (Array.isArray(w) && !w.length)
}

/** What is still to be filled in, in words: the field itself, or a column of one of its rows. Without signal nobody else says so in time. */
export function lacks(f: Field, v: unknown, needed: boolean): string {
  if (empty(f, v)) return needed ? t('form.need', { label: f.label }) : ''
  if (f.is !== 'rows') return ''
  for (const [i, row] of (v as Form[]).entries())
    for (const c of f.columns ?? []) if (c.need === true && typed(c) && empty(c, row[c.name])) return t('form.need.row', { n: i + 1, label: c.label })
  return ''
}

/** Masked personal data come as 138****1234: sending that back would destroy the number. */
export const masked = (v: unknown): boolean => typeof v === 'string' && v.includes('*')
