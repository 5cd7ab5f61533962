// From a series to what ECharts draws. Times are shifted to China Standard Time and shown as UTC, so that the axis
// reads the same on every computer.
import { t, tx } from '../i18n'
import { stamp } from '../lib/time'
import { withUnit } from '../lib/number'
import type { Limit, Series } from './series'

export const SHIFT = 8 * 3600_000
export interface Mark { at: number; label: string; color: string; text?: string }
export interface Drawn { series: Series; limits: Limit[]; marks: Mark[]; unit?: string; from: number; to: number; zoom: boolean; small: boolean }

const esc = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

function bounds(d: Drawn): [number, number] {
  const v = d.series.steps.length ? d.series.steps.flatMap((s) => [s.min, s.max]) : d.series.samples.map((s) => s.value).filter(Number.isFinite)
  let lo = Infinity
  let hi = -Infinity
  for (const x of [...v, ...d.limits.map((l) => l.value)]) {
    if (x < lo) lo = x
    if (x > hi) hi = x
  }
  if (!Number.isFinite(lo)) return [0, 1]
  const room = (hi - lo || Math.abs(hi) || 1) * 0.08
  return [lo >= 0 && lo - room < 0 ? 0 : lo - room, hi + room]
}

function tooltip(d: Drawn) {
  return (list: { axisValue?: number; value?: [number, number]; seriesName?: string; dataIndex: number; seriesId?: string }[]) => {
    const p = list.find((x) => x.seriesId === 'main' || x.seriesId === 'poor')
    if (!p) return ''
    if (d.series.steps.length) {
      const s = d.series.steps[p.dataIndex]
      if (!s) return ''
      return `${stamp(s.at)}<br>${t('trend.avg')} <b>${esc(withUnit(s.avg, d.unit))}</b><br>${t('trend.min')} ${esc(withUnit(s.min, d.unit))} · ${t('trend.max')} ${esc(withUnit(s.max, d.unit))}<br>${t('trend.n', { n: s.n })} · ${esc(tx('quality', s.quality))}`
    }
    const at = Number(p.value?.[0]) - SHIFT
    const s = d.series.samples.find((x) => x.at === at)
    return s ? `${stamp(s.at)}<br><b>${esc(withUnit(s.value, d.unit))}</b><br>${t('trend.quality')} ${esc(tx('quality', s.quality))}` : ''
  }
}

function lines(d: Drawn) {
  const limit = d.limits.map((l) => ({
    yAxis: l.value,
    lineStyle: { color: l.color, type: l.name.length > 1 ? 'solid' : 'dashed', width: 1.6 },
    label: { formatter: `${tx('level', l.name.toLowerCase())} ${l.value}`, position: 'insideStartTop', offset: [l.name.length > 1 ? 0 : 86, 0], color: l.color, fontWeight: 600, fontSize: 12 },
  }))
  // labels of marks that lie close together stand one below the other, to the left of their lines
  const near = (d.to - d.from) * (d.small ? 0.3 : 0.1)
  let row = 0
  const mark = [...d.marks].sort((a, b) => b.at - a.at).map((m, i, all) => {
    row = i && all[i - 1].at - m.at < near ? row + 1 : 0
    const right = m.at - d.from < near
    return {
      xAxis: m.at + SHIFT,
      lineStyle: { color: m.color, type: 'solid', width: 2 },
      label: { formatter: m.label, position: 'end', rotate: 0, align: right ? 'left' : 'right', offset: [right ? 5 : -5, 17 + row * 16], color: m.text ?? m.color, fontWeight: 600, fontSize: 12, distance: 0, backgroundColor: '#ffffffd9', padding: [1, 3] },
    }
  })
  return { silent: true, symbol: 'none', animation: false, data: [...limit, ...mark] }
}

export function option(d: Drawn) {
  const [min, max] = bounds(d)
  const s = d.series
  const band = s.steps.length
    ? [
        { id: 'low', type: 'line', stack: 'band', symbol: 'none', silent: true, lineStyle: { opacity: 0 }, data: s.steps.map((x) => [x.at + SHIFT, x.min]) },
        { id: 'high', type: 'line', stack: 'band', symbol: 'none', silent: true, lineStyle: { opacity: 0 }, areaStyle: { color: '#1d56c9', opacity: 0.17 }, data: s.steps.map((x) => [x.at + SHIFT, x.max - x.min]) },
      ]
    : []
  const main = s.steps.length
    ? s.steps.map((x) => [x.at + SHIFT, x.avg])
    : s.samples.map((x) => [x.at + SHIFT, x.quality === 'bad' || x.quality === 'stale' ? null : x.value])
  const poor = s.samples.filter((x) => x.quality !== 'good').map((x) => [x.at + SHIFT, Number.isFinite(x.value) ? x.value : min])
  return {
    useUTC: true,
    animation: false,
    grid: { left: d.small ? 46 : 62, right: d.small ? 12 : 22, top: 18, bottom: d.zoom ? 78 : 28 },
    tooltip: { trigger: 'axis', confine: true, axisPointer: { type: 'line' }, formatter: tooltip(d) },
    xAxis: { type: 'time', min: d.from + SHIFT, max: d.to + SHIFT, axisLabel: { hideOverlap: true, color: '#55617a' }, axisLine: { lineStyle: { color: '#9aa5b8' } } },
    yAxis: { type: 'value', min, max, name: '', axisLabel: { color: '#55617a', formatter: (v: number) => String(Number(v.toPrecision(4))), showMinLabel: false, showMaxLabel: false }, splitLine: { lineStyle: { color: '#e6eaf1' } } },
    dataZoom: d.zoom
      ? [{ type: 'inside', filterMode: 'none' }, { type: 'slider', filterMode: 'none', height: 30, bottom: 12, labelFormatter: (v: number) => stamp(v - SHIFT, false) }]
      : [],
    series: [
      ...band,
      { id: 'main', type: 'line', symbol: s.samples.length > 300 || s.steps.length ? 'none' : 'circle', symbolSize: 4, sampling: 'lttb', lineStyle: { width: 2, color: '#1d56c9' }, itemStyle: { color: '#1d56c9' }, connectNulls: false, data: main, markLine: lines(d) },
      { id: 'poor', type: 'scatter', symbol: 'emptyCircle', symbolSize: 8, itemStyle: { color: '#7d8796' }, data: poor },
    ],
  }
}
