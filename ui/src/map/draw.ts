// The OpenLayers side of the map: base, layers of things, the pulse of open alarms, clicks. No business and no fetching.
import Map from 'ol/Map'
import View from 'ol/View'
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import type Layer from 'ol/layer/Layer'
import { defaults as controls } from 'ol/control/defaults'
import ScaleLine from 'ol/control/ScaleLine'
import { fromLonLat, toLonLat, transformExtent } from 'ol/proj'
import { getCenter } from 'ol/extent'
import type { Color, MapBase } from '../api/types'
import { say } from '../i18n'
import { areaPrefix } from '../lib/area'
import { areaStyle, baseStyle, clearStyles, ground, labelStyle, thingStyle, type Theme } from './style'
import { signOf, tileLayer, type Sign, type TileLayer } from './tiles'
import type { Mover } from './movers'
import type { Thing } from './model'
import { pulseLayer, type Pulse } from './pulse'

const KINDS = ['point', 'installation', 'enterprise']
const NEAR = 20 // metres a pixel: closer than this single points are shown
const read = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })

export interface Clicked { sign?: Sign; mover?: Mover }
export interface MapDrawing {
  map: Map
  show(layer: string, on: boolean): void
  things(kind: string, area?: boolean): TileLayer // made when it is first asked for
  tint(colors: globalThis.Map<string, Color>): void
  pulse(alarms: { position: [number, number]; color: Color }[]): void
  choose(thing: Thing | null): void
  fly(position: [number, number], close?: boolean): void
  closer(position: [number, number]): void
  home(): void
  retheme(th: Theme): void
  close(): void
}

/** clicked: told of every click, with what lies there and where it is; without, nothing is clickable. */
export function drawMap(target: HTMLElement, base: MapBase, theme: Theme, clicked?: (hit: Clicked, at: [number, number]) => void): MapDrawing {
  let th = theme
  const extent = transformExtent(base.bounds, 'EPSG:4326', 'EPSG:3857')

  const areas = new VectorLayer({ source: new VectorSource(), zIndex: 1 })
  const labels = new VectorLayer({ source: new VectorSource(), zIndex: 20, declutter: true })
  for (const a of base.areas) {
    const f = new Feature({ geometry: read.readGeometry(a.geometry) ?? undefined, code: a.code, tier: a.tier, name: say(a.name) })
    if (a.tier === 'village') continue
    areas.getSource()!.addFeature(f)
    if (a.tier !== 'county' && a.tier !== 'city') {
      const at = getCenter(f.getGeometry()!.getExtent())
      labels.getSource()!.addFeature(new Feature({ geometry: new Point(at), name: say(a.name), code: a.code }))
    }
  }
  const bases = Object.entries(base.layers ?? {}).map(([name, geo]) => {
    const source = new VectorSource({ features: read.readFeatures(geo) as Feature[] })
    return { name, layer: new VectorLayer({ source, zIndex: /river|water/.test(name) ? 3 : /road/.test(name) ? 4 : 2 }) }
  })

  const things = new globalThis.Map<string, TileLayer>()
  const chosen = new VectorSource()
  const chosenLayer = new VectorLayer({ source: chosen, zIndex: 60, declutter: true, style: (f, res) => { const x = f.get('thing') as Thing; return thingStyle(x.kind, x.color, 1, x.name, res, true, th) } })

  const pulses: Pulse = pulseLayer()
  const map = new Map({
    target,
    controls: controls({ zoom: false, rotate: false, attribution: false }).extend([new ScaleLine()]),
    layers: [areas, ...bases.map((b) => b.layer), pulses.layer, labels, chosenLayer],
    view: new View({ extent: grow(extent, 0.35), constrainOnlyCenter: true, minResolution: 0.3, center: getCenter(extent), resolution: 60, enableRotation: false, smoothExtentConstraint: true }),
  })
  restyle()
  home(0)

  function grow(e: number[], by: number) {
    const w = (e[2] - e[0]) * by
    const h = (e[3] - e[1]) * by
    return [e[0] - w, e[1] - h, e[2] + w, e[3] + h]
  }
  function home(duration = 500) {
    map.getView().fit(extent, { padding: target.clientWidth > 900 && !th.big ? [24, 80, 30, 240] : [16, 16, 16, 16], duration })
  }
  function restyle() {
    clearStyles()
    target.style.background = ground(th).page
    areas.setStyle(areaStyle(th))
    labels.setStyle(labelStyle(th))
    bases.forEach((b) => b.layer.setStyle(baseStyle(b.name, th)))
    things.forEach((l) => l.restyle())
    chosenLayer.changed()
  }

  const drawn = (l: Layer) => !!l.get('kind')
  if (clicked)
    map.on('click', (e) => {
      let hit: Clicked | undefined
      map.forEachFeatureAtPixel(e.pixel, (f, l) => ((hit = l?.get('kind') === 'mover' ? { mover: f.get('mover') as Mover } : { sign: signOf(f, String(l?.get('kind'))) }), true), { layerFilter: drawn, hitTolerance: 10 })
      const [lon, lat] = toLonLat(e.coordinate)
      clicked(hit ?? {}, [lon, lat])
    })
  map.on('pointermove', (e) => {
    if (e.dragging || !clicked) return
    target.style.cursor = map.hasFeatureAtPixel(e.pixel, { layerFilter: drawn, hitTolerance: 4 }) ? 'pointer' : ''
  })

  return {
    map,
    show(name, on) {
      if (name === 'areas') areas.setVisible(on)
      else if (name === 'names') labels.setVisible(on)
      else if (things.has(name)) things.get(name)!.show(on)
      else bases.filter((b) => b.name === name).forEach((b) => b.layer.setVisible(on))
    },
    things(kind, area = false) {
      let l = things.get(kind)
      if (!l) {
        const at = KINDS.indexOf(kind)
        l = tileLayer(kind, area ? 5 : 10 + Math.max(at, 0), kind === 'point' ? NEAR : kind === 'installation' ? 90 : undefined, () => th, area)
        things.set(kind, l)
        l.layers.forEach((x) => map.addLayer(x))
      }
      return l
    },
    tint(colors) {
      for (const source of [areas.getSource()!, labels.getSource()!]) {
        for (const f of source.getFeatures()) {
          const code = areaPrefix(String(f.get('code') ?? ''))
          const color = colors.get(code)
          if (color !== f.get('color')) f.set('color', color)
        }
      }
    },
    pulse: pulses.set,
    choose(thing) {
      chosen.clear()
      if (thing) chosen.addFeature(new Feature({ geometry: new Point(fromLonLat(thing.position)), thing }))
    },
    closer(position) {
      const view = map.getView()
      view.animate({ center: fromLonLat(position), resolution: (view.getResolution() ?? 10) / 4, duration: 450 })
    },
    fly(position, close = true) {
      const center = fromLonLat(position)
      map.getView().animate({ center, resolution: close ? Math.min(map.getView().getResolution() ?? 6, 6) : undefined, duration: 700 })
    },
    home,
    retheme(next) {
      th = next
      restyle()
    },
    close() {
      pulses.stop()
      map.setTarget(undefined)
    },
  }
}
