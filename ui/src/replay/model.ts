// A past span as the server gave it, and what was at an instant of it. Pure: the page plays without asking again.
import type { Color, Text } from '../api/types'
import { rank, worst } from '../lib/level'
import { ms } from '../lib/time'

export type AlarmState = 'normal' | 'unack' | 'acked' | 'rtn_unack' | 'shelved' | 'suppressed' | 'out_of_service'
type RawStep = [string, AlarmState, boolean, string, Color]
type Place = [number, number] | null
interface RawAlarm { id: number; point: number; code: string; name: string; unit: string; enterprise: number; enterprise_title: string; rule_label: Text; say: Text; position: Place; steps: RawStep[] }
interface RawPoint { id: number; code: string; name: string; unit: string; kind: string; enterprise: number; position: Place; limits: Record<string, number>; gaps: [string, string][]; step_s?: number; items?: [number, number, number, number, number][] }
export interface RawEvent {
  at: string
  kind: 'alarm' | 'action' | 'message'
  what: string
  label: string
  actor: string
  reason: string
  title: string
  alarm?: number
  level?: string
  before?: string
  after?: string
  value?: number | null
  unit?: string
  noted?: boolean
  type?: string
  type_label?: string
  record?: number
  number?: string
  channel?: string
}
export interface RawReplay {
  from: string
  to: string
  subject: { kind: string; id: number; type: string; type_label: string; number: string; title: string; enterprise: number; area: string }
  alarms: RawAlarm[]
  events: RawEvent[]
  points: RawPoint[]
  enterprises: { id: number; title: string; position: Place }[]
  left_out: { points: number; trends: number; enterprises: number }
}

export interface Step { at: number; state: AlarmState; active: boolean; level: string; color: Color }
export interface PastAlarm extends Omit<RawAlarm, 'steps'> { steps: Step[] }
export interface Sample { at: number; until: number; min: number; avg: number; max: number; last: number }
export interface PastPoint extends Omit<RawPoint, 'gaps' | 'items'> { gaps: [number, number][]; samples: Sample[] | null }
export interface Event extends Omit<RawEvent, 'at'> { at: number }
export interface Replay extends Omit<RawReplay, 'from' | 'to' | 'alarms' | 'events' | 'points'> { from: number; to: number; alarms: PastAlarm[]; events: Event[]; points: PastPoint[] }

export function readReplay(r: RawReplay): Replay {
  const from = ms(r.from)
  return {
    ...r,
    from,
    to: ms(r.to),
    alarms: r.alarms.map((a) => ({ ...a, steps: a.steps.map(([at, state, active, level, color]) => ({ at: ms(at), state, active, level, color })) })),
    events: r.events.map((e) => ({ ...e, at: ms(e.at) })),
    points: r.points.map((p) => {
      const step = (p.step_s ?? 0) * 1000
      const samples = p.items?.map(([i, min, avg, max, last]) => ({ at: from + i * step, until: from + (i + 1) * step, min, avg, max, last })) ?? null
      return { ...p, gaps: p.gaps.map(([a, b]): [number, number] => [ms(a), ms(b)]), samples }
    }),
  }
}

/** How many of the list, sorted by time, are not after t. */
export function countTo<T>(list: T[], t: number, at: (x: T) => number): number {
  let lo = 0
  let hi = list.length
  while (lo < hi) {
    const mid = (lo + hi) >> 1
    if (at(list[mid]) <= t) lo = mid + 1
    else hi = mid
  }
  return lo
}

export function stepAt(a: PastAlarm, t: number): Step | null {
  return a.steps[countTo(a.steps, t, (s) => s.at) - 1] ?? null
}

/** Alarms that were not over at t, the worst first; hidden ones too. */
export function openAt(r: Replay, t: number): { alarm: PastAlarm; step: Step }[] {
  return r.alarms
    .flatMap((alarm) => { const step = stepAt(alarm, t); return step && step.state !== 'normal' ? [{ alarm, step }] : [] })
    .sort((x, y) => Number(y.step.active) - Number(x.step.active) || rank(x.step.color) - rank(y.step.color) || y.step.at - x.step.at)
}

const inGap = (p: PastPoint, t: number) => p.gaps.some(([a, b]) => t >= a && t < b)

/** Colours of points and enterprises at t, by the rule of the map of now: the worst active alarm; grey without trustworthy data; else green. */
export function colorsAt(r: Replay, t: number): { points: Map<number, Color>; firms: Map<number, Color> } {
  const points = new Map<number, Color>()
  const active = new Map<number, Color[]>()
  const at = new Map<number, Color[]>()
  const add = (m: Map<number, Color[]>, k: number, c: Color) => { const l = m.get(k); if (l) l.push(c); else m.set(k, [c]) }
  for (const a of r.alarms) {
    const s = stepAt(a, t)
    if (!s?.active) continue
    add(active, a.point, s.color)
    add(at, a.enterprise, s.color)
  }
  for (const p of r.points) {
    const list = active.get(p.id)
    const c: Color = list ? worst(list) : inGap(p, t) ? 'grey' : 'green'
    points.set(p.id, c)
    add(at, p.enterprise, c)
  }
  return { points, firms: new Map(r.enterprises.map((e) => [e.id, worst(at.get(e.id) ?? [])])) }
}

/** The newest value that had come by t; null in a gap or before the first. */
export function valueAt(p: PastPoint, t: number): number | null {
  if (!p.samples || inGap(p, t)) return null
  return p.samples[countTo(p.samples, t, (s) => s.until) - 1]?.last ?? null
}

/** The event after or before t, for stepping. */
export function nextEvent(r: Replay, t: number): number | null {
  return r.events[countTo(r.events, t, (e) => e.at)]?.at ?? null
}
export function previousEvent(r: Replay, t: number): number | null {
  return r.events[countTo(r.events, t - 1, (e) => e.at) - 1]?.at ?? null
}

export interface Bin { alarm: number; action: number; message: number }
/** How much happened in each of n equal parts of the span. */
export function histogram(r: Replay, n: number): Bin[] {
  const bins = Array.from({ length: n }, (): Bin => ({ alarm: 0, action: 0, message: 0 }))
  for (const e of r.events) bins[Math.min(n - 1, Math.max(0, Math.floor(((e.at - r.from) / (r.to - r.from)) * n)))][e.kind]++
  return bins
}

/** Pieces of a curve, broken where there was nothing. */
export function pieces(p: PastPoint): Sample[][] {
  const out: Sample[][] = []
  let last = -Infinity
  for (const s of p.samples ?? []) {
    const broken = p.gaps.some(([a]) => a > last && a <= s.at)
    if (broken || !out.length) out.push([])
    out[out.length - 1].push(s)
    last = s.at
  }
  return out
}
