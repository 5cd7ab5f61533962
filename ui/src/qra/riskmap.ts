// Contours of individual risk on the base map, with sources and places; another run's contours as dashes only.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import GeoJSONFormat from 'ol/format/GeoJSON'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { drawMap } from '../map/draw'
import { loadBase } from '../map/base'
import { lookOf, sci, type Answer } from './qra'

const words = (text: string, color: string, offsetY: number) => new Text({ text, offsetY, font: '13px sans-serif', fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 3 }), overflow: true })
// On the line, and only where the line is long enough.
const along = (text: string, color: string) => new Text({ text, placement: 'line', font: '12px sans-serif', fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 3 }) })
const read = new GeoJSONFormat({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })

export interface RiskMap { set: (a: Answer, other: Answer | null) => void; close: () => void }

export async function riskMap(target: HTMLElement): Promise<RiskMap> {
  const drawing = drawMap(target, await loadBase(), { dark: false, big: false }, () => {})
  const areas = new VectorSource(), marks = new VectorSource()
  drawing.map.addLayer(new VectorLayer({ source: areas, zIndex: 40 }))
  drawing.map.addLayer(new VectorLayer({ source: marks, zIndex: 50, declutter: true }))
  const contours = (a: Answer, only_line: boolean) => a.contours.forEach((c, i) => {
    if (!c.polygons.length) return
    const look = lookOf(i, a.contours.length)
    const f = new Feature(read.readGeometry({ type: 'MultiPolygon', coordinates: c.polygons }) as never)
    f.setStyle(new Style({ stroke: new Stroke({ color: only_line ? '#3a4357' : look.line, width: only_line ? 1.5 : 2.5, lineDash: only_line ? [4, 4] : look.dash }), fill: only_line ? undefined : new Fill({ color: look.fill }), text: only_line ? undefined : along(sci(c.level), look.line) }))
    areas.addFeature(f)
  })
  const set = (a: Answer, other: Answer | null) => {
    areas.clear()
    marks.clear()
    contours(a, false)
    if (other) contours(other, true)
    for (const p of a.places) {
      const f = new Feature(new Point(fromLonLat(p.at)))
      const color = p.met ? '#1f7a45' : '#b3261e'
      f.setStyle(new Style({ image: p.met ? new Circle({ radius: 7, fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 2 }) }) : new RegularShape({ points: 4, radius: 10, angle: 0, fill: new Fill({ color }), stroke: new Stroke({ color: '#fff', width: 2 }) }), text: words(`${p.met ? '✓' : '✗'} ${p.name}`, color, 18) }))
      marks.addFeature(f)
    }
    for (const s of a.sources) {
      const f = new Feature(new Point(fromLonLat(s.at)))
      f.setStyle(new Style({ image: new RegularShape({ points: 3, radius: 8, fill: new Fill({ color: s.planned ? '#fff' : '#1c2635' }), stroke: new Stroke({ color: '#1c2635', width: 2 }) }), text: words(s.name, '#1c2635', -14) }))
      marks.addFeature(f)
    }
    const extent = areas.isEmpty() ? marks.getExtent() : areas.getExtent()
    if (extent && (!areas.isEmpty() || !marks.isEmpty())) drawing.map.getView().fit(extent, { padding: [30, 30, 30, 30], maxZoom: 16 })
  }
  return { set, close: () => drawing.close() }
}
