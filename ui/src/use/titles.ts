// Titles of records that are only known by their id (the history keeps ids): fetched once, shown when they come.
import { reactive } from 'vue'
import { get } from '../api/http'
import type { Rec } from '../api/types'
import { knows } from './types'

const known = reactive(new Map<string, string>())

export function titleOf(type: string, id: number): string {
  const key = type + ' ' + id
  const got = known.get(key)
  if (got !== undefined) return got
  known.set(key, '#' + id)
  if (type && knows(type)) {
    get<Rec>(`/records/${type}/${id}`)
      .then((r) => known.set(key, r.title || '#' + id))
      .catch(() => {})
  }
  return '#' + id
}
