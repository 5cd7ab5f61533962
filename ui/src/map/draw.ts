// The OpenLayers side of the map: layers, clusters, the pulse of open alarms, clicks. No business and no fetching.
import Map from 'ol/Map'
import View from 'ol/View'
import Feature from 'ol/Feature'
import GeoJSON from 'ol/format/GeoJSON'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import Cluster from 'ol/source/Cluster'
import { defaults as controls } from 'ol/control/defaults'
import ScaleLine from 'ol/control/ScaleLine'
import { fromLonLat, transformExtent } from 'ol/proj'
import { boundingExtent, getCenter } from 'ol/extent'
import type { FeatureLike } from 'ol/Feature'
import type { Color, MapBase } from '../api/types'
import { rank, worst } from '../lib/level'
import { say } from '../i18n'
import { areaPrefix } from '../lib/area'
import { areaStyle, baseStyle, clearStyles, ground, labelStyle, thingStyle, type Theme } from './style'
import { keyOf, type Kind, type MapModel, type Thing } from './model'
import { pulseLayer, type Pulse } from './pulse'

const KINDS: Kind[] = ['point', 'installation', 'enterprise']
const NEAR = 20 // metres a pixel: closer than this single points are shown
const read = new GeoJSON({ dataProjection: 'EPSG:4326', featureProjection: 'EPSG:3857' })

export interface MapDrawing {
  map: Map
  show(layer: string, on: boolean): void
  load(model: MapModel): void
  update(keys: string[]): void
  tint(colors: globalThis.Map<string, Color>): void
  pulse(alarms: { position: [number, number]; color: Color }[]): void
  choose(key: string): void
  fly(position: [number, number], close?: boolean): void
  home(): void
  retheme(th: Theme): void
  close(): void
}

export function drawMap(target: HTMLElement, base: MapBase, theme: Theme, picked: (things: Thing[]) => void): MapDrawing {
  let th = theme
  let model: MapModel | null = null
  let chosen = ''
  const extent = transformExtent(base.bounds, 'EPSG:4326', 'EPSG:3857')

  const areas = new VectorLayer({ source: new VectorSource(), zIndex: 1 })
  const labels = new VectorLayer({ source: new VectorSource(), zIndex: 20, declutter: true })
  for (const a of base.areas) {
    const f = new Feature({ geometry: read.readGeometry(a.geometry) ?? undefined, color: a.color, own: a.color, code: a.code, tier: a.tier, name: say(a.name) })
    if (a.tier === 'village') continue
    areas.getSource()!.addFeature(f)
    if (a.tier !== 'county' && a.tier !== 'city') {
      const at = getCenter(f.getGeometry()!.getExtent())
      labels.getSource()!.addFeature(new Feature({ geometry: new Point(at), name: say(a.name), color: a.color, own: a.color, code: a.code }))
    }
  }
  const bases = Object.entries(base.layers ?? {}).map(([name, geo]) => {
    const source = new VectorSource({ features: read.readFeatures(geo) as Feature[] })
    return { name, layer: new VectorLayer({ source, zIndex: /river|water/.test(name) ? 3 : /road/.test(name) ? 4 : 2 }) }
  })

  const features = new globalThis.Map<string, Feature>()
  const sources = {} as Record<Kind, VectorSource>
  const layers = {} as Record<Kind, VectorLayer>
  for (const kind of KINDS) {
    sources[kind] = new VectorSource()
    layers[kind] = new VectorLayer({
      source: new Cluster({ source: sources[kind] as VectorSource<Feature<Point>>, distance: kind === 'point' ? 34 : 30 }),
      zIndex: 10 + KINDS.indexOf(kind),
      declutter: true,
      maxResolution: kind === 'point' ? NEAR : kind === 'installation' ? 90 : undefined,
      style: (f, res) => clusterStyle(f, kind, res),
    })
  }
  // names stand above the quiet signs; whatever is in alarm is drawn once more above the names
  const hot = KINDS.map((kind) => new VectorLayer({
    source: layers[kind].getSource() ?? undefined,
    zIndex: 30 + KINDS.indexOf(kind),
    declutter: true,
    maxResolution: layers[kind].getMaxResolution(),
    style: (f, res) => (rank(worst(members(f).map((x) => x.color))) < rank('green') ? clusterStyle(f, kind, res) : undefined),
  }))
  const members = (f: FeatureLike): Thing[] => ((f.get('features') ?? []) as Feature[]).map((x) => x.get('thing') as Thing)
  function redraw(kinds: Kind[]) {
    for (const k of kinds) {
      layers[k].changed()
      hot[KINDS.indexOf(k)].changed()
    }
  }
  function clusterStyle(f: FeatureLike, kind: Kind, res: number) {
    const list = members(f)
    if (!list.length) return undefined
    const color = worst(list.map((x) => x.color))
    const isChosen = !!chosen && list.some((x) => keyOf(x.kind, x.id) === chosen)
    return thingStyle(kind, color, list.length, list[0].name, res, isChosen, th)
  }

  const pulses: Pulse = pulseLayer()
  const map = new Map({
    target,
    controls: controls({ zoom: false, rotate: false, attribution: false }).extend([new ScaleLine()]),
    layers: [areas, ...bases.map((b) => b.layer), pulses.layer, ...KINDS.map((k) => layers[k]), labels, ...hot],
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
    redraw(KINDS)
  }

  map.on('click', (e) => {
    let hit: FeatureLike | undefined
    map.forEachFeatureAtPixel(e.pixel, (f) => ((hit = f), true), { layerFilter: (l) => KINDS.some((k) => layers[k] === l), hitTolerance: 10 })
    const list = hit ? members(hit) : []
    if (list.length > 1) {
      const box = boundingExtent(list.map((x) => fromLonLat(x.position)))
      const tiny = box[2] - box[0] < 5 && box[3] - box[1] < 5
      if (tiny) return picked(list.slice().sort((a, b) => rank(a.color) - rank(b.color)))
      return map.getView().fit(box, { padding: [90, 90, 90, 90], duration: 450, maxZoom: 18 })
    }
    picked(list)
  })
  map.on('pointermove', (e) => {
    if (e.dragging) return
    const over = map.hasFeatureAtPixel(e.pixel, { layerFilter: (l) => KINDS.some((k) => layers[k] === l), hitTolerance: 4 })
    target.style.cursor = over ? 'pointer' : ''
  })

  return {
    map,
    show(name, on) {
      if (name in layers) {
        layers[name as Kind].setVisible(on)
        hot[KINDS.indexOf(name as Kind)].setVisible(on)
      }
      else if (name === 'areas') areas.setVisible(on)
      else if (name === 'names') labels.setVisible(on)
      else bases.filter((b) => b.name === name).forEach((b) => b.layer.setVisible(on))
    },
    load(m) {
      model = m
      features.clear()
      for (const kind of KINDS) sources[kind].clear(true)
      const lists: Record<Kind, Feature[]> = { enterprise: [], installation: [], point: [] }
      for (const [key, thing] of m.things) {
        const f = new Feature({ geometry: new Point(fromLonLat(thing.position)), thing })
        features.set(key, f)
        lists[thing.kind].push(f)
      }
      for (const kind of KINDS) sources[kind].addFeatures(lists[kind])
    },
    update(keys) {
      if (!model || !keys.length) return
      const kinds = new Set(keys.map((k) => features.get(k)?.get('thing')?.kind as Kind | undefined))
      redraw([...kinds].filter((k): k is Kind => !!k))
    },
    tint(colors) {
      for (const source of [areas.getSource()!, labels.getSource()!]) {
        for (const f of source.getFeatures()) {
          const code = areaPrefix(String(f.get('code') ?? ''))
          const color = f.get('own') || colors.get(code) // an area that says its own colour keeps it
          if (color !== f.get('color')) f.set('color', color)
        }
      }
    },
    pulse: pulses.set,
    choose(key) {
      chosen = key
      redraw(KINDS)
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
