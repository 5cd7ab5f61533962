// The voice of the alarms: a pattern for each level, repeated until everything is acknowledged. Browsers only allow
// sound after a click, so `ready` says whether the click is still wanted.
import { computed, ref, watch } from 'vue'
import { now } from './now'
import { unacked } from './alarms'

interface Pattern { tones: [at: number, hz: number, length: number][]; every: number }
const PATTERN: Record<string, Pattern> = {
  red: { tones: [[0, 988, 0.14], [0.2, 1319, 0.14], [0.4, 988, 0.14], [0.6, 1319, 0.14]], every: 2000 },
  orange: { tones: [[0, 880, 0.18], [0.28, 988, 0.18]], every: 4000 },
  yellow: { tones: [[0, 740, 0.25]], every: 8000 },
  blue: { tones: [[0, 523, 0.3]], every: 15000 },
}

export const wanted = ref(localStorage.getItem('anlan.sound') !== 'off')
export const ready = ref(false)
export const mutedUntil = ref(0)
export const mutedFor = computed(() => Math.max(0, mutedUntil.value - now.value))
/** What should be heard now; null is silence. */
export const voice = computed(() => (unacked.value.length ? unacked.value[0].color : null))

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
  ctx ??= new AudioContext()
  await ctx.resume()
  ready.value = ctx.state === 'running'
  play({ tones: [[0, 660, 0.1]], every: 0 })
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
  watch([now, voice], () => {
    const p = voice.value && PATTERN[voice.value]
    if (!p || !wanted.value || mutedFor.value > 0) return
    if (Date.now() - last < p.every) return
    last = Date.now()
    play(p)
  })
}
