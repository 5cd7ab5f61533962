// The things on the map and their colours, without any drawing: what the server sent, kept current by events.
import type { Color, MapEnterprise, MapObjects, MapPoint } from '../api/types'
import { rank, worst } from '../lib/level'

export type Kind = 'enterprise' | 'installation' | 'point'
export interface Thing { kind: Kind; id: number; name: string; position: [number, number]; color: Color; data: MapEnterprise | MapPoint }

export const keyOf = (kind: Kind, id: number) => kind[0] + id

export class MapModel {
  readonly things = new Map<string, Thing>()
  private pointsOf = new Map<number, number[]>()

  constructor(objects: MapObjects) {
    for (const e of objects.enterprises ?? []) this.add('enterprise', e.id, e.title, e)
    for (const i of objects.installations ?? []) this.add('installation', i.id, i.title, i)
    for (const p of objects.points ?? []) {
      this.add('point', p.id, p.name || p.code, p)
      const e = ownerOf(p)
      if (e) this.pointsOf.set(e, [...(this.pointsOf.get(e) ?? []), p.id])
    }
  }

  private add(kind: Kind, id: number, name: string, data: MapEnterprise | MapPoint) {
    if (!Array.isArray(data.position) || !Number.isFinite(data.position[0])) return
    this.things.set(keyOf(kind, id), { kind, id, name, position: data.position, color: data.color, data })
  }

  get(kind: Kind, id: number) {
    return this.things.get(keyOf(kind, id))
  }

  /** New colours of points; returns the keys whose colour changed, their enterprises included. */
  recolor(points: { id: number; color: Color }[]): string[] {
    const changed: string[] = []
    const owners = new Set<number>()
    for (const p of points) {
      const thing = this.get('point', p.id)
      if (!thing || thing.color === p.color) continue
      thing.color = p.color
      changed.push(keyOf('point', p.id))
      const e = ownerOf(thing.data as MapPoint)
      if (e) owners.add(e)
    }
    for (const id of owners) {
      const e = this.get('enterprise', id)
      const color = worst((this.pointsOf.get(id) ?? []).map((p) => this.get('point', p)?.color ?? 'grey'))
      if (e && e.color !== color) {
        e.color = color
        changed.push(keyOf('enterprise', id))
      }
    }
    return changed
  }

  /** Worst colour of the enterprises of each area code and of everything above it (prefixes of 6, 9 and 12 digits). */
  areaColors(): Map<string, Color> {
    const out = new Map<string, Color>()
    for (const x of this.things.values()) {
      const code = (x.data as MapEnterprise).area
      if (x.kind !== 'enterprise' || !code || x.color === 'grey') continue
      for (const n of [6, 9, 12]) {
        const key = code.slice(0, n)
        const was = out.get(key)
        if (!was || rank(x.color) < rank(was)) out.set(key, x.color)
      }
    }
    return out
  }

  /** Things whose name or code holds the text, worst first. */
  find(text: string, max = 12): Thing[] {
    const q = text.trim().toLowerCase()
    if (!q) return []
    const hits: Thing[] = []
    for (const x of this.things.values()) {
      const code = (x.data as MapPoint).code ?? ''
      if (x.name.toLowerCase().includes(q) || code.toLowerCase().includes(q)) hits.push(x)
      if (hits.length > 400) break
    }
    const order = { enterprise: 0, installation: 1, point: 2 }
    return hits.sort((a, b) => order[a.kind] - order[b.kind] || a.name.length - b.name.length).slice(0, max)
  }

  count(kind: Kind): Record<Color, number> {
    const n: Record<Color, number> = { red: 0, orange: 0, yellow: 0, blue: 0, green: 0, grey: 0 }
    for (const x of this.things.values()) if (x.kind === kind) n[x.color]++
    return n
  }
}

export function ownerOf(p: MapPoint): number {
  return typeof p.enterprise === 'number' ? p.enterprise : (p.enterprise?.id ?? 0)
}
