/**
 * A fence around a set of services, one version that misbehaves, say: what crosses the fence is
 * refused, inwards, outwards or both, and running work is ended as `existing` says. Inside the set
 * calls go on. It follows the set: a replaced instance of the same name stays quarantined.
 *
 * `to` is the set, `from` what it is fenced off from, mostly '*'; `allow` names the few that may
 * cross: who diagnoses it, or what it must reach. A call into it is answered 503, since another
 * instance may serve it; a call out of it 403, since it is the caller that is at fault.
 */
import { type Pattern, refuse, type Side } from './pattern.ts'
import { choice, set } from './settings.ts'

const fields = {
  direction: choice({
    flag: 'direction',
    help: 'which calls are refused: into the set, out of it, or both',
    choices: ['in', 'out', 'both'],
    fallback: 'both',
  }),
  allow: set({ flag: 'allow', help: 'services that it may go on talking with' }),
}

const GRACE_IN_MS = 30_000
const GRACE_OUT_MS = 5000

export const quarantine: Pattern<typeof fields, Side> = {
  kind: 'quarantine',
  help: 'fences a set of services off',
  fields,
  per: 'policy',
  existing: 'drain',
  graceMs: (side) => (side === 'in' ? GRACE_IN_MS : GRACE_OUT_MS),
  severs: () => true,

  check: (_settings, { to }) =>
    to === '*' ? "'*' has no outside; TO is the set to fence off" : undefined,

  covers({ direction }, reach, source, target) {
    const [from, into] = [reach.to(source), reach.to(target)]
    if (from === into) return undefined // inside, or nothing to do with it
    const other = into ? source : target
    if (!reach.from(other) || reach.set('allow', other)) return undefined
    const side = into ? 'in' : 'out'
    return direction === 'both' || direction === side ? side : undefined
  },

  cells: (_row, side) => side,

  admit: (side) =>
    side === 'in'
      ? refuse('quarantine-in', 'it is quarantined', 0)
      : refuse('quarantine-out', 'the caller is quarantined', -1),

  settle() {},
}
