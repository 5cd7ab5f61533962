// The entries of the menu for this person: only pages that lead somewhere for them. Five parts: the watch, the work
// centre, registers by pack, indicators and reports, management.
import { computed } from 'vue'
import type { Component } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import { t } from '../i18n'
import { icon, menuIcon } from '../lib/icons'
import { may, me } from '../use/session'
import { knows, packs, readable, types } from '../use/types'
import { openAlarms, unacked } from '../use/alarms'
import { dutyCount, notices, overdue } from '../use/duties'

export interface Entry { page: string; label: string; icon: Component; to: RouteLocationRaw; badge?: number; urgent?: boolean; pack?: string }
export interface Section { name: string; label: string; entries: Entry[] }

type Plain = 'today' | 'map' | 'replay' | 'calc' | 'devices' | 'rules' | 'audit' | 'try' | 'help' | 'indicators' | 'reports' | 'config' | 'roles' | 'notify' | 'alarmload' | 'suppressed' | 'risk' | 'qra' | 'detect' | 'sensing' | 'remote' | 'overlay' | 'command' | 'exams' | 'study' | 'credit' | 'call' | 'publications' | 'quality'
const plain = (page: Plain): Entry => ({ page, label: t(`nav.${page}`), icon: menuIcon[page], to: { name: page } })
const alarms = (): Entry => ({ page: 'alarms', label: t('nav.alarms'), icon: menuIcon.alarms, to: { name: 'alarms' }, badge: unacked.value.length || openAlarms.value.length, urgent: unacked.value.length > 0 })
const duties = (): Entry => ({ page: 'duties', label: t('nav.duties'), icon: menuIcon.duties, to: { name: 'duties' }, badge: dutyCount.value, urgent: overdue.value > 0 })
/** Somebody with records to work on: those who keep the platform have none. */
export const works = computed(() => may('alarm.read'))

const takesCalls = computed(() => types.value.some((x) => x.name === 'danger_report' && x.can.includes('create')))

/** The map is of enterprises: who may not read them is not led to an error. */
const map = (): Entry[] => (knows('enterprise') ? [plain('map')] : [])

/** How the county stands: for those who look after one, not for one enterprise. */
const today = (): Entry[] => (me.value?.enterprise ? [] : [plain('today')])

/** Courses on line, for those who may study them. */
const study = (): Entry[] => (types.value.some((x) => x.name === 'course_study' && x.can.includes('create')) ? [plain('study')] : [])

export const mainEntries = computed<Entry[]>(() => (works.value ? [...map(), alarms(), duties()] : [duties(), plain('exams')]))
export const typeEntries = computed<Entry[]>(() => readable.value.map((x) => ({ page: x.name, label: x.label, icon: icon(x.icon, x.name), to: { name: 'list', params: { type: x.name } }, pack: x.pack })))
export interface PackEntries { pack: string; label: string; about: string; section: string; entries: Entry[] }
/** In the order and under the headings that the packs themselves say (about/pack.yaml). */
const ordered = (list: Entry[], first: string[]) => [...first.flatMap((n) => list.filter((e) => e.page === n)), ...list.filter((e) => !first.includes(e.page))]
export const packEntries = computed<PackEntries[]>(() => packs.value
  .map((p) => ({ pack: p.name, label: p.label, about: p.about, section: p.section || t('nav.others'), entries: ordered(typeEntries.value.filter((e) => e.pack === p.name), p.first) }))
  .filter((p) => p.entries.length))
export interface PackSection { label: string; packs: PackEntries[] }
export const packSections = computed<PackSection[]>(() => {
  const out = new Map<string, PackEntries[]>()
  for (const p of packEntries.value) out.set(p.section, [...(out.get(p.section) ?? []), p])
  return [...out].map(([label, list]) => ({ label, packs: list }))
})

const numbers = computed<Entry[]>(() => (works.value ? [plain('risk'), ...(knows('credit_evaluation') ? [plain('credit')] : []), plain('sensing'), plain('suppressed'), plain('alarmload'), plain('detect'), plain('overlay'), plain('indicators'), plain('reports'), ...(knows('public_opinion') ? [plain('publications')] : [])] : []))
const manage = computed<Entry[]>(() => [
  ...(may('device.read') || may('device.manage') ? [plain('devices')] : []),
  plain('rules'),
  ...(may('risk.calc') ? [plain('calc')] : []),
  ...(may('risk.calc') && knows('qra_run') ? [plain('qra')] : []),
  ...(may('quality.read') ? [plain('quality')] : []),
  ...(may('config.change') ? [plain('config')] : []),
  ...(may('user.manage') || may('audit.read') || may('session.manage') || may('user.manage.below') ? [plain('roles')] : []),
  ...(may('notify.read') || may('notify.manage') ? [plain('notify')] : []),
  ...(may('audit.read') ? [plain('audit')] : []),
  ...(me.value?.demo ? [plain('try')] : []),
  plain('help'),
])
export const toolEntries = computed<Entry[]>(() => [...(works.value ? today() : []), plain('exams'), ...study(), ...numbers.value, ...manage.value])

export const sections = computed<Section[]>(() =>
  [
    { name: 'watch', label: t('nav.watch'), entries: works.value ? [...today(), ...map(), alarms(), ...(knows('emergency_event') ? [plain('command')] : []), plain('replay'), ...(takesCalls.value ? [plain('call')] : [])] : [] },
    { name: 'work', label: '', entries: [duties(), plain('exams'), ...study()] },
    { name: 'registers', label: t('nav.registers'), entries: typeEntries.value },
    { name: 'numbers', label: t('nav.numbers'), entries: numbers.value },
    { name: 'manage', label: t('nav.manage'), entries: manage.value },
  ].filter((s) => s.entries.length),
)

export const phoneTabs = computed<Entry[]>(() => [
  ...mainEntries.value,
  { page: 'registers', label: t('nav.registers'), icon: menuIcon.registers, to: { name: 'registers' } },
  { page: 'me', label: t('nav.me'), icon: menuIcon.me, to: { name: 'me' }, badge: notices.value.length || undefined },
])
