/** `airspace nodes forget`: says that a silent node will not come back, so its shares are free. */
import type { Invocation } from '../invocation.ts'
import { doneWords, readWait, receipt, WAIT } from '../receipt.ts'
import { Verb } from '../verb.ts'

export function nodes(run: Invocation): Verb {
  const verb = new Verb('nodes', 'the roster of the fleet').example(
    'airspace nodes forget node-7',
    'it is gone for good',
  )
  return verb.in('change').addCommand(forget(run)) as Verb
}

function forget(run: Invocation): Verb {
  return new Verb('forget', 'a silent node is no longer expected; its shares go to the others')
    .argument('<node>', 'as get nodes lists them')
    .option('--wait <TIME>', 'until every node confirms, at most', WAIT)
    .option('--no-wait', 'do not wait for the nodes')
    .example('airspace nodes forget node-7', 'only when it is truly gone: it may still enforce')
    .action(async (node: string, flags: { wait: string | false }) => {
      const waitMs = readWait(flags.wait)
      const control = await run.control()
      const change = await control.ask('forgetNode', { node })
      const told = doneWords(change, `forgot ${node}`)
      await receipt(run, { change, told, hints: [], waitMs })
    })
}
