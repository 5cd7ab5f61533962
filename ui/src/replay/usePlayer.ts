// The clock of a replay: where it stands, whether it runs and how fast. Time is measured, not counted in frames.
import { onUnmounted, ref, type Ref } from 'vue'

export const SPEEDS = [1, 10, 30, 100] as const
const FRAME = 66 // ms between two pictures
const LONGEST = 500 // ms: a page that was hidden does not jump

export interface Player {
  at: Ref<number>
  playing: Ref<boolean>
  speed: Ref<number>
  set(t: number): void
  toggle(): void
  pause(): void
}

export function usePlayer(from: () => number, to: () => number): Player {
  const at = ref(0)
  const playing = ref(false)
  const speed = ref(10)
  let frame = 0
  let before = 0

  function turn(now: number) {
    frame = requestAnimationFrame(turn)
    if (now - before < FRAME) return
    at.value = Math.min(to(), at.value + Math.min(now - before, LONGEST) * speed.value)
    before = now
    if (at.value >= to()) pause()
  }
  function pause() {
    playing.value = false
    cancelAnimationFrame(frame)
  }
  function toggle() {
    if (playing.value) return pause()
    if (at.value >= to()) at.value = from()
    playing.value = true
    before = performance.now()
    frame = requestAnimationFrame(turn)
  }
  const set = (t: number) => (at.value = Math.min(to(), Math.max(from(), t)))
  onUnmounted(pause)
  return { at, playing, speed, set, toggle, pause }
}
