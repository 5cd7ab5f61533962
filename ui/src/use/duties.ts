// How much waits for me: duties and unread notices, for the badges.
import { ref, watch } from 'vue'
import { get } from '../api/http'
import { on } from '../api/events'
import type { Duty, Notice } from '../api/types'
import { me } from './session'

export const duties = ref<Duty[]>([])
export const overdue = ref(0)
export const dutyCount = ref(0)
export const notices = ref<Notice[]>([])

export async function loadDuties() {
  const d = await get<{ items: Duty[] }>('/duties')
  duties.value = d.items
  dutyCount.value = d.items.length
  overdue.value = d.items.filter((x) => x.deadline && Date.parse(x.deadline) < Date.now()).length
}
export async function loadNotices() {
  notices.value = (await get<{ items: Notice[] }>('/notices', { unread: 1 })).items
}

let soon = 0
/** Several events in a row cause one fetch. */
function later() {
  clearTimeout(soon)
  soon = window.setTimeout(() => {
    if (!me.value) return
    loadDuties().catch(() => {})
    loadNotices().catch(() => {})
  }, 300)
}

export function startDuties() {
  on('duty', (d) => {
    if (d && typeof d.n === 'number') {
      dutyCount.value = d.n
      overdue.value = d.overdue
    }
    later()
  })
  on('record', later)
  on('open', later)
  watch(me, (m) => {
    if (m) return later()
    duties.value = []
    notices.value = []
    dutyCount.value = overdue.value = 0
  }, { immediate: true })
}
