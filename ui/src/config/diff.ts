// Lines that differ between two texts: longest common subsequence between what is equal at both ends.
export interface DiffLine { kind: 'same' | 'gone' | 'new'; text: string; old?: number; now?: number }

const MOST = 4_000_000 // cells of the table; beyond it the whole middle counts as replaced

export function diff(a: string, b: string): DiffLine[] {
  const [x, y] = [a.split('\n'), b.split('\n')]
  let head = 0
  while (head < x.length && head < y.length && x[head] === y[head]) head++
  let tail = 0
  while (tail < x.length - head && tail < y.length - head && x[x.length - 1 - tail] === y[y.length - 1 - tail]) tail++
  const [m, n] = [x.slice(head, x.length - tail), y.slice(head, y.length - tail)]
  const out: DiffLine[] = []
  const same = (i: number, k: number) => out.push({ kind: 'same', text: x[i], old: i + 1, now: k + 1 })
  const gone = (i: number) => out.push({ kind: 'gone', text: x[i], old: i + 1 })
  const fresh = (k: number) => out.push({ kind: 'new', text: y[k], now: k + 1 })
  for (let i = 0; i < head; i++) same(i, i)
  if (m.length * n.length > MOST) {
    m.forEach((_, i) => gone(head + i))
    n.forEach((_, k) => fresh(head + k))
  } else {
    const w = n.length + 1
    const best = new Uint32Array((m.length + 1) * w)
    for (let i = m.length - 1; i >= 0; i--) for (let k = n.length - 1; k >= 0; k--) best[i * w + k] = m[i] === n[k] ? best[(i + 1) * w + k + 1] + 1 : Math.max(best[(i + 1) * w + k], best[i * w + k + 1])
    let i = 0
    let k = 0
    while (i < m.length || k < n.length) {
      if (i < m.length && k < n.length && m[i] === n[k]) same(head + i++, head + k++)
      else if (k >= n.length || (i < m.length && best[(i + 1) * w + k] >= best[i * w + k + 1])) gone(head + i++)
      else fresh(head + k++)
    }
  }
  for (let t = tail; t > 0; t--) same(x.length - t, y.length - t)
  return out
}

/** Only what changed, with a few lines around it; null stands for lines left out. */
export function around(lines: DiffLine[], context = 3): (DiffLine | null)[] {
  const keep = new Set<number>()
  lines.forEach((l, i) => { if (l.kind !== 'same') for (let k = i - context; k <= i + context; k++) keep.add(k) })
  const out: (DiffLine | null)[] = []
  lines.forEach((l, i) => {
    if (keep.has(i)) out.push(l)
    else if (out.length && out[out.length - 1] !== null) out.push(null)
  })
  return out
}
