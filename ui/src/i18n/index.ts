// Two languages, one flat table each (zh.ts is the master: en.ts must have the same keys, checked by the compiler
// and by a test). {name} in a text is replaced.
import { ref, watch } from 'vue'
import type { Lang, Text } from '../api/types'
import { zh } from './zh'
import { en } from './en'

export type Key = keyof typeof zh
const tables: Record<Lang, Record<string, string>> = { zh, en }

function first(): Lang {
  const saved = localStorage.getItem('anlan.lang')
  if (saved === 'zh' || saved === 'en') return saved
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh'
}
export const lang = ref<Lang>(first())

watch(
  lang,
  (l) => {
    localStorage.setItem('anlan.lang', l)
    document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en'
    document.title = tables[l]['app.title']
  },
  { immediate: true, flush: 'sync' },
)

function fill(s: string, args?: Record<string, string | number>): string {
  return args ? s.replace(/\{(\w+)\}/g, (m, k) => (k in args ? String(args[k]) : m)) : s
}

export function t(key: Key, args?: Record<string, string | number>): string {
  return fill(tables[lang.value][key], args)
}

/** Text of a computed key ("quality.flat"); the last part itself if there is none. */
export function tx(prefix: string, name: string): string {
  return tables[lang.value][prefix + '.' + name] ?? name
}

/** A text the server sends in both languages, or in the one asked for. */
export function say(text: Text | null | undefined): string {
  if (!text) return ''
  return typeof text === 'string' ? text : text[lang.value] || text.zh || text.en || ''
}
