// The expressions of packs, as the server sends them (src/expr/expr.h: expr_json): literals as they are, ["f","level"],
// ["f","enterprise","staff"], ["and",…], ["==",…], ["dur",seconds], ["wd",days], ["call","linked","hazard"].
// A missing value is null; undefined is what only the server can know (records that refer to this one, working days).
import type { Expr } from '../api/types'
import { trueNow } from './clock'

export interface Context {
  get(name: string): unknown
  follow(name: string, of: string): unknown
  kind?(name: string): string | undefined
  me?: { id: number; title: string } | null
  now?: number
  missed?: boolean // set by the evaluation: a comparison was false only because a value was missing
}

class Day { constructor(readonly n: number) {} } // since 1970-01-01
class Moment { constructor(readonly ms: number) {} }
class Length { constructor(readonly ms: number) {} }
type Value = number | string | boolean | null | undefined | Day | Moment | Length | List
class List { constructor(readonly items: unknown[]) {} }

const DAY = 86400_000
const ZONE = 8 * 3600_000
const dayOf = (ms: number) => Math.floor((ms + ZONE) / DAY)

/** Values of fields: references become their id, dates days, times moments, lists lists. */
function read(v: unknown): Value {
  if (v === null || v === undefined || v === '') return null
  if (typeof v === 'number' || typeof v === 'boolean') return v
  if (Array.isArray(v)) return new List(v)
  if (typeof v === 'object') return 'id' in v ? (v as { id: number }).id : new List(Object.keys(v as object))
  const s = String(v)
  if (/^\d{4}-\d\d-\d\d$/.test(s)) return new Day(Date.parse(s) / DAY)
  if (/^\d{4}-\d\d-\d\dT/.test(s)) return new Moment(Date.parse(s))
  return s
}
const order = (v: Value): number | string | null | undefined => (v instanceof Day ? v.n * DAY - ZONE : v instanceof Moment || v instanceof Length ? v.ms : typeof v === 'boolean' ? Number(v) : v instanceof List ? v.items.length : v)

function compare(op: string, a: Value, b: Value, c: Context): boolean | undefined {
  if (a === undefined || b === undefined) return undefined
  if (a === null || b === null) {
    c.missed = true
    return false
  }
  if (a instanceof Day && b instanceof Moment) b = new Day(dayOf(b.ms))
  if (b instanceof Day && a instanceof Moment) a = new Day(dayOf(a.ms))
  const [x, y] = [order(a)!, order(b)!]
  switch (op) {
    case '==': return x === y
    case '!=': return x !== y
    case '<': return x < y
    case '<=': return x <= y
    case '>': return x > y
    default: return x >= y
  }
}

function arithmetic(op: string, a: Value, b: Value): Value {
  if (a === undefined || b === undefined) return undefined
  if (a === null || b === null) return null
  if (b instanceof Length && (op === '+' || op === '-')) {
    const by = op === '+' ? b.ms : -b.ms
    if (a instanceof Day) return by % DAY === 0 ? new Day(a.n + by / DAY) : new Moment(a.n * DAY - ZONE + by)
    if (a instanceof Moment) return new Moment(a.ms + by)
    if (a instanceof Length) return new Length(a.ms + by)
  }
  if (op === '-' && (a instanceof Day || a instanceof Moment) && (b instanceof Day || b instanceof Moment)) return new Length(Number(order(a)) - Number(order(b)))
  if (typeof a !== 'number' || typeof b !== 'number') return undefined
  if (op === '/') return b === 0 ? null : a / b
  return op === '+' ? a + b : op === '-' ? a - b : a * b
}

const flat = (v: Value): Value[] => (v instanceof List ? v.items.map(read) : [v])
const isEmpty = (v: Value) => v === null || (v instanceof List && !v.items.length)

function slot(e: unknown[], c: Context): Value {
  const [, name, of] = e as string[]
  if (of === undefined) return read(c.get(name))
  const v = c.get(name)
  if (Array.isArray(v)) return new List(v.map((r) => (r as Record<string, unknown>)?.[of]))
  return v ? read(c.follow(name, of)) : null
}

const FUNCTIONS: Record<string, (a: Value[], c: Context) => Value> = {
  empty: ([v]) => (v === undefined ? undefined : isEmpty(v) || (v instanceof List && v.items.every((x) => read(x) === null))),
  count: ([v]) => (v === undefined ? undefined : v === null ? 0 : v instanceof List ? v.items.filter((x) => read(x) !== null).length : 1),
  sum: (a) => {
    const n = a.flatMap(flat)
    return n.includes(undefined) ? undefined : n.reduce((s: number, x) => s + (typeof x === 'number' ? x : 0), 0)
  },
  min: (a) => extreme(a, Math.min),
  max: (a) => extreme(a, Math.max),
  abs: ([v]) => (typeof v === 'number' ? Math.abs(v) : v instanceof Length ? new Length(Math.abs(v.ms)) : v),
  round: ([v, n]) => {
    if (typeof v !== 'number') return v
    const f = 10 ** (typeof n === 'number' ? n : 0)
    return (Math.sign(v) * Math.round(Math.abs(v) * f)) / f
  },
  if: ([c, a, b]) => (c === undefined ? undefined : c === true ? a : b),
  has: ([list, item]) => (list === undefined ? undefined : list instanceof List && list.items.includes(item)),
  days: ([a, b]) => {
    if (a === undefined || b === undefined) return undefined
    const day = (v: Value) => (v instanceof Day ? v.n : v instanceof Moment ? dayOf(v.ms) : null)
    const [x, y] = [day(a), day(b)]
    return x === null || y === null ? null : y - x
  },
  today: (_, c) => new Day(dayOf(c.now ?? trueNow())),
  now: (_, c) => new Moment(c.now ?? trueNow()),
  year: ([v]) => calendar(v)?.getUTCFullYear() ?? (v === undefined ? undefined : null),
  month: ([v]) => { const d = calendar(v); return d ? d.getUTCMonth() + 1 : v === undefined ? undefined : null },
}
function extreme(a: Value[], pick: (...n: number[]) => number): Value {
  const all = a.flatMap(flat)
  if (all.includes(undefined)) return undefined
  const known = all.filter((x) => x !== null)
  if (!known.length) return null
  const best = pick(...known.map((x) => Number(order(x))))
  return known.find((x) => Number(order(x)) === best)
}
const calendar = (v: Value) => (v instanceof Day ? new Date(v.n * DAY) : v instanceof Moment ? new Date(v.ms + ZONE) : null)

function run(e: Expr, c: Context): Value {
  if (!Array.isArray(e)) return read(e)
  const [op, ...rest] = e as [string, ...unknown[]]
  switch (op) {
    case 'f': return slot(e, c)
    case 'dur': return new Length(Number(rest[0]) * 1000)
    case 'wd': case 'call': return undefined
    case 'neg': { const v = run(rest[0], c); return typeof v === 'number' ? -v : v }
    case 'not': { const v = run(rest[0], c); return v === undefined ? undefined : v !== true }
    case 'and': { const v = rest.map((x) => run(x, c)); return v.some((x) => x !== true && x !== undefined) ? false : v.includes(undefined) ? undefined : true }
    case 'or': { const v = rest.map((x) => run(x, c)); return v.includes(true) ? true : v.includes(undefined) ? undefined : false }
    case 'in': {
      const v = rest.slice(1).map((x) => compare('==', run(rest[0], c), run(x, c), c))
      return v.includes(true) ? true : v.includes(undefined) ? undefined : false
    }
    case '==': case '!=': case '<': case '<=': case '>': case '>=': return compare(op, run(rest[0], c), run(rest[1], c), c)
    case '-': case '+': case '*': case '/':
      if (rest.length === 1) return run(['neg', rest[0]], c)
      return rest.slice(1).reduce((a: Value, x) => arithmetic(op, a, run(x, c)), run(rest[0], c))
    default: return FUNCTIONS[op]?.(rest.map((x) => run(x, c)), c)
  }
}

/** The value as a field would hold it: null when missing, undefined when only the server can know. */
export function evaluate(e: Expr, c: Context): unknown {
  const v = run(e, c)
  if (v instanceof Day) return new Date(v.n * DAY).toISOString().slice(0, 10)
  if (v instanceof Moment) return new Date(v.ms).toISOString()
  if (v instanceof Length) return v.ms / 1000
  return v instanceof List ? v.items : v
}

/** True, or not known here (then the server decides). */
export const truth = (e: Expr, c: Context): boolean => (typeof e === 'boolean' ? e : [true, undefined].includes(run(e, c) as boolean | undefined))

/** Is it plainly wrong: false, and not only because something is not filled in yet? */
export function wrong(e: Expr, c: Context): boolean {
  const own = { ...c, missed: false }
  return run(e, own) === false && !own.missed
}

/** Names of the fields an expression reads. */
export function names(e: Expr): string[] {
  if (!Array.isArray(e)) return []
  if (e[0] === 'f') return [String(e[1])]
  return e.flatMap((x) => names(x))
}
