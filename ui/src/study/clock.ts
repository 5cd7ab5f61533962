// The clock of a course is the server's: it counts what passes between two beats. Here is only when beats are sent: while the chapter is before
// the learner's eyes, never while the page is hidden; after a pause or a reload the first beat starts anew and counts for nothing.
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'
import { post, type ApiError } from '../api/http'
import type { Rec } from '../api/types'

export interface Chapter { title: string; minutes: number; text?: string; file?: number; url?: string }
interface Done { title: string; seconds: number; length: number }

const BEAT = 20 // s between beats; the server counts at most 60
const RETRY = 5000
export const progress = (r: Rec | null): Done[] => (Array.isArray(r?.progress) ? (r.progress as Done[]) : [])
/** Seconds of a chapter that the server has counted, and that it has. */
export const counted = (r: Rec | null, i: number) => progress(r)[i]?.seconds ?? 0
export const whole = (c: Chapter) => 60 * c.minutes
export const finished = (r: Rec | null, c: Chapter, i: number) => counted(r, i) >= whole(c)

/** ready: the chapter is shown and, if it is a video, plays. at: where a video is, s; null of what has no place of its own. */
export function useClock(rec: Ref<Rec>, chapters: Ref<Chapter[]>, chapter: Ref<number>, ready: Ref<boolean>, at: () => number | null, refused: (e: ApiError) => void) {
  const visible = ref(!document.hidden)
  const lost = ref(false) // no signal
  const since = ref(0) // performance.now() of the last beat that counts from there
  const tick = ref(performance.now())
  let timer = 0
  let turn = 0 // a change of what is learnt makes what is on its way of no account

  const base = computed(() => counted(rec.value, chapter.value))
  const length = computed(() => (chapters.value[chapter.value] ? whole(chapters.value[chapter.value]) : 0))
  const wanted = computed(() => visible.value && ready.value && rec.value.state === 'learning' && base.value < length.value)
  const running = computed(() => wanted.value && since.value > 0 && !lost.value)
  /** What the server has counted and what runs since; never more than the chapter. */
  const seconds = computed(() => Math.min(length.value, base.value + (running.value ? Math.max(0, (tick.value - since.value) / 1000) : 0)))

  const say = (start: boolean) => post<Rec>(`/study/${rec.value.id}`, { chapter: chapter.value + 1, at_s: Math.floor(start ? Math.min(base.value, at() ?? base.value) : (at() ?? Math.min(seconds.value, base.value + BEAT))), ...(start ? { start: true } : {}) })
  async function beat(start: boolean) {
    clearTimeout(timer)
    const mine = turn
    try {
      const got = await say(start)
      if (mine !== turn) return
      rec.value = got
      lost.value = false
      since.value = performance.now()
      if (wanted.value) timer = window.setTimeout(() => void beat(false), 1000 * Math.min(BEAT, length.value - base.value + 0.3))
    } catch (e) {
      if (mine !== turn) return
      const err = e as ApiError
      if (err.status >= 400 && err.status < 500 && err.status !== 429) {
        since.value = 0
        refused(err)
      } else {
        lost.value = true // what passes now is not counted
        timer = window.setTimeout(() => void beat(true), RETRY)
      }
    }
  }
  async function pause(last: Promise<Rec> | null) {
    clearTimeout(timer)
    const mine = ++turn
    since.value = 0
    const got = await last?.catch(() => null) // what passed until now
    if (got && mine === turn) rec.value = got
  }
  watch(chapter, () => (since.value = 0))
  watch([wanted, chapter], ([on, now], [was, before]) => {
    if (on && (!was || now !== before)) {
      turn++
      void beat(true)
    } else if (!on && was) void pause(now === before && since.value && base.value < length.value ? say(false) : null)
  })
  if (wanted.value) void beat(true)

  const look = () => (visible.value = !document.hidden)
  document.addEventListener('visibilitychange', look)
  const clock = window.setInterval(() => (tick.value = performance.now()), 500)
  onScopeDispose(() => {
    if (since.value && wanted.value) void say(false).catch(() => {})
    turn++
    clearTimeout(timer)
    clearInterval(clock)
    document.removeEventListener('visibilitychange', look)
  })
  return { visible, lost, running, seconds, length, again: () => void beat(true) }
}
