/** `airspace describe node node-7` */
import { around, aroundWords, nothing } from '../about.ts'
import type { Invocation } from '../invocation.ts'
import { print } from '../output.ts'
import { line, toned } from '../printable.ts'
import { pairs, table } from '../table.ts'
import { Verb } from '../verb.ts'
import { isBehind, type NodeRow, nodeRow, since } from '../view/nodes.ts'
import { patternRow, type ShareRow } from '../view/patterns.ts'
import { count, duration } from '../words.ts'

interface Held extends ShareRow {
  readonly id: string
}

export function describeNode(run: Invocation): Verb {
  return new Verb('node', 'what a node ought to enforce, what it does, and the shares it holds')
    .argument('<name>', 'as get nodes lists them')
    .example('airspace describe node node-7', 'why it is behind')
    .action(async (name: string) => {
      const nowMs = run.terminal.wallMs()
      const control = await run.control()
      const [{ nodes }, { patterns }] = await Promise.all([
        control.ask('getNodes', {}),
        control.ask('getPatterns', { ended: false }),
      ])
      const node = nodes.map(nodeRow).find((row) => row.node === name)
      if (!node) {
        throw nothing(
          'node',
          name,
          nodes.map((row) => row.node),
        )
      }
      const shares = patterns.map(patternRow).flatMap(({ intent, shares }) => {
        return shares
          .filter((share) => share.node === name)
          .map((share) => toHeld(intent.id, share))
      })
      const past = await around(control, nowMs, { event: (row) => row.text.includes(name) })
      print(run, {
        kind: 'NodeDescription',
        body: { node, shares, events: past.events },
        ids: [name],
        table: () => nodeWords(node) + sharesWords(shares) + aroundWords(past, nowMs),
      })
    })
}

const toHeld = (id: string, share: ShareRow): Held => ({ id, ...share })

function nodeWords(row: NodeRow): string {
  const tone = row.state === 'silent' ? 'bad' : isBehind(row) ? 'warn' : 'good'
  const lines: [string, string][] = [
    ['state', toned(tone, line`${row.state}, heard ${since(row.heardMs, 'ago')}`)],
    ['expected', row.expected ? 'yes' : 'no: it was forgotten, or never asked for'],
    ['revision', `${row.reported} of ${row.desired}`],
    ['edition', `${row.editionReported} of ${row.editionDesired}`],
    ['signals', `${since(row.windowMs, 'old')}, ${count(row.gaps)} windows missing`],
    ['clock', `${duration(row.skewMs)} from the control plane's`],
    ['runs', line`${row.version}, ${count(row.workers)} workers`],
  ]
  if (row.nack !== '') lines.push(['refused', toned('bad', line`${row.nack}`)])
  return line`${row.node}\n` + pairs(lines)
}

function sharesWords(shares: readonly Held[]): string {
  const text = table<Held>(
    [
      { title: 'PATTERN', cell: (share) => share.id },
      { title: 'LIMIT', cell: (share) => share.field },
      { title: 'SHARE', align: 'right', cell: (share) => String(share.share) },
      { title: '', cell: (share) => (share.stranded ? 'stranded' : ''), tone: () => 'warn' },
    ],
    shares,
  )
  return text && `\nshares of the fleet's limits\n${text}`
}
