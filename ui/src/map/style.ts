// How things look on the map. Everything is drawn here from vectors: no tiles, no fonts, no images from outside.
import { Circle, Fill, Icon, RegularShape, Stroke, Style, Text } from 'ol/style'
import type { FeatureLike } from 'ol/Feature'
import type { Color } from '../api/types'
import { lang } from '../i18n'
import { COLORS, letter, look, rank } from '../lib/level'

export interface Theme { dark: boolean; big: boolean }
const FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif'
const font = (size: number, bold = false) => `${bold ? '700 ' : ''}${size}px ${FONT}`

const GROUND = {
  light: { page: '#e7edf2', town: '#f6f4ec', border: '#8d97a8', county: '#5c6b85', river: '#9fcbe8', road: '#ffffff', edge: '#c9bfa8', park: '#e7e0f2', text: '#3a4660', halo: '#ffffffcc' },
  dark: { page: '#081426', town: '#0f2138', border: '#35527c', county: '#5b8fd6', river: '#1b568c', road: '#39506f', edge: '#1a2d47', park: '#1d2a52', text: '#a9c4ea', halo: '#081426cc' },
}
export const ground = (th: Theme) => (th.dark ? GROUND.dark : GROUND.light)

const alpha = (hex: string, a: number) => hex + Math.round(a * 255).toString(16).padStart(2, '0')

export function areaStyle(th: Theme) {
  const g = ground(th)
  return (f: FeatureLike): Style[] => {
    const color = f.get('color') as Color | undefined
    const tinted = color && color !== 'green' && color !== 'grey'
    const outer = f.get('tier') === 'county' || f.get('tier') === 'city'
    const zone = /zone|park/.test(String(f.get('tier')))
    const fill = outer ? g.town : zone ? alpha(tinted ? look(color).fill : '#7c5cc4', th.dark ? 0.22 : 0.13) : tinted ? alpha(look(color).fill, th.dark ? 0.1 : 0.08) : color === 'green' ? alpha('#2a9d5c', th.dark ? 0.1 : 0.05) : '#00000000'
    return [
      new Style({
        fill: new Fill({ color: fill }),
        stroke: new Stroke({ color: outer ? g.county : tinted ? alpha(look(color).fill, 0.75) : g.border, width: outer ? 3 : tinted ? 2 : 1.3, lineDash: outer || tinted ? undefined : [7, 5] }),
        zIndex: outer ? 0 : zone ? 2 : 1,
      }),
    ]
  }
}

export function labelStyle(th: Theme) {
  const g = ground(th)
  return (f: FeatureLike, res: number): Style => {
    const color = f.get('color') as Color | undefined
    const tinted = res < 80 && color && color !== 'green' && color !== 'grey' // metres a pixel: the whole county on a phone shows names only
    const mark = tinted ? letter(color) : '' // of the worst inside: of alarms, or of the risk index
    return new Style({
      text: new Text({
        text: [String(f.get('name')), font(th.big ? 22 : 15, true), mark ? '\n' + mark : '', font(th.big ? 16 : 12)],
        fill: new Fill({ color: g.text }),
        stroke: new Stroke({ color: g.halo, width: 4 }),
        overflow: true,
      }),
    })
  }
}

export function baseStyle(layer: string, th: Theme) {
  const g = ground(th)
  if (/river|water|lake|reservoir|pond/.test(layer)) {
    return [new Style({ fill: new Fill({ color: alpha(g.river, 0.85) }), stroke: new Stroke({ color: g.river, width: th.big ? 7 : 5, lineCap: 'round', lineJoin: 'round' }) })]
  }
  if (/road|rail/.test(layer)) {
    return [
      new Style({ stroke: new Stroke({ color: g.edge, width: 5, lineCap: 'round' }) }),
      new Style({ stroke: new Stroke({ color: g.road, width: 3, lineCap: 'round' }) }),
    ]
  }
  return [new Style({ fill: new Fill({ color: alpha(g.park, 0.75) }), stroke: new Stroke({ color: alpha('#7c5cc4', 0.8), width: 1.6, lineDash: [3, 4] }) })]
}

const cache = new Map<string, Style[]>()
export const clearStyles = () => cache.clear()

// declutterMode none: signs are never left out for lack of room; names may be
const always = { declutterMode: 'none' as const }

function shape(color: Color, r: number, edge: string): Circle | RegularShape {
  const l = look(color)
  const fill = new Fill({ color: l.fill })
  const stroke = new Stroke({ color: edge, width: 2, lineDash: l.shape === 'ring' ? [3, 3] : undefined })
  if (l.shape === 'triangle') return new RegularShape({ points: 3, radius: r * 1.4, fill, stroke, displacement: [0, r * 0.1], ...always })
  if (l.shape === 'diamond') return new RegularShape({ points: 4, radius: r * 1.3, fill, stroke, ...always })
  if (l.shape === 'square') return new RegularShape({ points: 4, radius: r * 1.3, angle: Math.PI / 4, fill, stroke, ...always })
  return new Circle({ radius: r, fill, stroke, ...always })
}

/** One thing or a cluster of them: worst colour, its shape and letter (or how many). */
export function thingStyle(kind: string, color: Color, n: number, name: string, res: number, chosen: boolean, th: Theme): Style[] {
  const near = rank(color) < 2 ? 60 : kind === 'point' ? 3 : 14 // metres a pixel: names appear when there is room for them
  const label = res < near && n === 1 ? name : ''
  const key = [kind, color, n, label, chosen, th.dark, th.big, lang.value].join('|')
  const known = cache.get(key)
  if (known) return known
  const g = ground(th)
  const k = th.big ? 1.45 : 1
  const quiet = color === 'green' || color === 'grey'
  const small = kind === 'point' ? 7 : kind === 'installation' ? 10 : 11
  const r = (n > 1 ? 12 + Math.min(8, Math.log2(n) * 1.4) : quiet ? small : small + 3) * k
  const text = n > 1 ? String(n) : r < 9 ? '' : kind === 'installation' && quiet ? (lang.value === 'zh' ? '源' : 'H') : letter(color)
  const edge = chosen ? '#ffd400' : th.dark ? '#0b1830' : '#ffffff'
  const styles = [
    new Style({
      image: shape(color, r, edge),
      zIndex: 1000 - rank(color) * 100 + (chosen ? 2000 : 0),
      text: text
        ? new Text({ text, font: font((n > 1 ? 13 : 12) * k, true), fill: new Fill({ color: look(color).text }), offsetY: look(color).shape === 'triangle' ? 2 : 1, declutterMode: 'none' })
        : undefined,
    }),
  ]
  if (chosen) styles.unshift(new Style({ image: new Circle({ radius: r + 8, stroke: new Stroke({ color: '#ffb300', width: 4 }), ...always }), zIndex: 2999 }))
  if (label) {
    styles.push(
      new Style({
        text: new Text({ text: label, font: font(th.big ? 17 : 12.5), offsetY: r + 12, fill: new Fill({ color: g.text }), stroke: new Stroke({ color: g.halo, width: 3 }) }),
        zIndex: 900 - rank(color) * 100,
      }),
    )
  }
  if (cache.size > 4000) cache.clear()
  cache.set(key, styles)
  return styles
}

const PARTS = 16 // a ring has so many parts: what is there at all has at least one
const rings = new Map<string, HTMLCanvasElement>()

/** Parts of the ring of each colour, from the worst on; together PARTS. */
export function ringParts(counts: Partial<Record<Color, number>>): [Color, number][] {
  const there = COLORS.filter((c) => counts[c])
  const total = there.reduce((n, c) => n + counts[c]!, 0)
  const parts = there.map((c): [Color, number] => [c, Math.max(1, Math.round((counts[c]! / total) * PARTS))])
  const most = parts.reduce((a, b) => (b[1] > a[1] ? b : a), ['grey', 0] as [Color, number])
  most[1] += PARTS - parts.reduce((n, p) => n + p[1], 0)
  return parts
}

function ring(parts: [Color, number][], r: number, g: (typeof GROUND)['light']): HTMLCanvasElement {
  const key = parts.join('|') + r + g.page
  let c = rings.get(key)
  if (c) return c
  c = document.createElement('canvas')
  const scale = Math.max(1, Math.min(2, window.devicePixelRatio))
  c.width = c.height = Math.ceil((r + 2) * 2 * scale)
  const x = c.getContext('2d')!
  x.scale(scale, scale)
  x.translate(r + 2, r + 2)
  let from = -Math.PI / 2 // clockwise from the top, the worst first
  for (const [color, n] of parts) {
    const to = from + (n / PARTS) * 2 * Math.PI
    x.beginPath()
    x.moveTo(0, 0)
    x.arc(0, 0, r, from, to)
    x.fillStyle = look(color).fill
    x.fill()
    from = to
  }
  x.beginPath()
  x.arc(0, 0, r - 5, 0, 2 * Math.PI)
  x.fillStyle = g.town
  x.fill()
  rings.set(key, c)
  return c
}

/** A cluster by grade: a ring of the shares, how many there are, and how many of the worst by its letter. */
export function shareStyle(n: number, counts: Partial<Record<Color, number>>, th: Theme): Style[] {
  const g = ground(th)
  const parts = ringParts(counts)
  const [worst] = parts[0] ?? ['grey']
  const key = ['ring', n, parts.join('|'), counts[worst], th.dark, th.big, lang.value].join('|')
  const known = cache.get(key)
  if (known) return known
  const k = th.big ? 1.4 : 1
  const r = Math.round((17 + Math.min(10, Math.log10(n) * 2.8)) * k)
  const img = ring(parts, r, g)
  const styles = [
    new Style({
      image: new Icon({ img, width: (r + 2) * 2, height: (r + 2) * 2, ...always }),
      zIndex: 1000 - rank(worst) * 100,
      text: new Text({ text: [String(n), font(11.5 * k, true), '\n', '', letter(worst) + (counts[worst] ?? ''), font(9.5 * k)], fill: new Fill({ color: g.text }), declutterMode: 'none' }),
    }),
  ]
  if (cache.size > 4000) cache.clear()
  cache.set(key, styles)
  return styles
}

/** An area of a tile: tinted by its level, with its name and how many enterprises it has when there is room. */
export function areaTileStyle(f: FeatureLike, res: number, th: Theme): Style[] {
  const color = f.get('level') as Color
  const g = ground(th)
  const quiet = color === 'grey' || color === 'green'
  const name = res < 40 ? [f.get('title'), `${quiet ? '' : letter(color) + ' '}${f.get('n') ?? 0}`].filter(Boolean).join(' ') : ''
  return [
    new Style({
      fill: new Fill({ color: alpha(look(color).fill, quiet ? 0.06 : 0.18) }),
      stroke: new Stroke({ color: alpha(look(color).fill, 0.8), width: quiet ? 1.2 : 2, lineDash: quiet ? [6, 4] : undefined }),
      text: name ? new Text({ text: name, font: font(12.5, true), fill: new Fill({ color: g.text }), stroke: new Stroke({ color: g.halo, width: 3 }) }) : undefined,
    }),
  ]
}
