// Who fills in the same form each day does not write the same again: what stays from one time to the next is taken over from the
// record that the person made last. Never what is of the day: times, measured numbers, signatures, pictures, personal data.
import type { Field, Rec } from '../api/types'
import { empty, masked, toWire, typed, type Form } from './values'

const STAYS = ['text', 'menu', 'menus', 'ref', 'refs', 'area', 'position', 'rows']
const OF_THE_DAY = ['time', 'date', 'number', 'money', 'bool', 'files', 'photos', 'idcard', 'phone']

/** Whether a field's value is worth taking over. title: the name of the record's title, which says what is new about it. */
export function stays(f: Field, title?: string): boolean {
  if (!typed(f) || !STAYS.includes(f.is) || f.name === title || f.personal || f.masked) return false
  return f.is !== 'rows' || !(f.columns ?? []).some((c) => OF_THE_DAY.includes(c.is) || c.personal)
}

/** What of last goes into the form: only where nothing was typed yet (the form is as it started) and it would say something else. */
export function asLastTime(fields: Field[], last: Rec, form: Form, start: Form, title?: string): Form {
  const out: Form = {}
  for (const f of fields) {
    const v = last[f.name]
    if (!stays(f, title) || empty(f, v) || masked(v)) continue
    const [now, began] = [form, start].map((x) => JSON.stringify(toWire(f, x[f.name])))
    if (now === began && now !== JSON.stringify(toWire(f, v))) out[f.name] = JSON.parse(JSON.stringify(v))
  }
  return out
}
