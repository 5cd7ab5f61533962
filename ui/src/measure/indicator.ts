// Indicators as the server measures them, and how they read.
import { t } from '../i18n'
import { num } from '../lib/number'

export interface Target { kind: string; goal: number | null; last?: number | null; year?: number | null; base?: number | null; base_year?: number | null; change?: number | null; projected?: number | null }
export interface Figure { num: number | null; den: number | null; value: number | null; light: string; target: Target | null }
export interface Definition { name: string; label: string; about: string; unit: string; decimals: number; period_kind: string; property: string; better: string; public: boolean; version: string; by: string[]; parts: string[]; seasonal: boolean }
export type Indicator = Definition & Figure & { period: string }
export type Part = Figure & { key: string; title: string }
export type Measured = Definition & { period: string; from: string; to: string; total: Figure; items: Part[] }
export type Point = Figure & { period: string; snapshot?: { value: number | null; light: string; at: string; differs: boolean } }

export function shown(i: { unit?: string; decimals?: number }, v: number | null | undefined): string {
  if (v === null || v === undefined) return '—'
  const s = num(v, i.decimals)
  return !i.unit ? s : i.unit === '%' || i.unit === '‰' ? s + i.unit : s + ' ' + i.unit
}
/** Good, nearly, missed: the word that goes with the light. */
export const lightWord = (c?: string | null): string => (c === 'green' ? t('light.green') : c === 'amber' ? t('light.amber') : c === 'red' ? t('light.red') : t('light.none'))
export const lightColor = (c?: string | null): string => (c === 'amber' ? 'yellow' : c || 'grey')

/** The goal with its direction, as people write it. */
export const goal = (i: { unit?: string; decimals?: number; better: string }, target: Target | null): string => (!target || target.goal === null ? '—' : (i.better === 'lower' ? '≤ ' : '≥ ') + shown(i, target.goal))

/** "2026-11", "2026-Q4", "2026" for a day of China Standard Time; n periods back. */
export function periodOf(kind: string | undefined, back = 0, at = Date.now()): string {
  const d = new Date(at + 8 * 3600_000)
  const [y, m] = [d.getUTCFullYear(), d.getUTCMonth()]
  if (kind === 'year') return String(y - back)
  if (kind === 'quarter') {
    const q = y * 4 + Math.floor(m / 3) - back
    return `${Math.floor(q / 4)}-Q${(q % 4) + 1}`
  }
  if (kind === 'week') {
    const day = new Date(d.getTime() - back * 7 * 86400_000)
    const thursday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 3 - ((day.getUTCDay() + 6) % 7)))
    const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
    return `${thursday.getUTCFullYear()}-W${String(1 + Math.floor((thursday.getTime() - first) / (7 * 86400_000))).padStart(2, '0')}`
  }
  if (kind === 'day') return new Date(d.getTime() - back * 86400_000).toISOString().slice(0, 10)
  const n = y * 12 + m - back
  return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`
}
/** A period as people say it: 2026 年第 4 季度, 2026 年 11 月, 2026 年第 48 周; days stay as they are. */
export function periodWords(period: string | null | undefined): string {
  const [, y, kind, n] = /^(\d{4})(?:-(Q|W)?(\d{1,2}))?$/.exec(period ?? '') ?? []
  if (!y) return period ?? ''
  if (!n) return t('period.year', { y })
  return kind === 'Q' ? t('period.quarter', { y, n }) : kind === 'W' ? t('period.week', { y, n: Number(n) }) : t('period.month', { y, n: Number(n) })
}
export const periods = (kind: string | undefined, n = 12): string[] => Array.from({ length: n }, (_, i) => periodOf(kind, i))
