// The four-colour mode of the map page: its layers, the day that is looked at, what is picked, and what leaves as files.
import { computed, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { keep, save } from '../api/http'
import { on as listen } from '../api/events'
import type { Color, MapBase } from '../api/types'
import { t, tx } from '../i18n'
import { csvCell, num } from '../lib/number'
import { rank } from '../lib/level'
import { picturePdf } from '../lib/pdf'
import { stamp } from '../lib/time'
import { fromLonLat } from 'ol/proj'
import type { Clicked, MapDrawing } from '../map/draw'
import { findThing } from '../map/model'
import type { Theme } from '../map/style'
import { CLOSE, fourMap, picture, type FourMap } from './four'
import { formulaWords, last, riskIndex, riskRank, type Ranked, type RiskIndex, type RiskKind } from './risk'

const DAYS = 30
const DOTS = 60 // enterprises that stand out
const HIDDEN = ['point', 'installation', 'names']

export function useFour(drawing: ShallowRef<MapDrawing | null>, layers: Ref<{ name: string; on: boolean }[]>, unpick: () => void) {
  const route = useRoute()
  const router = useRouter()
  const on = computed(() => 'risk' in route.query && route.query.risk !== undefined)
  const index = shallowRef<RiskIndex | null>(null)
  const areas = shallowRef<Ranked[]>([])
  const day = ref('')
  const busy = ref(false)
  const failed = ref('')
  const path = ref<{ kind: RiskKind; key: string }[]>([])
  const picked = computed(() => last(path.value))
  const deep = computed(() => path.value.length > 1)
  const days = Array.from({ length: DAYS }, (_, i) => new Date(Date.now() + 8 * 3600e3 - (DAYS - 1 - i) * 86400e3).toISOString().slice(0, 10))
  let map: FourMap | null = null
  let base: MapBase | null = null
  let theme: Theme = { dark: false, big: false }
  let later = 0

  async function load() {
    const d = drawing.value
    if (!on.value || !d || !base) return
    busy.value = true
    failed.value = ''
    try {
      index.value = await riskIndex(true)
      const x = index.value
      if (!x) throw new Error(t('risk.empty'))
      const asked = day.value
      const [towns, firms] = await Promise.all([riskRank(x.name, { kind: 'area', tier: 'town', day: asked || undefined, size: 500 }), riskRank(x.name, { kind: 'enterprise', day: asked || undefined, size: 500 })])
      if (asked !== day.value || !on.value) return
      areas.value = towns.items
      map ??= fourMap(d.map, base, theme)
      map.set(towns.items)
      map.past(!!asked)
      d.show('enterprise', !asked && switched('enterprise'))
      const worst = firms.items.filter((r) => rank(r.level) <= rank('orange')).slice(0, DOTS)
      const at = await Promise.all(worst.map((r) => findThing('enterprise', Number(r.key))))
      if (asked !== day.value || !on.value) return
      map?.dots(worst.flatMap((r, i) => (at[i] ? [{ ...r, position: at[i]!.position }] : [])))
    } catch (e) {
      failed.value = (e as Error).message
    } finally {
      busy.value = false
    }
  }
  function begin() {
    const d = drawing.value
    if (!d) return
    HIDDEN.forEach((name) => d.show(name, false))
    room(d, true)
    d.things('enterprise').layers.forEach((l) => l.setMaxResolution(CLOSE))
    unpick()
    void load()
  }
  const switched = (name: string) => layers.value.find((l) => l.name === name)?.on ?? true
  /** A press on the map: an enterprise, a cluster of them, an area. */
  function press(hit: Clicked, at: [number, number]) {
    const d = drawing.value
    if (!d) return
    if (hit.sign?.thing?.kind === 'enterprise') return choose([{ kind: 'enterprise', key: String(hit.sign.thing.id) }])
    if (hit.sign && !hit.sign.thing) return d.closer(hit.sign.position)
    const found = map?.at(d.map.getPixelFromCoordinate(fromLonLat(at)))
    if (found) choose([found])
  }
  /** The legend stands beside the county, not on it. */
  function room(d: MapDrawing, make: boolean) {
    const wide = (d.map.getSize()?.[0] ?? 0) > 900
    d.map.getView().padding = [0, 0, 0, make && wide ? (theme.big ? 430 : 110) : 0]
    d.home()
  }
  function finish() {
    map?.close()
    map = null
    path.value = []
    day.value = ''
    if (drawing.value) room(drawing.value, false)
    drawing.value?.things('enterprise').layers.forEach((l) => l.setMaxResolution(Infinity))
    for (const name of [...HIDDEN, 'enterprise']) drawing.value?.show(name, switched(name))
  }
  function choose(next: { kind: RiskKind; key: string }[]) {
    path.value = next
    map?.choose(last(next)?.key ?? '')
  }
  watch(on, (is) => (is ? begin() : finish()))

  // what changes soon shows: one load for a storm of events
  const off = listen('map', (m) => {
    if (!on.value || !m || !('index' in m) || day.value || later) return
    later = window.setTimeout(() => ((later = 0), void load()), 1000)
  })

  const name = (ext: string) => `risk-${day.value || last(days)}.${ext}`
  return {
    on, index, areas, day, days, busy, failed, picked, deep,
    base(b: MapBase) { base = b },
    ready(th: Theme) { theme = th; if (on.value) begin() },
    theme(th: Theme) { theme = th; map?.theme(th); if (on.value && drawing.value) room(drawing.value, true) },
    press,
    toggle() { void router.replace({ query: { ...route.query, risk: on.value ? undefined : '1' } }) },
    setDay(d: string) { day.value = d === last(days) ? '' : d; void load() },
    pick(kind: RiskKind, key: string) { choose([...path.value, { kind, key }]) },
    back() { choose(path.value.slice(0, -1)) },
    close() { choose([]) },
    end() { off(); clearTimeout(later); map = null },
    /** The map with its legend as a picture, or the same on a page. */
    async picture(as: 'png' | 'pdf') {
      const x = index.value
      if (!x || !drawing.value) return
      const words = { title: `${t('risk.map')} ${day.value || stamp(Date.now())}`, formula: formulaWords(x), foot: `${x.label} ${t('risk.version', { v: x.version })}`,
        level: (c: Color) => { const l = x.levels.find((v) => v.color === c); return l ? `${l.label} ≥ ${num(l.from)}` : '' } }
      try {
        const seen = await picture(drawing.value.map, x, words)
        const file = await new Promise<Blob>((done, fail) => seen.toBlob((b) => (b ? done(b) : fail(new Error('toBlob'))), as === 'pdf' ? 'image/jpeg' : 'image/png', 0.92))
        keep(name(as), as === 'pdf' ? picturePdf(new Uint8Array(await file.arrayBuffer()), seen.width, seen.height, words.title) : file)
      } catch (e) {
        failed.value = String((e as Error).message)
      }
    },
    geojson() {
      const by = new Map(areas.value.map((r) => [r.key, r]))
      const features = (base?.areas ?? []).flatMap((a) => {
        const r = by.get(a.code)
        return r ? [{ type: 'Feature', geometry: a.geometry, properties: { code: a.code, name: r.title, index: index.value?.name, version: index.value?.version, day: day.value || last(days), score: r.score, level: r.level, enterprises: r.enterprises ?? null } }] : []
      })
      keep(name('geojson'), new Blob([JSON.stringify({ type: 'FeatureCollection', features })], { type: 'application/geo+json' }))
    },
    csv() {
      const rows = [[t('risk.rank'), t('risk.name'), t('risk.score'), t('risk.level'), t('risk.firms')], ...areas.value.map((r, i) => [i + 1, r.title, r.score, tx('color', r.level), r.enterprises ?? ''])]
      save(name('csv'), rows.map((r) => r.map(csvCell).join(',')).join('\r\n') + '\r\n')
    },
  }
}
