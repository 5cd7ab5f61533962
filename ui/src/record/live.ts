// What a form knows while somebody types: which fields are shown, which are needed, what the computed ones come to,
// which checks do not hold. The server decides again when it is saved; this only says it earlier.
import { computed, reactive, type Ref as Box } from 'vue'
import { get } from '../api/http'
import type { Field, Rec, Ref, TypeInfo } from '../api/types'
import { evaluate, names, truth, wrong, type Context } from '../lib/expr'
import { knows } from '../use/types'
import { me } from '../use/session'
import type { Form } from './values'

const others = reactive(new Map<string, Rec | null>()) // what references point to, fetched when an expression reads it

export function related(type: string, id: number): Rec | null {
  const key = type + ' ' + id
  if (!others.has(key)) {
    others.set(key, null)
    if (knows(type)) get<Rec>(`/records/${type}/${id}`).then((r) => others.set(key, r)).catch(() => {})
  }
  return others.get(key) ?? null
}

export function context(info: TypeInfo | null, values: Record<string, unknown>, rec?: Rec | null): Context {
  const field = (name: string) => info?.fields.find((f) => f.name === name)
  return {
    get(name) {
      if (name in values) return values[name]
      return rec?.[name] ?? null
    },
    kind: (name) => field(name)?.is,
    follow(name, of) {
      const f = field(name)
      const v = (name in values ? values[name] : rec?.[name]) as (Ref & { type?: string; number?: string }) | null
      if (f?.is === 'origin') return v?.type ? (of === 'type' ? v.type : of === 'number' || of === 'title' ? (v[of] ?? null) : (related(v.type, v.id)?.[of] ?? null)) : null
      const to = f?.to ?? (name === 'enterprise' ? 'enterprise' : '')
      return v && typeof v === 'object' && v.id && to ? (related(to, v.id)?.[of] ?? null) : null
    },
    me: me.value ? { id: me.value.id, title: me.value.title } : null,
  }
}

export function useLive(info: Box<TypeInfo | null>, form: Box<Form>, rec: Box<Rec | null>) {
  const ctx = computed(() => context(info.value, form.value, rec.value))
  const visible = (f: Field) => f.when === undefined || f.when === null || truth(f.when, ctx.value)
  const needed = (f: Field) => f.need === true || (!!f.need && truth(f.need, ctx.value))
  /** The value of a computed or drawn field now; undefined if the browser cannot know it. */
  function shown(f: Field): unknown {
    if (f.draw) return (f.draw_field && ctx.value.follow(f.draw, f.draw_field)) ?? rec.value?.[f.name] ?? null
    if (!f.compute || typeof f.compute === 'boolean') return rec.value?.[f.name] ?? null
    const v = evaluate(f.compute, ctx.value)
    return v === undefined ? (rec.value?.[f.name] ?? null) : v
  }
  /** Checks that do not hold: the message at the field it names, else at a field it reads. */
  const broken = computed(() => {
    const out: Record<string, string> = {}
    for (const c of info.value?.checks ?? []) {
      if (!wrong(c.that, ctx.value)) continue
      const at = c.at ?? names(c.that).find((n) => info.value?.fields.some((f) => f.name === n)) ?? ''
      out[at] ??= c.say
    }
    return out
  })
  return { visible, needed, shown, broken }
}
