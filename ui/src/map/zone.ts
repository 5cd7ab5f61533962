// Consequence zones as the server answers them (POST /zones), and how they are drawn over the map. No business here.
import Feature from 'ol/Feature'
import LineString from 'ol/geom/LineString'
import Point from 'ol/geom/Point'
import Polygon from 'ol/geom/Polygon'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import type OlMap from 'ol/Map'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import type { Color } from '../api/types'
import { look } from '../lib/level'

export type LonLat = [number, number]
export interface People { day: number; night: number }
export interface Zone { key: string; color: Color; label: string; value: number; unit: string; reach: number; upwind: number; half_width: number; area: number; ring: LonLat[]; band: LonLat[]; people: People; people_this_wind: People; then: { minutes: number; ring: LonLat[] }[] }
export interface ZonePlace { type: string; id: number; title: string; kind: string; label: string; color: string; zone: string; this_wind: boolean; distance: number; day: number; night: number; minutes: number | null; position: LonLat }
export interface ZoneRoad { name: string; kind: string; zone: string; length: number; close: LonLat[] }
export interface Blow { order: number; from: number; from_title: string; to: number; to_title: string; distance: number; load: number; limit: number; unit: string; probability: number | null; along: number | null; scenario: string; next?: string; position: LonLat | [] }
export interface ZoneWeather { u: number; from: number; stability: string; T: number; RH: number; spread: number; live: boolean; station?: string; station_distance?: number; measured?: string; age_s?: number; stale?: boolean }
export interface ZoneAnswer {
  source: { at: LonLat; title: string; equipment: number; installation: number; enterprise: number }
  scenario: string
  scenario_label: string
  substance: Substance | null
  weather: ZoneWeather
  zones: Zone[]
  fronts: number[]
  places: ZonePlace[]
  places_left: number
  roads: ZoneRoad[]
  domino: Blow[]
  domino_left: number
  safety: { required: number; nearer: ZonePlace[]; register?: Record<string, string | number>[] } | null // register: what a record of relocation begins with, in the same order
  warnings: string[]
  steps: { model: string; why: string; inputs: unknown; answer: { outputs: Record<string, { value: unknown; unit: string }>; source: string } }[]
  ms: number
}
export interface ZoneInput { name: string; kind: 'number' | 'menu'; zh: string; en: string; unit?: string; min?: number; max?: number; default?: number | string; items?: string[]; note?: string }
export interface ZoneScenario { name: string; zh: string; en: string; inputs: ZoneInput[]; valid?: string }
export interface Substance { cas: string; name: string; names: string; toxic: boolean; flammable: boolean; scenarios: string[] }
export interface ZoneSchema { scenarios: ZoneScenario[]; weather: ZoneScenario; substances: Substance[] }
export interface Vessel { id: number; title: string; medium: string; cas: string; volume: number | null; mass: number | null; position: LonLat | null }

const alpha = (hex: string, a: number) => hex + Math.round(a * 255).toString(16).padStart(2, '0')
const ring = (r: LonLat[]) => new Polygon([r.map((p) => fromLonLat(p))])

export interface ZoneLayer {
  /** minutes: what is under way then; 0: the whole zone. kept: another answer to compare with. */
  show(a: ZoneAnswer | null, minutes: number, kept: ZoneAnswer | null): void
  mark(at: LonLat | null): void
  fit(a: ZoneAnswer): void
  /** Once, when the frame that has them has been painted. */
  painted(then: () => void): void
  close(): void
}

export function zoneLayer(map: OlMap): ZoneLayer {
  const areas = new VectorSource(), marks = new VectorSource()
  const under = new VectorLayer({ source: areas, zIndex: 8, updateWhileAnimating: true }), over = new VectorLayer({ source: marks, zIndex: 60, updateWhileAnimating: true })
  map.addLayer(under)
  map.addLayer(over)
  let spot: Feature | null = null

  function area(r: LonLat[], style: Style) {
    if (r.length < 4) return
    const f = new Feature({ geometry: ring(r) })
    f.setStyle(style)
    areas.addFeature(f)
  }
  function point(at: LonLat, style: Style) {
    const f = new Feature({ geometry: new Point(fromLonLat(at)) })
    f.setStyle(style)
    marks.addFeature(f)
    return f
  }
  function zones(a: ZoneAnswer, minutes: number) {
    const mild = a.zones.slice().reverse() // severe ones on top
    mild.forEach((z, i) => {
      const hex = look(z.color).fill
      area(z.band, new Style({ fill: new Fill({ color: alpha(hex, 0.1) }), stroke: new Stroke({ color: alpha(hex, 0.9), width: 1.5, lineDash: [8, 6] }), zIndex: i }))
      const whole = minutes === 0 || !z.then.length
      area(z.ring, new Style({ fill: whole ? new Fill({ color: alpha(hex, 0.34) }) : undefined, stroke: new Stroke({ color: hex, width: whole ? 2.5 : 1.2 }), zIndex: 20 + i }))
      const then = z.then.find((x) => x.minutes === minutes)
      if (then) area(then.ring, new Style({ fill: new Fill({ color: alpha(hex, 0.55) }), stroke: new Stroke({ color: hex, width: 3 }), zIndex: 40 + i }))
    })
  }
  function around(a: ZoneAnswer) {
    for (const p of a.places.filter((x) => x.type === 'place').slice(0, 200)) {
      const zone = a.zones.find((z) => z.key === p.zone)
      point(p.position, new Style({
        image: new Circle({ radius: 8, fill: new Fill({ color: zone ? look(zone.color).fill : '#55617a' }), stroke: new Stroke({ color: '#fff', width: 2.5 }) }),
        text: new Text({ text: p.title.slice(0, 16), offsetY: 19, font: '600 13px sans-serif', fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#fff', width: 4 }) }),
      }))
    }
    for (const r of a.roads) for (const at of r.close)
      point(at, new Style({ image: new RegularShape({ points: 4, radius: 11, radius2: 3, angle: Math.PI / 4, fill: new Fill({ color: '#c62828' }), stroke: new Stroke({ color: '#fff', width: 1.5 }) }) }))
    for (const b of a.domino) {
      if (b.position.length !== 2) continue
      point(b.position as LonLat, new Style({ image: new RegularShape({ points: 3, radius: 9, fill: new Fill({ color: b.order === 1 ? '#7a1fa2' : '#b388c9' }), stroke: new Stroke({ color: '#fff', width: 1.5 }) }) }))
      const from = b.from ? a.domino.find((x) => x.to === b.from)?.position : a.source.at
      if (from?.length !== 2) continue
      const line = new Feature({ geometry: new LineString([fromLonLat(from as LonLat), fromLonLat(b.position as LonLat)]) })
      line.setStyle(new Style({ stroke: new Stroke({ color: '#7a1fa2', width: 2, lineDash: b.order === 1 ? undefined : [5, 5] }) }))
      marks.addFeature(line)
    }
  }
  return {
    show(a, minutes, kept) {
      areas.clear(true)
      marks.clear(true)
      if (kept) for (const z of kept.zones) area(z.ring, new Style({ stroke: new Stroke({ color: '#1c2635', width: 2, lineDash: [2, 6] }), zIndex: 90 }))
      if (a) {
        zones(a, minutes)
        around(a)
      }
      if (spot) marks.addFeature(spot)
    },
    mark(at) {
      if (spot) marks.removeFeature(spot)
      spot = at && point(at, new Style({ image: new RegularShape({ points: 5, radius: 14, radius2: 6, fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#ffd400', width: 2.5 }) }) }))
    },
    fit(a) {
      const mild = a.zones.filter((z) => z.ring.length).pop()
      const wide = (map.getSize()?.[0] ?? 0) > 900 // the legend stands at the left
      if (mild) map.getView().fit(ring(mild.ring).getExtent(), { padding: wide ? [70, 90, 60, 310] : [70, 70, 30, 30], maxZoom: 17 })
    },
    painted(then) {
      under.once('postrender', () => requestAnimationFrame(then))
      map.render()
    },
    close() {
      map.removeLayer(under)
      map.removeLayer(over)
    },
  }
}
