// The event stream: one EventSource for the whole page, reopened by itself with a growing pause.
import { ref } from 'vue'

export interface EventMap {
  alarm: import('./types').Alarm
  record: { what: string; type: string; id: number; state: string; area: string }
  duty: { n: number; overdue: number }
  map: { layer?: string; at?: [number, number]; all?: boolean; index?: string; kind?: string; key?: string; score?: number; level?: import('./types').Color; reload?: boolean } // something is new in a layer, or in the risk index
  hello: unknown
  open: undefined // the stream is (again) connected: what was missed must be fetched
}
type Name = keyof EventMap
type Handler<N extends Name> = (data: EventMap[N]) => void

export const live = ref<'off' | 'connecting' | 'on' | 'lost'>('off')

const handlers = new Map<Name, Set<Handler<never>>>()
let source: EventSource | null = null
let pause = 1000
let timer = 0

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

export function connect() {
  disconnect()
  live.value = live.value === 'lost' ? 'lost' : 'connecting'
  source = new EventSource('/api/v1/events')
  source.onopen = () => {
    pause = 1000
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
  for (const name of ['alarm', 'record', 'duty', 'map', 'hello'] as const) {
    source.addEventListener(name, (e) => {
      try {
        emit(name, JSON.parse((e as MessageEvent).data || 'null'))
      } catch {
        // one damaged event must not stop the stream
      }
    })
  }
}

export function disconnect() {
  clearTimeout(timer)
  source?.close()
  source = null
  if (live.value !== 'lost') live.value = 'off'
}
