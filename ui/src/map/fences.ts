// Fences and routes on the map: by their kind a colour and a line of its own, red and bold while somebody breaks one.
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import { circular } from 'ol/geom/Polygon'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Fill, Stroke, Style, Text } from 'ol/style'
import { fromLonLat, getPointResolution } from 'ol/proj'
import { get } from '../api/http'
import type { Alarm } from '../api/types'
import { tx } from '../i18n'

export interface Fence { id: number; name: string; kind: string; enterprise: number; in_force: boolean; reach_m: number; shape: GeoJSON.Geometry }
export const loadFences = async () => (await get<{ items: Fence[] }>('/map/fences')).items
/** Fences at which an alarm lasts. */
export const broken = (list: Alarm[]) => new Set(list.filter((a) => a.active).flatMap((a) => { const m = /^fence:(\d+):/.exec(a.family ?? ''); return m ? [Number(m[1])] : [] }))

const COLORS: Record<string, string> = { in: '#1f6fe5', out: '#c62828', speed: '#c25700', stay: '#c25700', route: '#1f6fe5', post: '#1d7f48' }
const DASH: Record<string, number[] | undefined> = { in: undefined, out: undefined, speed: [2, 6], stay: [10, 6], route: [14, 6], post: [4, 4] }

function geometry(f: Fence) {
  if (f.shape.type === 'Point') return circular(f.shape.coordinates as [number, number], f.reach_m, 64).transform('EPSG:4326', 'EPSG:3857')
  return new GeoJSON().readGeometry(f.shape, { featureProjection: 'EPSG:3857' })
}
function style(f: Fence, red: boolean, res: number): Style[] {
  const color = !f.in_force ? '#7d8796' : red ? '#d32f2f' : (COLORS[f.kind] ?? '#1f6fe5')
  const line = f.shape.type === 'LineString' || f.shape.type === 'MultiLineString'
  const text = res < 30 ? new Text({ text: `${red ? '▲ ' : ''}${tx('fence', f.kind)} · ${f.name}`, font: '12px sans-serif', placement: line ? 'line' : 'point', overflow: !line, fill: new Fill({ color }), stroke: new Stroke({ color: '#ffffffdd', width: 3 }) }) : undefined
  const edge = new Style({ stroke: new Stroke({ color, width: red ? 4 : 2, lineDash: DASH[f.kind] }), fill: new Fill({ color: color + (f.kind === 'out' ? '33' : '14') }), text })
  if (!line) return [edge]
  const at = (f.shape.type === 'LineString' ? f.shape.coordinates[0] : (f.shape as GeoJSON.MultiLineString).coordinates[0][0]) as [number, number]
  const width = (2 * f.reach_m) / getPointResolution('EPSG:3857', res, fromLonLat(at))
  return [new Style({ stroke: new Stroke({ color: color + '30', width: Math.max(width, 4), lineCap: 'round', lineJoin: 'round' }) }), edge]
}

export interface FenceLayer { layer: VectorLayer; set(list: Fence[]): void; red(ids: Set<number>): void }

export function fenceLayer(): FenceLayer {
  const source = new VectorSource()
  let reds = new Set<number>()
  const layer = new VectorLayer({ source, zIndex: 30, declutter: true, style: (x, res) => { const f = x.get('fence') as Fence; return style(f, reds.has(f.id), res) }, properties: { kind: 'fence' } })
  return {
    layer,
    set(list) {
      source.clear(true)
      source.addFeatures(list.map((fence) => new Feature({ geometry: geometry(fence) ?? undefined, fence })))
    },
    red(ids) {
      if (ids.size === reds.size && [...ids].every((i) => reds.has(i))) return
      reds = ids
      layer.changed()
    },
  }
}
