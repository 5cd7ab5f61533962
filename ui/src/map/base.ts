// The base map as fetched: its own areas, or those of the area register when the map file has none.
import { get } from '../api/http'
import type { MapArea, MapBase, Page, Rec, TypeInfo } from '../api/types'
import { typeInfo } from '../use/types'

const WORLD: MapBase['bounds'] = [73, 18, 135, 54] // China, until a county's map says better

async function registered(): Promise<MapArea[]> {
  const info: TypeInfo = await typeInfo('area')
  const shape = info.fields.find((f) => f.is === 'shape')?.name
  const page = await get<Page<Rec>>('/records/area', { size: 500 })
  if (!shape) return []
  return page.items.flatMap((r) => {
    const g = r[shape]
    const geometry = (typeof g === 'string' ? JSON.parse(g) : g) as GeoJSON.Geometry | null
    return geometry ? [{ code: String(r.code ?? r.area), name: r.title ?? '', tier: String(r.tier ?? ''), geometry }] : []
  })
}

export async function loadBase(): Promise<MapBase> {
  const base = await get<MapBase>('/map')
  const own = (base.areas ?? []).map((a) => ({ ...a, geometry: a.geometry ?? (a as unknown as { shape: GeoJSON.Geometry }).shape })).filter((a) => a.geometry)
  const areas = own.length ? own : await registered().catch(() => [])
  return { bounds: base.bounds ?? WORLD, areas, layers: base.layers ?? {} }
}
