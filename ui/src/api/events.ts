// The event stream: one EventSource for the whole page, reopened by itself with a growing pause. A line that is cut without a
// word (a dead router, a laptop that slept) looks open for ever: the server's beat says that it is not.
import { computed, ref } from 'vue'
import { reachable } from './http'

export interface EventMap {
  alarm: import('./types').Alarm
  record: { what: string; type: string; id: number; state: string; area: string }
  duty: { n: number; overdue: number }
  map: { layer?: string; at?: [number, number]; all?: boolean; index?: string; kind?: string; key?: string; score?: number; level?: import('./types').Color; reload?: boolean } // something is new in a layer, or in the risk index
  hello: { beat_s?: number }
  beat: unknown
  open: undefined // the stream is (again) connected: what was missed must be fetched
}
type Name = keyof EventMap
type Handler<N extends Name> = (data: EventMap[N]) => void

export const live = ref<'off' | 'connecting' | 'on' | 'lost'>('off')
/** When the stream was last heard, in ms since 1970: until then what the page shows is true. */
export const heard = ref(Date.now())
/** Cut off from the server: nothing new comes. */
export const cut = computed(() => live.value === 'lost' || (live.value !== 'off' && !reachable.value))

const handlers = new Map<Name, Set<Handler<never>>>()
let source: EventSource | null = null
let pause = 1000
let timer = 0
let beat = 0 // ms between two beats; 0: this server has none
const OPENING = 15000 // ms that a connection may take

function emit(name: Name, data: unknown) {
  handlers.get(name)?.forEach((fn) => (fn as (d: unknown) => void)(data))
}

/** Listens to one kind of event; returns the function that stops listening. */
export function on<N extends Name>(name: N, fn: Handler<N>): () => void {
  const set = handlers.get(name) ?? new Set()
  handlers.set(name, set)
  set.add(fn as Handler<never>)
  return () => set.delete(fn as Handler<never>)
}

let asked = 0 // when the connection that is not open yet was begun
export function connect() {
  shut()
  live.value = live.value === 'lost' ? 'lost' : 'connecting'
  asked = Date.now()
  source = new EventSource('/api/v1/events')
  source.onopen = () => {
    pause = 1000
    heard.value = Date.now()
    live.value = 'on'
    emit('open', undefined)
  }
  source.onerror = () => {
    live.value = 'lost'
    if (source?.readyState !== EventSource.CLOSED) return // the browser tries again itself
    clearTimeout(timer)
    timer = window.setTimeout(connect, pause)
    pause = Math.min(pause * 2, 20000)
  }
  for (const name of ['alarm', 'record', 'duty', 'map', 'hello', 'beat'] as const) {
    source.addEventListener(name, (e) => {
      heard.value = Date.now()
      live.value = 'on'
      try {
        const data = JSON.parse((e as MessageEvent).data || 'null')
        if (name === 'hello') beat = (data?.beat_s ?? 0) * 1000
        emit(name, data)
      } catch {
        // one damaged event must not stop the stream
      }
    })
  }
}

/** Missed two beats, or opened in vain: what looks open is not. */
function look() {
  if (!source) return
  const waits = source.readyState === EventSource.CONNECTING
  if (waits ? Date.now() - asked < OPENING : !beat || Date.now() - heard.value < 2.4 * beat) return
  live.value = 'lost'
  connect()
}
setInterval(look, 2000)
document.addEventListener('visibilitychange', () => document.hidden || look()) // slept: timers too
addEventListener('online', () => source && connect())
addEventListener('offline', () => source && (live.value = 'lost'))

function shut() {
  clearTimeout(timer)
  source?.close()
  source = null
}

export function disconnect() {
  shut()
  live.value = 'off'
}
