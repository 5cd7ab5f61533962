// The map of a replay: enterprises and points in the colours of the moment, on the bare base map. Nothing of today's state is on it.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { fromLonLat } from 'ol/proj'
import type { Color } from '../api/types'
import { drawMap } from '../map/draw'
import { loadBase } from '../map/base'
import { thingStyle } from '../map/style'
import { rank } from '../lib/level'
import type { Replay } from './model'

const NEAR = 20 // metres a pixel: farther away points show only with an alarm

export interface PastMap { colors(points: Map<number, Color>, firms: Map<number, Color>): void; close(): void }

export async function pastMap(target: HTMLElement, r: Replay): Promise<PastMap> {
  const theme = { dark: false, big: false }
  const base = await loadBase()
  const drawing = drawMap(target, { ...base, areas: base.areas.map((a) => ({ ...a, color: undefined })) }, theme)
  const features = new globalThis.Map<string, Feature>()
  const put = (kind: string, id: number, name: string, at: [number, number] | null) => {
    if (at) features.set(kind + id, new Feature({ geometry: new Point(fromLonLat(at)), kind, name, color: 'grey' }))
  }
  for (const e of r.enterprises) put('enterprise', e.id, e.title, e.position)
  for (const p of r.points) put('point', p.id, p.name, p.position)
  for (const a of r.alarms) if (!features.has('point' + a.point)) put('point', a.point, a.name, a.position)
  const source = new VectorSource({ features: [...features.values()] })
  const layer = new VectorLayer({ source, zIndex: 50, declutter: true, style: (f, res) => (f.get('kind') === 'point' && res > NEAR && rank(f.get('color')) > rank('blue') ? undefined : thingStyle(f.get('kind'), f.get('color'), 1, f.get('name'), res, false, theme)) })
  drawing.map.addLayer(layer)
  const extent = source.getExtent()
  if (features.size && extent) drawing.map.getView().fit(extent, { padding: [50, 50, 50, 50], maxZoom: 15 })
  const set = (kind: string, colors: Map<number, Color>) => {
    for (const [id, color] of colors) {
      const f = features.get(kind + id)
      if (f && f.get('color') !== color) f.set('color', color)
    }
  }
  return { colors: (points, firms) => { set('point', points); set('enterprise', firms) }, close: () => drawing.close() }
}
