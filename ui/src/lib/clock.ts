// The time, whatever this device's clock says: the server says its own with every answer (header Date, to the second). A phone whose
// clock is an hour wrong must neither count down wrongly nor write a wrong hour under what its owner does without signal.
const MARK = 'anlan.clock'
const SOUND = 30_000 // ms: less is the way of the answer, not a wrong clock

let off = Number(localStorage.getItem(MARK)) || 0

/** Now, in ms since 1970: this device's clock, put right by what the server said last. */
export const trueNow = () => Date.now() + off

/** A time that this device wrote (of a file), put right. */
export const putRight = (at: number) => at + off

/** How far this device's clock is behind the server's, in ms; 0 = it is sound. */
export const clockOff = () => off

export function serverSays(date: string | null) {
  const said = Date.parse(date ?? '')
  if (!Number.isFinite(said)) return
  const d = said - Date.now()
  const now = Math.abs(d) < SOUND ? 0 : d
  if (Math.abs(now - off) < SOUND / 10) return // the same, but for seconds
  off = now
  if (off) localStorage.setItem(MARK, String(off))
  else localStorage.removeItem(MARK)
}
