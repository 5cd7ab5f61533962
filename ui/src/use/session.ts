// Who is using the page.
import { computed, ref } from 'vue'
import { api, onSessionLost, post } from '../api/http'
import { connect, disconnect } from '../api/events'
import type { Demo, Me } from '../api/types'
import { lang, t } from '../i18n'

export const me = ref<Me | null>(null)
export const demo = ref<Demo | null>(null)
export const asked = ref(false) // whether the server has been asked who we are

export const may = (permission: string) => !!me.value?.may.includes(permission)
/** Where a person's work begins: the watch on the map, those who keep the platform at their registers, others at their work. */
export const home = () => (me.value?.roles.some((r) => r.name === 'duty') ? '/map' : me.value?.roles.some((r) => r.name === 'leader') ? '/today' : may('alarm.read') ? '/work' : may('audit.read') ? '/audit' : '/records')
export const roleNames = computed(() => (me.value?.roles ?? []).map((r) => r.label).join(t('list.and')))

function enter(m: Me) {
  me.value = m
  asked.value = true
  connect()
}

/** Asks once who we are; a network failure is thrown, "not logged in" is not. */
export async function whoAmI(): Promise<Me | null> {
  if (asked.value) return me.value
  try {
    enter(await api<Me>('/me'))
  } catch (e) {
    if ((e as { status?: number }).status !== 401) throw e
    asked.value = true
  }
  return me.value
}

export async function refreshMe() {
  me.value = await api<Me>('/me')
}

export async function login(name: string, password: string, code = '') {
  const a = await post<{ me: Me }>('/login', { name, password, ...(code ? { code } : {}) })
  enter(a.me)
}

/** Single sign-ons that the login page offers. */
export const ways = ref<{ id: number; name: string }[]>([])
export async function loadWays() {
  ways.value = (await api<{ items: { id: number; name: string }[] }>('/login').catch(() => ({ items: [] }))).items
}
export const wayAddress = (id: number) => `/api/v1/oidc/${id}/begin`
/** After the browser came back from a single sign-on: what it found is in a cookie. */
export async function finishWay(code = '') {
  const a = await post<{ me: Me }>('/oidc/finish', code ? { code } : {})
  enter(a.me)
}

export async function demoLogin(role: string) {
  const a = await post<{ me: Me }>('/demo/login', { role })
  enter(a.me)
}

export async function logout() {
  try {
    await post('/logout')
  } finally {
    leave()
    for (const fn of leaving) await fn().catch(() => {})
  }
}

const leaving: (() => Promise<void>)[] = []
/** Called after a person logged out: what this device keeps of him goes. Not when a session merely ended. */
export function onLeave(fn: () => Promise<void>) {
  leaving.push(fn)
}

function leave() {
  disconnect()
  me.value = null
}

export async function loadDemo() {
  try {
    demo.value = await api<Demo>('/demo')
  } catch {
    demo.value = null // not a demo server
  }
}

export function setupSession(toLogin: () => void) {
  onSessionLost(() => {
    if (!me.value) return
    leave()
    toLogin()
  })
}

export function switchLang() {
  lang.value = lang.value === 'zh' ? 'en' : 'zh'
}
