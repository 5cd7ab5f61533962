// Rings that grow around open alarms. With "reduced motion" they stand still. No frame is drawn while nothing pulses.
import Feature from 'ol/Feature'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, Stroke, Style } from 'ol/style'
import { fromLonLat } from 'ol/proj'
import type { Color } from '../api/types'
import { look } from '../lib/level'
import { calm } from '../use/now'

const PERIOD = 1600
const STEP = 60 // ms between frames: calm enough for the eye, light enough for an old computer

export interface Pulse {
  layer: VectorLayer
  set(alarms: { position: [number, number]; color: Color }[]): void
  stop(): void
}

export function pulseLayer(): Pulse {
  const source = new VectorSource()
  const layer = new VectorLayer({
    source,
    zIndex: 9,
    style: (f) => {
      const hex = look(f.get('color')).fill
      const k = calm ? 0.6 : (performance.now() % PERIOD) / PERIOD
      const a = Math.round((1 - k) * 200).toString(16).padStart(2, '0')
      const faint = Math.round((1 - k) * 60).toString(16).padStart(2, '0')
      return new Style({ image: new Circle({ radius: 14 + k * 30, fill: new Fill({ color: hex + faint }), stroke: new Stroke({ color: hex + a, width: 3.5 }) }) })
    },
  })
  let timer = 0
  return {
    layer,
    set(alarms) {
      source.clear(true)
      source.addFeatures(alarms.map((a) => new Feature({ geometry: new Point(fromLonLat(a.position)), color: a.color })))
      clearInterval(timer)
      if (alarms.length && !calm) timer = window.setInterval(() => !document.hidden && layer.changed(), STEP)
    },
    stop: () => clearInterval(timer),
  }
}
