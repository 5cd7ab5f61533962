// Shapes of the server's answers (contract: /api/v1). Nothing here knows a field of a record type.
export type Lang = 'zh' | 'en'
export type Text = string | { zh: string; en: string }
export type Color = 'red' | 'orange' | 'yellow' | 'blue' | 'green' | 'grey'
export interface Ref { id: number; title: string }

export interface Me {
  id: number
  name: string
  title: string
  lang: Lang
  roles: { name: string; label: string }[]
  may: string[]
  area: string
  enterprise: Ref | null
  demo: boolean
  county: { name: Text }
}
export interface Demo { demo: boolean; roles: { name: string; label: string; person: string; try: Text }[] }

export type FieldKind =
  | 'text' | 'number' | 'money' | 'bool' | 'date' | 'time' | 'menu' | 'menus'
  | 'ref' | 'position' | 'shape' | 'phone' | 'uscc' | 'area'
export interface MenuItem { value: string; label: string; color?: string }
export interface Field {
  name: string
  is: FieldKind
  label: string
  help?: string
  group?: string
  need?: boolean
  readonly?: boolean
  search?: boolean
  expert?: boolean
  unit?: string
  min?: number
  max?: number
  decimals?: number
  lines?: boolean | number
  items?: MenuItem[]
  to?: string
  masked?: boolean
  default?: unknown
}
export interface State { name: string; label: string; color?: string; end?: boolean; who?: string[] }
export interface Move {
  name: string
  label: string
  from: string[]
  to: string
  who: string[]
  needs?: string[]
  asks?: string[]
  reason?: boolean
  sign?: boolean
}
export interface Listing { name: string; label: string; show?: string[]; open?: boolean; where?: Record<string, unknown>; order?: string[] }
export interface TypeBrief { name: string; label: string; pack?: string; icon?: string; can: string[]; states?: boolean; about?: string }
export interface TypeInfo {
  name: string
  label: string
  about?: string
  icon?: string
  number?: string
  title?: string
  geometry?: string
  groups: { name: string; label: string }[]
  fields: Field[]
  states: State[]
  moves: Move[]
  lists: Listing[]
  can: string[]
}
export interface Rec {
  id: number
  number?: string
  title?: string
  state?: string
  area?: string
  area_title?: string
  enterprise?: Ref | null
  thread?: number
  version: number
  created_at?: string
  created_by?: Ref | null
  changed_at?: string
  changed_by?: Ref | null
  state_at?: string | null
  deadline?: string | null
  escalated?: number
  retired?: boolean
  moves?: string[]
  can?: string[]
  [field: string]: unknown
}
export interface Page<T> { items: T[]; total: number; page?: number; size?: number }
export interface HistoryItem { seq: number; at: string; actor: Ref | null; action: string; detail: unknown }

export interface Alarm {
  id: number
  point: { id: number; code: string; name: string; kind?: string; unit?: string }
  enterprise: Ref | null
  installation: Ref | null
  area: string
  rule: string
  rule_label: Text
  family: string
  level: string
  color: Color
  state: string
  active: boolean
  acked: boolean
  raised_at: string
  returned_at?: string | null
  value: number | null
  limit: number | null
  peak?: number | null
  count?: number
  say: Text
  guide?: Text | null
  acked_by?: Ref | null
  acked_at?: string | null
  shelved_until?: string | null
  shelve_reason?: string | null
  thread?: number
  opened?: { type: string; id: number; number: string } | null
  late?: boolean
  position?: [number, number] | null
}
export interface AlarmList { items: Alarm[]; total: number; counts?: Record<string, number> }
export interface JournalItem { at: string; what: string; level?: string; from?: string; to?: string; value?: number | null; actor?: Ref | string | null; reason?: string | null; detail?: unknown; [k: string]: unknown }

export interface MapArea { code: string; name: Text; tier: string; color?: Color; geometry: GeoJSON.Geometry }
export interface MapBase { bounds: [number, number, number, number]; areas: MapArea[]; layers: Record<string, GeoJSON.FeatureCollection> }
export interface MapEnterprise { id: number; title: string; position: [number, number]; color: Color; sector?: string; area?: string; alarms?: number; reason?: Text | null }
export interface MapPoint {
  id: number
  code: string
  name: string
  position: [number, number]
  color: Color
  value: number | null
  unit?: string
  quality?: string | number
  at?: string | null
  enterprise?: number | Ref | null
}
export interface MapObjects { enterprises: MapEnterprise[]; installations: MapEnterprise[]; points: MapPoint[] }

export interface Duty { type: string; id: number; number: string; title: string; state: string; deadline?: string | null; since?: string; escalated?: number }
export interface Notice { id: number; at: string; text: Text; text_zh?: string; text_en?: string; type?: string; record?: number; read_at?: string | null }
export interface ThreadItem { kind: string; id: number; number?: string; title: string; state?: string; at: string }
export interface DeviceHealth {
  id: number
  code: string
  name: string
  enterprise?: Ref | string | null
  protocol: string
  online: boolean
  last?: string | null
  readings?: number
  rejects?: Record<string, number>
  peer?: string
  since?: string | null
  last_reject?: { at?: string; reason?: string; text?: string } | string | null
}
export interface Session { id: number; at?: string; created_at?: string; seen_at?: string; peer?: string; current?: boolean; person?: Ref | number }
