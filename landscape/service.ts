/**
 * A named workload, as the directory describes it. What no directory knows still has a name, made
 * of its address, so that nothing is unseen: `unknown/10.9.8.7`, `unknown/10.9.8.7:5432`.
 */
import { joinPort, readBlock, splitPort } from './address.ts'

export interface Service {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Where an unknown service was met: an IP address or a host name, without a port. */
  readonly address?: string
  /** Where the directory says that a known one lives, as it is written there. */
  readonly addresses?: readonly string[]
  /** In the directory. */
  readonly known: boolean
}

/** What the names of all unknown services begin with; no directory may give such a name. */
export const UNKNOWN = 'unknown/'

/** Stands for everything beyond a bound on names; no directory may give this name either. */
export const OTHER = 'other'

export const SERVICE_NAME_MAX = 128

export const isUnknown = (name: string): boolean => name.startsWith(UNKNOWN)

/** Letters and digits of lower case, and `. _ / -` between them; never `..`, never an address. */
export function isServiceName(name: string): boolean {
  if (name.length > SERVICE_NAME_MAX || !/^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/.test(name)) {
    return false
  }
  return !name.includes('..') && !looksLikeAddress(name)
}

/** Such a word was meant as an address, so it is one or it is a mistake; it is never a name. */
export const looksLikeAddress = (word: string): boolean =>
  /^\d+(\.\d+)+(\/.*)?$/.test(word) || (word.includes(':') && !isUnknown(word))

/** `host` is an IP address or a host name; a port is said of targets only. */
export function unknownService(host: string, port?: number): Service {
  const name = UNKNOWN + (port === undefined ? host : joinPort(host, port))
  return Object.freeze({ name, labels: {}, address: host, known: false })
}

/** A service of which only the name is known; the name of an unknown one holds its address. */
export function serviceNamed(name: string): Service {
  if (!isUnknown(name)) return Object.freeze({ name, labels: {}, known: false })
  const rest = name.slice(UNKNOWN.length)
  const host = readBlock(rest) === undefined ? splitPort(rest).host : rest
  if (host === OTHER) return Object.freeze({ name, labels: {}, known: false })
  return Object.freeze({ name, labels: {}, address: host, known: false })
}
