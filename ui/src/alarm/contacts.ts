// Whom to call: people of the enterprise and the duty roster of the area. Which field is a telephone and which a
// person is read from the type descriptions.
import { get } from '../api/http'
import type { Page, Rec, Ref, TypeInfo } from '../api/types'
import { areaPrefix } from '../lib/area'
import { me } from '../use/session'
import { knows, typeInfo } from '../use/types'

export interface Contact { key: string; name: string; role: string; phones: string[] }

const isRef = (v: unknown): v is Ref => !!v && typeof v === 'object' && 'id' in v

function phones(info: TypeInfo, rec: Rec): string[] {
  return info.fields.filter((f) => f.is === 'phone' && rec[f.name]).map((f) => String(rec[f.name]))
}
function duty(info: TypeInfo, rec: Rec): string {
  // a person's roles are several choices; a shift is one
  const wanted = info.fields.some((f) => f.is === 'menus') ? 'menus' : 'menu'
  const parts = info.fields
    .filter((f) => f.is === wanted && rec[f.name])
    .flatMap((f) => [rec[f.name]].flat().map((v) => f.items?.find((i) => i.value === v)?.label ?? ''))
  return parts.filter(Boolean).join(' · ')
}

async function people(query: Record<string, string | number>): Promise<Contact[]> {
  const info = await typeInfo('person')
  const page = await get<Page<Rec>>('/records/person', { size: 6, ...query })
  return page.items.map((r) => ({ key: 'p' + r.id, name: r.title ?? '', role: duty(info, r), phones: phones(info, r) }))
}

/** The enterprise's own emergency numbers. */
async function company(id: number): Promise<Contact[]> {
  const [info, rec] = await Promise.all([typeInfo('enterprise'), get<Rec>('/records/enterprise/' + id)])
  return info.fields
    .filter((f) => f.is === 'phone' && rec[f.name])
    .map((f) => ({ key: 'e' + f.name, name: rec.title ?? '', role: f.label, phones: [String(rec[f.name])] }))
}

/** The numbers of what a shift names besides people: its duty room. A land line is text, it may have an extension. */
async function desks(info: TypeInfo, r: Rec): Promise<string[]> {
  const out: string[] = []
  for (const f of info.fields.filter((x) => x.is === 'ref' && x.to && x.to !== 'person' && isRef(r[x.name]) && knows(x.to))) {
    const [its, rec] = await Promise.all([typeInfo(f.to!), get<Rec>(`/records/${f.to}/${(r[f.name] as Ref).id}`).catch(() => null)])
    if (rec) out.push(...its.fields.filter((x) => ['text', 'phone'].includes(x.is) && /^\+?\d[\d -]{5,20}$/.test(String(rec[x.name] ?? ''))).map((x) => String(rec[x.name])))
  }
  return out
}

/** Shifts of now: the first two times of the roster's description are its beginning and its end. */
async function roster(area: string): Promise<Contact[]> {
  const info = await typeInfo('duty_roster')
  const [begin, end] = info.fields.filter((f) => f.is === 'time')
  const at = new Date().toISOString()
  const query: Record<string, string | number> = { size: 20 }
  if (begin && end) Object.assign(query, { [`where.${begin.name}.le`]: at, [`where.${end.name}.ge`]: at })
  const page = await get<Page<Rec>>('/records/duty_roster', query)
  const near = page.items.filter((r) => !r.area || area.startsWith(areaPrefix(r.area)))
  const out: Contact[] = []
  for (const r of (near.length ? near : page.items).slice(0, 4)) {
    const refs = info.fields.filter((f) => f.is === 'ref' && f.to === 'person' && isRef(r[f.name]))
    const own = [...phones(info, r), ...(await desks(info, r))]
    for (const f of refs) {
      const who = r[f.name] as Ref
      // people of an enterprise read its own people only: they call the room, not the person
      const rec = knows('person') && !me.value?.enterprise ? await get<Rec>('/records/person/' + who.id).catch(() => null) : null
      const his = rec ? phones(await typeInfo('person'), rec) : []
      out.push({ key: 'd' + r.id + f.name, name: who.title, role: [f.label, duty(info, r)].filter(Boolean).join(' · '), phones: his.length ? his : own })
    }
    if (!refs.length) out.push({ key: 'd' + r.id, name: r.title ?? '', role: info.label, phones: own })
  }
  return out
}

export async function contacts(enterprise: number | undefined, area: string): Promise<Contact[]> {
  const jobs: Promise<Contact[]>[] = []
  if (enterprise && knows('enterprise')) jobs.push(company(enterprise))
  if (enterprise && knows('person')) jobs.push(people({ 'where.enterprise': enterprise }))
  if (knows('duty_roster')) jobs.push(roster(area))
  const done = await Promise.allSettled(jobs)
  const failed = done.find((d): d is PromiseRejectedResult => d.status === 'rejected')
  const seen = new Set<string>()
  const list = done.flatMap((d) => (d.status === 'fulfilled' ? d.value : []))
  if (!list.length && failed) throw failed.reason // not the same as "nobody is registered"
  return list.filter((c) => {
    const key = c.name + c.phones.join()
    return c.name && !seen.has(key) && seen.add(key)
  })
}
