// Taken to the site: what a person needs where there is no signal (a basement, a tank farm). On a button, this device fetches the
// person's open work, its records, the forms of what he may file, and the names they refer to; without signal the pages are
// answered from it, for a day. Never without the button: a record on a phone can be lost with the phone.
import { computed, ref, watch } from 'vue'
import { get, onUnreachable, reachable, type Query } from '../api/http'
import type { Page, Rec, TypeInfo, WorkItem } from '../api/types'
import { lang } from '../i18n'
import { me, onLeave } from '../use/session'
import { knows, types } from '../use/types'
import { acting } from '../use/work'
import { clear, keep, kept, possible, wipe } from './db'

const LIFE = 24 * 3600_000
const NAMES = 500 // of each register that a form refers to
interface Carried { at: number; person: number; work: number; forms: number; lang: string }

const MARK = 'anlan.carried'
function remembered(): Carried | null {
  try {
    const c = JSON.parse(localStorage.getItem(MARK) ?? 'null') as Carried | null
    return c && possible && Date.now() - c.at < LIFE ? c : null
  } catch {
    return null
  }
}
export const carried = ref<Carried | null>(remembered())
export const mayCarry = computed(() => possible && !!me.value)
/** Pages are answered from this device now. */
export const away = computed(() => !reachable.value && !!carried.value)

const name = (path: string, query: Query = {}) => path + '?' + Object.keys(query).filter((k) => query[k] !== undefined && query[k] !== '').sort().map((k) => `${k}=${query[k]}`).join('&')

async function fetched<T>(path: string, query?: Query): Promise<T> {
  const v = await get<T>(path, query)
  await keep('answers', name(path, query), v)
  return v
}

/** Fetches everything anew; told how far it is, from 0 to 1. Throws what stopped it: then what was taken before is gone too. */
export async function take(progress: (part: number) => void) {
  await forget()
  await navigator.serviceWorker.register('/sw.js')
  await navigator.serviceWorker.ready
  await Promise.all([fetched('/me'), fetched('/types'), fetched('/map'), fetched('/notices'), fetched('/work/counts'), ...(knows('area') ? [fetched('/records/area', { size: NAMES })] : [])])
  const work = (await fetched<Page<WorkItem>>('/work', { box: 'todo', page: 1, size: 50 })).items
  const forms = [...new Set([...work.map((w) => w.type), ...types.value.filter((x) => x.can.includes('create')).map((x) => x.name)])]
  const steps = work.length + forms.length
  let done = 0
  const step = () => progress(++done / (steps + 1))
  const others = new Set<string>()
  for (const f of forms) {
    const info = await fetched<TypeInfo>('/types/' + encodeURIComponent(f))
    for (const x of info.fields) if (['ref', 'refs'].includes(x.is) && x.to) others.add(x.to)
    step()
  }
  for (const w of work) {
    await fetched(`/records/${w.type}/${w.id}`)
    await fetched(`/records/${w.type}/${w.id}/history`)
    step()
  }
  for (const o of others) if (knows(o)) await fetched('/records/' + o, { size: NAMES })
  progress(1)
  carried.value = { at: Date.now(), person: me.value!.id, work: work.length, forms: forms.length, lang: lang.value }
  localStorage.setItem(MARK, JSON.stringify(carried.value))
}

export async function forget() {
  carried.value = null
  localStorage.removeItem(MARK)
  await clear('answers')
}

/** A search in a register: among the names that were taken along. */
async function searched(path: string, query: Query): Promise<Page<Rec> | undefined> {
  const all = (await kept<Page<Rec>>('answers', name(path, { size: NAMES })))?.value
  if (!all) return undefined
  const q = String(query.q ?? '').toLowerCase()
  const hit = all.items.filter((r) => !q || [r.title, r.number].some((s) => s?.toLowerCase().includes(q)))
  return { ...all, items: hit.slice(0, Number(query.size) || 20), total: hit.length }
}

onUnreachable(async (path, query = {}) => {
  const c = carried.value
  if (!c || acting.value || Date.now() - c.at > LIFE || (me.value && me.value.id !== c.person)) return undefined
  return (await kept('answers', name(path, query)))?.value ?? (/^\/records\/\w+$/.test(path) && !('page' in query) ? await searched(path, query) : undefined)
})

onLeave(async () => {
  carried.value = null
  localStorage.removeItem(MARK)
  if (!possible) return
  await wipe()
  for (const r of await navigator.serviceWorker.getRegistrations()) await r.unregister()
  for (const k of await caches.keys()) await caches.delete(k)
})
watch(lang, () => carried.value && void forget()) // texts of the other language
if (possible && !carried.value && localStorage.getItem(MARK)) void forget() // older than a day
