// Names of areas by their code, for filters and labels.
import { computed, ref, watch } from 'vue'
import { get } from '../api/http'
import type { Page, Rec } from '../api/types'
import { lang } from '../i18n'
import { areaPrefix } from '../lib/area'
import { me } from './session'

interface Area { code: string; name: string }
const areas = ref<Area[]>([])

/** All of them, from the top down. */
export const areasAll = computed(() => [...areas.value].sort((a, b) => a.code.localeCompare(b.code)))
/** Of a code, or of a scope (a code without the zeros behind). */
export const areaName = (code?: string) => (code && areas.value.find((a) => a.code === code.padEnd(12, '0'))?.name) || code || ''
/** Towns and zones (nine digits that say something), for filters. */
export const towns = computed(() => areasAll.value.filter((a) => areaPrefix(a.code).length === 9))

watch(
  [me, lang],
  ([m]) => {
    if (!m) return
    get<Page<Rec>>('/records/area', { size: 500 })
      .then((p) => {
        areas.value = p.items.map((r) => ({ code: String(r.code ?? r.area ?? r.number ?? ''), name: String(r.name ?? r.title ?? '') }))
      })
      .catch(() => {})
  },
  { immediate: true },
)
