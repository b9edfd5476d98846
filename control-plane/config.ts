/**
 * What the control plane is told from outside: flags, which beat AIRSPACE_*, which beat defaults.
 */
import { parseArgs } from 'node:util'
import {
  type Address,
  GRPC_PORT,
  HTTP_PORT,
  isLoopback,
  readAddress,
  setting,
  stateFolder,
} from '../runtime/environment.ts'

export interface Config {
  readonly state: string
  readonly grpc: Address
  readonly http: Address
  readonly directory: string | undefined
}

export const USAGE = `airspace control-plane [--state DIR] [--grpc HOST:PORT] [--http HOST:PORT]
                       [--directory FILE]

  --state DIR        where the ledger and the tokens are kept
                     (default: ${stateFolder('control-plane')})
  --grpc HOST:PORT   nodes and operators (default: 127.0.0.1:${GRPC_PORT}; port 0 takes a free one)
  --http HOST:PORT   /metrics, /healthz, /readyz (default: 127.0.0.1:${HTTP_PORT})
  --directory FILE   which service lives at which address (YAML); read again when it changes

Each can be set by environment too:
AIRSPACE_STATE, AIRSPACE_GRPC, AIRSPACE_HTTP, AIRSPACE_DIRECTORY.
`

/** Undefined when help was asked for. Throws a RangeError that names what cannot be done. */
export function readConfig(argv: readonly string[]): Config | undefined {
  const { state, grpc, http, directory, help } = readFlags(argv)
  if (help) return undefined
  const file = setting('directory', directory, '')
  const folder = setting('state', state, stateFolder('control-plane'))
  if (folder.trim() === '') throw new RangeError('--state: blank is no folder')
  return {
    state: folder,
    grpc: listenAt('--grpc', setting('grpc', grpc, `127.0.0.1:${GRPC_PORT}`)),
    http: listenAt('--http', setting('http', http, `127.0.0.1:${HTTP_PORT}`)),
    directory: file === '' ? undefined : file,
  }
}

interface Flags {
  readonly state?: string
  readonly grpc?: string
  readonly http?: string
  readonly directory?: string
  readonly help?: boolean
}

function readFlags(argv: readonly string[]): Flags {
  const text = { type: 'string' } as const
  const options = {
    ...{ state: text, grpc: text, http: text, directory: text },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values
  } catch (error) {
    throw new RangeError((error as Error).message)
  }
}

/** A port that can cut traffic is for this machine alone, until it speaks TLS. */
function listenAt(name: string, text: string): Address {
  const address = readAddress(name, text)
  if (isLoopback(address.host)) return address
  throw new RangeError(
    `${name}: ${text} can be reached from other machines, and a token would travel in the clear;` +
      ` use a loopback address, such as 127.0.0.1:${address.port}, and a tunnel`,
  )
}
