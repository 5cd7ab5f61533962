// Numbers as shown: at most `decimals` places, no trailing noise, thousands apart.
export function num(v: unknown, decimals?: number): string {
  if (v === null || v === undefined || v === '') return '—'
  const n = Number(v)
  if (!Number.isFinite(n)) return '—'
  const places = decimals ?? (Math.abs(n) >= 1000 ? 1 : Math.abs(n) >= 1 ? 2 : 4)
  const fixed = n.toFixed(places)
  const [whole, rest] = fixed.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  if (!rest) return grouped
  const kept = decimals === undefined ? rest.replace(/0+$/, '') : rest
  return kept ? grouped + '.' + kept : grouped
}

export function withUnit(v: unknown, unit?: string, decimals?: number): string {
  const s = num(v, decimals)
  return s === '—' || !unit ? s : unit === '%' ? s + '%' : s + ' ' + unit
}

const QUALITY = ['good', 'calibration', 'maintenance', 'flat', 'range', 'stale', 'bad']
/** The server may say quality by name or by its stored number. */
export function quality(q: unknown): string {
  if (typeof q === 'number') return QUALITY[q] ?? 'bad'
  return typeof q === 'string' && q ? q : 'good'
}

export function csvCell(v: unknown): string {
  let s = v === null || v === undefined ? '' : String(v)
  if (/^[=+@\t\r]/.test(s) || /^-(?!\d)/.test(s)) s = "'" + s // a spreadsheet must not run what a stranger typed
  return /[",\n\r]/.test(s) ? '"' + s.replace(/"/g, '""') + '"' : s
}
