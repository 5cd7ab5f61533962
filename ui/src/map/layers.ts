// The layers one may switch on and off: in groups, and as they were left the last time on this device.
import { tx } from '../i18n'
import { packLabel, readable } from '../use/types'

/** group: 'now' what is watched, a pack, or 'base' the ground. */
export interface LayerChoice { name: string; label: string; on: boolean; group: string }
export interface LayerGroup { name: string; label: string; layers: LayerChoice[] }

const KEY = 'anlan.map.layers'

function remembered(): Record<string, boolean> {
  try {
    const v = JSON.parse(localStorage.getItem(KEY) ?? '{}') as unknown
    return v && typeof v === 'object' ? (v as Record<string, boolean>) : {}
  } catch {
    return {}
  }
}

/** Groups for those that have none (the pack of their type), and switched as they were left. */
export function grouped(list: LayerChoice[]): LayerChoice[] {
  const was = remembered()
  return list.map((l) => ({ ...l, group: l.group || (readable.value.find((x) => x.name === l.name)?.pack ?? ''), on: typeof was[l.name] === 'boolean' ? was[l.name] : l.on }))
}
export function remember(list: LayerChoice[]) {
  localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...Object.fromEntries(list.map((l) => [l.name, l.on])) }))
}

const words = (s: string) => s.toLowerCase().replace(/\s+/g, '')
/** What the text finds, by name of layer or of group; watched things first, the ground last. */
export function groupsOf(list: LayerChoice[], find: string): LayerGroup[] {
  const out = new Map<string, LayerChoice[]>()
  for (const l of list) out.set(l.group, [...(out.get(l.group) ?? []), l])
  const rank = (g: string) => (g === 'now' ? 0 : g === 'base' ? 2 : 1)
  return [...out]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, layers]) => ({ name, label: name === 'now' || name === 'base' ? tx('layergroup', name) : packLabel(name), layers }))
    .map((g) => (words(g.label).includes(words(find)) ? g : { ...g, layers: g.layers.filter((l) => words(l.label).includes(words(find))) }))
    .filter((g) => g.layers.length)
}
