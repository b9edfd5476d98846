/** `airspace undo`: takes back the last change that one made oneself. */
import type { Invocation } from '../invocation.ts'
import { doneWords, readWait, receipt, WAIT } from '../receipt.ts'
import { Verb } from '../verb.ts'

interface Flags {
  readonly reason: string
  readonly wait: string | false
}

export function undo(run: Invocation): Verb {
  return new Verb('undo', 'take back your last change')
    .in('change')
    .option('--reason <TEXT>', 'for the ledger', '')
    .option('--wait <TIME>', 'until every node confirms, at most', WAIT)
    .option('--no-wait', 'do not wait for the nodes')
    .example('airspace undo', 'whatever it was')
    .action(async (flags: Flags) => {
      const waitMs = readWait(flags.wait)
      const control = await run.control()
      const change = await control.ask('undo', { reason: flags.reason })
      await receipt(run, {
        change,
        told: doneWords(change, `undone: ${change.ids.join(' ')}`),
        hints: [],
        waitMs,
      })
    })
}
