/** `airspace get patterns`: what is in force, where, until when, and what it does. */
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { list } from '../listing.ts'
import { Verb } from '../verb.ts'
import { patternColumns, patternRow } from '../view/patterns.ts'
import { patternsAt } from './at-node.ts'

export function patternsVerb(run: Invocation): Verb {
  return new Verb('patterns', 'what is in force: where, until when, and what it did')
    .alias('pattern')
    .alias('pat')
    .option('--ended', 'those that have ended too')
    .example('airspace get patterns', 'all leases that run')
    .example('airspace get patterns --ended', 'and those that have ended')
    .action(async (flags: { ended?: boolean }) => {
      if (run.atNode !== undefined) return patternsAt(run, run.atNode)
      const control = await run.control()
      const found = await control.ask('getPatterns', { ended: flags.ended === true })
      list(run, {
        kind: 'PatternList',
        heading: `patterns · ${freshnessWords(found.freshness)}`,
        columns: patternColumns(run.terminal.wallMs()),
        items: found.patterns.map(patternRow),
        none: 'nothing is in force',
        id: (row) => row.intent.id,
        body: { freshness: freshnessBody(found.freshness) },
      })
    })
}
