// One emergency as its command page works with it. The page is made for this one type, so it names its fields; what a step may be
// done by whom, and what it asks, still comes with the records.
import { get, patch, post } from '../api/http'
import type { Page, Rec, Ref } from '../api/types'
import { iso } from '../lib/time'
import { knows, types } from '../use/types'

export type LonLat = [number, number]
export interface Near { id: number; name: string; kind: string; state: string; metres: number; position: LonLat; rec: Rec | null; minutes: number | null; task: Rec | null }
export interface Inside { key: string; type: string; id: number; name: string; metres: number; day: number | null; night: number | null; phone: string }

export const EVENT = 'emergency_event'
const ROAD = 1.4 // a road is about so much longer than the straight line: an estimate, and shown as one
const SPEED = 40 // km/h, unless the resource says its own
const FAR = 60_000 // m: beyond it nobody comes in time
const MOST = 120 // nearest resources that are looked at

export const mayOpen = () => !!types.value.find((x) => x.name === EVENT)?.can.includes('create')
export const mayOrder = () => !!types.value.find((x) => x.name === 'event_task')?.can.includes('create')
export const ref1 = (v: unknown): Ref | null => (v && typeof v === 'object' && 'id' in v ? (v as Ref) : null)

const list = async (type: string, query: Record<string, string | number>) => (knows(type) ? (await get<Page<Rec>>('/records/' + type, { size: 200, ...query })).items : [])
export const tasksOf = (id: number) => list('event_task', { 'where.event': id, sort: '-ordered' })
export const logOf = (id: number) => list('event_log', { 'where.event': id, sort: '-at' })
/** What to do first: the cards of the unit, those of this installation before the others. */
export async function cardsOf(enterprise?: number, installation?: number): Promise<Rec[]> {
  const all = enterprise ? await list('disposal_card', { 'where.enterprise': enterprise, size: 30 }) : []
  const here = (r: Rec) => Number(!!installation && ref1(r.installation)?.id === installation)
  return all.sort((a, b) => here(b) - here(a))
}
export const contactsFor = async (event: Rec) => (await list('emergency_contact', { size: 60 })).filter((c) => c.state !== 'closed' && (!Array.isArray(c.categories) || !c.categories.length || c.categories.includes(event.category))).sort((a, b) => Number(a.order) - Number(b.order))
export const reportsOf = (id: number) => list('info_report', { 'where.event': id, sort: 'due' })

/** Where it is: its own place, or that of its unit. */
export async function placeOf(event: Rec): Promise<LonLat | null> {
  if (Array.isArray(event.position)) return event.position as LonLat
  const firm = ref1(event.enterprise)
  const rec = firm && knows('enterprise') ? await get<Rec>('/records/enterprise/' + firm.id).catch(() => null) : null
  return Array.isArray(rec?.position) ? (rec!.position as LonLat) : null
}

interface Found { type: string; id: number; title: string; state: string; metres: number; position: LonLat }
const within = async (layer: string, at: LonLat, m: number) => (await get<{ items: Found[] }>('/map/within', { layer, lon: at[0], lat: at[1], m })).items
const byId = async (type: string, ids: number[]) => new Map((ids.length ? await list(type, { 'where.id.in': ids.join() }) : []).map((r) => [r.id, r]))

export function minutesTo(metres: number, rec: Rec | null): number | null {
  if (!rec || !['team', 'vehicle'].includes(String(rec.kind))) return null
  const speed = Number(rec.speed) || SPEED
  return Math.round((Number(rec.turnout_min) || 0) + (metres * ROAD) / ((speed * 1000) / 60))
}

/** What can be sent or used, nearest first, with who is out already. */
export async function nearest(at: LonLat): Promise<Near[]> {
  if (!knows('emergency_resource')) return []
  const found = (await within('emergency_resource', at, FAR)).filter((x) => x.state !== 'closed').slice(0, MOST)
  const [recs, out] = await Promise.all([byId('emergency_resource', found.map((x) => x.id)), list('event_task', { list: 'open' })])
  const busy = new Map(out.flatMap((t) => (ref1(t.resource) ? [[ref1(t.resource)!.id, t] as const] : [])))
  return found.map((x) => {
    const rec = recs.get(x.id) ?? null
    return { id: x.id, name: x.title, kind: String(rec?.kind ?? ''), state: x.state, metres: x.metres, position: x.position, rec, minutes: minutesTo(x.metres, rec), task: busy.get(x.id) ?? null }
  })
}

/** Who is inside the cordon: places with people and enterprises, nearest first. */
export async function inside(at: LonLat, m: number): Promise<Inside[]> {
  const kinds = ['place', 'enterprise'].filter(knows)
  if (!kinds.length) return []
  const found = (await within(kinds.join(), at, m)).slice(0, 200)
  const recs = new Map(await Promise.all(kinds.map(async (k) => [k, await byId(k, found.filter((x) => x.type === k).map((x) => x.id))] as const)))
  return found.sort((a, b) => a.metres - b.metres).map((x) => {
    const r = recs.get(x.type)?.get(x.id)
    const n = (v: unknown) => (typeof v === 'number' ? v : null)
    return { key: x.type + x.id, type: x.type, id: x.id, name: x.title, metres: x.metres, day: n(r?.day ?? r?.staff), night: n(r?.night ?? r?.staff), phone: String(r?.phone ?? '') }
  })
}

/** An order to a resource: what is told to it, until when it is to be done. */
export const orderTo = (event: Rec, r: Near, task: string, hours = 4) => ({
  event: event.id, task, resource: r.id, organisation: ref1(r.rec?.organisation)?.id, company: ref1(r.rec?.enterprise)?.id,
  distance: Math.round(r.metres), due: iso(Date.now() + hours * 3600_000),
})

export const eventOf = async (field: 'alarm' | 'warning', id: number) => (await list(EVENT, { [`where.${field}`]: id, size: 1 }))[0] as Rec | undefined

/** The saved case becomes the zone of the emergency. */
export async function takeZone(event: number, zone: number) {
  const rec = await get<Rec>(`/records/${EVENT}/${event}`)
  await patch(`/records/${EVENT}/${event}`, { version: rec.version, zone })
}
export const send = (type: string, body: Record<string, unknown>, once: string) => post<Rec>('/records/' + type, body, once)

export interface Need { kind: string; what?: string; quantity: number; within_min?: number }
export interface Supply { need: Need; there: number; gap: number; from: Near[] }
/** What a scenario takes against what is ready and near enough: how many of a kind, or how much of a material that is called so; room in
 *  shelters and hospitals. Arrival is the same estimate as on the command page. */
export function supply(needs: Need[], near: Near[]): Supply[] {
  return needs.map((need) => {
    const stock = ['material', 'equipment'].includes(need.kind), room = ['shelter', 'hospital'].includes(need.kind)
    const called = (r: Near) => !need.what || [r.name, r.rec?.item, r.rec?.gear].some((s) => String(s ?? '').includes(need.what!))
    const soon = (r: Near) => !need.within_min || (r.minutes ?? Math.round((r.metres * ROAD) / ((SPEED * 1000) / 60))) <= need.within_min
    const from = near.filter((r) => r.kind === need.kind && r.state === 'ready' && called(r) && soon(r))
    const n = (v: unknown) => Number(v) || 0
    const there = from.reduce((sum, r) => sum + (stock ? n(r.rec?.quantity) : room ? Math.max(0, n(r.rec?.capacity) - n(r.rec?.occupied)) : 1), 0)
    return { need, there, gap: Math.max(0, need.quantity - there), from }
  })
}
