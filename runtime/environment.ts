/** Settings that come from outside: a flag wins over AIRSPACE_*, which wins over the default. */
import { homedir } from 'node:os'
import { join } from 'node:path'

export const GRPC_PORT = 7400
export const HTTP_PORT = 7401
export const ADMIN_PORT = 7402

/** `AIRSPACE_CONTROL` for `control`, `AIRSPACE_TOKEN_FILE` for `tokenFile`. */
export const variableOf = (name: string): string =>
  `AIRSPACE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

export function setting(name: string, flag: string | undefined, fallback: string): string {
  return flag ?? process.env[variableOf(name)] ?? fallback
}

/** Where a part keeps what must outlive it, unless told: one folder a user, a sub-folder a part. */
export function stateFolder(part: 'control-plane' | 'proxy'): string {
  const base = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
  return join(base, 'airspace', part)
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Reads HOST:PORT or [V6]:PORT. Throws a RangeError that names the setting and what was given. */
export function readAddress(name: string, text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) {
    throw new RangeError(`${name}: '${text}' is not HOST:PORT, such as 127.0.0.1:7400`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
