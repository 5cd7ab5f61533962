// Two saved cases as the server compares them (GET /zones/compare), and how their outlines are told apart on the map: by the line
// and by a name on it, not by the colour alone.
import Feature from 'ol/Feature'
import Point from 'ol/geom/Point'
import Polygon from 'ol/geom/Polygon'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import type OlMap from 'ol/Map'
import { Fill, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { isEmpty } from 'ol/extent'
import type { LonLat } from './zone'

export interface LevelNumbers { reach: number; width: number; area: number; day: number; night: number }
export interface ComparedCase { id: number; number: string; title: string; scenario?: string; substance?: string; weather?: string; position?: LonLat; outlines: { key: string; what: 'ring' | 'band'; label: string; ring: LonLat[] }[] }
export interface Comparison { cases: ComparedCase[]; levels: { level: string; a?: LevelNumbers; b?: LevelNumbers; more?: LevelNumbers }[] }

export interface CompareLayer {
  show(c: Comparison | null): void
  fit(): void
  close(): void
}

const LINES = [{ color: '#0b3d91', dash: undefined, width: 3.5 }, { color: '#8a1c00', dash: [12, 8], width: 3.5 }]

/** marks: what the outlines of the first and the second case are called. */
export function compareLayer(map: OlMap, marks: string[]): CompareLayer {
  const lines = new VectorSource(), names = new VectorSource()
  const layers = [new VectorLayer({ source: lines, zIndex: 62 }), new VectorLayer({ source: names, zIndex: 63, declutter: 'compare' })]
  layers.forEach((l) => map.addLayer(l))
  function outline(ring: LonLat[], i: number) {
    const f = new Feature({ geometry: new Polygon([ring.map((p) => fromLonLat(p))]) })
    const { color, dash, width } = LINES[i]
    f.setStyle([new Style({ stroke: new Stroke({ color: '#ffffffd9', width: width + 3 }), fill: new Fill({ color: color + '14' }) }), new Style({ stroke: new Stroke({ color, width, lineDash: dash, lineCap: 'butt' }) })])
    lines.addFeature(f)
  }
  /** Where it is farthest from the accident; of circles the first above, the second below: they stay apart. */
  function name(ring: LonLat[], from: LonLat | undefined, label: string, i: number) {
    const [x, y] = from ?? ring[0]
    const far = (p: LonLat) => Math.hypot((p[0] - x) * Math.cos((y * Math.PI) / 180), p[1] - y) + (i ? -1 : 1) * (p[1] - y) * 0.05
    const at = ring.reduce((a, p) => (far(p) > far(a) ? p : a))
    const f = new Feature({ geometry: new Point(fromLonLat(at)) })
    f.setStyle(new Style({ text: new Text({ text: label, font: '700 14px sans-serif', offsetY: i ? 13 : -13, fill: new Fill({ color: LINES[i].color }), stroke: new Stroke({ color: '#fff', width: 4 }), overflow: true }) }))
    names.addFeature(f)
  }
  return {
    show(c) {
      lines.clear(true)
      names.clear(true)
      c?.cases.forEach((x, i) => x.outlines.filter((o) => o.what === 'ring' && o.ring.length > 3).forEach((o) => {
        outline(o.ring, i)
        name(o.ring, x.position, `${marks[i]} ${o.label.split(/[：:(（]/)[0].trim()}`, i)
      }))
      lines.changed()
      names.changed()
    },
    fit() {
      const all = lines.getExtent()
      const wide = (map.getSize()?.[0] ?? 0) > 900 // the legend stands at the left
      if (all && !isEmpty(all)) map.getView().fit(all, { padding: wide ? [70, 90, 60, 300] : [70, 70, 40, 40], maxZoom: 17 })
    },
    close() {
      layers.forEach((l) => map.removeLayer(l))
    },
  }
}
