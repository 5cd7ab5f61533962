// What the server says of settings tried on history. Settings go by the names of the point's record fields.
import { api } from '../api/http'
import { iso } from '../lib/time'

export type Settings = Record<string, number | null>
export interface TriedAlarm { rule: string; level: string; color: string; from: string; to: string | null; limit: number | null; extreme: number; announced: boolean; chatter: boolean }
export interface TriedEvent { at: string; type?: string; id?: number; number?: string; title?: string; alarm: string | null; lead_min: number | null }
export interface Figures {
  samples: number; days: number; alarms: number; per_day: number; chatter: number; standing: number; night: number; most_10min: number; active_s: number
  events: number; preceded: number; least_lead_min: number | null; notices: number | null; night_notices: number | null
}
export interface Side { settings: Settings; figures: Figures; events: TriedEvent[]; alarms: TriedAlarm[]; alarms_total: number }
export interface Suggestion {
  found: boolean; reached: boolean; changes: Settings; of: string; remove: number; delay_s: number; before: number; after: number; before_chatter: number
  after_chatter: number; kept_confirmed: number; kept_long: number; keep_s: number; later_s: number; tried: number; searched_from: string
}
export interface Tried { point: { id: number; code: string; name: string; unit: string }; chatter_window_s: number; stored: Side; candidate?: Side; suggestion?: Suggestion }

export async function tryOut(point: number | string, from: number, to: number, changes: Settings, suggest?: object): Promise<Tried> {
  const body = { points: [String(point)], from: iso(from), to: iso(to), ...(Object.keys(changes).length ? { changes } : {}), ...(suggest ? { suggest } : {}) }
  return (await api<{ items: Tried[] }>('/backtest', { method: 'POST', body, timeout: 40000 })).items[0]
}

/** What of a is not in b. */
export function changed(a: Settings, b: Settings): Settings {
  return Object.fromEntries(Object.entries(a).filter(([k, v]) => v !== b[k]))
}
/** What stands in an input: empty takes a setting away; undefined is no number. */
export function read(text: string): number | null | undefined {
  const s = text.trim()
  if (!s) return null
  return /^-?\d+(\.\d+)?$/.test(s) ? Number(s) : undefined
}
