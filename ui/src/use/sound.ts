// The voice of the alarms: a pattern for each level, repeated until everything is acknowledged. Browsers only allow
// sound after a click, so `ready` says whether the click is still wanted; any click or key on the page will do, the login's too.
import { computed, ref, watch } from 'vue'
import { cut } from '../api/events'
import { now } from './now'
import { unacked } from './alarms'
import { may, me } from './session'

interface Pattern { tones: [at: number, hz: number, length: number][]; every: number }
const PATTERN: Record<string, Pattern> = {
  red: { tones: [[0, 988, 0.14], [0.2, 1319, 0.14], [0.4, 988, 0.14], [0.6, 1319, 0.14]], every: 2000 },
  orange: { tones: [[0, 880, 0.18], [0.28, 988, 0.18]], every: 4000 },
  yellow: { tones: [[0, 740, 0.25]], every: 8000 },
  blue: { tones: [[0, 523, 0.3]], every: 15000 },
  cut: { tones: [[0, 392, 0.3], [0.4, 294, 0.5]], every: 10000 }, // no level: alarms could not be heard
}
const CUT_AFTER = 20000 // ms without the server

export const wanted = ref(localStorage.getItem('anlan.sound') !== 'off')
export const ready = ref(false)
export const mutedUntil = ref(0)
export const mutedFor = computed(() => Math.max(0, mutedUntil.value - now.value))
/** What should be heard now; null is silence. */
export const voice = computed(() => (unacked.value.length ? unacked.value[0].color : null))
const cutAt = ref(0)
/** Cut off from the server so long that a person is to be told aloud. */
export const deaf = computed(() => cutAt.value > 0 && now.value - cutAt.value >= CUT_AFTER)

let ctx: AudioContext | null = null
let last = 0

function play(p: Pattern) {
  if (!ctx || ctx.state !== 'running') return
  for (const [at, hz, length] of p.tones) {
    const osc = ctx.createOscillator()
    const gain = ctx.createGain()
    const start = ctx.currentTime + at
    osc.frequency.value = hz
    osc.type = 'triangle'
    gain.gain.setValueAtTime(0, start)
    gain.gain.linearRampToValueAtTime(0.4, start + 0.02)
    gain.gain.setValueAtTime(0.4, start + length - 0.03)
    gain.gain.linearRampToValueAtTime(0, start + length)
    osc.connect(gain).connect(ctx.destination)
    osc.start(start)
    osc.stop(start + length)
  }
}

/** To be called from a click. */
export async function enableSound() {
  wanted.value = true
  await open()
  play({ tones: [[0, 660, 0.1]], every: 0 })
}
async function open() {
  if (!ctx) {
    const made = (ctx = new AudioContext())
    made.onstatechange = () => (ready.value = made.state === 'running') // a browser that slept or gave its speaker away
  }
  await ctx.resume()
  ready.value = ctx.state === 'running'
}
/** A browser allows sound once the person did anything on the page: the first click or key is enough, whatever it was for. */
function touched() {
  if (wanted.value && !ready.value && may('alarm.handle') && navigator.userActivation?.hasBeenActive !== false) void open().catch(() => {})
}
export function disableSound() {
  wanted.value = false
}
export function mute(minutes = 2) {
  mutedUntil.value = Date.now() + minutes * 60000
}
export function unmute() {
  mutedUntil.value = 0
}

export function startSound() {
  watch(wanted, (w) => localStorage.setItem('anlan.sound', w ? 'on' : 'off'))
  watch(cut, (c) => (cutAt.value = c ? Date.now() : 0), { immediate: true })
  watch(me, touched)
  // not pointerup: the bar that asks goes then, and the click would meet what moved under the finger
  for (const what of ['click', 'keydown']) addEventListener(what, touched, { capture: true, passive: true })
  watch([now, voice], () => {
    const heard = voice.value ?? (deaf.value && may('alarm.handle') ? 'cut' : null)
    const p = heard && PATTERN[heard]
    if (!p || !wanted.value || mutedFor.value > 0) return
    if (Date.now() - last < p.every) return
    last = Date.now()
    play(p)
  })
}
