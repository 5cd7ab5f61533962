// Taken to the site: what a person needs where there is no signal (a basement, a tank farm). On a button, this device fetches the
// person's open work, its records, the forms of what he may file, and the names they refer to; without signal the pages are
// answered from it, for a day. Never without the button: a record on a phone can be lost with the phone.
import { computed, ref, watch } from 'vue'
import { ApiError, api, onUnreachable, reachable, type Query } from '../api/http'
import type { Page, Rec, TypeInfo, WorkItem } from '../api/types'
import { lang, t } from '../i18n'
import { me, onLeave } from '../use/session'
import { knows, types } from '../use/types'
import { acting } from '../use/work'
import { clear, kept, possible, replaceAll, wipe } from './db'

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

/** The pages themselves are on this device; a line that breaks while they come is said, not waited for without an end. */
function pages(r: ServiceWorkerRegistration): Promise<void> {
  const w = r.installing ?? r.waiting
  if (r.active && !r.installing) return Promise.resolve()
  return new Promise((ok, no) => {
    const look = () => {
      if (!w || ['activating', 'activated'].includes(w.state)) ok()
      else if (w.state === 'redundant') no(new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint')))
    }
    w?.addEventListener('statechange', look)
    look()
  })
}
const AT_ONCE = 6 // requests on the way: over a slow line the way there and back counts, not the bytes

/** Fetches everything anew; told how far it is, from 0 to 1. Throws what stopped it: then what was taken before is still there. */
export async function take(progress: (part: number) => void) {
  await pages(await navigator.serviceWorker.register('/sw.js'))
  const got = new Map<string, unknown>()
  let steps = 1
  const fetched = async <T>(path: string, query?: Query): Promise<T> => {
    const v = await api<T>(path, { query, fresh: true })
    got.set(name(path, query), v)
    progress(got.size / (steps + 1))
    return v
  }
  const all = async (jobs: (() => Promise<unknown>)[]) => {
    const line = jobs.values()
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const job of line) await job()
    }))
  }
  const first = ['/me', '/types', '/map', '/notices', '/work/counts']
  const work = (await fetched<Page<WorkItem>>('/work', { box: 'todo', page: 1, size: 50 })).items
  const forms = [...new Set([...work.map((w) => w.type), ...types.value.filter((x) => x.can.includes('create')).map((x) => x.name)])]
  steps = 1 + first.length + 2 * work.length + forms.length
  const others = new Set<string>(knows('area') ? ['area'] : [])
  await all([
    ...first.map((f) => () => fetched(f)),
    ...work.flatMap((w) => [() => fetched(`/records/${w.type}/${w.id}`), () => fetched(`/records/${w.type}/${w.id}/history`)]),
    ...forms.map((f) => async () => {
      const info = await fetched<TypeInfo>('/types/' + encodeURIComponent(f))
      for (const x of info.fields) if (['ref', 'refs'].includes(x.is) && x.to && knows(x.to)) others.add(x.to)
    }),
  ])
  steps += others.size
  await all([...others].map((o) => () => fetched('/records/' + o, { size: NAMES })))
  const c = { at: Date.now(), person: me.value!.id, work: work.length, forms: forms.length, lang: lang.value }
  await replaceAll('answers', got)
  progress(1)
  carried.value = c
  localStorage.setItem(MARK, JSON.stringify(c))
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
}, () => !!carried.value && !acting.value)

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
