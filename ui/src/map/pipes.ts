// The pipe network on the map: lines by what they carry, each with a dash of its own and its name, valves and sources as signs. No fetching
// but of the network itself, no business: what is cut off says the server.
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import LineString from 'ol/geom/LineString'
import Point from 'ol/geom/Point'
import { circular } from 'ol/geom/Polygon'
import type Polygon from 'ol/geom/Polygon'
import type OlMap from 'ol/Map'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { createEmpty, extend, isEmpty } from 'ol/extent'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import { get } from '../api/http'
import { t } from '../i18n'

export type LonLat = [number, number]
export interface PipeNode { id: number; title: string; kind: string; users: number; key_user: string; closed: boolean; position?: LonLat }
export interface Pipe { id: number; title: string; medium: string; joins?: [number, number]; line?: GeoJSON.LineString | GeoJSON.MultiLineString }
export interface Net { nodes: PipeNode[]; sections: Pipe[]; cut: boolean }
export interface Closed { close: PipeNode[]; cut: PipeNode[]; sections: { id: number; title: string; medium: string }[]; users: number; sources: number }
export interface Near { id: number; title: string; medium: string; metres: number }
export interface Conflict { id: number; title: string; medium: string; zone: { id: number; title: string; kind: string }; metres: number }
export const loadNet = () => get<Net>('/pipes')

/** Of each thing that is carried: a colour and a dash, so that the colour is not the only sign. */
export const MEDIA: Record<string, { color: string; dash?: number[] }> = {
  oil: { color: '#5b3a1e' }, product: { color: '#8a4b08', dash: [14, 5] }, gas: { color: '#b8860b', dash: [3, 6] }, city_gas: { color: '#c25700', dash: [10, 4, 2, 4] },
  water: { color: '#1f6fe5', dash: [6, 4] }, heat: { color: '#c2185b', dash: [18, 4, 4, 4] }, chemical: { color: '#6a3fb5', dash: [2, 3] },
}
export const medium = (m: string) => MEDIA[m] ?? { color: '#56627a' }

const halo = new Stroke({ color: '#fffffff0', width: 3.5 })
const label = (text: string, along: boolean, color: string, y = 0) => new Text({ text, font: '600 12.5px sans-serif', placement: along ? 'line' : 'point', textBaseline: along ? 'bottom' : 'middle', offsetY: y, overflow: !along, fill: new Fill({ color }), stroke: halo })

function pipeStyle(p: Pipe, bare: boolean, chosen: boolean, cut: boolean, res: number): Style[] {
  const m = medium(p.medium)
  const color = cut ? '#5c6675' : m.color
  const text = res < 12 ? label((cut ? t('pipes.mark.cut') + ' ' : '') + p.title, !bare, color, bare ? 10 : -4) : undefined
  const styles = [new Style({ stroke: new Stroke({ color: '#fffffff0', width: 8 }), zIndex: 1 })]
  if (chosen) styles.push(new Style({ stroke: new Stroke({ color: '#ffb300', width: 13 }), zIndex: 2 }))
  styles.push(new Style({ stroke: new Stroke({ color, width: cut ? 5 : 4, lineDash: cut ? [1, 8] : bare ? [2, 8] : m.dash, lineCap: cut ? 'round' : 'butt' }), text, zIndex: 3 }))
  return styles
}
function nodeStyle(n: PipeNode, closing: boolean, cut: boolean, res: number): Style[] {
  if (res > 40 && !closing && !cut) return []
  const valve = n.kind === 'valve'
  if (!valve && !['source', 'user', 'station'].includes(n.kind) && !cut) return [new Style({ image: new Circle({ radius: 3, fill: new Fill({ color: '#56627a' }) }) })]
  const sign = closing || (valve && n.closed) ? '✕' : n.kind === 'source' ? '▶' : valve ? '' : n.kind === 'user' ? '⌂' : ''
  const color = closing ? '#c62828' : cut ? '#5c6675' : n.kind === 'source' ? '#1d7f48' : valve && n.closed ? '#5c6675' : '#1c3f78'
  const edge = new Stroke({ color: '#fff', width: 2 })
  const image = valve ? new RegularShape({ points: 4, radius: closing ? 15 : 11, fill: new Fill({ color }), stroke: edge }) : new Circle({ radius: n.kind === 'source' ? 11 : 10, fill: new Fill({ color }), stroke: edge })
  const name = res < 6 || closing ? (closing ? t('pipes.mark.close') + ' ' : cut ? t('pipes.mark.cut') + ' ' : '') + n.title : ''
  const styles = [new Style({ image, zIndex: closing ? 9 : 5, text: sign ? new Text({ text: sign, font: '700 12px sans-serif', fill: new Fill({ color: '#fff' }) }) : undefined })]
  if (name) styles.push(new Style({ text: label(name, false, color, 24), zIndex: 6 }))
  return styles
}

export interface PipeHit { pipe?: Pipe; valve?: PipeNode }
export interface PipeLayer {
  set(net: Net): void
  show(answer: Closed | null, chosen: number | null): void
  around(at: LonLat | null, metres: number): void
  outlines(list: { id: number; shape: unknown; title: string }[]): void
  hit(at: LonLat): PipeHit
  fit(ids?: number[]): void
  close(): void
}

/** padding: what of the map stands behind other things, px (top right bottom left). */
export function pipeLayer(map: OlMap, padding: () => number[]): PipeLayer {
  const source = new VectorSource()
  const digs = new VectorSource()
  const plans = new VectorSource()
  let closing = new Set<number>()
  let cutNodes = new Set<number>()
  let cutPipes = new Set<number>()
  let one: number | null = null
  const layer = new VectorLayer({
    source, zIndex: 70, declutter: false,
    style: (f, res) => {
      const p = f.get('pipe') as Pipe | undefined
      if (p) return pipeStyle(p, !!f.get('bare'), p.id === one, cutPipes.has(p.id), res)
      const n = f.get('node') as PipeNode
      return nodeStyle(n, closing.has(n.id), cutNodes.has(n.id), res)
    },
  })
  const dig = new VectorLayer({ source: digs, zIndex: 65, style: new Style({ stroke: new Stroke({ color: '#1d56c9', width: 2.5, lineDash: [8, 5] }), fill: new Fill({ color: 'rgba(29,86,201,.1)' }), image: new RegularShape({ points: 4, radius: 9, radius2: 2, angle: Math.PI / 4, fill: new Fill({ color: '#1d56c9' }), stroke: new Stroke({ color: '#fff', width: 1 }) }) }) })
  const plan = new VectorLayer({ source: plans, zIndex: 64, style: (f) => new Style({ stroke: new Stroke({ color: '#7c5cc4', width: 2.5, lineDash: [10, 5] }), fill: new Fill({ color: 'rgba(124,92,196,.14)' }), text: label(String(f.get('title')), false, '#563a97') }) })
  for (const l of [plan, dig, layer]) map.addLayer(l)
  const read = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })
  return {
    set(net) {
      source.clear(true)
      const at = new globalThis.Map(net.nodes.map((n) => [n.id, n.position]))
      const ends = (p: Pipe) => (p.joins ?? []).map((id) => at.get(id)).filter((x): x is LonLat => !!x)
      source.addFeatures([
        ...net.sections.flatMap((pipe) => {
          const two = ends(pipe)
          const bare = !pipe.line // its route was not drawn: a straight line of dots between its nodes
          const geometry = pipe.line ? read.readGeometry(pipe.line) : two.length === 2 ? new LineString(two.map((x) => fromLonLat(x))) : null
          return geometry ? [new Feature({ geometry: geometry as LineString, pipe, bare })] : []
        }),
        ...net.nodes.flatMap((node) => (node.position ? [new Feature({ geometry: new Point(fromLonLat(node.position)), node })] : [])),
      ] as Feature[])
    },
    show(answer, chosen) {
      closing = new Set(answer?.close.map((x) => x.id))
      cutNodes = new Set(answer?.cut.map((x) => x.id))
      cutPipes = new Set(answer?.sections.map((x) => x.id))
      one = chosen
      layer.changed()
    },
    around(at, metres) {
      digs.clear()
      if (!at) return
      const ring = circular(at, metres, 64).transform('EPSG:4326', 'EPSG:3857') as Polygon
      digs.addFeatures([new Feature(ring), new Feature(new Point(fromLonLat(at)))] as Feature[])
      map.getView().fit(ring, { padding: padding(), duration: 300, maxZoom: 17 })
    },
    outlines(list) {
      plans.clear()
      plans.addFeatures(list.flatMap((x) => (x.shape ? [new Feature({ geometry: read.readGeometry(x.shape) ?? undefined, title: x.title })] : [])) as Feature[])
    },
    hit(at) {
      const found: PipeHit = {}
      map.forEachFeatureAtPixel(map.getPixelFromCoordinate(fromLonLat(at)), (f) => {
        const node = f.get('node') as PipeNode | undefined
        if (node?.kind === 'valve') found.valve ??= node
        else if (f.get('pipe')) found.pipe ??= f.get('pipe') as Pipe
        return found.valve // a valve lies on its pipes: it is meant
      }, { layerFilter: (l) => l === layer, hitTolerance: 12 })
      return found
    },
    fit(ids) {
      const all = createEmpty()
      for (const f of source.getFeatures()) if (!ids || ids.includes((f.get('pipe') as Pipe | undefined)?.id ?? -1)) extend(all, f.getGeometry()!.getExtent())
      if (!isEmpty(all)) map.getView().fit(all, { padding: padding(), duration: 400, maxZoom: 15.5 })
    },
    close() {
      for (const l of [plan, dig, layer]) map.removeLayer(l)
    },
  }
}
