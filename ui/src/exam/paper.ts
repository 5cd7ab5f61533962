// A paper while it is written: answers go to the server one by one; what has not arrived yet is kept in this device, through a lost
// network, a closed tab or a dead phone. The clock is the server's: every answer says how much is left.
import { computed, ref } from 'vue'
import { get, post, type ApiError } from '../api/http'

export interface Option { key: string; text?: string }
export interface Line { n: number; points: number; question: { text: string; kind: 'single' | 'multiple' | 'judge'; options: Option[] }; answer: string[]; got?: number; key?: string[] }
export interface Sitting {
  id: number; title: string; try: number; state: 'sitting' | 'passed' | 'failed'; started: string; until: string; left?: number; pass_mark: number
  score?: number; full?: number; seconds?: number; questions?: number; answered?: number; right?: number
}
export interface Paper extends Sitting { exam: number; exam_title: string; paper: Line[] }
interface Kept { answers: Record<number, string[]>; away: number }

const RETRY = 2000
const name = (id: number) => `anlan.exam.${id}`
function kept(id: number): Kept {
  try {
    return JSON.parse(localStorage.getItem(name(id)) ?? '') as Kept
  } catch {
    return { answers: {}, away: 0 }
  }
}
export const forget = (id: number) => localStorage.removeItem(name(id))

export function usePaper(first: Paper, over: () => void) {
  const paper = ref<Paper>(first)
  const waiting = ref<Kept>(kept(first.id))
  const offline = ref(false)
  const refused = ref('')
  let end = performance.now() + (first.left ?? 0) * 1000
  let pumping = false
  let stopped = false
  for (const [n, a] of Object.entries(waiting.value.answers)) {
    const line = paper.value.paper[Number(n) - 1]
    if (line) line.answer = a
  }
  const unsent = computed(() => Object.keys(waiting.value.answers).length)
  const keep = () => localStorage.setItem(name(first.id), JSON.stringify(waiting.value))
  const left = () => Math.max(0, Math.ceil((end - performance.now()) / 1000))

  async function pump() {
    if (pumping || stopped) return
    pumping = true
    for (let n: number; (n = Number(Object.keys(waiting.value.answers)[0] ?? 0)) && !stopped; ) {
      const answer = waiting.value.answers[n]!
      try {
        const got = await post<{ left: number }>(`/sittings/${first.id}/answers`, { n, answer, away: waiting.value.away })
        end = performance.now() + got.left * 1000
        offline.value = false
        if (waiting.value.answers[n] === answer) delete waiting.value.answers[n]
        keep()
      } catch (e) {
        const err = e as ApiError
        if (err.status === 409) over()
        else if (err.status >= 400 && err.status < 500 && err.status !== 429) {
          refused.value = err.message
          delete waiting.value.answers[n]
          keep()
          continue
        } else {
          offline.value = true
          window.setTimeout(() => void pump(), RETRY)
        }
        break
      }
    }
    pumping = false
  }
  function choose(line: Line, key: string) {
    if (line.question.kind !== 'multiple') line.answer = [key]
    else line.answer = line.answer.includes(key) ? line.answer.filter((x) => x !== key) : [...line.answer, key]
    waiting.value.answers[line.n] = line.answer
    keep()
    void pump()
  }
  function hidden() {
    if (!document.hidden) return void pump()
    waiting.value.away++
    keep()
  }
  document.addEventListener('visibilitychange', hidden)
  window.addEventListener('online', pump)
  void pump()
  return {
    paper, offline, unsent, refused, left, choose, pump,
    /** The paper as the server has it now. */
    load: () => get<Paper>(`/sittings/${first.id}`),
    stop() {
      stopped = true
      document.removeEventListener('visibilitychange', hidden)
      window.removeEventListener('online', pump)
    },
  }
}
