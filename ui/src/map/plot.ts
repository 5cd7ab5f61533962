// Records of a list on a map: a dot or a shape each, pressed to open.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import GeoJSONFormat from 'ol/format/GeoJSON'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { drawMap } from './draw'
import { loadBase } from './base'

export interface Spot { id: number; title: string; color: string; geometry: unknown }

export async function plot(target: HTMLElement, spots: Spot[], open: (id: number) => void): Promise<{ set: (s: Spot[]) => void; close: () => void }> {
  const drawing = drawMap(target, await loadBase(), { dark: false, big: false })
  const format = new GeoJSONFormat()
  const source = new VectorSource()
  const style = (f: Feature | { get: (k: string) => unknown }) => {
    const color = String(f.get('color'))
    return new Style({
      image: new Circle({ radius: 8, fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 2 }) }),
      stroke: new Stroke({ color, width: 3 }),
      fill: new Fill({ color: color + '33' }),
      text: new Text({ text: source.getFeatures().length > 60 ? '' : String(f.get('title')).slice(0, 14), offsetY: 18, font: '13px sans-serif', fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#fff', width: 3 }), overflow: true }),
    })
  }
  const layer = new VectorLayer({ source, style: style as never, zIndex: 50, declutter: true })
  drawing.map.addLayer(layer)
  const set = (list: Spot[]) => {
    source.clear()
    for (const s of list) {
      const g = typeof s.geometry === 'string' ? JSON.parse(s.geometry) : s.geometry
      const geometry = Array.isArray(g) ? new Point(fromLonLat(g as [number, number])) : (format.readGeometry(g, { dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' }) ?? undefined)
      source.addFeature(new Feature({ geometry, title: s.title, color: s.color, record: s.id }))
    }
    const extent = source.getExtent()
    if (list.length && extent) drawing.map.getView().fit(extent, { padding: [50, 50, 50, 50], maxZoom: 14 })
  }
  drawing.map.on('click', (e) => {
    const hit = drawing.map.forEachFeatureAtPixel(e.pixel, (f) => f.get('record') as number | undefined, { layerFilter: (l) => l === layer, hitTolerance: 6 })
    if (hit) open(hit)
  })
  set(spots)
  return { set, close: () => drawing.close() }
}
