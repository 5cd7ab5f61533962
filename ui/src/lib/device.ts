// What is wrong with a device, worst first: the words on its card, the filter and the order of the page.
import type { DeviceHealth, Share } from '../api/types'

export type Trouble = 'offline' | 'clock_bad' | 'clock_warn' | 'incomplete' | 'rejects' | 'doubts'

/** Below this the last hour counts as incomplete: one reading in twenty is missing. Only shown, nothing depends on it. */
export const COMPLETE = 0.95

export const rejects = (d: DeviceHealth) => Object.values(d.rejects ?? {}).reduce((a, b) => a + b, 0)

export function troubles(d: DeviceHealth): Trouble[] {
  if (d.disabled) return []
  const all: Trouble[] = []
  if (!d.online) all.push('offline')
  if (d.clock === 'bad') all.push('clock_bad')
  if (d.clock === 'warn') all.push('clock_warn')
  if (d.hour.complete !== undefined && d.hour.complete < COMPLETE) all.push('incomplete')
  if (rejects(d)) all.push('rejects')
  if (d.doubts) all.push('doubts')
  return all
}

/** 99.5 % is not 100 %: cut, never rounded up. */
export const percent = (v?: number) => (v === undefined ? '—' : (Math.floor(v * 1000) / 10).toFixed(1).replace('.0', '') + '%')

export type Order = 'trouble' | 'code' | 'complete' | 'drift' | 'lag' | 'rate'
const drift = (d: DeviceHealth) => Math.abs(d.clock_off_s ?? 0)
const weigh = (s: Share) => s.complete ?? 2

export function compare(order: Order) {
  return (a: DeviceHealth & { rate: number }, b: DeviceHealth & { rate: number }): number => {
    const first =
      order === 'trouble' ? troubles(b).length - troubles(a).length || rejects(b) - rejects(a)
      : order === 'complete' ? weigh(a.hour) - weigh(b.hour)
      : order === 'drift' ? drift(b) - drift(a)
      : order === 'lag' ? (b.lag_s ?? 0) - (a.lag_s ?? 0)
      : order === 'rate' ? (b.rate || 0) - (a.rate || 0)
      : 0
    return first || a.code.localeCompare(b.code)
  }
}
