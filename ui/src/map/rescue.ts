// Reach of rescue on the map: around each station the circle it gets to in time, and a cross on whoever it does not get to.
import Feature from 'ol/Feature'
import Point from 'ol/geom/Point'
import { circular } from 'ol/geom/Polygon'
import type OlMap from 'ol/Map'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { createEmpty, extend, isEmpty } from 'ol/extent'
import { Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { t } from '../i18n'
import type { LonLat } from './pipes'

export interface Station { id: number; title: string; kind: string; position: LonLat; km: number; persons: number; objects: number }
export interface Unreached { type: string; id: number; title: string; area: string; position: LonLat; persons: number; minutes?: number; station?: string }
export interface Reach { uncovered: Unreached[]; stations: Station[]; objects: number; objects_covered: number; persons: number; persons_covered: number }

export interface ReachLayer { show(r: Reach | null): void; mark(x: Unreached | null): void; hit(at: LonLat): Unreached | undefined; fit(): void; close(): void }

/** padding: what of the map stands behind other things, px (top right bottom left). */
export function reachLayer(map: OlMap, padding: () => number[]): ReachLayer {
  const rings = new VectorSource()
  const signs = new VectorSource()
  let one: Unreached | null = null
  const halo = new Stroke({ color: '#fffffff0', width: 3.5 })
  const name = (text: string, color: string, y: number) => new Text({ text, font: '600 12.5px sans-serif', offsetY: y, fill: new Fill({ color }), stroke: halo })
  const area = new VectorLayer({ source: rings, zIndex: 6, style: new Style({ stroke: new Stroke({ color: '#1d7f48', width: 2 }), fill: new Fill({ color: 'rgba(42,157,92,.13)' }) }) })
  const layer = new VectorLayer({
    source: signs, zIndex: 72, declutter: true,
    style: (f, res) => {
      const s = f.get('station') as Station | undefined
      if (s) return new Style({ image: new RegularShape({ points: 4, radius: 15, angle: Math.PI / 4, fill: new Fill({ color: '#1d7f48' }), stroke: new Stroke({ color: '#fff', width: 2 }), declutterMode: 'none' }), text: new Text({ text: t('rescue.sign'), font: '700 13px sans-serif', fill: new Fill({ color: '#fff' }), declutterMode: 'none' } as never), zIndex: 3 })
      const x = f.get('object') as Unreached
      const big = x === one
      const styles = [new Style({ image: new RegularShape({ points: 4, radius: big ? 15 : 11, radius2: big ? 4 : 3, angle: Math.PI / 4, fill: new Fill({ color: '#c62828' }), stroke: new Stroke({ color: big ? '#ffb300' : '#fff', width: big ? 4 : 2 }), declutterMode: 'none' }), zIndex: big ? 9 : 5 })]
      if (res < 25 || big) styles.push(new Style({ text: name(x.title, '#a01c1c', 20), zIndex: big ? 9 : 4 }))
      return styles
    },
  })
  const names = new VectorLayer({ source: signs, zIndex: 71, declutter: true, style: (f, res) => (f.get('station') && res < 45 ? new Style({ text: name((f.get('station') as Station).title, '#14603a', 26) }) : undefined) })
  for (const l of [area, names, layer]) map.addLayer(l)
  return {
    show(r) {
      one = null
      rings.clear()
      signs.clear(true)
      if (!r) return
      rings.addFeatures(r.stations.filter((s) => s.km > 0).map((s) => new Feature(circular(s.position, s.km * 1000, 72).transform('EPSG:4326', 'EPSG:3857'))) as Feature[])
      signs.addFeatures([...r.uncovered.map((object) => new Feature({ geometry: new Point(fromLonLat(object.position)), object })), ...r.stations.map((station) => new Feature({ geometry: new Point(fromLonLat(station.position)), station }))] as Feature[])
    },
    mark(x) {
      one = x
      layer.changed()
      if (x) map.getView().animate({ center: fromLonLat(x.position), resolution: Math.min(map.getView().getResolution() ?? 30, 30), duration: 400 })
    },
    hit(at) {
      return map.forEachFeatureAtPixel(map.getPixelFromCoordinate(fromLonLat(at)), (f) => f.get('object') as Unreached | undefined, { layerFilter: (l) => l === layer, hitTolerance: 12 })
    },
    fit() {
      const all = createEmpty()
      for (const s of [rings, signs]) for (const f of s.getFeatures()) extend(all, f.getGeometry()!.getExtent())
      if (!isEmpty(all)) map.getView().fit(all, { padding: padding(), duration: 400, maxZoom: 14 })
    },
    close() {
      for (const l of [area, names, layer]) map.removeLayer(l)
    },
  }
}
