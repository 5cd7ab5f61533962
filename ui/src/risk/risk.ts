// The risk index as the server says it: what there is, rankings, why; and the words for its arithmetic.
import { get } from '../api/http'
import type { Color } from '../api/types'
import { t, tx } from '../i18n'
import { num } from '../lib/number'

export type RiskKind = 'area' | 'sector' | 'enterprise' | 'grid'
export interface RiskLevel { color: Color; from: number; label: string; actions: string }
export interface RiskIndex {
  name: string; label: string; about: string; version: string; valid_from: string; basis: string; enterprises: number; rise: number
  areas: { worst: number; top: number; top_share: number; all_share: number; own: number }
  counts: Record<string, number>
  levels: RiskLevel[]
  components: { name: string; label: string; cap: number; lowers?: boolean; take: string; half_life_days?: number; weights: { value: string; label: string; weight: number }[] }[]
}
export interface Ranked { kind: RiskKind; key: string; title: string; score: number; level: Color; rise_24h: number; enterprises?: number; counts?: Record<string, number>; area?: string; sector?: string }
export interface RiskPart {
  component: string; label: string; about?: string; type: string; points: number; lowers?: boolean; raw?: number; cap?: number; take?: string; half_life_days?: number
  counts?: { value: string; label: string; n: number; amount: number; weight: number; points: number }[]
}
export interface Why {
  kind: RiskKind; key: string; title: string; score: number; level: Color; rise_24h: number; version: string; basis: string; at: string; area?: string; sector?: string
  parts: RiskPart[]
  formula?: { worst: number; worst_share: number; top: number; top_mean: number; top_share: number; enterprises: number; all_mean: number; all_share: number; own: number }
  members?: { key: string; title: string; score: number; level: Color; share: number; points: number }[]
  alarms?: { installation: number; installation_title: string; point: number; point_title: string; family: string; color: Color }[]
}
export interface TrendRow { at: string; score: number; level: Color; what: string; version: string; parts?: Record<string, number> }
export interface Change { at: string; kind: RiskKind; key: string; title: string; what: string; score: number; was: number; level: Color; level_was: Color; version: string }
export interface Rate { k: number; n: number; rate: number | null; low?: number; high?: number }
export interface BackTest { days: number; events: number; events_without_history: number; hits: Rate; false_alarms: Rate; spells_not_over: number; share_of_time: number; enough: boolean; say: string }

const KEEP = 30 // s: the declaration changes when the packs do
let known: { at: number; all: Promise<RiskIndex[]> } | null = null
/** The index of that name, without one the first (that of the map); null where there is none. */
export async function riskIndex(fresh = false, name = ''): Promise<RiskIndex | null> {
  if (!known || fresh || Date.now() - known.at > KEEP * 1000) {
    const all = get<{ items: RiskIndex[] }>('/index').then((x) => x.items)
    all.catch(() => (known = null))
    known = { at: Date.now(), all }
  }
  return (await known.all).find((x) => !name || x.name === name) ?? null
}
/** The index of credit counts what is taken off 100. */
export const CREDIT = 'credit'
export const shownScore = (x: { name: string }, score: number) => points(x.name === CREDIT ? 100 - score : score)
export const riskRank = (name: string, query: Record<string, string | number | undefined>) => get<{ items: Ranked[]; total: number; at: string }>(`/index/${name}/rank`, query)
export const riskWhy = (name: string, kind: RiskKind, key: string) => get<Why>(`/index/${name}/why`, { kind, key })
export const riskTrend = (name: string, kind: RiskKind, key: string, from: string, to: string) => get<{ items: TrendRow[] }>(`/index/${name}/trend`, { kind, key, from, to })

/** The last of a list. */
export const last = <T>(list: T[]): T | undefined => list[list.length - 1]
export const points = (v: number) => num(v, 1)
/** "2 × 18 + 1 × 2 = 38，封顶 40" - the arithmetic of one component. */
export function arithmetic(p: RiskPart): string {
  const rows = (p.counts ?? []).filter((c) => c.n > 0)
  if (!rows.length) return t('risk.none')
  if (p.take === 'max') return t('risk.worst', { what: rows.reduce((a, b) => (b.weight > a.weight ? b : a)).label, n: rows.reduce((n, c) => n + c.n, 0), points: points(p.points) })
  const terms = rows.map((c) => {
    const name = c.label ? c.label + ' ' : ''
    const faded = p.half_life_days && Math.abs(c.amount - c.n) > 0.005 ? t('risk.faded', { n: c.n, amount: num(c.amount, 2) }) : t('risk.n', { n: c.n })
    return `${name}${faded} × ${num(c.weight)}`
  })
  const capped = (p.raw ?? 0) > (p.cap ?? 100) + 0.005
  return terms.join(' + ') + ` = ${points(p.raw ?? p.points)}` + (capped ? t('risk.capped', { cap: num(p.cap) }) : '')
}
/** The formula of an area with its numbers in it. */
export function areaArithmetic(w: Why): string {
  const f = w.formula
  if (!f) return ''
  return t('risk.area.sum', { ws: num(f.worst_share), worst: points(f.worst), ts: num(f.top_share), top: f.top, tm: points(f.top_mean), as: num(f.all_share), n: f.enterprises, am: points(f.all_mean), own: f.own ? t('risk.area.own', { n: points(f.own) }) : '', score: points(w.score) })
}
export function formulaWords(x: RiskIndex): string {
  return t('risk.formula', { worst: num(x.areas.worst), ts: num(x.areas.top_share), top: x.areas.top, as: num(x.areas.all_share) }) + (x.areas.own ? t('risk.formula.own') : '')
}
/** Why it has this colour: limit of the level, and the three parts that weigh most. */
export function because(w: { score: number; level: Color; parts: { label: string; points: number }[] }, x: RiskIndex): string {
  const from = x.levels.find((l) => l.color === w.level)?.from ?? 0
  const top = w.parts.filter((p) => p.points >= 0.05).slice(0, 3).map((p) => `${p.label} ${points(p.points)}`).join(t('risk.and'))
  if (x.name === CREDIT) return (top ? t('credit.because', { score: shownScore(x, w.score), top }) : t('credit.clean'))
  const head = from > 0 ? t('risk.because', { score: points(w.score), from: num(from), color: tx('color', w.level) }) : t('risk.low', { score: points(w.score), color: tx('color', w.level) })
  return top ? head + t('risk.mostly', { top }) : head
}
