// An assessment as the server answers it, and what the page makes of it: rows for tables, GeoJSON, CSV.
import { get } from '../api/http'
import { csvCell } from '../lib/number'

export interface Both { with: number | null; without: number | null }
export interface Contour { level: number; km2: number; polygons: number[][][][] }
export interface Place { name: string; id?: number; class: string; at: [number, number]; limit: number; ir: number; met: boolean; from: { source: string; ir: number; part: number }[] }
export interface Source { name: string; owner?: string; id?: number; planned: boolean; at: [number, number]; f: number; domino: number; pll: number; part: number; worst: number; poison: number; fire: number; explosion: number }
export interface Answer {
  pll: number; ir_max: number; worst: number; outcomes: number
  capacity: { factor: number | null; pll: number | null; places: number | null; societal: number | null; place?: string; n?: number }
  fn: { criterion: { zh: string; en: string; upper: number; lower: number; slope: number; people: number }; zone: 'acceptable' | 'alarp' | 'unacceptable'; points: [number, number][] }
  places: Place[]; sources: Source[]; contours: Contour[]
  triggers: { trigger: string; event: number; scenarios: number; pll: number; deaths_per_event: number }[] // natural, the gravest first
  compare?: { left_out: string[]; pll: Both; ir_max: Both; factor: Both; places: { name: string; limit: number; ir: Both }[] }
}
export interface Run { id: number; number: string; name: string; state: string; working: boolean; part: number; answer?: Answer }

export const loadRun = (id: number | string, signal?: AbortSignal) => get<Run>('/qra/' + id, {}, signal)

/** 3.2e-7 as people write it: 3.2×10⁻⁷ */
export function sci(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '—'
  if (v === 0) return '0'
  const [m, e] = v.toExponential(1).split('e')
  const up = String(Number(e)).replace(/./g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]))
  return `${m.replace(/\.0$/, '')}×10${up}`
}

/** The stronger the risk, the darker; every level has its own dash too, for who cannot tell the colours. */
export const LOOKS = [
  { line: '#2a6f97', fill: 'rgba(42,111,151,.10)', dash: [2, 6] },
  { line: '#9a7b00', fill: 'rgba(214,175,30,.16)', dash: [10, 6] },
  { line: '#c2570c', fill: 'rgba(222,120,40,.22)', dash: [18, 5, 3, 5] },
  { line: '#b3261e', fill: 'rgba(190,40,30,.28)', dash: [] as number[] },
]
export const lookOf = (i: number, n: number) => LOOKS[Math.max(0, LOOKS.length - n + i)] ?? LOOKS[LOOKS.length - 1]

export function mainly(s: Source): 'poison' | 'fire' | 'explosion' | null {
  const top = (['poison', 'fire', 'explosion'] as const).reduce((a, b) => (s[b] > s[a] ? b : a))
  return s[top] > 0 ? top : null
}

export function geojson(a: Answer): string {
  const features: GeoJSON.Feature[] = [
    ...a.contours.filter((c) => c.polygons.length).map((c) => ({ type: 'Feature' as const, properties: { kind: 'contour', level: c.level, km2: c.km2 }, geometry: { type: 'MultiPolygon' as const, coordinates: c.polygons } })),
    ...a.sources.map((s) => ({ type: 'Feature' as const, properties: { kind: 'source', name: s.name, owner: s.owner ?? '', f: s.f, pll: s.pll, planned: s.planned }, geometry: { type: 'Point' as const, coordinates: s.at } })),
    ...a.places.map((p) => ({ type: 'Feature' as const, properties: { kind: 'place', name: p.name, class: p.class, limit: p.limit, ir: p.ir, met: p.met }, geometry: { type: 'Point' as const, coordinates: p.at } })),
  ]
  return JSON.stringify({ type: 'FeatureCollection', features })
}

export function csv(a: Answer): string {
  const rows: unknown[][] = [
    ['source', 'owner', 'planned', 'f_per_year', 'domino_per_year', 'pll_per_year', 'part', 'poison', 'fire', 'explosion'],
    ...a.sources.map((s) => [s.name, s.owner ?? '', s.planned, s.f, s.domino, s.pll, s.part, s.poison, s.fire, s.explosion]),
    [], ['place', 'class', 'limit_per_year', 'ir_per_year', 'met'],
    ...a.places.map((p) => [p.name, p.class, p.limit, p.ir, p.met]),
    [], ['natural_trigger', 'events_per_year', 'deaths_per_event', 'pll_per_year'], ...a.triggers.map((x) => [x.trigger, x.event, x.deaths_per_event, x.pll]),
    [], ['N', 'F_per_year'], ...a.fn.points,
    [], ['level_per_year', 'km2'], ...a.contours.map((c) => [c.level, c.km2]),
  ]
  return '\ufeff' + rows.map((r) => r.map(csvCell).join(',')).join('\r\n') + '\r\n'
}
