/** `airspace describe service payments` */
import { around, aroundWords, nothing } from '../about.ts'
import { readSelector } from '../ends.ts'
import { freshnessBody, freshnessWords } from '../freshness.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, toned } from '../printable.ts'
import { pairs, table } from '../table.ts'
import { Verb } from '../verb.ts'
import { EDGE_COLUMNS, edgeRows, sorted } from '../view/edges.ts'
import { labelsText, type ServiceRow, serviceRow } from '../view/services.ts'

const WINDOW_MS = 60_000

export function describeService(run: Invocation): Verb {
  return new Verb('service', 'what a service is, who calls it and whom it calls')
    .argument('<name>', 'as get services lists them')
    .example('airspace describe service payments', 'over the last minute')
    .action(async (name: string) => {
      const nowMs = run.terminal.wallMs()
      const set = readSelector('NAME', name)
      const control = await run.control()
      const found = await control.ask('getServices', { set })
      const service = found.services.map(serviceRow).find((row) => row.name === name)
      if (!service) {
        const all = await control.ask('getServices', { set: '*' })
        throw nothing(
          'service',
          name,
          all.services.map((row) => row.name),
        )
      }
      const [callers, called] = await Promise.all([
        control.ask('getEdges', { from: '*', to: set, windowMs: WINDOW_MS }),
        control.ask('getEdges', { from: set, to: '*', windowMs: WINDOW_MS }),
      ])
      const calledBy = sorted(edgeRows(callers), 'verdict')
      const calls = sorted(edgeRows(called), 'verdict')
      const past = await around(control, nowMs, {
        event: (row) => row.source === name || row.target === name,
      })
      print(run, {
        kind: 'ServiceDescription',
        body: {
          freshness: freshnessBody(found.freshness),
          service,
          calledBy,
          calls,
          events: past.events,
        },
        ids: [name],
        table: () => {
          const heading = `window 1 m · ${freshnessWords(callers.freshness)}`
          const parts = [serviceWords(service), `${toned('faint', heading)}\n`]
          const inward = table(EDGE_COLUMNS, calledBy)
          const outward = table(EDGE_COLUMNS, calls)
          parts.push(inward ? `called by\n${inward}` : 'called by nobody\n')
          parts.push(outward ? `calls\n${outward}` : 'calls nobody\n', aroundWords(past, nowMs))
          return parts.join('')
        },
      })
    })
}

const serviceWords = (row: ServiceRow): string =>
  line`${row.name}\n` +
  pairs([
    ['directory', row.known ? 'known' : 'unknown: no entry has its address'],
    ['labels', line`${labelsText(row.labels) || '-'}`],
    ['addresses', line`${row.addresses.join(' ') || '-'}`],
  ])
