/**
 * A border between services: calls that cross it are refused, for good as far as the caller is
 * concerned (403, do not come back). Three ways to draw it:
 *
 *   deny      from `from` to `to` nothing goes
 *   isolate   between `from` and `to` nothing goes, either way; within `from` all does
 *   allow     into `to` only `from` goes; within `to` all does
 *
 * The border is all of it: whatever is covered is refused, so running work is ended too, as
 * `existing` says. `allow` names services that may cross it nevertheless.
 */
import { type Pattern, refuse } from './pattern.ts'
import { choice, set } from './settings.ts'

const fields = {
  action: choice({
    flag: 'action',
    help: 'deny FROM..TO, isolate FROM from TO, or allow into TO only FROM',
    choices: ['deny', 'isolate', 'allow'],
    fallback: 'deny',
  }),
  allow: set({ flag: 'allow', help: 'services that may cross nevertheless' }),
}

export const segment: Pattern<typeof fields, null> = {
  kind: 'segment',
  help: 'draws a border that calls may not cross',
  fields,
  per: 'policy',
  existing: 'drain',
  severs: () => true,

  check({ action }, { from, to }) {
    if (action === 'isolate' && from === to) {
      return `'${from}' isolated from itself refuses nothing; TO is what it is cut off from`
    }
    if (action === 'allow' && to === '*') {
      return `'*' has no outside; TO is the set that only '${from}' may call`
    }
    return undefined
  },

  covers({ action }, reach, source, target) {
    if (reach.set('allow', source) || reach.set('allow', target)) return undefined
    const [leaves, enters] = [reach.from(source), reach.to(target)]
    switch (action) {
      case 'deny':
        return leaves && enters ? 'on' : undefined
      case 'allow':
        return enters && !leaves && !reach.to(source) ? 'in' : undefined
      case 'isolate':
        if (leaves && enters && !reach.from(target)) return 'out'
        return reach.from(target) && reach.to(source) && !leaves ? 'in' : undefined
    }
  },

  cells: () => null,
  admit: () => refuse('segment', 'not allowed to call it', -1),
  settle() {},
}
