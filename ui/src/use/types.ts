// Type descriptions, fetched once per language. Everything about fields, states and moves comes from here.
import { computed, ref, watch } from 'vue'
import { get } from '../api/http'
import type { TypeBrief, TypeInfo } from '../api/types'
import { lang } from '../i18n'
import { me } from './session'

export const types = ref<TypeBrief[]>([])
const cache = new Map<string, Promise<TypeInfo>>()

export const readable = computed(() => types.value.filter((x) => x.can.includes('read')))
export const typeLabel = (name: string) => types.value.find((x) => x.name === name)?.label ?? name
export const knows = (name: string) => readable.value.some((x) => x.name === name)

export async function loadTypes() {
  types.value = (await get<{ types: TypeBrief[] }>('/types')).types
}
/** Before the first page of a session: the menu and every link depend on what may be read. */
export async function typesReady() {
  if (!types.value.length) await loadTypes().catch(() => {})
}

export function typeInfo(name: string): Promise<TypeInfo> {
  const key = name + ' ' + lang.value
  let p = cache.get(key)
  if (!p) {
    p = get<TypeInfo>('/types/' + encodeURIComponent(name))
    p.catch(() => cache.delete(key)) // a failed answer must not stay
    cache.set(key, p)
  }
  return p
}

watch(me, (m) => {
  cache.clear()
  if (!m) types.value = []
})
watch(lang, () => {
  cache.clear()
  if (me.value) loadTypes().catch(() => {})
})
