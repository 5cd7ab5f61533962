// The area a question is about: a circle of so many metres, or a ring drawn corner by corner.
import Feature from 'ol/Feature'
import Draw from 'ol/interaction/Draw'
import type OlMap from 'ol/Map'
import { circular } from 'ol/geom/Polygon'
import type Polygon from 'ol/geom/Polygon'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Fill, Stroke, Style } from 'ol/style'
import { toLonLat } from 'ol/proj'

export interface Probe { circle(at: [number, number], metres: number, padding: number[]): void; draw(done: (ring: string) => void): void; clear(): void }

export function probe(map: OlMap): Probe {
  const source = new VectorSource()
  const style = new Style({ stroke: new Stroke({ color: '#1d56c9', width: 2.5, lineDash: [8, 5] }), fill: new Fill({ color: 'rgba(29, 86, 201, .08)' }) })
  map.addLayer(new VectorLayer({ source, style, zIndex: 6 }))
  let drawing: Draw | null = null
  const stop = () => {
    if (drawing) map.removeInteraction(drawing)
    drawing = null
  }
  return {
    circle(at, metres, padding) {
      stop()
      source.clear()
      const around = circular(at, metres, 64).transform('EPSG:4326', 'EPSG:3857') as Polygon
      source.addFeature(new Feature(around))
      map.getView().fit(around, { padding, duration: 400 })
    },
    draw(done) {
      stop()
      source.clear()
      drawing = new Draw({ source, type: 'Polygon', style, maxPoints: 200 })
      drawing.on('drawstart', () => source.clear())
      drawing.on('drawend', (e) => {
        const ring = (e.feature.getGeometry() as Polygon).getCoordinates()[0].slice(0, -1)
        done(ring.map((p) => toLonLat(p).map((v) => v.toFixed(6)).join()).join(';'))
      })
      map.addInteraction(drawing)
    },
    clear() {
      stop()
      source.clear()
    },
  }
}
