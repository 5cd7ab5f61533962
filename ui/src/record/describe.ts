// Reading a type description: columns, filters, what a move needs. No field of any type is named here; the columns
// every record has (number, state, area …) are.
import type { Field, FieldKind, Listing, Move, Rec, Ref, State, TypeInfo } from '../api/types'
import { t, type Key } from '../i18n'

/** Columns that the engine gives every record, as if they were fields. */
const COMMON: { name: string; is: FieldKind; key: Key; states?: boolean }[] = [
  { name: 'number', is: 'text', key: 'col.number' },
  { name: 'state', is: 'menu', key: 'col.state', states: true },
  { name: 'area', is: 'area', key: 'col.area' },
  { name: 'enterprise', is: 'ref', key: 'col.enterprise' },
  { name: 'deadline', is: 'time', key: 'col.deadline', states: true },
  { name: 'state_at', is: 'time', key: 'col.state_at', states: true },
  { name: 'created_at', is: 'time', key: 'col.created_at' },
  { name: 'created_by', is: 'ref', key: 'col.created_by' },
  { name: 'changed_at', is: 'time', key: 'col.changed_at' },
  { name: 'changed_by', is: 'ref', key: 'col.changed_by' },
]

export function commonFields(info: TypeInfo): Field[] {
  return COMMON.filter((c) => (!c.states || info.states.length) && (c.name !== 'number' || info.number)).map((c) => ({
    name: c.name,
    is: c.is,
    label: t(c.key),
    to: c.name === 'enterprise' ? 'enterprise' : c.is === 'ref' ? 'person' : undefined,
    items: c.name === 'state' ? info.states.map((s) => ({ value: s.name, label: s.label, color: s.color })) : undefined,
  }))
}
/** Every column a list can show: own fields first, then the common ones that are no own field. */
export function allColumns(info: TypeInfo): Field[] {
  const own = info.fields.filter((f) => f.is !== 'shape')
  return [...own, ...commonFields(info).filter((c) => !own.some((f) => f.name === c.name))]
}

export function defaultColumns(info: TypeInfo, list?: Listing): string[] {
  const known = new Set(allColumns(info).map((c) => c.name))
  const show = (list?.show ?? []).filter((n) => known.has(n))
  if (show.length) return show
  const first = info.fields.filter((f) => !f.lines && !f.expert && !['shape', 'position', 'rows', 'sheet', 'files', 'photos'].includes(f.is)).slice(0, 6).map((f) => f.name)
  return [...(info.number ? ['number'] : []), ...first, ...(info.states.length ? ['state', 'deadline'] : [])]
}

/** Fields worth a filter, menus first (they are what people filter by). */
export function filterFields(info: TypeInfo): Field[] {
  const order: FieldKind[] = ['menu', 'area', 'ref', 'origin', 'date', 'time', 'bool', 'menus']
  const rank = (f: Field) => (f.name === 'state' ? -1 : order.indexOf(f.is))
  return allColumns(info)
    .filter((f) => f.name === 'state' || (order.includes(f.is) && !['created_by', 'changed_by', 'state_at'].includes(f.name)))
    .sort((a, b) => rank(a) - rank(b))
}

export const stateOf = (info: TypeInfo | null, name?: string): State | undefined => info?.states.find((s) => s.name === name)
export const fieldOf = (info: TypeInfo, name: string): Field | undefined => info.fields.find((f) => f.name === name)

export interface Group { name: string; label: string; fields: Field[] }
export function groups(info: TypeInfo, fields: Field[]): Group[] {
  const list: Group[] = info.groups.map((g) => ({ ...g, fields: fields.filter((f) => f.group === g.name) }))
  const rest = fields.filter((f) => !info.groups.some((g) => g.name === f.group))
  if (rest.length) list.unshift({ name: '', label: info.label, fields: rest })
  return list.filter((g) => g.fields.length)
}

/** Whose turn it is in the record's state: roles in words, persons and organisations by name where this reader may read them. */
export function waitsFor(info: TypeInfo, rec: Rec): string[] {
  const out = (stateOf(info, rec.state)?.waits ?? []).flatMap((w) => {
    if (w.label) return [w.label]
    const v = w.field ? (rec[w.field] as Ref | Ref[] | null | undefined) : null
    const names = (Array.isArray(v) ? v : v ? [v] : []).map((x) => x.title).filter((x): x is string => !!x)
    return names.length ? names : w.field ? [fieldOf(info, w.field)?.label ?? ''] : []
  })
  return [...new Set(out.filter(Boolean))]
}

/** Moves this person may do now, in the order of the description. */
export function movesNow(info: TypeInfo, rec: Rec): Move[] {
  return info.moves.filter((m) => rec.moves?.includes(m.name))
}

/** Moves that are mine from here but whose condition does not hold, with the reason: shown, not to be pressed. */
export function movesBlocked(info: TypeInfo, rec: Rec): { move: Move; why: string }[] {
  const said = new Map((rec.blocked ?? []).map((b) => [b.move, b.why]))
  return info.moves.flatMap((m) => (said.has(m.name) ? [{ move: m, why: said.get(m.name)! }] : []))
}

/** For each field the moves (from this state) that want it filled: shown as "needed for …". */
export function neededFor(info: TypeInfo, state?: string): Record<string, string[]> {
  const out: Record<string, string[]> = {}
  const from = state || info.states[0]?.name
  for (const m of info.moves) {
    if (from && !m.from?.includes(from)) continue
    for (const f of m.needs ?? []) (out[f] ??= []).push(m.label)
  }
  return out
}

/** The way ahead from a state: always the first move described, until an end or a state seen before. */
export function wayAhead(info: TypeInfo, state?: string): State[] {
  const out: State[] = []
  let at = state
  const seen = new Set([at])
  for (;;) {
    if (stateOf(info, at)?.end) return out
    const next = info.moves.find((m) => m.to && !m.back && at !== undefined && m.from?.includes(at) && !seen.has(m.to))
    const s = next && stateOf(info, next.to)
    if (!s) return out
    out.push(s)
    at = s.name
    seen.add(at)
  }
}

/** A moment to look at in the trend: the first time among the record's own fields, else its creation. */
export function momentOf(info: TypeInfo, rec: Rec): string | undefined {
  const f = info.fields.find((x) => x.is === 'time' && rec[x.name])
  return (f && String(rec[f.name])) || rec.created_at
}
