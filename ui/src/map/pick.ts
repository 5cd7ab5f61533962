// A small map to choose one place on.
import 'ol/ol.css'
import Feature from 'ol/Feature'
import Point from 'ol/geom/Point'
import VectorLayer from 'ol/layer/Vector'
import VectorSource from 'ol/source/Vector'
import { Circle, Fill, Stroke, Style } from 'ol/style'
import { fromLonLat, toLonLat } from 'ol/proj'
import { drawMap } from './draw'
import { loadBase } from './base'

export async function pickOnMap(target: HTMLElement, start: [number, number] | null, picked: (p: [number, number]) => void): Promise<() => void> {
  const base = await loadBase()
  const drawing = drawMap(target, base, { dark: false, big: false })
  const mark = new Feature(new Point(fromLonLat(start ?? [0, 0])))
  const source = new VectorSource(start ? { features: [mark] } : {})
  const style = new Style({ image: new Circle({ radius: 9, fill: new Fill({ color: '#1d56c9' }), stroke: new Stroke({ color: '#fff', width: 3 }) }) })
  drawing.map.addLayer(new VectorLayer({ source, style, zIndex: 50 }))
  if (start) drawing.fly(start)
  drawing.map.on('click', (e) => {
    const [lon, lat] = toLonLat(e.coordinate)
    mark.getGeometry()!.setCoordinates(e.coordinate)
    if (!source.getFeatures().length) source.addFeature(mark)
    picked([Number(lon.toFixed(6)), Number(lat.toFixed(6))])
  })
  return () => drawing.close()
}
