/** `airspace describe`: all that is known of one thing, what is done to it, what happened to it. */
import type { Invocation } from '../invocation.ts'
import { Verb } from '../verb.ts'
import { describeEdge } from './describe-edge.ts'
import { describeNode } from './describe-node.ts'
import { describePattern } from './describe-pattern.ts'
import { describeService } from './describe-service.ts'

export function describe(run: Invocation): Verb {
  const verb = new Verb('describe', 'all that is known of an edge, service, node or pattern')
    .example('airspace describe edge web..payments', 'four signals, patterns, events, ledger')
    .example('airspace describe service payments', 'who calls it and whom it calls')
    .example('airspace describe pattern bh-91c', 'what it is, does and who asked for it')
  for (const make of [describeEdge, describeService, describeNode, describePattern]) {
    verb.addCommand(make(run))
  }
  return verb
}
