/** `airspace release`: ends patterns, by a ramp unless told otherwise. */
import { readEnds } from '../ends.ts'
import { EXIT, Failure, misused } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { changeBody, doneWords, readWait, receipt, WAIT } from '../receipt.ts'
import { Verb } from '../verb.ts'
import { releaseAt } from './at-node.ts'

interface Flags {
  readonly all?: boolean
  readonly edge?: string
  readonly now?: boolean
  readonly reason: string
  readonly wait: string | false
}

export function release(run: Invocation): Verb {
  return new Verb('release', 'end patterns: limits open over a minute, or at once with --now')
    .in('change')
    .argument('[id...]', 'as get patterns lists them')
    .option('--all', 'all of them, at once')
    .option('--edge <EDGE>', 'those that were applied with this edge')
    .option('--now', 'without a ramp')
    .option('--reason <TEXT>', 'for the ledger', '')
    .option('--wait <TIME>', 'until every node confirms, at most', WAIT)
    .option('--no-wait', 'do not wait for the nodes')
    .example('airspace release bh-91c', 'its limit opens over a minute')
    .example('airspace release bh-91c --now', 'at once')
    .example("airspace release --edge '*..payments'", 'whatever was applied with that edge')
    .example('airspace release --all', 'everything, at once')
    .example('airspace release --all --at-node 127.0.0.1:7402', 'past a dead control plane')
    .action((ids: string[], flags: Flags) => end(run, ids, flags))
}

async function end(run: Invocation, ids: string[], flags: Flags): Promise<void> {
  const said = [ids.length > 0, flags.all === true, flags.edge !== undefined].filter(Boolean)
  if (said.length === 0) throw misused('ID is missing', 'airspace get patterns; or --all')
  if (said.length > 1) throw misused('ID, --all and --edge are three ways: say one')
  const waitMs = readWait(flags.wait)
  const now = flags.now === true || flags.all === true
  if (run.atNode !== undefined) return releaseAt(run, run.atNode, ids, flags)
  const control = await run.control()
  const chosen = flags.edge === undefined ? ids : await withEdge(run, flags.edge)
  const change = await control.ask('release', {
    ids: chosen,
    all: flags.all === true,
    now,
    reason: flags.reason,
  })
  if (change.ids.length === 0) {
    print(run, {
      kind: 'Change',
      body: changeBody(change),
      ids: [],
      table: () => 'nothing was in force\n',
    })
    return
  }
  const told = doneWords(change, `released ${change.ids.join(' ')}`)
  await receipt(run, {
    change,
    told,
    hints: ['undo: airspace undo\n'],
    waitMs,
  })
}

/** By what was typed, not by what it covers: '*..web' must not end what guards web..payments. */
async function withEdge(run: Invocation, edge: string): Promise<string[]> {
  const { from, to } = readEnds(edge, {})
  const control = await run.control()
  const { patterns } = await control.ask('getPatterns', { ended: false })
  const ids = patterns
    .filter(({ intent }) => intent?.from === from && intent.to === to)
    .map(({ intent }) => intent?.id ?? '')
  if (ids.length > 0) return ids
  throw new Failure(
    EXIT.missing,
    `nothing in force was applied with ${edge}`,
    'airspace get patterns',
  )
}
