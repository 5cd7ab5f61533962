// The work centre's state that outlives its page: for whom I act, and how much is in each box.
import { ref, watch } from 'vue'
import { actFor, get } from '../api/http'
import type { Delegation, Ref } from '../api/types'
import { me } from './session'

export const acting = ref<Ref | null>(null) // the person I stand for now
export const mayActFor = ref<(Ref & { until?: string })[]>([])
export const delegations = ref<Delegation[]>([])

export async function loadDelegations() {
  const got = (await get<{ items: Delegation[] }>('/delegations')).items
  delegations.value = got
  mayActFor.value = got
    .filter((d) => d.to.id === me.value?.id && d.in_force)
    .map((d) => ({ ...d.person, until: d.until }))
}

/** Switches whom everything from now on is done for; null = myself. */
export function standFor(p: Ref | null) {
  actFor(p?.id ?? null)
  acting.value = p
}

watch(me, (m, before) => {
  if (m?.id === before?.id) return
  standFor(null)
  mayActFor.value = []
}, { immediate: true })
