// Vehicles and tags of people where they were last, with the way one has come in the last hour.
import Feature from 'ol/Feature'
import LineString from 'ol/geom/LineString'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { get } from '../api/http'
import { iso } from '../lib/time'

export interface Mover {
  device: number
  code: string
  name: string
  tag: string
  what: 'vehicle' | 'person'
  enterprise: number
  position: [number, number]
  at: string
  age_s: number
  stale: boolean
  speed?: number
  heading?: number
  zone?: number
  alarm?: boolean
  points: { lon: number; lat: number }
}
export const loadMovers = async () => (await get<{ items: Mover[] }>('/map/positions')).items
export const moverName = (m: Mover) => (m.tag ? `${m.tag} · ${m.name}` : m.name)

const HOUR = 3600_000

export interface Passed { at: number; place: [number, number] }
type Sample = [string, number | null, ...unknown[]]

/** Places of the hours before its last one: longitude and latitude measured at the same moment. */
export async function trailOf(m: Mover, hours = 1): Promise<Passed[]> {
  const to = Date.parse(m.at) + 1
  const [lon, lat] = await Promise.all([m.points.lon, m.points.lat].map((id) => get<{ items: Sample[] }>(`/points/${id}/series`, { from: iso(to - hours * HOUR), to: iso(to) })))
  const at = new Map(lat.items.map((s) => [s[0], s[1]]))
  return lon.items.flatMap((s) => (s[1] !== null && at.get(s[0]) != null ? [{ at: Date.parse(s[0]), place: [s[1], at.get(s[0])!] as [number, number] }] : []))
}

const edge = new Stroke({ color: '#ffffff', width: 2 })
function moverStyle(m: Mover, res: number): Style[] {
  const color = m.alarm ? '#d32f2f' : m.stale ? '#7d8796' : m.what === 'vehicle' ? '#0a6a8a' : '#6a3fb5'
  const fill = new Fill({ color })
  const stroke = m.stale ? new Stroke({ color: '#ffffff', width: 2, lineDash: [3, 3] }) : edge
  // a vehicle is an arrow that points where it goes, a person a small dot with a ring
  const image = m.what === 'vehicle'
    ? new RegularShape({ points: 3, radius: 12, fill, stroke, rotation: ((m.heading ?? 0) * Math.PI) / 180, rotateWithView: true, declutterMode: 'none' })
    : new Circle({ radius: 7, fill, stroke, declutterMode: 'none' })
  const text = res < 12 ? new Text({ text: m.tag || m.code, offsetY: 22, font: '12px sans-serif', fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#ffffffcc', width: 3 }) }) : undefined
  return [new Style({ image, text, zIndex: m.alarm ? 3 : m.stale ? 1 : 2 })]
}

export interface MoverLayer { layers: VectorLayer[]; set(list: Mover[]): void; trail(way: [number, number][]): void; mark(place: [number, number] | null): void }

export function moverLayer(): MoverLayer {
  const source = new VectorSource()
  const ways = new VectorSource()
  const spot = new Feature<Point>()
  spot.setStyle(new Style({ image: new Circle({ radius: 9, fill: new Fill({ color: '#0a6a8a' }), stroke: edge }), zIndex: 2 }))
  const layer = new VectorLayer({ source, zIndex: 45, declutter: true, style: (f, res) => moverStyle(f.get('mover') as Mover, res), properties: { kind: 'mover' } })
  const line = new VectorLayer({
    source: ways, zIndex: 44,
    style: [new Style({ stroke: new Stroke({ color: '#ffffffcc', width: 7 }) }), new Style({ stroke: new Stroke({ color: '#0a6a8a', width: 3, lineDash: [1, 6], lineCap: 'round' }) })],
  })
  return {
    layers: [line, layer],
    set(list) {
      source.clear(true)
      source.addFeatures(list.map((mover) => new Feature({ geometry: new Point(fromLonLat(mover.position)), mover })))
    },
    mark(place) {
      spot.setGeometry(place ? new Point(fromLonLat(place)) : undefined)
      if (place && !ways.hasFeature(spot)) ways.addFeature(spot)
    },
    trail(way) {
      ways.clear()
      spot.setGeometry(undefined)
      if (way.length > 1) ways.addFeature(new Feature(new LineString(way.map((p) => fromLonLat(p)))))
    },
  }
}
