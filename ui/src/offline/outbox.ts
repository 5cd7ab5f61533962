// What could not be sent: kept on this device in order, sent when there is signal again, each under the name of its intention, so that
// an answer that got lost creates nothing twice. What the server refuses stays, with what it said, until the person mends or drops it.
import { computed, ref, watch } from 'vue'
import { ApiError, api, reachable, upload } from '../api/http'
import type { FileInfo, Rec } from '../api/types'
import { t } from '../i18n'
import { trueNow } from '../lib/clock'
import type { Shot } from '../lib/photo'
import type { Form } from '../record/values'
import { me, onLeave } from '../use/session'
import { acting } from '../use/work'
import { carried } from './carry'
import { drop, dropOldFiles, everything, keep, keepBlob, kept, keptBlob, possible } from './db'

export interface Waiting {
  id: number
  person: number
  at: number // when it was done: true time, whatever the device's clock says
  method: 'POST' | 'PATCH'
  path: string
  body: Form
  once: string
  what: string // for people: what is done to what
  files: number[]
  form?: { type: string; id: number; values: Form } // to open the form again
  move?: { type: string; id: number; name: string; to?: string; values: Form; reason?: string } // to open the step again
  after?: number // what waits before it for the same record: this one stands on it
  refused?: string
}
const MARK = 'anlan.waiting'
const FILE_LIFE = 7 * 86400_000

/** Whether something waits on this device, whoever's it is: said before anybody is logged in. */
export const waitsHere = () => !!localStorage.getItem(MARK)
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
/** Sends the files of a body that are only here, each once and told at once: a line that breaks at the third picture has not lost two. */
export async function withFiles(body: Form, sent: (body: Form) => Promise<void> = async () => {}): Promise<Form> {
  for (const id of new Set(localIds(body))) {
    const blob = await keptBlob(id)
    if (!blob) throw new ApiError(422, 'gone', t('outbox.file.gone'), undefined, t('outbox.file.gone.hint'))
    const about = (await kept<Omit<Shot, 'blob'>>('files', `about${id}`))?.value
    const got = await upload<FileInfo>('/files', { ...about }, blob, undefined, undefined, `file${id}`)
    await sent((body = renamed(body, new Map([[id, got.id]])) as Form))
  }
  return body
}

const about = (w: Pick<Waiting, 'path'>) => /^\/records\/\w+\/\d+/.exec(w.path)?.[0]
/** What waits for a record, in the order in which it was done. */
export const waitingFor = (type: string, id: number) => waiting.value.filter((w) => about(w) === `/records/${type}/${id}`)
/** Whether it can be sent: what it stands on has gone. */
export const free = (w: Waiting) => !waiting.value.some((x) => x.id === w.after)

async function put(w: Waiting) {
  await keep('outbox', w.id, w)
  all.value = [...all.value.filter((x) => x.id !== w.id), w].sort((a, b) => a.id - b.id)
}
/** Later than everything that waits, also when the device's clock was set back meanwhile. */
const nextId = () => Math.max(Date.now(), ...all.value.map((w) => w.id + 1))
/** In place of what waits already and was mended: it keeps its place, and the time at which it was done. */
export async function keepForLater(w: Omit<Waiting, 'id' | 'person' | 'at' | 'files' | 'after'>, instead?: Waiting) {
  const id = instead?.id ?? nextId()
  const before = waiting.value.filter((x) => x.id < id && about(x) && about(x) === about(w))
  localStorage.setItem(MARK, '1')
  await put({ ...w, id, person: me.value!.id, at: instead?.at ?? trueNow(), files: localIds(w.body), after: before[before.length - 1]?.id })
}
/** What is sent, or dropped (without got): what stands on it follows, on the version that the record has then. */
export async function discard(w: Waiting, got?: Rec) {
  for (const x of all.value.filter((x) => x.after === w.id)) await put({ ...x, after: w.after, body: got?.version ? { ...x.body, version: got.version } : x.body })
  await drop('outbox', w.id)
  for (const f of w.files) await Promise.all([drop('files', f), drop('files', `about${f}`)])
  all.value = all.value.filter((x) => x.id !== w.id)
  if (!all.value.length) localStorage.removeItem(MARK)
  else if (got) setTimeout(due)
}

/** No signal yet, to be logged in first, too much at once, a server that is started again: none of it is a refusal. */
const LATER = [0, 401, 408, 429, 502, 503, 504]
async function send(w: Waiting): Promise<boolean> {
  try {
    await withFiles(w.body, async (body) => put((w = { ...w, body }))) // sent again it is the same request, files and all
    await discard(w, await api<Rec>(w.path, { method: w.method, body: w.body, once: w.once, done: w.at }))
    return true
  } catch (e) {
    const err = e as ApiError
    if (LATER.includes(err.status)) return false
    await put({ ...w, refused: [err.message, err.hint].filter(Boolean).join(' ') })
    return true
  }
}
/** Sends what waits, in order; again also what was refused, if asked by a person. */
export async function sendAll(again = false) {
  if (sending.value) return
  sending.value = true
  try {
    for (const { id } of waiting.value.filter((x) => again || !x.refused)) {
      const w = waiting.value.find((x) => x.id === id) // as it is now: on the version of the one before
      if (w && free(w) && !(await send(w))) break
    }
  } finally {
    sending.value = false
  }
}

async function load() {
  all.value = (await everything<Waiting>('outbox')).sort((a, b) => a.id - b.id)
  await dropOldFiles(FILE_LIFE, new Set(all.value.flatMap((w) => w.files)))
}
const due = () => waiting.value.some((w) => !w.refused && free(w)) && void sendAll()
if (possible) {
  if (localStorage.getItem(MARK)) void load().then(due)
  watch([me, reachable], () => reachable.value && due())
  addEventListener('online', due)
  setInterval(due, 30_000)
  onLeave(async () => {
    all.value = []
    localStorage.removeItem(MARK)
  })
}
