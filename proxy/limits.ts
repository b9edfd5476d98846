/**
 * How many connections a worker may have: each costs two descriptors, one to either end, and a
 * process without descriptors cannot even say so. Hence less than half of what the system grants.
 */
import { readFileSync } from 'node:fs'
import type { Limits } from './thread.ts'

/** Listeners, files, the control stream and the admin port need some, whoever calls. */
const RESERVED = 128
/** Beyond this memory ends before descriptors do. */
export const CONNECTIONS_MAX = 50_000
const LEAST = 16

/** The soft limit, which Node raises to the hard one as it starts; Infinity if it is not known. */
export function descriptorsMax(read = () => readFileSync('/proc/self/limits', 'utf8')): number {
  try {
    const said = /^Max open files\s+(\d+)/m.exec(read())?.[1]
    return said === undefined ? Infinity : Number(said)
  } catch {
    return Infinity // not Linux
  }
}

export function limitsOf(descriptors: number, workers: number): Partial<Limits> {
  const pairs = Math.floor((descriptors - RESERVED) / 2)
  const all = Math.min(CONNECTIONS_MAX, Math.max(pairs, LEAST * workers))
  return { connectionsMax: Math.floor(all / workers) }
}
