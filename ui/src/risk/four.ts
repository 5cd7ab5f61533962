// The four-colour map as layers over the county map: areas filled by level, each level with a pattern of its own beside its
// colour, and its letter and score on it; the enterprises of the upper two levels as signs. And the map as a picture.
import type Map from 'ol/Map'
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Fill, Stroke, Style, Text } from 'ol/style'
import { getCenter } from 'ol/extent'
import { fromLonLat } from 'ol/proj'
import type { Color, MapBase } from '../api/types'
import { say } from '../i18n'
import { letter, look, rank } from '../lib/level'
import { thingStyle, type Theme } from '../map/style'
import { points, type Ranked, type RiskIndex } from './risk'

const read = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })
const FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif'
/** Metres a pixel: closer than this every enterprise is a sign of its tiles. */
export const CLOSE = 45
const LEVELS: Color[] = ['red', 'orange', 'yellow', 'blue']

/** A tile of the level's pattern: red crossed, orange slanting, yellow dotted, blue plain. */
function tile(color: Color): HTMLCanvasElement {
  const c = document.createElement('canvas')
  const r = Math.max(1, Math.round(window.devicePixelRatio || 1))
  const n = 14 * r
  c.width = c.height = n
  const g = c.getContext('2d')!
  g.fillStyle = look(color).fill + 'a6'
  g.fillRect(0, 0, n, n)
  g.strokeStyle = g.fillStyle = '#00000038'
  g.lineWidth = 2 * r
  g.beginPath()
  if (color === 'red' || color === 'orange') { g.moveTo(0, n); g.lineTo(n, 0) }
  if (color === 'red') { g.moveTo(0, 0); g.lineTo(n, n) }
  g.stroke()
  if (color === 'yellow') { g.beginPath(); g.arc(n / 2, n / 2, 2 * r, 0, 7); g.fill() }
  return c
}
const fills = new globalThis.Map<string, Fill>()
function fill(color: Color): Fill {
  const known = fills.get(color)
  if (known) return known
  const made = new Fill({ color: document.createElement('canvas').getContext('2d')!.createPattern(tile(color), 'repeat')! })
  fills.set(color, made)
  return made
}

export interface FourMap {
  set(list: Ranked[]): void
  past(on: boolean): void // every sign is a dot: tiles know only now
  dots(list: (Ranked & { position: [number, number] })[]): void
  at(pixel: number[]): { kind: 'area' | 'enterprise'; key: string } | null
  choose(key: string): void
  theme(th: Theme): void
  close(): void
}

export function fourMap(map: Map, base: MapBase, theme: Theme): FourMap {
  let th = theme
  let chosen = ''
  const areas = new VectorSource<Feature>()
  const labels = new VectorSource<Feature>()
  const signs = new VectorSource<Feature>()
  for (const a of base.areas) {
    if (a.tier === 'village' || a.tier === 'county' || a.tier === 'city') continue
    const geometry = read.readGeometry(a.geometry)
    if (!geometry) continue
    areas.addFeature(new Feature({ geometry, code: a.code, zone: /zone|park/.test(a.tier) }))
    labels.addFeature(new Feature({ geometry: new Point(getCenter(geometry.getExtent())), code: a.code, name: say(a.name) }))
  }
  const layers = [
    new VectorLayer({
      source: areas, zIndex: 2, style: (f) => {
        const r = f.get('risk') as Ranked | undefined
        const on = f.get('code') === chosen
        return new Style({ fill: r ? fill(r.level) : new Fill({ color: '#7d879633' }), zIndex: (f.get('zone') ? 2 : 1) + (on ? 4 : 0),
          stroke: new Stroke({ color: on ? '#ffb300' : th.dark ? '#cfe0ff' : '#33415b', width: on ? 5 : 2 }) })
      },
    }),
    new VectorLayer({
      source: signs, zIndex: 32, declutter: true, minResolution: CLOSE,
      style: (f, res) => { const r = f.get('risk') as Ranked; return thingStyle('enterprise', r.level, 1, r.title, res, r.key === chosen, th) },
    }),
    new VectorLayer({
      source: labels, zIndex: 40, declutter: true, style: (f) => {
        const r = f.get('risk') as Ranked | undefined
        const text = r ? `${String(f.get('name'))}\n${letter(r.level)} ${points(r.score)}` : String(f.get('name'))
        return new Style({ text: new Text({ text, font: `700 ${th.big ? 24 : 15}px ${FONT}`, fill: new Fill({ color: '#1c2635' }), stroke: new Stroke({ color: '#ffffffd9', width: 5 }), overflow: true }) })
      },
    }),
  ]
  layers.forEach((l) => map.addLayer(l))
  return {
    set(list) {
      const by = new globalThis.Map(list.map((r) => [r.key, r]))
      for (const s of [areas, labels]) for (const f of s.getFeatures()) f.set('risk', by.get(String(f.get('code'))))
    },
    past(on) { layers[1].setMinResolution(on ? 0 : CLOSE) },
    dots(list) {
      signs.clear(true)
      signs.addFeatures(list.sort((a, b) => rank(b.level) - rank(a.level)).map((r) => new Feature({ geometry: new Point(fromLonLat(r.position)), risk: r })))
    },
    at(pixel) {
      let hit: { kind: 'area' | 'enterprise'; key: string } | null = null
      map.forEachFeatureAtPixel(pixel, (f, l) => {
        hit = l === layers[1] ? { kind: 'enterprise', key: (f.get('risk') as Ranked).key } : { kind: 'area', key: String(f.get('code')) }
        return true
      }, { layerFilter: (l) => l === layers[0] || l === layers[1], hitTolerance: 6 })
      return hit
    },
    choose(key) { chosen = key; layers.forEach((l) => l.changed()) },
    theme(next) { th = next; layers.forEach((l) => l.changed()) },
    close() { layers.forEach((l) => map.removeLayer(l)) },
  }
}

/** The map as it is seen, with a strip below it that says what it is: title, legend, formula, day and version. */
export function picture(map: Map, x: RiskIndex, words: { title: string; formula: string; foot: string; level: (c: Color) => string }): Promise<HTMLCanvasElement> {
  return new Promise((resolve) => {
    map.once('rendercomplete', () => {
      const [w = 1, h = 1] = map.getSize() ?? []
      const strip = 132
      const out = document.createElement('canvas')
      out.width = Math.max(w, 640)
      out.height = h + strip
      const g = out.getContext('2d')!
      g.fillStyle = (map.getTargetElement() as HTMLElement).style.background || '#e7edf2'
      g.fillRect(0, 0, out.width, out.height)
      const view = map.getViewport() as HTMLElement
      view.querySelectorAll<HTMLCanvasElement>('.ol-layer canvas, canvas.ol-layer').forEach((c) => {
        if (!c.width) return
        const m = /matrix\(([^)]+)\)/.exec(c.style.transform)
        const v = m ? m[1].split(',').map(Number) : [parseFloat(c.style.width || String(w)) / c.width, 0, 0, parseFloat(c.style.height || String(h)) / c.height, 0, 0]
        g.globalAlpha = Number((c.parentNode as HTMLElement).style.opacity || c.style.opacity || 1)
        g.setTransform(v[0], v[1], v[2], v[3], v[4], v[5])
        g.drawImage(c, 0, 0)
      })
      g.globalAlpha = 1
      g.setTransform(1, 0, 0, 1, 0, 0)
      g.fillStyle = '#ffffff'
      g.fillRect(0, h, out.width, strip)
      g.fillStyle = '#1c2635'
      g.font = `700 20px ${FONT}`
      g.fillText(words.title, 16, h + 30)
      LEVELS.forEach((c, i) => {
        g.drawImage(tile(c), 16 + i * 150, h + 44, 22, 22)
        g.fillStyle = '#1c2635'
        g.font = `14px ${FONT}`
        g.fillText(`${letter(c)} ${words.level(c)}`, 44 + i * 150, h + 60)
      })
      g.fillText(words.formula, 16, h + 92, out.width - 32)
      g.fillStyle = '#55617a'
      g.font = `12px ${FONT}`
      g.fillText(`${words.foot} · ${x.basis}`, 16, h + 116, out.width - 32)
      resolve(out)
    })
    map.renderSync()
  })
}
