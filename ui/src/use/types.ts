// Type descriptions, fetched once per language. Everything about fields, states and moves comes from here.
import { computed, ref, watch } from 'vue'
import { get } from '../api/http'
import type { PackBrief, TypeBrief, TypeInfo } from '../api/types'
import { lang } from '../i18n'
import { icon } from '../lib/icons'
import { me } from './session'

export const types = ref<TypeBrief[]>([])
export const packs = ref<PackBrief[]>([])
const cache = new Map<string, Promise<TypeInfo>>()

export const readable = computed(() => types.value.filter((x) => x.can.includes('read')))
/** Registers opened last, kept in this browser. */
export const recentTypes = ref<string[]>(JSON.parse(localStorage.getItem('anlan.recent') ?? '[]') as string[])
export function used(type: string) {
  if (recentTypes.value.slice(0, 5).includes(type)) return // what stands in the menu stays where it is
  recentTypes.value = [type, ...recentTypes.value.filter((x) => x !== type)].slice(0, 8)
  localStorage.setItem('anlan.recent', JSON.stringify(recentTypes.value))
}
export const typeIcon = (name: string) => icon(types.value.find((x) => x.name === name)?.icon, name)
export const typeLabel = (name: string) => types.value.find((x) => x.name === name)?.label ?? name
export const packLabel = (name: string) => packs.value.find((x) => x.name === name)?.label ?? name
export const knows = (name: string) => readable.value.some((x) => x.name === name)

export async function loadTypes() {
  const all = await get<{ types: TypeBrief[]; packs: PackBrief[] }>('/types')
  types.value = all.types
  packs.value = all.packs
}
/** Before the first page of a session: the menu and every link depend on what may be read. */
export async function typesReady() {
  if (!types.value.length) await loadTypes().catch(() => {})
}

type Told = { js: unknown; words: string }
type Raw = TypeInfo['fields'][number] & { need_if?: Told }
const js = (e: unknown) => (e && typeof e === 'object' && 'js' in e ? (e as Told).js : e)
/** Expressions come as {js, words}: the tree is kept where it is used, the sentence beside it. */
export function tidy(info: TypeInfo): TypeInfo {
  const field = (f: Raw) => {
    const words = { when: (f.when as Told)?.words, need: f.need_if?.words, compute: (f.compute as Told)?.words }
    if (f.need_if) f.need = js(f.need_if)
    f.when = js(f.when)
    f.compute = js(f.compute)
    f.words = words
    if (f.is === 'origin') f.items = f.from?.map((x) => ({ value: x, label: typeLabel(x) })) // what it can be filtered by
    f.columns?.forEach(field)
  }
  info.fields.forEach(field)
  info.checks?.forEach((c) => (c.that = js(c.that)))
  return info
}

export function typeInfo(name: string): Promise<TypeInfo> {
  const key = name + ' ' + lang.value
  let p = cache.get(key)
  if (!p) {
    p = get<TypeInfo>('/types/' + encodeURIComponent(name)).then(tidy)
    p.catch(() => cache.delete(key)) // a failed answer must not stay
    cache.set(key, p)
  }
  return p
}

/** Descriptions may have changed: a new version of the packs is in force. */
export async function forgetTypes() {
  cache.clear()
  await loadTypes().catch(() => {})
}

watch(me, (m) => {
  cache.clear()
  if (!m) types.value = []
})
watch(lang, () => {
  cache.clear()
  if (me.value) loadTypes().catch(() => {})
})
