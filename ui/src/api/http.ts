// The one way to the server: JSON, the session's cookie, a time limit on every call, and errors that say what to do.
import { ref } from 'vue'
import { lang, say, t } from '../i18n'
import { serverSays } from '../lib/clock'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | undefined | null>
/** once: the name of the intention; done: when it was really done (ms), if that was before now; fresh: from the server or not at all. */
interface Call { method?: string; body?: unknown; query?: Query; timeout?: number; signal?: AbortSignal; text?: boolean; blob?: boolean; once?: string; done?: number; fresh?: boolean }

let lost: () => void = () => {}
/** Called when the server says the session is over. */
export function onSessionLost(fn: () => void) {
  lost = fn
}

/** Whether the server answered last time. */
export const reachable = ref(true)
type Kept = (path: string, query?: Query) => Promise<unknown>
let keptAnswer: Kept = async () => undefined
let keeps = () => false
/** Asked for the answer of a GET when the server cannot be reached; undefined = none. has: whether there are any at all. */
export function onUnreachable(fn: Kept, has: () => boolean) {
  keptAnswer = fn
  keeps = has
}
const SHORT = 5000 // ms for a GET to begin to be answered while nothing is reached anyway, or while this device could answer it too
const LONG = 15000
const STALL = 30000 // ms in which nothing of a file moved on: the line is dead, though nobody said so

let standsFor: number | null = null
/** Everything from now on is done for this person (they delegated to me); null = for myself. */
export function actFor(person: number | null) {
  standsFor = person
}

/** A name for one intention: sent again after a lost answer it creates nothing twice. */
export function onceKey(): string {
  const b = crypto.getRandomValues(new Uint8Array(16))
  return [...b].map((x) => x.toString(16).padStart(2, '0')).join('')
}

export function url(path: string, query?: Query): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query ?? {})) if (v !== undefined && v !== null && v !== '') q.append(k, String(v))
  const s = q.toString()
  return (path.startsWith('/public/') ? '' : '/api/v1') + path + (s ? '?' + s : '')
}

/** Texts that come as {zh, en} become the one of the page's language, at any depth. */
export function localize(v: unknown): unknown {
  if (Array.isArray(v)) {
    for (let i = 0; i < v.length; i++) v[i] = localize(v[i])
    return v
  }
  if (!v || typeof v !== 'object') return v
  const o = v as Record<string, unknown>
  const keys = Object.keys(o)
  if (keys.length === 2 && typeof o.zh === 'string' && typeof o.en === 'string') return say(o as { zh: string; en: string })
  for (const k of keys) o[k] = localize(o[k])
  return o
}

function failure(status: number, text: string): ApiError {
  let e: { code?: string; message?: string; field?: string; hint?: string } = {}
  try {
    e = (localize(JSON.parse(text)) as { error?: typeof e }).error ?? {}
  } catch {
    // not JSON: the status alone has to do
  }
  const known = status >= 500 ? t('error.server') : t('error.status', { status })
  return new ApiError(status, e.code ?? String(status), e.message ?? known, e.field, e.hint)
}
const headers = (call: Call): Record<string, string> => ({
  'Accept-Language': lang.value,
  Accept: 'application/json',
  ...(call.body === undefined ? {} : { 'Content-Type': call.body instanceof Blob ? call.body.type || 'application/octet-stream' : 'application/json' }),
  ...(standsFor ? { 'X-Anlan-For': String(standsFor) } : {}),
  ...(call.once ? { 'Idempotency-Key': call.once } : {}),
  ...(call.done ? { 'X-Anlan-Done': new Date(call.done).toISOString() } : {}),
})

/** Calls the API; rejects with ApiError always (also for no network and for too slow an answer). */
export async function api<T>(path: string, call: Call = {}): Promise<T> {
  const limit = new AbortController()
  const reads = (call.method ?? 'GET') === 'GET' && !call.text && !call.blob
  const mine = reads && !call.fresh
  let timer = setTimeout(() => limit.abort(), call.timeout ?? (mine && (!reachable.value || keeps()) ? SHORT : LONG))
  call.signal?.addEventListener('abort', () => limit.abort())
  try {
    const res = await fetch(url(path, call.query), {
      method: call.method ?? 'GET',
      credentials: 'same-origin',
      signal: limit.signal,
      headers: headers(call),
      body: call.body === undefined ? undefined : call.body instanceof Blob ? call.body : JSON.stringify(call.body),
    })
    reachable.value = true
    serverSays(res.headers.get('date'))
    clearTimeout(timer)
    timer = setTimeout(() => limit.abort(), call.timeout ?? LONG) // it answers, if slowly
    if (!res.ok) {
      const err = failure(res.status, await res.text())
      if (res.status === 401 && !path.startsWith('/login') && path !== '/me' && path !== '/demo/login') lost()
      throw err
    }
    if (res.status === 204) return undefined as T
    if (call.blob) return (await res.blob()) as T
    const body = await res.text()
    return (call.text ? body : body ? localize(JSON.parse(body)) : undefined) as T
  } catch (e) {
    if (e instanceof ApiError) throw e
    if (call.signal?.aborted) throw new ApiError(0, 'cancelled', t('error.cancelled'))
    reachable.value = false
    const kept = mine ? await keptAnswer(path, call.query).catch(() => undefined) : undefined
    if (kept !== undefined) return kept as T
    if (limit.signal.aborted) throw new ApiError(0, 'timeout', t('error.timeout'), undefined, t('error.timeout.hint'))
    throw new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint'))
  } finally {
    clearTimeout(timer)
  }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => api<T>(path, { query, signal })
export const post = <T>(path: string, body: unknown = {}, once?: string, done?: number) => api<T>(path, { method: 'POST', body, once, done })
export const patch = <T>(path: string, body: unknown, once?: string, done?: number) => api<T>(path, { method: 'PATCH', body, once, done })
export const del = <T>(path: string, body?: unknown) => api<T>(path, { method: 'DELETE', body })

/** Sends a file; XMLHttpRequest, because only it says how far the sending is. */
export function upload<T>(path: string, query: Query, file: Blob, progress?: (part: number) => void, signal?: AbortSignal, once = onceKey()): Promise<T> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest()
    x.open('POST', url(path, query))
    for (const [k, v] of Object.entries(headers({ body: file, once }))) x.setRequestHeader(k, v)
    x.timeout = 600000
    const dead = () => new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint'))
    let stalled = false
    let stall = 0
    const moves = () => {
      clearTimeout(stall)
      stall = window.setTimeout(() => {
        stalled = true
        x.abort()
      }, STALL)
    }
    x.onloadend = () => clearTimeout(stall)
    moves()
    x.upload.onprogress = (e) => {
      moves()
      if (e.lengthComputable) progress?.(e.loaded / e.total)
    }
    x.onload = () => {
      reachable.value = true
      if (x.status < 200 || x.status >= 300) {
        if (x.status === 401) lost()
        return reject(failure(x.status, x.responseText))
      }
      try {
        resolve((x.responseText ? localize(JSON.parse(x.responseText)) : undefined) as T)
      } catch {
        reject(failure(500, ''))
      }
    }
    x.onerror = () => reject(dead())
    x.ontimeout = () => reject(new ApiError(0, 'timeout', t('error.timeout'), undefined, t('error.timeout.hint')))
    x.onabort = () => reject(stalled ? dead() : new ApiError(0, 'cancelled', t('error.cancelled')))
    signal?.addEventListener('abort', () => x.abort())
    x.send(file)
  })
}

/** Fetches a file and gives it to the browser to keep; the cookie goes along. */
export async function download(path: string, query: Query, name: string) {
  keep(name, await api<Blob>(path, { query, blob: true, timeout: 120000 }))
}

/** The same for a file that takes long: progress is told from 0 to 1 once the server has made it. */
export async function downloadLong(path: string, query: Query, name: string, progress: (part: number) => void) {
  const res = await fetch(url(path, query), { credentials: 'same-origin', headers: headers({}) }).catch(() => {
    throw new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint'))
  })
  if (res.status === 401) lost()
  if (!res.ok || !res.body) throw failure(res.status, await res.text())
  const size = Number(res.headers.get('content-length')) || 0
  const parts: BlobPart[] = []
  let got = 0
  for (const reader = res.body.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    got += value.length
    if (size) progress(got / size)
  }
  if (size && got !== size) throw new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint'))
  keep(name, new Blob(parts))
}

export function keep(name: string, blob: Blob) {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10000)
}
/** Opens a file (a PDF) in a new window. The window is opened first, inside the click, so that no blocker stops it. */
export async function show(path: string, call: { method?: string; body?: unknown; once?: string } = {}) {
  const w = window.open('', '_blank')
  try {
    const blob = await api<Blob>(path, { ...call, blob: true, timeout: 120000 })
    const at = URL.createObjectURL(blob)
    if (w) w.location.href = at
    else keep('document.pdf', blob)
    setTimeout(() => URL.revokeObjectURL(at), 60000)
  } catch (e) {
    w?.close()
    throw e
  }
}

/** Saves text as a file; a byte order mark lets spreadsheet programs see UTF-8. */
export function save(name: string, text: string) {
  const bom = text.startsWith('\ufeff') ? '' : '\ufeff'
  keep(name, new Blob([bom + text], { type: 'text/csv;charset=utf-8' }))
}
