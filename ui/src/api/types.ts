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
  reveal?: boolean
  second_factor?: { on: boolean; must: boolean }
  county: { name: Text }
}
export interface Demo { demo: boolean; roles: { name: string; label: string; person: string; try: Text }[] }

export type FieldKind =
  | 'text' | 'number' | 'money' | 'bool' | 'date' | 'time' | 'menu' | 'menus'
  | 'ref' | 'position' | 'shape' | 'phone' | 'uscc' | 'area'
  | 'refs' | 'files' | 'photos' | 'rows' | 'idcard' | 'sheet' | 'origin'
/** A part of an expression as the server sends it; see lib/expr.ts. */
export type Expr = unknown
export interface MenuItem { value: string; label: string; color?: string; ended?: string /* offered no more from that day */ }
export interface Field {
  name: string
  is: FieldKind
  label: string
  help?: string
  group?: string
  need?: boolean | Expr // always, never, or while the expression is true
  when?: Expr // shown (and kept) only while true
  compute?: Expr // made by the server from other fields; shown live
  draw?: string // shown from the record this reference names
  draw_field?: string // and there from this field
  words?: { when?: string; need?: string; compute?: string }
  columns?: Field[] // of rows
  accept?: string[]
  where?: boolean // photos: place and time wanted
  shape?: 'point' | 'line' | 'area'
  personal?: boolean
  of?: string // sheet: name of the assessment
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
  from?: string[] // origin: types whose records open this one, of those this person may read
  masked?: boolean
  default?: unknown
}
/** The record that opened this one, of any type; hidden: that there is one and no more. */
export type Origin = { type: string; id: number; number: string; title: string; hidden?: undefined } | { hidden: true }
export interface SheetItem {
  path: string
  label: string
  about?: string
  level: number
  leaf: boolean
  points: number
  veto: boolean
  evidence: boolean
  auto: boolean
  auto_points?: number | null
  self?: number | null
  review?: number | null
  final?: number | null
  counts?: number | null
  note?: string
  files?: number[]
}
export interface SheetInfo { assessment: string; label: string; full: number; score: number; vetoed: boolean; complete: boolean; auto_at: string | null; items: SheetItem[] }
export interface FileInfo { id: number; name: string; size: number; mime: string; sm3?: string; taken_at?: string | null; lon?: number | null; lat?: number | null }
export interface State { name: string; label: string; color?: string; end?: boolean; who?: string[]; waits?: { label?: string; field?: string }[]; asks?: string[]; withdraw?: boolean; clock?: string; edit?: string[] }
export interface Move {
  name: string
  label: string
  from: string[]
  to?: string // none: it stays in its state
  who: string[]
  needs?: string[]
  asks?: string[]
  reason?: boolean
  sign?: boolean
  back?: boolean // a return: needs a reason, drawn apart
  say?: string // why not, when its condition does not hold
  opens?: string[]
}
export interface Check { name: string; that: Expr; say: string; at?: string }
export interface Listing { name: string; label: string; show?: string[]; open?: boolean; where?: Record<string, unknown>; order?: string[] }
/** A business pack as its about/pack.yaml says; in the order of menus. */
export interface PackBrief { name: string; label: string; about: string; section: string; first: string[]; today: TodayList[] }
/** A list that tells how the day goes. */
export interface TodayList { type: string; list: string; label: string }
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
  released?: boolean
  drawing?: { picture: string; spots: string; x: string; y: string; of: string; to: string; color: string } // spots on a picture
  pack?: string
  checks?: Check[]
  extend?: { states: string[]; max?: number; longest?: string; may_ask?: boolean } | null
  version?: string
  linked?: { type: string; field: string }[] // types that refer to this one
  dossier?: unknown
}
export interface Blocked { move: string; why: string }
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
  sector?: string | null
  paused_s?: number
  moves?: string[]
  blocked?: Blocked[] // moves that are mine but whose condition is not met
  withdraw?: boolean
  can?: string[]
  [field: string]: unknown
}
export interface Extension { id: number; state: string; was: string; until: string; reason: string; asked_by: string; asked_at: string; decided_by?: string; decided_at?: string; answer?: string; may_decide: boolean }
export interface Receipt { person: number; name: string; tier: number; told_at: string; sent: number; read_at?: string; confirmed_at?: string; confirmed_by: string; note: string; late: boolean; next_at?: string; messages: { channel: string; state: string }[] }
export interface Release { id: number; seq: number; message: string; level: string; at: string; by: string; reason: string; text: { zh: string; en: string }; expires?: string; tier: number; in_force: boolean; mine: boolean; counts: { told: number; read: number; confirmed: number; late: number }; receipts: Receipt[] }
export interface KpiNumbers { key: string; title: string; activations: number; per_hour: number; per_day: number; load: 'acceptable' | 'manageable' | 'demanding' | 'unacceptable'; busy_hours_percent: number; peak_10min: number; peak_hour: number; floods: number; flood_percent: number; above_percent: number }
export interface KpiActor { point: number; name: string; rule: string; rule_label: { zh: string; en: string }; n: number }
export interface KpiOpen { alarm: number; point: number; name: string; rule: string; rule_label: { zh: string; en: string }; color: string; since: string }
export interface AlarmKpi { from: string; to: string; targets: { per_hour: number; peak_10min: number; peak_hour: number; flood_percent: number; busy_hours_percent: number; per_day: number; per_day_most: number; stale: number; top_percent: number; priorities: Record<string, number> }; top_percent: number; total: KpiNumbers; groups: KpiNumbers[]; priorities: Record<string, number>; actors: KpiActor[]; chattering: KpiActor[]; fleeting: KpiActor[]; hidden: Record<string, number>; unrationalised: { rule: string; rule_label: { zh: string; en: string }; n: number }[]; reviews_due: number; standing: KpiOpen[]; stale: KpiOpen[]; operators: { person: number; name: string; acks: number; response_s: number }[] }
export interface AlarmFlood { flood: boolean; since?: string; count: number; minutes: number; groups: { installation: number; enterprise: number; title: string; n: number; first?: { alarm: number; name: string; say: { zh: string; en: string }; at: string } }[] }
export interface Page<T> { items: T[]; total: number; at_least?: boolean; page?: number; size?: number }
export interface Comment { id: number; at: string; person: number; name: string; text: string; mentions: Ref[] }
export interface DocBrief { name: string; label: string; about?: string }
export interface Issued { id?: number; number: string; document: string; label: string; at: string; by: string; file: number; sm3: string; period?: string; void_at?: string; void_reason?: string }
export interface WorkItem { type: string; type_label: string; id: number; number: string; title: string; state: string; state_label: string; deadline?: string; at?: string; escalated: number; what?: string; what_label?: string; request?: number; gone?: boolean }
export interface Delegation { id: number; person: Ref; to: Ref; from: string; until: string; reason: string; in_force: boolean; ended: boolean }
export interface View { id: number; name: string; query: string; shared: boolean; mine: boolean }
export interface Count { key: string | number | null; title: string; n: number; color?: string }
export interface HistoryItem { seq: number; at: string; actor: Ref | null; action: string; detail: unknown }

/** Who or what keeps an alarm from being announced. */
export interface Hidden { by: 'person' | 'service' | 'window' | 'cause'; ref: number; since: string | null; until: string | null; who: string; why: { zh: string; en: string } }
export interface Suppressed {
  items: Alarm[]
  windows: { id: number; number: string; from: string; until: string; reason: string; approver: string; enterprise: number; hidden: number; overrun: boolean }[]
  causes: { id: number; rule: string; since: string; alarm: number; point: number; name: string; say: { zh: string; en: string }; enterprise: number; hidden: number }[]
}
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
  hidden?: Hidden | null
  never_hidden?: boolean
  latch?: boolean
  thread?: number
  opened?: { type: string; id: number; number: string } | null
  late?: boolean
  position?: [number, number] | null
}
export interface AlarmList { items: Alarm[]; total: number; counts?: Record<string, number> }
export interface JournalItem { at: string; what: string; level?: string; from?: string; to?: string; value?: number | null; actor?: Ref | string | null; reason?: string | null; detail?: unknown; [k: string]: unknown }

export interface MapArea { code: string; name: Text; tier: string; color?: Color; geometry: GeoJSON.Geometry }
export interface MapBase { bounds: [number, number, number, number]; areas: MapArea[]; layers: Record<string, GeoJSON.FeatureCollection> }
export interface TileLayerInfo { layer: string; label: string; kind: 'point' | 'area'; risk: boolean; live: boolean }

export interface Duty { type: string; id: number; number: string; title: string; state: string; deadline?: string | null; since?: string; escalated?: number }
export interface Notice { id: number; at: string; text: Text; text_zh?: string; text_en?: string; type?: string; record?: number; read_at?: string | null }
export interface ThreadItem { kind: string; id: number; number?: string; title: string; state?: string; at: string }
export interface Share { received: number; expected: number; complete?: number; online?: number }
export interface ShareRow { enterprise?: number; area?: string; devices: number; online: number; hour: Share; day: Share }
export interface DeviceHealth {
  id: number
  code: string
  name: string
  enterprise?: number
  area?: string
  doubts?: number
  disabled?: boolean
  protocol?: string
  online: boolean
  last?: string | null
  readings?: number
  rejects?: Record<string, number>
  peer?: string
  since?: string | null
  last_reject?: { at: string; reason: string; reason_text: string; text: string }
  clock: 'unknown' | 'ok' | 'warn' | 'bad'
  clock_off_s?: number
  clock_leaps: number
  clock_leap_at?: string
  clock_leap_s?: number
  lag_s?: number
  hour: Share
  day: Share
}
export interface DevicesHealth { items: DeviceHealth[]; total: ShareRow; enterprises: ShareRow[]; areas: ShareRow[]; unknown: DeviceHealth[] }
export interface DropFiles { items: { name: string; state: 'reading' | 'done' | 'failed'; at: string; rows: number; accepted: number; duplicates: number; wrong: number; message?: string }[] }
export interface Session { id: number; at?: string; created_at?: string; seen_at?: string; peer?: string; current?: boolean; person?: Ref | number }
