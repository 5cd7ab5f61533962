// The entries of the menu for this person: only pages that lead somewhere for them.
import { computed } from 'vue'
import type { Component } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import { t } from '../i18n'
import { icon, menuIcon } from '../lib/icons'
import { may, me } from '../use/session'
import { readable } from '../use/types'
import { openAlarms, unacked } from '../use/alarms'
import { dutyCount, notices, overdue } from '../use/duties'

export interface Entry { page: string; label: string; icon: Component; to: RouteLocationRaw; badge?: number; urgent?: boolean }

const entry = {
  map: (): Entry => ({ page: 'map', label: t('nav.map'), icon: menuIcon.map, to: { name: 'map' } }),
  alarms: (): Entry => ({
    page: 'alarms', label: t('nav.alarms'), icon: menuIcon.alarms, to: { name: 'alarms' },
    badge: unacked.value.length || openAlarms.value.length, urgent: unacked.value.length > 0,
  }),
  duties: (): Entry => ({
    page: 'duties', label: t('nav.duties'), icon: menuIcon.duties, to: { name: 'duties' },
    badge: dutyCount.value, urgent: overdue.value > 0,
  }),
}

export const mainEntries = computed<Entry[]>(() => (may('alarm.read') ? [entry.map(), entry.alarms(), entry.duties()] : [entry.duties()]))

export const typeEntries = computed<Entry[]>(() =>
  readable.value.map((x) => ({
    page: x.name, label: x.label, icon: icon(x.icon, x.name), to: { name: 'list', params: { type: x.name } },
  })),
)

export const toolEntries = computed<Entry[]>(() => {
  const list: Entry[] = []
  const add = (page: 'devices' | 'rules' | 'audit' | 'try' | 'help') =>
    list.push({ page, label: t(`nav.${page}`), icon: menuIcon[page], to: { name: page } })
  if (may('device.read') || may('device.manage')) add('devices')
  add('rules')
  if (may('audit.read')) add('audit')
  if (me.value?.demo) add('try')
  add('help')
  return list
})

export const phoneTabs = computed<Entry[]>(() => [
  ...mainEntries.value,
  { page: 'registers', label: t('nav.registers'), icon: menuIcon.registers, to: { name: 'registers' } },
  { page: 'me', label: t('nav.me'), icon: menuIcon.me, to: { name: 'me' }, badge: notices.value.length || undefined },
])
