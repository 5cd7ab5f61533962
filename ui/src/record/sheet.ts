// Arithmetic of an assessment, as the server does it (src/measure/assess.c): of each lowest item the last word counts
// (final, review, self, automatic), one veto makes it the lowest grade.
import type { SheetInfo, SheetItem } from '../api/types'

export type Column = 'self' | 'review' | 'final'
export const COLUMNS: Column[] = ['self', 'review', 'final']
export type Edits = Record<string, Partial<Pick<SheetItem, Column | 'note' | 'files'>>>
export interface Grade { name: string; label: string; from: number; color?: string }

/** An item as it stands with what was typed but not saved yet. */
export const merged = (i: SheetItem, edits: Edits): SheetItem => ({ ...i, ...edits[i.path] })
export function effective(i: SheetItem): number | null {
  for (const v of [i.final, i.review, i.self, i.auto_points]) if (typeof v === 'number') return v
  return null
}
/** Of a branch: what its leaves add up to, vetoes aside. */
export function branch(items: SheetItem[], at: number, edits: Edits, column?: Column): number {
  let sum = 0
  for (let i = at + 1; i < items.length && items[i].level > items[at].level; i++) {
    if (!items[i].leaf || items[i].veto) continue
    const m = merged(items[i], edits)
    sum += (column ? m[column] : effective(m)) ?? 0
  }
  return sum
}

export interface Total { score: number; points: number; done: number; of: number; veto: string; grade: Grade | null; sums: Record<Column, number> }
export function total(info: SheetInfo, edits: Edits, grades: Grade[]): Total {
  const leaves = info.items.filter((i) => i.leaf).map((i) => merged(i, edits))
  const scored = leaves.filter((i) => !i.veto)
  const veto = leaves.find((i) => i.veto && (effective(i) ?? 0) > 0)
  const points = scored.reduce((n, i) => n + (effective(i) ?? 0), 0)
  const score = info.full > 0 ? (points / info.full) * 100 : 0
  const order = [...grades].sort((a, b) => b.from - a.from)
  const done = scored.filter((i) => effective(i) !== null).length
  return {
    score: Math.round(score * 100) / 100, points, done, of: scored.length, veto: veto?.label ?? '',
    grade: (veto ? order[order.length - 1] : order.find((g) => score >= g.from - 1e-9)) ?? null,
    sums: Object.fromEntries(COLUMNS.map((c) => [c, scored.reduce((n, i) => n + (i[c] ?? 0), 0)])) as Record<Column, number>,
  }
}
