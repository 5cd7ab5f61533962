// A record as it will be once what waits on this device has been sent: the next step can be done without signal too. The server
// decides when it is sent; what it refuses stays in the outbox with the reason, and what stands on it waits.
import type { Me, Move, Rec, TypeInfo } from '../api/types'
import type { Form } from '../record/values'
import type { Waiting } from './outbox'

/** Whether a step may be mine: a role of mine, or somebody whom only the server can tell (who made it, who answers for it). */
const mine = (m: Move, me: Me | null) => m.who.some((w) => !!me?.roles.some((r) => r.name === w) || /^(creator|owner)$|_of\./.test(w))

/** rec with the steps and changes in waits laid over it, in order, up to one that was refused; rec itself if there are none. */
export function ahead(info: TypeInfo, rec: Rec, waits: Waiting[], me: Me | null): Rec {
  const refused = waits.findIndex((w) => w.refused)
  return (refused < 0 ? waits : waits.slice(0, refused)).reduce<Rec>((r, w) => {
    const values = (w.move?.values ?? w.form?.values ?? {}) as Form
    const changed = Object.fromEntries(Object.keys(w.body).filter((k) => k in values).map((k) => [k, values[k]]))
    const state = w.move?.to ?? r.state
    const moved = state !== r.state
    return { ...r, ...changed, state, ...(moved ? { deadline: null, blocked: [], moves: info.moves.filter((m) => m.from.includes(state!) && mine(m, me)).map((m) => m.name) } : {}) }
  }, rec)
}
