// A point's history for drawing: samples when the window is short, steps (min, average, max) when it is long.
import { get } from '../api/http'
import { iso, ms } from '../lib/time'
import { quality } from '../lib/number'

export interface Sample { at: number; value: number; quality: string }
export interface Step { at: number; n: number; min: number; max: number; avg: number; quality: string }
export interface Series { unit?: string; step: number; samples: Sample[]; steps: Step[] }

const RAW_SPAN = 2 * 3600_000
const ZONE = 8 * 3600_000
const NICE = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400]

/** Seconds of a step so that a window has about `want` of them; 0 = draw the samples themselves. */
export function stepFor(span: number, want = 400): number {
  if (span <= RAW_SPAN) return 0
  const s = span / 1000 / want
  return NICE.find((x) => x >= s) ?? Math.ceil(s / 86400) * 86400
}

type RawItem = [string | number, number | null, (string | number)?]
interface AggItem { from: string | number; count: number; min: number; max: number; avg: number; quality?: string | number }
interface Answer { unit?: string; items: (RawItem | AggItem)[] }

export async function loadSeries(id: number | string, from: number, to: number, signal?: AbortSignal): Promise<Series> {
  const step = stepFor(to - from)
  // steps of hours begin at whole ones of the site's day: the server answers those from its roll-ups
  const begin = step >= 3600 ? Math.floor((from + ZONE) / (step * 1000)) * step * 1000 - ZONE : from
  const query = { from: iso(begin), to: iso(to), ...(step ? { step: step + 's', agg: 'min,max,avg,count,quality' } : {}) }
  const a = await get<Answer>(`/points/${id}/series`, query, signal)
  const s: Series = { unit: a.unit, step, samples: [], steps: [] }
  for (const item of a.items ?? []) {
    if (Array.isArray(item)) s.samples.push({ at: ms(item[0]), value: item[1] ?? NaN, quality: quality(item[2]) })
    else if (item.count > 0) s.steps.push({ at: ms(item.from), n: item.count, min: item.min, max: item.max, avg: item.avg, quality: quality(item.quality) })
  }
  return s
}

export interface Limit { name: string; value: number; color: string }

/** The limits a point's record carries, as lines. */
export function limitsOf(rec: Record<string, unknown> | null | undefined): Limit[] {
  const list: Limit[] = []
  const add = (name: string, color: string) => {
    const v = rec?.[name]
    if (typeof v === 'number' && Number.isFinite(v)) list.push({ name: name.toUpperCase(), value: v, color })
  }
  add('hh', '#d32f2f')
  add('h', '#e86a00')
  add('l', '#e86a00')
  add('ll', '#d32f2f')
  return list
}
