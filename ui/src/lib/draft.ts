// Drafts of forms, kept in this browser: a page closed by mistake, a lost network or an ended session costs nothing.
// Personal data are not kept: the computer may be shared.
import type { Field } from '../api/types'
import type { Form } from '../record/values'

const LONGEST = 7 * 86400_000
export interface Draft { at: number; version: number; values: Form; once?: string }

export const draftKey = (person: number, type: string, id: number | string, what = 'form') => `anlan.draft.${person}.${type}.${id}.${what}`
const private_ = (f: Field) => !!f.personal || f.is === 'idcard' || f.is === 'phone'

export function keepDraft(key: string, fields: Field[], changed: Form, values: Form, version = 0, once?: string) {
  const kept = Object.fromEntries(Object.keys(changed).filter((k) => { const f = fields.find((x) => x.name === k); return !f || !private_(f) }).map((k) => [k, values[k]]))
  try {
    if (Object.keys(kept).length) localStorage.setItem(key, JSON.stringify({ at: Date.now(), version, values: kept, ...(once ? { once } : {}) }))
    else localStorage.removeItem(key)
  } catch {
    // the browser's store is full or forbidden: the form works without
  }
}

export function readDraft(key: string, now = Date.now()): Draft | null {
  try {
    const d = JSON.parse(localStorage.getItem(key) ?? 'null') as Draft | null
    if (d && typeof d.at === 'number' && d.values && now - d.at < LONGEST) return d
  } catch {
    // damaged: as if there were none
  }
  dropDraft(key)
  return null
}

export function dropDraft(key: string) {
  localStorage.removeItem(key)
}
