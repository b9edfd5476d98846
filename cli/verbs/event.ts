/** `airspace event add`: what a person knows and no counter shows, such as a deployment. */
import { endsIn } from '../ends.ts'
import { misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line } from '../printable.ts'
import { Verb } from '../verb.ts'
import { eventRow } from '../view/events.ts'
import { timeOfDay } from '../words.ts'

/** The ledger keeps sentences, not files. */
const TEXT_MAX = 500

export function event(run: Invocation): Verb {
  const verb = new Verb('event', 'tell of what happened')
    .in('change')
    .example("airspace event add 'payments 4.2 rolled out'", 'a mark in every timeline')
  return verb.addCommand(add(run)) as Verb
}

function add(run: Invocation): Verb {
  return new Verb('add', 'a mark in the ledger and in every timeline')
    .argument('<text>', 'what happened, in a sentence')
    .option('--edge <EDGE>', 'where: web..payments')
    .example("airspace event add 'payments 4.2 rolled out'", 'a mark in every timeline')
    .example("airspace event add 'index rebuilt' --edge web..orders", 'on one edge')
    .action(async (text: string, flags: { edge?: string }) => {
      if (text.trim() === '') throw misused('TEXT is blank')
      if (text.length > TEXT_MAX) throw misused(`TEXT is longer than ${TEXT_MAX} characters`)
      const ends = endsIn(flags.edge, {})
      const control = await run.control()
      const made = await control.ask('addEvent', {
        text,
        source: ends?.from ?? '',
        target: ends?.to ?? '',
      })
      const at = timeOfDay(made.atUnixMs, run.terminal.wallMs())
      print(run, {
        kind: 'Event',
        body: { event: eventRow(made) },
        ids: [made.id],
        table: () => line`${made.id}  ${at}  ${made.text}\n`,
      })
    })
}
