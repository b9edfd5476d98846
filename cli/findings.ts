/** What `airspace check` looks at. Each finding says what was found, and how to mend it. */
import { statSync } from 'node:fs'
import type { Nodes, Patterns, Status } from '../wire/gen/airspace_pb.ts'
import { type Exit, Failure } from './failure.ts'
import { AGE_MS_MAX, SKEW_MS_MAX } from './freshness.ts'
import type { Invocation } from './invocation.ts'
import { VERSION } from './version.ts'
import { isBehind, type NodeRow, nodeRow, since } from './view/nodes.ts'
import { type PatternRow, patternRow } from './view/patterns.ts'
import { duration, plural } from './words.ts'

export const CATEGORIES = ['cli', 'control-plane', 'nodes', 'signals', 'clock', 'patterns'] as const
export type Category = (typeof CATEGORIES)[number]

export interface Item {
  readonly category: Category
  readonly level: 'ok' | 'warn' | 'fail'
  readonly what: string
  readonly fix?: string
}

export interface Findings {
  readonly items: readonly Item[]
  /** The exit code of what could not even be asked. */
  readonly exit?: Exit
}

/** A pattern that met nothing for so long was probably not meant so. */
const UNMATCHED_MS = 60_000
/** A lease that ends so soon may be missed. */
const ENDING_MS = 2 * 60_000

export async function inspect(run: Invocation): Promise<Findings> {
  const items = [...ofCli(run)]
  try {
    const control = await run.control()
    const status = await control.ask('getStatus', {})
    const nodes = await control.ask('getNodes', {})
    const patterns = await control.ask('getPatterns', { ended: false })
    items.push(...ofControl(run, status), ...ofNodes(nodes), ...ofSignals(status))
    items.push(...ofClock(nodes), ...ofPatterns(patterns, run.terminal.wallMs()))
    return { items }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    items.push(fail('control-plane', error.message, error.hint))
    return { items, exit: error.exit }
  }
}

const ok = (category: Category, what: string): Item => ({ category, level: 'ok', what })
const warn = (category: Category, what: string, fix: string): Item => {
  return { category, level: 'warn', what, fix }
}
const fail = (category: Category, what: string, fix?: string): Item => {
  return { category, level: 'fail', what, ...(fix === undefined ? {} : { fix }) }
}

function* ofCli(run: Invocation): Generator<Item> {
  yield ok('cli', `version ${VERSION} on Node ${process.versions.node}`)
  let token: { readonly path: string } | undefined
  try {
    token = run.token()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    yield fail('cli', error.message, '--token-file FILE')
    return
  }
  if (!token) {
    yield fail('cli', 'no token was found', '--token-file FILE, or AIRSPACE_TOKEN_FILE')
    return
  }
  const others = statSync(token.path).mode & 0o077
  if (others === 0) yield ok('cli', `token ${token.path}, readable by its owner alone`)
  else {
    const what = `token ${token.path} can be read by others`
    yield warn('cli', what, `chmod 600 ${token.path}`)
  }
}

function* ofControl(run: Invocation, status: Status): Generator<Item> {
  yield ok('control-plane', `${run.address} answers, up ${duration(status.uptimeMs)}`)
  if (status.version === VERSION) yield ok('control-plane', `version ${VERSION}, as this one`)
  else {
    const what = `version ${status.version}, and this one is ${VERSION}`
    yield warn('control-plane', what, 'bring both to one version')
  }
  for (const alarm of status.alarms) yield fail('control-plane', alarm)
}

function* ofNodes({ nodes }: Nodes): Generator<Item> {
  const rows = nodes.map(nodeRow)
  const expected = rows.filter((row) => row.expected)
  if (expected.length === 0) {
    yield fail('nodes', 'no node follows this control plane', 'airspace proxy --help')
    return
  }
  const well = expected.filter((row) => row.state !== 'silent' && !isBehind(row) && row.nack === '')
  if (well.length > 0) {
    const all = plural(expected.length, 'node')
    yield ok('nodes', `${well.length} of ${all} follow and enforce what is desired`)
  }
  for (const row of expected) yield* ofNode(row)
  for (const { node, version } of expected) {
    if (version === VERSION) continue
    yield warn('nodes', `${node} runs version ${version}`, 'bring all to one version')
  }
}

function* ofNode(row: NodeRow): Generator<Item> {
  const { node, reported, desired, nack } = row
  if (row.state === 'silent') {
    const what = `${node} is silent, heard ${since(row.heardMs, 'ago')}; it enforces what it had`
    yield fail('nodes', what, `is it running? gone for good: airspace nodes forget ${node}`)
  } else if (nack !== '') {
    const what = `${node} refused revision ${desired} (${nack}); it enforces ${reported}`
    yield fail('nodes', what, 'airspace undo, or bring the node to this version')
  } else if (isBehind(row)) {
    const what = `${node} is behind: revision ${reported} of ${desired}`
    yield warn('nodes', what, `airspace describe node ${node}`)
  }
}

function* ofSignals({ freshness }: Status): Generator<Item> {
  if (!freshness || freshness.reporting === 0) {
    yield fail('signals', 'no node reports signals', 'airspace get nodes')
    return
  }
  const { oldestMs, gaps } = freshness
  if (oldestMs <= AGE_MS_MAX) yield ok('signals', `the oldest are ${duration(oldestMs)} old`)
  else yield warn('signals', `the oldest are ${duration(oldestMs)} old`, 'airspace get nodes')
  if (gaps > 0n) {
    const what = `${plural(Number(gaps), 'window')} of the last minutes missing`
    yield warn('signals', what, 'a node was away for longer than its buffer; it passes')
  }
}

function* ofClock({ nodes }: Nodes): Generator<Item> {
  const heard = nodes.filter(({ expected, state }) => expected && state !== 'silent')
  const off = heard.filter(({ skewMs }) => Math.abs(skewMs) > SKEW_MS_MAX)
  if (heard.length > 0 && off.length === 0) {
    const most = Math.max(...heard.map(({ skewMs }) => Math.abs(skewMs)))
    yield ok('clock', `all within ${duration(most)} of the control plane's`)
  }
  for (const { node, skewMs } of off) {
    yield warn('clock', `${node} is off by ${duration(skewMs)}`, 'let it follow a time server')
  }
}

function* ofPatterns({ patterns }: Patterns, nowMs: number): Generator<Item> {
  const rows = patterns.map(patternRow)
  if (rows.length === 0) yield ok('patterns', 'nothing is in force')
  for (const row of rows) {
    const wrong = [...ofPattern(row, nowMs)]
    const { id, kind } = row.intent
    if (wrong.length === 0) yield ok('patterns', `${id} (${kind}) is in force everywhere`)
    else yield* wrong
  }
}

function* ofPattern(row: PatternRow, nowMs: number): Generator<Item> {
  const { id, kind } = row.intent
  const name = `${id} (${kind})`
  if (row.enforcing < row.expected) {
    const what = `${name} is in force on ${row.enforcing} of ${row.expected} nodes`
    yield fail('patterns', what, 'airspace get nodes')
  }
  const stranded = row.shares.filter((share) => share.stranded)
  for (const { node, field, share } of stranded) {
    const what = `${share} of ${field} of ${name} is stranded on silent ${node}`
    yield warn('patterns', what, `gone for good: airspace nodes forget ${node}`)
  }
  const ageMs = row.at === null ? 0 : nowMs - Date.parse(row.at)
  if (row.total.matched === 0 && ageMs > UNMATCHED_MS) {
    const what = `${name} has matched nothing for ${duration(ageMs)}`
    yield warn('patterns', what, `airspace describe pattern ${id}`)
  }
  const leftMs = row.untilUnixMs - nowMs
  if (row.state === 'in force' && leftMs < ENDING_MS) {
    const what = `${name} ends in ${duration(Math.max(0, leftMs))}`
    yield warn('patterns', what, `airspace extend ${id} --for 15m`)
  }
}
