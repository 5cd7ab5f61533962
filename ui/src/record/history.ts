// History entries in words. The server keeps an action ("create", "move:NAME", "overdue" …) and a detail: changed
// fields as {FIELD: [was, is]}, state as [was, is], and the reason; an escalation as {state, step, told}.
import type { Field, HistoryItem, Rec, TypeInfo } from '../api/types'
import { lang, t, tx } from '../i18n'
import { stamp } from '../lib/time'
import { areaName } from '../use/areas'
import { titleOf } from '../use/titles'
import { typeLabel } from '../use/types'
import { allColumns, stateOf } from './describe'

export interface Change { label: string; from: string; to: string }
export interface Entry { seq: number; at: string; who: string; what: string; state: string; color?: string; reason: string; signed: boolean; done: string; changes: Change[] }

type Detail = Record<string, unknown>
const blank = (v: unknown) => v === null || v === undefined || v === '' || (Array.isArray(v) && !v.length)
export const detailOf = (h: HistoryItem): Detail => (h.detail && typeof h.detail === 'object' ? (h.detail as Detail) : {})

/** The state an entry led to, if it did. */
export function stateAfter(h: HistoryItem): string | undefined {
  const s = detailOf(h).state
  return Array.isArray(s) ? (s[1] as string) : undefined
}

function text(f: Field | undefined, v: unknown, rec?: Rec): string {
  if (blank(v)) return '—'
  if (f?.is === 'position' && Array.isArray(v)) return v.join(', ')
  if (Array.isArray(v)) return v.map((x) => text(f, x, rec)).join(t('list.and'))
  if (typeof v === 'object') return String((v as { title?: string }).title ?? JSON.stringify(v))
  const item = f?.items?.find((i) => i.value === String(v))
  if (item) return item.label
  if (f?.is === 'ref') {
    const now = rec?.[f.name] as { id: number; title: string } | null | undefined
    return now && now.id === v && now.title ? now.title : titleOf(f.to ?? '', Number(v))
  }
  if (f?.is === 'origin' && String(v).includes(':')) {
    const [type, id] = String(v).split(':')
    return typeLabel(type) + ' ' + titleOf(type, Number(id))
  }
  if (f?.is === 'time') return stamp(v as string)
  if (f?.is === 'area') return areaName(String(v))
  if (f?.is === 'bool') return v ? t('yes') : t('no')
  return String(v)
}

export function entry(info: TypeInfo, h: HistoryItem, rec?: Rec): Entry {
  const d = detailOf(h)
  const [action, name] = h.action.split(':')
  const columns = allColumns(info)
  const state = stateOf(info, stateAfter(h) ?? (action === 'create' ? info.states[0]?.name : undefined))
  const changes = Object.entries(d).flatMap(([k, v]) => {
    if (k === 'state' || !Array.isArray(v) || v.length !== 2) return []
    const f = columns.find((c) => c.name === k)
    return blank(v[0]) && blank(v[1]) ? [] : [{ label: f?.label ?? k, from: blank(v[0]) ? '' : text(f, v[0], rec), to: text(f, v[1], rec) }]
  })
  return {
    seq: h.seq,
    at: h.at,
    who: h.actor?.id ? h.actor.title || '#' + h.actor.id : t('system'),
    what: info.moves.find((m) => m.name === name)?.label ?? tx('haction', action.split('.').pop() ?? action),
    state: state?.label ?? '',
    color: state?.color,
    reason: action === 'overdue' ? t('history.told', { step: Number(d.step ?? 0), role: tx('role', String(d.told ?? '')) }) : String((lang.value === 'en' && d.reason_en) || d.reason || ''),
    signed: d._signed === true,
    done: typeof d._done === 'string' ? d._done : '',
    changes: action === 'create' ? [] : changes,
  }
}
