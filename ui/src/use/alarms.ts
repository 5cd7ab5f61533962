// The alarms that are not normal, kept live. One list for the console, the map, the bell and the sound.
import { computed, ref, shallowRef, triggerRef, watch } from 'vue'
import { get, post } from '../api/http'
import { on } from '../api/events'
import type { Alarm, AlarmList } from '../api/types'
import { rank } from '../lib/level'
import { ms } from '../lib/time'
import { lang } from '../i18n'
import { may, me } from './session'
import { knows, typesReady } from './types'

const map = shallowRef(new Map<number, Alarm>())
export const loaded = ref(false)
export const failed = ref<Error | null>(null)
/** Enterprises in reach, and how many of them nothing is known of now: no data, or none to be trusted. No alarm from these means nothing. of: 0 while it is not known. */
export const blind = ref({ of: 0, n: 0 })
export const allBlind = computed(() => blind.value.n === blind.value.of)

/** Worst first; of one level what still lasts before what is over, then what nobody has seen yet, then the newest. */
export function order(a: Alarm, b: Alarm): number {
  return rank(a.color) - rank(b.color) || Number(b.active) - Number(a.active) || Number(needsAck(b)) - Number(needsAck(a)) || ms(b.raised_at) - ms(a.raised_at)
}
export const openAlarms = computed(() => [...map.value.values()].sort(order))
const HIDDEN = ['shelved', 'suppressed', 'out_of_service']
/** Without those that somebody or something hides: what is to be looked at now. */
export const announced = computed(() => openAlarms.value.filter((a) => !HIDDEN.includes(a.state)))
export const needsAck = (a: Alarm) => ['unack', 'rtn_unack', 'latch_unack'].includes(a.state)
export const unacked = computed(() => openAlarms.value.filter(needsAck))
export const alarmById = (id: number) => map.value.get(id)

async function loadBlind() {
  await typesReady()
  if (!knows('enterprise')) throw new Error('not for this person')
  const { items } = await get<{ items: { code: string; total: number; grey: number }[] }>('/map/areas')
  const counties = items.filter((x) => x.code.length === 4)
  blind.value = { of: counties.reduce((n, x) => n + x.total, 0), n: counties.reduce((n, x) => n + x.grey, 0) }
}

export async function loadAlarms() {
  if (!may('alarm.read')) return void (loaded.value = true)
  try {
    const seen = loadBlind().catch(() => (blind.value = { of: 0, n: 0 }))
    const list = await get<AlarmList>('/alarms', { size: 500 })
    map.value = new Map(list.items.map((a) => [a.id, a]))
    if (!list.items.length) await seen // alarms wait for nothing; only "none" needs it
    loaded.value = true
    failed.value = null
  } catch (e) {
    failed.value = e as Error
  }
}

function merge(a: Alarm) {
  if (!may('alarm.read') || !a || typeof a.id !== 'number') return
  if (a.state === 'normal') map.value.delete(a.id)
  else map.value.set(a.id, a)
  triggerRef(map)
}

export type Act = 'ack' | 'reset' | 'shelve' | 'unshelve' | 'suppress' | 'unsuppress' | 'out_of_service' | 'in_service' | 'comment'

/** Does something to an alarm; the answer (or a fetch) is what the page then shows. */
export async function act(id: number, what: Act, body: { reason?: string; until?: string } = {}): Promise<Alarm> {
  const got = await post<Alarm | undefined>(`/alarms/${id}/${what}`, body)
  const alarm = got?.point ? got : await get<Alarm>('/alarms/' + id)
  merge(alarm)
  return alarm
}

let timer = 0
export function startAlarms() {
  on('alarm', merge)
  on('open', () => void loadAlarms())
  watch(
    [me, lang],
    ([m]) => {
      clearInterval(timer)
      if (!m) {
        map.value = new Map()
        loaded.value = false
        return
      }
      void loadAlarms()
      timer = window.setInterval(() => void loadAlarms(), 60000) // safety net under the stream
    },
    { immediate: true },
  )
}
