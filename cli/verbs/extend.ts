/** `airspace extend`: a lease is prolonged by asking again, never by itself. */
import { misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { line } from '../printable.ts'
import { readWait, receipt, WAIT } from '../receipt.ts'
import { readLease } from '../times.ts'
import { Verb } from '../verb.ts'
import { timeOfDay } from '../words.ts'

interface Flags {
  readonly for?: string
  readonly until?: string
  readonly wait: string | false
}

export function extend(run: Invocation): Verb {
  return new Verb('extend', 'prolong a lease, counted from now')
    .in('change')
    .argument('<id>', 'as get patterns lists them')
    .option('--for <TIME>', 'from now: 15m, 2h, at most 24h')
    .option('--until <TIME>', '18:00, or an ISO time')
    .option('--wait <TIME>', 'until every node confirms, at most', WAIT)
    .option('--no-wait', 'do not wait for the nodes')
    .example('airspace extend bh-91c --for 30m', 'thirty minutes from now')
    .example('airspace extend bh-91c --until 18:00', 'until then')
    .action(async (id: string, flags: Flags) => {
      const nowMs = run.terminal.wallMs()
      const forMs = readLease(flags, nowMs)
      if (forMs === undefined) throw misused('--for is missing', 'such as --for 15m')
      const waitMs = readWait(flags.wait)
      const control = await run.control()
      const change = await control.ask('extend', { id, forMs })
      await receipt(run, {
        change,
        told: line`extended ${id} until ${timeOfDay(change.untilUnixMs, nowMs)}\n`,
        hints: ['undo: airspace undo\n'],
        waitMs,
      })
    })
}
