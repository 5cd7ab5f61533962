// A load with an end: data, or an error with a retry. What is shown stays while it is loaded again.
import { ref, shallowRef, onScopeDispose, getCurrentScope, type Ref, type ShallowRef } from 'vue'
import { ApiError } from '../api/http'

export interface Load<T> {
  data: ShallowRef<T | null>
  error: Ref<ApiError | null>
  busy: Ref<boolean>
  run: () => Promise<void>
}

export function useLoad<T>(fetcher: (signal: AbortSignal) => Promise<T>, start = true): Load<T> {
  const data = shallowRef<T | null>(null)
  const error = ref<ApiError | null>(null)
  const busy = ref(false)
  let running: AbortController | null = null

  async function run() {
    running?.abort()
    const mine = (running = new AbortController())
    busy.value = true
    try {
      const got = await fetcher(mine.signal)
      if (mine !== running) return
      data.value = got
      error.value = null
    } catch (e) {
      if (mine !== running) return
      error.value = e instanceof ApiError ? e : new ApiError(0, 'bug', String(e))
    } finally {
      if (mine === running) busy.value = false
    }
  }
  if (start) void run()
  if (getCurrentScope()) onScopeDispose(() => running?.abort())
  return { data, error, busy, run }
}
