// A thing on the map, what the server answers about it, and which tiles a change touches. No drawing.
import { get } from '../api/http'
import type { Color, Page, Rec } from '../api/types'
import { knows, typeInfo } from '../use/types'

export interface Thing { kind: string; id: number; name: string; position: [number, number]; color: Color; sector?: string; state?: string; metres?: number }
export type By = 'state' | 'risk'
/** What of a layer is drawn; empty lists are everything. */
export interface Filter { by: By; levels: Color[]; sectors: string[] }

interface Found { type: string; id: number; title: string; level: Color; state: string; sector: string; position: [number, number]; metres?: number }
export interface Sum { layer: string; total: number; [color: string]: number | string }
export interface Within { things: Thing[]; sums: Sum[] }
export type Where = { near: string; m: number } | { lon: number; lat: number; m: number } | { ring: string }

/** The query of a filter, as tiles and lists take it. */
export function asked(f: Filter): Record<string, string> {
  return { ...(f.by === 'risk' ? { by: 'risk' } : {}), ...(f.levels.length ? { level: f.levels.join() } : {}), ...(f.sectors.length ? { sector: f.sectors.join() } : {}) }
}

export async function within(layers: string[], where: Where, filter: Filter): Promise<Within> {
  const a = await get<{ items: Found[]; layers: Sum[] }>('/map/within', { layer: layers.join(), ...where, ...asked(filter) })
  return { sums: a.layers, things: a.items.map((x) => ({ kind: x.type, id: x.id, name: x.title || `${x.type} ${x.id}`, position: x.position, color: x.level, sector: x.sector, state: x.state, metres: x.metres })) }
}

/** One thing as it stands on the map; undefined if it is not there, or not for this reader. */
export async function findThing(kind: string, id: number, by: By = 'state'): Promise<Thing | undefined> {
  if (!id) return undefined
  const all = await within([kind], { near: `${kind}:${id}`, m: 1 }, { by, levels: [], sectors: [] }).catch(() => null)
  return all?.things.find((x) => x.id === id)
}

/** Things whose name or number fits the text; the server knows initials too. */
export async function search(text: string): Promise<Thing[]> {
  const kinds = ['enterprise', 'installation', 'point'].filter(knows)
  const pages = await Promise.all(kinds.map(async (kind) => {
    const place = (await typeInfo(kind)).geometry ?? ''
    const page = await get<Page<Rec>>('/records/' + kind, { q: text, size: 5 })
    return page.items.flatMap((r) => {
      const position = r[place] as [number, number] | null
      return Array.isArray(position) ? [{ kind, id: r.id, name: r.title ?? r.number ?? '', position, color: 'grey' as Color }] : []
    })
  }))
  return pages.flat()
}

/** The tile of that depth over the place, as "z/x/y" (Web Mercator, as the server cuts it). */
export function tileOver(z: number, [lon, lat]: [number, number]): string {
  const n = 2 ** z
  const y = (1 - Math.asinh(Math.tan((Math.min(Math.max(lat, -85.0511), 85.0511) * Math.PI) / 180)) / Math.PI) / 2
  const cut = (v: number) => Math.min(Math.max(Math.floor(v * n), 0), n - 1)
  return `${z}/${cut((lon + 180) / 360)}/${cut(y)}`
}
