// What could not be sent: kept on this device in order, sent when there is signal again, each under the name of its intention, so that
// an answer that got lost creates nothing twice. What the server refuses stays, with what it said, until the person mends or drops it.
import { computed, ref, watch } from 'vue'
import { ApiError, api, reachable, upload } from '../api/http'
import type { FileInfo } from '../api/types'
import { t } from '../i18n'
import type { Shot } from '../lib/photo'
import type { Form } from '../record/values'
import { me, onLeave } from '../use/session'
import { acting } from '../use/work'
import { carried } from './carry'
import { drop, dropOldFiles, everything, keep, keepBlob, kept, keptBlob, possible } from './db'

export interface Waiting {
  id: number
  person: number
  at: number
  method: 'POST' | 'PATCH'
  path: string
  body: Form
  once: string
  what: string // for people: what is done to what
  files: number[]
  form?: { type: string; id: number; values: Form } // to open the form again
  refused?: string
}
const MARK = 'anlan.waiting'
const FILE_LIFE = 7 * 86400_000

const all = ref<Waiting[]>([])
export const waiting = computed(() => all.value.filter((w) => w.person === me.value?.id))
export const sending = ref(false)
/** Whether a call that failed is kept instead of lost. Not what is done for somebody else: it would be sent as one's own. */
export const keeps = (e: unknown) => !!carried.value && holds(e)
/** The same for what is written in an emergency, when nobody thought of taking anything along. */
export const holds = (e: unknown) => possible && !acting.value && e instanceof ApiError && e.status === 0 && e.code !== 'cancelled'

/** The pictures of files that are only here, by their (negative) id. */
const pictures = ref(new Map<number, string>())
export function localPicture(id: number): string {
  if (!pictures.value.has(id)) {
    pictures.value.set(id, '')
    void keptBlob(id).then((b) => b && pictures.value.set(id, URL.createObjectURL(b)))
  }
  return pictures.value.get(id) ?? ''
}

/** Keeps a file that could not be sent; its id is negative until the server gives it one. */
export async function keepFile(shot: Shot): Promise<FileInfo> {
  const { blob, ...about } = shot
  const id = -(Date.now() * 1000 + Math.floor(Math.random() * 1000))
  await keepBlob(id, blob)
  await keep('files', `about${id}`, about)
  return { id, size: blob.size, mime: blob.type, ...about }
}

function localIds(v: unknown, found: number[] = []): number[] {
  if (typeof v === 'number' && v < -1e15) found.push(v)
  else if (v && typeof v === 'object') Object.values(v).forEach((x) => localIds(x, found))
  return found
}
function renamed(v: unknown, ids: Map<number, number>): unknown {
  if (typeof v === 'number') return ids.get(v) ?? v
  if (Array.isArray(v)) return v.map((x) => renamed(x, ids))
  return v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, renamed(x, ids)])) : v
}
/** Sends the files of a body that are only here; the body with the ids the server gave. */
export async function withFiles(body: Form): Promise<Form> {
  const ids = new Map<number, number>()
  for (const id of localIds(body)) {
    const blob = await keptBlob(id)
    if (!blob) throw new ApiError(422, 'gone', t('outbox.file.gone'), undefined, t('outbox.file.gone.hint'))
    const about = (await kept<Omit<Shot, 'blob'>>('files', `about${id}`))?.value
    ids.set(id, (await upload<FileInfo>('/files', { ...about }, blob)).id)
  }
  return ids.size ? (renamed(body, ids) as Form) : body
}

/** With the id of what waits already it takes its place, at once. */
export async function keepForLater(w: Omit<Waiting, 'id' | 'person' | 'at' | 'files'>, id = Date.now()) {
  const item: Waiting = { ...w, id, person: me.value!.id, at: Date.now(), files: localIds(w.body) }
  localStorage.setItem(MARK, '1')
  await keep('outbox', item.id, item)
  all.value = [...all.value.filter((x) => x.id !== id), item]
}
export async function discard(w: Waiting) {
  await drop('outbox', w.id)
  for (const f of w.files) await Promise.all([drop('files', f), drop('files', `about${f}`)])
  all.value = all.value.filter((x) => x.id !== w.id)
  if (!all.value.length) localStorage.removeItem(MARK)
}

async function send(w: Waiting): Promise<boolean> {
  try {
    await api(w.path, { method: w.method, body: await withFiles(w.body), once: w.method === 'POST' ? w.once : undefined })
    await discard(w)
    return true
  } catch (e) {
    const err = e as ApiError
    if (!err.status || err.status === 401) return false // no signal yet, or to be logged in first
    const said = { ...w, refused: [err.message, err.hint].filter(Boolean).join(' ') }
    await keep('outbox', w.id, said)
    all.value = all.value.map((x) => (x.id === w.id ? said : x))
    return true
  }
}
/** Sends what waits, in order; again also what was refused, if asked by a person. */
export async function sendAll(again = false) {
  if (sending.value) return
  sending.value = true
  try {
    for (const w of waiting.value.filter((x) => again || !x.refused)) if (!(await send(w))) break
  } finally {
    sending.value = false
  }
}

async function load() {
  all.value = (await everything<Waiting>('outbox')).sort((a, b) => a.id - b.id)
  await dropOldFiles(FILE_LIFE, new Set(all.value.flatMap((w) => w.files)))
}
if (possible) {
  const due = () => waiting.value.some((w) => !w.refused) && void sendAll()
  if (localStorage.getItem(MARK)) void load().then(due)
  watch([me, reachable], () => reachable.value && due())
  addEventListener('online', due)
  setInterval(due, 30_000)
  onLeave(async () => {
    all.value = []
    localStorage.removeItem(MARK)
  })
}
