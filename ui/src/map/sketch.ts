// A map to draw a point, a line or an area on, or only to show one.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import GeoJSONFormat from 'ol/format/GeoJSON'
import Draw from 'ol/interaction/Draw'
import Modify from 'ol/interaction/Modify'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, Stroke, Style } from 'ol/style'
import { drawMap } from './draw'
import { loadBase } from './base'

export type ShapeKind = 'point' | 'line' | 'area'
const OL = { point: 'Point', line: 'LineString', area: 'Polygon' } as const
const proj = { dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' }
const style = new Style({
  stroke: new Stroke({ color: '#1d56c9', width: 3 }),
  fill: new Fill({ color: 'rgba(29, 86, 201, .18)' }),
  image: new Circle({ radius: 8, fill: new Fill({ color: '#1d56c9' }), stroke: new Stroke({ color: '#fff', width: 3 }) }),
})

export interface Sketch { clear: () => void; undo: () => void; close: () => void }

export async function sketch(target: HTMLElement, start: GeoJSON.Geometry | null, kind: ShapeKind | null, drawn: (g: GeoJSON.Geometry | null) => void): Promise<Sketch> {
  const drawing = drawMap(target, await loadBase(), { dark: false, big: false })
  const format = new GeoJSONFormat()
  const source = new VectorSource()
  drawing.map.addLayer(new VectorLayer({ source, style, zIndex: 50 }))
  const show = (g: GeoJSON.Geometry | null) => {
    source.clear()
    if (g) source.addFeature(new Feature(format.readGeometry(g, proj) ?? undefined))
  }
  show(start)
  if (start) {
    const extent = source.getExtent()
    if (extent) drawing.map.getView().fit(extent, { padding: [60, 60, 60, 60], maxZoom: 16 })
  }
  let draw: Draw | null = null
  if (kind) {
    const tell = () => {
      const f = source.getFeatures()[0]
      const g = f?.getGeometry()
      drawn(g ? (format.writeGeometryObject(g, { ...proj, decimals: 6 }) as GeoJSON.Geometry) : null)
    }
    draw = new Draw({ source, type: OL[kind], style })
    draw.on('drawstart', () => source.clear())
    draw.on('drawend', () => setTimeout(tell))
    const modify = new Modify({ source })
    modify.on('modifyend', tell)
    drawing.map.addInteraction(modify)
    drawing.map.addInteraction(draw)
  }
  return {
    clear: () => (show(null), drawn(null)),
    undo: () => draw?.removeLastPoint(),
    close: () => drawing.close(),
  }
}
