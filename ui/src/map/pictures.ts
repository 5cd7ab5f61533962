// Observed images on the map: pictures of drones and satellites within their four borders (records observation_layer), the newest on top.
import ImageLayer from 'ol/layer/Image'
import LayerGroup from 'ol/layer/Group'
import Static from 'ol/source/ImageStatic'
import { get } from '../api/http'
import type { Rec } from '../api/types'

const MOST = 20 // pictures at once

export interface Pictures { group: LayerGroup; load(): Promise<number> }

/** Over the areas, under everything that is pressed. */
export function pictures(): Pictures {
  const group = new LayerGroup({ zIndex: 5, visible: false })
  return {
    group,
    async load() {
      const got = await get<{ items: Rec[] }>('/records/observation_layer', { size: MOST, sort: '-taken' })
      const layers = got.items.flatMap((r) => {
        const file = (r.picture as { id: number }[] | null)?.[0]
        const imageExtent = [r.west, r.south, r.east, r.north].map(Number)
        if (!file || !imageExtent.every(Number.isFinite)) return []
        return [new ImageLayer({ opacity: 0.8, source: new Static({ url: `/api/v1/files/${file.id}`, projection: 'EPSG:4326', imageExtent }) })]
      })
      group.getLayers().clear()
      layers.reverse().forEach((l) => group.getLayers().push(l))
      return layers.length
    },
  }
}
