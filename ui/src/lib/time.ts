// Times as people here read them. The county works in China Standard Time (UTC+8, no summer time), whatever the
// computer's own zone is: two people on the phone must see the same clock.
import { t } from '../i18n'

const ZONE = 8 * 3600_000
const two = (n: number) => String(n).padStart(2, '0')

export function ms(at: string | number | null | undefined): number {
  if (at === null || at === undefined || at === '') return NaN
  return typeof at === 'number' ? at : Date.parse(at)
}

/** 2026-11-22 10:05:07 (or to the minute) */
export function stamp(at: string | number | null | undefined, seconds = true): string {
  const v = ms(at)
  if (!Number.isFinite(v)) return '—'
  const d = new Date(v + ZONE)
  const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`
  return `${day} ${clock(v, seconds)}`
}

/** 10:05:07 */
export function clock(at: string | number, seconds = true): string {
  const d = new Date(ms(at) + ZONE)
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}` + (seconds ? ':' + two(d.getUTCSeconds()) : '')
}

/** Time only when it is today, else month-day and time. */
export function brief(at: string | number | null | undefined, now = Date.now()): string {
  const v = ms(at)
  if (!Number.isFinite(v)) return '—'
  const full = stamp(v)
  return full.slice(0, 10) === stamp(now).slice(0, 10) ? full.slice(11) : full.slice(5, 16)
}

/** A length of time in two units at most: 3 天 4 小时, 12 分 05 秒. */
export function span(length: number): string {
  const s = Math.floor(Math.abs(length) / 1000)
  const d = Math.floor(s / 86400)
  const h = Math.floor((s % 86400) / 3600)
  const m = Math.floor((s % 3600) / 60)
  if (d) return t('span.dh', { d, h })
  if (h) return t('span.hm', { h, m })
  if (m) return t('span.ms', { m, s: two(s % 60) })
  return t('span.s', { s })
}

/** For inputs: local wall time without zone, and back to RFC 3339. */
export const toWall = (at: string | number) => stamp(at).replace(' ', 'T')
export const fromWall = (wall: string) => wall.replace(' ', 'T') + '+08:00'
export const iso = (v: number) => new Date(v).toISOString()
