// The one way to the server: JSON, the session's cookie, a time limit on every call, and errors that say what to do.
import { lang, say, t } from '../i18n'

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

type Query = Record<string, string | number | boolean | undefined | null>
interface Call { method?: string; body?: unknown; query?: Query; timeout?: number; signal?: AbortSignal; text?: boolean }

let lost: () => void = () => {}
/** Called when the server says the session is over. */
export function onSessionLost(fn: () => void) {
  lost = fn
}

export function url(path: string, query?: Query): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query ?? {})) if (v !== undefined && v !== null && v !== '') q.append(k, String(v))
  const s = q.toString()
  return '/api/v1' + path + (s ? '?' + s : '')
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

async function failure(res: Response): Promise<ApiError> {
  let e: { code?: string; message?: string; field?: string; hint?: string } = {}
  try {
    e = (await res.json()).error ?? {}
  } catch {
    // not JSON: the status alone has to do
  }
  const known = res.status >= 500 ? t('error.server') : t('error.status', { status: res.status })
  return new ApiError(res.status, e.code ?? String(res.status), e.message ?? known, e.field, e.hint)
}

/** Calls the API; rejects with ApiError always (also for no network and for too slow an answer). */
export async function api<T>(path: string, call: Call = {}): Promise<T> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), call.timeout ?? 15000)
  call.signal?.addEventListener('abort', () => limit.abort())
  try {
    const res = await fetch(url(path, call.query), {
      method: call.method ?? 'GET',
      credentials: 'same-origin',
      signal: limit.signal,
      headers: {
        'Accept-Language': lang.value,
        Accept: 'application/json',
        ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
    })
    if (!res.ok) {
      const err = await failure(res)
      if (res.status === 401 && !path.startsWith('/login') && path !== '/me' && path !== '/demo/login') lost()
      throw err
    }
    if (res.status === 204) return undefined as T
    const body = await res.text()
    return (call.text ? body : body ? localize(JSON.parse(body)) : undefined) as T
  } catch (e) {
    if (e instanceof ApiError) throw e
    if (call.signal?.aborted) throw new ApiError(0, 'cancelled', t('error.cancelled'))
    if (limit.signal.aborted) throw new ApiError(0, 'timeout', t('error.timeout'), undefined, t('error.timeout.hint'))
    throw new ApiError(0, 'network', t('error.network'), undefined, t('error.network.hint'))
  } finally {
    clearTimeout(timer)
  }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => api<T>(path, { query, signal })
export const post = <T>(path: string, body: unknown = {}) => api<T>(path, { method: 'POST', body })
export const patch = <T>(path: string, body: unknown) => api<T>(path, { method: 'PATCH', body })
export const del = <T>(path: string, body?: unknown) => api<T>(path, { method: 'DELETE', body })

/** Opens a download (CSV) in the browser; the cookie goes along, and the language in the query. */
export function download(path: string, query: Query, name: string) {
  return api<string>(path, { query, text: true, timeout: 60000 }).then((text) => save(name, text))
}

/** Saves text as a file; a byte order mark lets spreadsheet programs see UTF-8. */
export function save(name: string, text: string) {
  const bom = text.startsWith('\ufeff') ? '' : '\ufeff'
  const a = document.createElement('a')
  a.href = URL.createObjectURL(new Blob([bom + text], { type: 'text/csv;charset=utf-8' }))
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10000)
}
