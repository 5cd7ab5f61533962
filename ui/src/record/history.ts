// History entries in words. The server keeps them as {action, detail}; detail names the move, the states and the fields.
import type { HistoryItem, TypeInfo } from '../api/types'
import { t, tx } from '../i18n'
import { stamp } from '../lib/time'
import { allColumns, stateOf } from './describe'

export interface Change { label: string; from: string; to: string }
export interface Entry { seq: number; at: string; who: string; what: string; state: string; color?: string; reason: string; changes: Change[] }

type Detail = Record<string, unknown>

function text(info: TypeInfo, field: string, v: unknown): string {
  if (v === null || v === undefined || v === '') return '—'
  const f = allColumns(info).find((x) => x.name === field)
  if (Array.isArray(v)) return v.map((x) => text(info, field, x)).join('、')
  if (typeof v === 'object') return String((v as { title?: string }).title ?? JSON.stringify(v))
  const item = f?.items?.find((i) => i.value === String(v))
  if (item) return item.label
  if (f?.is === 'time') return stamp(typeof v === 'number' && v > 1e14 ? v / 1000 : (v as string))
  if (f?.is === 'bool') return v ? t('yes') : t('no')
  return String(v)
}

function pairs(d: Detail): [string, unknown, unknown][] {
  const from = (d.changes ?? d.fields ?? d.set) as unknown
  if (Array.isArray(from)) return from.map((c) => [String(c.field ?? c.name), c.old ?? c.from, c.new ?? c.to])
  if (!from || typeof from !== 'object') return []
  return Object.entries(from as Detail).map(([k, v]) => {
    if (Array.isArray(v) && v.length === 2) return [k, v[0], v[1]]
    if (v && typeof v === 'object' && ('old' in v || 'new' in v)) return [k, (v as Detail).old, (v as Detail).new]
    if (v && typeof v === 'object' && ('from' in v || 'to' in v)) return [k, (v as Detail).from, (v as Detail).to]
    return [k, undefined, v]
  })
}

export function entry(info: TypeInfo, h: HistoryItem): Entry {
  const d = (h.detail && typeof h.detail === 'object' ? h.detail : {}) as Detail
  const move = info.moves.find((m) => m.name === (d.move ?? ''))
  const to = stateOf(info, String(d.to ?? d.state ?? ''))
  const kind = h.action.split('.').pop() ?? h.action
  return {
    seq: h.seq,
    at: h.at,
    who: h.actor?.title || t('system'),
    what: move?.label ?? tx('haction', kind),
    state: to?.label ?? '',
    color: to?.color,
    reason: String(d.reason ?? d.text ?? ''),
    changes: pairs(d)
      .map(([name, from, v]) => ({ label: allColumns(info).find((f) => f.name === name)?.label ?? name, from: from === undefined ? '' : text(info, name, from), to: text(info, name, v) }))
      .filter((c) => c.to !== '—' || c.from),
  }
}
