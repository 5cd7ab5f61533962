// The map of an emergency: where it is, the cordon or the computed zone, what is near and what is on its way.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import LineString from 'ol/geom/LineString'
import Point from 'ol/geom/Point'
import { circular } from 'ol/geom/Polygon'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { extend } from 'ol/extent'
import { fromLonLat } from 'ol/proj'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { drawMap } from '../map/draw'
import { loadBase } from '../map/base'
import { look } from '../lib/level'
import type { LonLat, Near } from './command'

export interface Scene { at: LonLat; metres: number; guessed: boolean; zones: GeoJSON.FeatureCollection | null; near: Near[]; chosen: number }
export interface CommandMap { show(s: Scene, fit: boolean): void; size(): void; close(): void }
type G = { properties?: { color?: string; zone?: string } | null }

const text = (s: string, bold = false) => new Text({ text: s.slice(0, 14), offsetY: 20, font: `${bold ? 700 : 600} 13px sans-serif`, fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#fff', width: 4 }) })
const ZONE = ['#d32f2f', '#e86a00', '#f2c200'] // severe first, as the outlines come

export async function commandMap(target: HTMLElement): Promise<CommandMap> {
  const base = await loadBase()
  const drawing = drawMap(target, { ...base, areas: base.areas.map((a) => ({ ...a, color: undefined })) }, { dark: false, big: false })
  const ground = new VectorSource(), marks = new VectorSource()
  drawing.map.addLayer(new VectorLayer({ source: ground, zIndex: 8 }))
  drawing.map.addLayer(new VectorLayer({ source: marks, zIndex: 60, declutter: true }))
  const read = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })

  function zone(z: GeoJSON.FeatureCollection) {
    const names = [...new Set(z.features.map((f) => String((f as G).properties?.zone ?? '')))]
    const all = read.readFeatures(z) as Feature[]
    for (const f of all) {
      const hex = ZONE[Math.min(names.indexOf(String(f.get('zone') ?? '')), 2)] ?? ZONE[0]
      f.setStyle(new Style({ fill: new Fill({ color: hex + '2e' }), stroke: new Stroke({ color: hex, width: 2 }) }))
    }
    ground.addFeatures(all)
    return all
  }
  function near(r: Near, s: Scene, named: boolean) {
    const place = new Feature({ geometry: new Point(fromLonLat(r.position)) })
    const color = r.task ? '#7a1fa2' : r.state === 'ready' ? look('green').fill : look('yellow').fill
    place.setStyle(new Style({ image: new Circle({ radius: r.id === s.chosen ? 11 : 7, fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 2.5 }) }), text: named ? text(r.name) : undefined }))
    marks.addFeature(place)
    if (!r.task && r.id !== s.chosen) return
    const line = new Feature({ geometry: new LineString([fromLonLat(r.position), fromLonLat(s.at)]) })
    line.setStyle(new Style({ stroke: new Stroke({ color, width: 2, lineDash: [8, 6] }) }))
    ground.addFeature(line)
  }
  return {
    show(s, fit) {
      ground.clear(true)
      marks.clear(true)
      const ring = circular(s.at, s.metres, 64).transform('EPSG:4326', 'EPSG:3857')
      const cordon = new Feature({ geometry: ring })
      cordon.setStyle(new Style({ fill: new Fill({ color: '#c6282814' }), stroke: new Stroke({ color: '#c62828', width: 2, lineDash: [6, 6] }) }))
      const seen = new VectorSource({ features: s.zones ? zone(s.zones) : [] })
      if (!s.zones || !s.guessed) ground.addFeature(cordon)
      s.near.forEach((r, i) => near(r, s, i < 6 || !!r.task || r.id === s.chosen))
      const spot = new Feature({ geometry: new Point(fromLonLat(s.at)) })
      spot.setStyle(new Style({ image: new RegularShape({ points: 5, radius: 16, radius2: 7, fill: new Fill({ color: '#c62828' }), stroke: new Stroke({ color: '#ffd400', width: 3 }) }), zIndex: 99 }))
      marks.addFeature(spot)
      const size = drawing.map.getSize()
      if (fit && size) drawing.map.getView().fit(seen.isEmpty() ? circular(s.at, Math.max(s.metres * 2, 1500), 32).transform('EPSG:4326', 'EPSG:3857').getExtent() : extend(seen.getExtent()!, spot.getGeometry()!.getExtent()), { padding: [40, 40, 40, 40], maxZoom: 16 })
    },
    size: () => drawing.map.updateSize(),
    close: () => drawing.close(),
  }
}
