// Layers of things from the server's vector tiles: one source a layer, drawn as signs and clusters. A change that the event
// stream names makes the tiles over it new; the others stay.
import MVT from 'ol/format/MVT'
import VectorTileLayer from 'ol/layer/VectorTile'
import VectorTileSource from 'ol/source/VectorTile'
import type VectorTile from 'ol/VectorTile'
import type RenderFeature from 'ol/render/Feature'
import type { FeatureLike } from 'ol/Feature'
import { toLonLat } from 'ol/proj'
import { api } from '../api/http'
import type { Color } from '../api/types'
import { COLORS, rank } from '../lib/level'
import { areaTileStyle, shareStyle, thingStyle, type Theme } from './style'
import { asked, tileOver, type Filter, type Thing } from './model'

const Z_MAX = 20 // of the server
const FAILED = 3 // ol/TileState.ERROR
const KEPT = 4000 // versions of single tiles; more than so many and all are new

export interface Sign { thing?: Thing; n: number; position: [number, number]; kind: string }

export interface TileLayer {
  layers: VectorTileLayer[]
  kind: string
  filter(f: Filter, states: string): void
  touched(at: [number, number] | null): void // null: anywhere
  restyle(): void
  show(on: boolean): void
}

async function load(tile: VectorTile<RenderFeature>, path: string, format: MVT) {
  const bytes = await (await api<Blob>(path, { blob: true })).arrayBuffer()
  tile.setFeatures(bytes.byteLength ? (format.readFeatures(bytes, { extent: tile.extent ?? undefined, featureProjection: tile.projection ?? undefined }) as RenderFeature[]) : [])
}

/** What a sign of a layer stands for. */
export function signOf(f: FeatureLike, kind: string): Sign {
  const [x, y] = (f as RenderFeature).getFlatCoordinates()
  const [lon, lat] = toLonLat([x, y])
  const n = Number(f.get('n') ?? 1)
  const position: [number, number] = [lon, lat]
  if (n > 1) return { n, position, kind }
  return { n, position, kind, thing: { kind, id: Number(f.getId()), name: String(f.get('title') ?? ''), position, color: f.get('level') as Color, sector: f.get('sector') as string, state: f.get('state') as string } }
}

export function tileLayer(kind: string, zIndex: number, maxResolution: number | undefined, theme: () => Theme, area = false): TileLayer {
  const format = new MVT()
  let query = ''
  let all = 0
  let count = 0
  const versions = new Map<string, number>()
  const path = (coord: number[]) => {
    const at = coord.join('/')
    const v = versions.get(at) ?? all
    const q = [query, v ? 'v=' + v : ''].filter(Boolean).join('&')
    return `/tiles/${kind}/${at}.mvt${q ? '?' + q : ''}`
  }
  const source = new VectorTileSource({
    format,
    maxZoom: Z_MAX,
    wrapX: false,
    transition: 0,
    tileUrlFunction: path,
    tileLoadFunction: (tile, src) => {
      const t = tile as VectorTile<RenderFeature>
      t.setLoader(() => void load(t, src, format).catch(() => t.setState(FAILED)))
    },
  })
  const style = (f: FeatureLike, res: number) => {
    if (area) return areaTileStyle(f, res, theme())
    const n = Number(f.get('n') ?? 1)
    if (n > 1 && !hotOn) return shareStyle(n, Object.fromEntries(COLORS.map((c) => [c, f.get(c) as number | undefined])), theme()) // by grade: the shares; by state the worst decides
    return thingStyle(kind, f.get('level') as Color, n, n > 1 ? '' : String(f.get('title') ?? ''), res, false, theme())
  }
  // names of places stand above the quiet signs; whatever is in alarm is drawn once more above them
  const hot = (f: FeatureLike, res: number) => (rank(f.get('level') as Color) < rank('green') ? style(f, res) : undefined)
  let hotOn = true
  // vector: signs are no part of a tile's picture, which hybrid would make, keep and copy in each frame though it is empty
  const make = (z: number, s: typeof style | typeof hot) =>
    new VectorTileLayer({ source, zIndex: z, declutter: kind, maxResolution, renderBuffer: 60, renderMode: area ? 'hybrid' : 'vector', style: s as never, properties: area ? {} : { kind } }) // an area is not pressed: what lies on it is
  const layers = area ? [make(zIndex, style)] : [make(zIndex, style), make(zIndex + 20, hot)]
  let visible = true
  let timer = 0
  const anew = () => source.setTileUrlFunction(path, `${kind} ${query} ${++count}`)
  const soon = () => {
    clearTimeout(timer)
    timer = window.setTimeout(anew, 250)
  }
  const show = () => layers.forEach((l, i) => l.setVisible(visible && (i === 0 || hotOn)))
  return {
    layers,
    kind,
    filter(f, states) {
      query = new URLSearchParams({ ...asked(f), ...(states ? { state: states } : {}) }).toString()
      hotOn = f.by === 'state'
      show()
      anew()
    },
    touched(at) {
      if (!at || versions.size > KEPT) {
        versions.clear()
        all = ++count
      } else {
        const v = ++count
        for (let z = 0; z <= Z_MAX; z++) versions.set(tileOver(z, at), v)
      }
      soon()
    },
    restyle: () => layers.forEach((l) => l.changed()),
    show(on) {
      visible = on
      show()
    },
  }
}
