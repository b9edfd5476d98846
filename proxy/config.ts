/**
 * What the proxy is told when it starts: flags, then AIRSPACE_*, then defaults, read once and
 * checked as a whole. A complaint names the flag (or the variable), what was given and what would
 * do.
 */
import { isIP } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WORKERS_MAX } from '../policies/cells.ts'
import { durationOf } from '../policies/quantity.ts'
import { nearest } from '../policies/words.ts'
import {
  ADMIN_PORT,
  type Address,
  GRPC_PORT,
  isLoopback,
  readAddress,
  stateFolder,
  variableOf,
} from '../runtime/environment.ts'

/** More listeners than this is a mistake in a script, not a laptop. */
export const DIRECT_MAX = 1_000
export const NODE_NAME_MAX = 253
export const DRAIN_MS = 30_000
export const DRAIN_MS_MAX = 3_600_000

/** Listens here, forwards there; `service` names the target where no directory does. */
export interface Direct {
  readonly listen: Address
  readonly target: Address
  readonly service?: string
}

export interface ProxyConfig {
  readonly node: string
  /** Absent: the node goes by what is on its disk and takes no orders. */
  readonly control?: Address
  readonly tokenFile: string
  readonly workers: number
  readonly direct: readonly Direct[]
  readonly directoryFile?: string
  readonly state: string
  readonly admin: Address
  readonly drainMs: number
  /** Admin may kill workers: for tests of what happens then. */
  readonly faults: boolean
}

/** What is asked of the machine: tests pass their own. */
export interface Machine {
  readonly hostname: string
  readonly cores: number
  readonly env: { readonly [name: string]: string | undefined }
}

export const USAGE = `usage: airspace proxy [options]
  --direct LISTEN=TARGET[,service=NAME]  listen here, forward there; may be repeated
  --node NAME             this node's name in the fleet (default: the host's name)
  --control HOST:PORT     the control plane (default 127.0.0.1:${GRPC_PORT})
  --no-control            none: go by the plan on disk, if there is one
  --workers N             threads that carry traffic, 1 to ${WORKERS_MAX} (default: cores)
  --directory FILE        services by address, YAML
  --state DIR             last plan, unsent windows, admin.token
  --admin HOST:PORT       /ready /plan /edges /metrics (default 127.0.0.1:${ADMIN_PORT})
  --token-file FILE       the fleet's node.token
  --drain DURATION        how long running exchanges may take at the end (default 30s)
Each has a variable: AIRSPACE_NODE, AIRSPACE_TOKEN_FILE ...; flags win.
`

const OPTIONS = {
  node: { type: 'string' },
  control: { type: 'string' },
  'no-control': { type: 'boolean' },
  workers: { type: 'string' },
  direct: { type: 'string', multiple: true },
  directory: { type: 'string' },
  state: { type: 'string' },
  admin: { type: 'string' },
  'token-file': { type: 'string' },
  drain: { type: 'string' },
} as const

type Option = keyof typeof OPTIONS

/** A setting and the name to complain by. */
interface Given {
  readonly name: string
  readonly text: string
}

function flagsOf(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false }).values
  } catch (error) {
    // Node's sentence names the option; the nearest one that exists is what would do.
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    const word = /'--?([a-z-]+)/.exec(said)?.[1]
    const near = word === undefined ? undefined : nearest(word, Object.keys(OPTIONS))
    const hint = near === undefined || near === word ? 'see airspace proxy --help' : `--${near}?`
    throw new RangeError(`${said}; ${hint}`)
  }
}

function readWorkers({ name, text }: Given): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > WORKERS_MAX) {
    throw new RangeError(`${name}: '${text}' is not between 1 and ${WORKERS_MAX}`)
  }
  return count
}

function readNode({ name, text }: Given): string {
  if (text.length > NODE_NAME_MAX || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) {
    throw new RangeError(
      `${name}: '${text}' is not a name of letters, digits, '.', '_' or '-', such as edge-1`,
    )
  }
  return text
}

function readDrain({ name, text }: Given): number {
  const ms = durationOf(text)
  if (ms === undefined) throw new RangeError(`${name}: '${text}' is not a duration, such as 30s`)
  if (ms > DRAIN_MS_MAX) throw new RangeError(`${name}: '${text}' is more than 1h`)
  return ms
}

export function readDirect({ name, text }: Given): Direct {
  const match = /^([^=,]+)=([^=,]+)(?:,service=([A-Za-z0-9._/-]{1,253}))?$/.exec(text)
  if (!match) {
    throw new RangeError(
      `${name}: '${text}' is not LISTEN=TARGET[,service=NAME], ` +
        'such as 127.0.0.1:9102=127.0.0.1:9000,service=payments',
    )
  }
  const listen = readAddress(name, match[1] ?? '')
  const target = readAddress(name, match[2] ?? '')
  if (isIP(listen.host) === 0 && listen.host !== 'localhost') {
    throw new RangeError(`${name}: '${listen.host}' is not an address to listen on`)
  }
  if (target.port === 0) throw new RangeError(`${name}: '${text}' has no port to forward to`)
  return { listen, target, ...(match[3] === undefined ? {} : { service: match[3] }) }
}

function readDirects(name: string, texts: readonly string[]): readonly Direct[] {
  if (texts.length > DIRECT_MAX) {
    throw new RangeError(`${name}: ${texts.length} listeners is more than ${DIRECT_MAX}`)
  }
  const direct = texts.map((text) => readDirect({ name, text }))
  const seen = new Set<string>()
  for (const { listen } of direct) {
    const key = `${listen.host}:${listen.port}`
    if (listen.port !== 0 && seen.has(key)) throw new RangeError(`${name}: ${key} is given twice`)
    seen.add(key)
  }
  return direct
}

/** There is no TLS yet: what a token guards stays on the machine, or goes through a tunnel. */
function readLoopback({ name, text }: Given, fallback: string): Address {
  const address = readAddress(name, text)
  if (!isLoopback(address.host)) {
    throw new RangeError(
      `${name}: '${text}' is not on loopback: without TLS its token could be read on the way; ` +
        `such as ${fallback}`,
    )
  }
  return address
}

/** Throws a RangeError with the sentence to show. */
export function readConfig(argv: readonly string[], machine: Machine): ProxyConfig {
  const flags = flagsOf(argv)
  const { env } = machine
  const given = (option: Option, fallback: string): Given => {
    const flag = flags[option]
    if (typeof flag === 'string') return { name: `--${option}`, text: flag }
    const variable = variableOf(option).replaceAll('-', '_')
    const text = env[variable]
    return text === undefined || text === ''
      ? { name: `--${option}`, text: fallback }
      : { name: variable, text }
  }
  if (flags.control !== undefined && flags['no-control']) {
    throw new RangeError('--control and --no-control: give one of them')
  }
  const alone = flags['no-control'] || (!flags.control && env['AIRSPACE_NO_CONTROL'] === '1')
  const directory = given('directory', '').text
  const direct = flags.direct
    ? readDirects('--direct', flags.direct)
    : readDirects('AIRSPACE_DIRECT', (env['AIRSPACE_DIRECT'] ?? '').split(/\s+/).filter(Boolean))
  if (direct.length === 0) {
    throw new RangeError('nothing to carry: give --direct LISTEN=TARGET, see airspace proxy --help')
  }
  const cores = Math.min(Math.max(machine.cores, 1), WORKERS_MAX)
  return {
    node: readNode(given('node', machine.hostname)),
    ...(alone
      ? {}
      : {
          control: readLoopback(
            given('control', `127.0.0.1:${GRPC_PORT}`),
            `127.0.0.1:${GRPC_PORT}`,
          ),
        }),
    tokenFile: given('token-file', join(stateFolder('control-plane'), 'node.token')).text,
    workers: readWorkers(given('workers', String(cores))),
    direct,
    ...(directory === '' ? {} : { directoryFile: directory }),
    state: given('state', stateFolder('proxy')).text,
    admin: readLoopback(given('admin', `127.0.0.1:${ADMIN_PORT}`), `127.0.0.1:${ADMIN_PORT}`),
    drainMs: readDrain(given('drain', '30s')),
    faults: env['AIRSPACE_FAULTS'] === '1',
  }
}
