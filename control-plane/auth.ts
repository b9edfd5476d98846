/**
 * Who may speak, and as what. A token is 256 random bits; three are made at the first start, and
 * more can be laid beside them. The file's name says whose it is: `operator.token`, or
 * `anna.operator.token` for one whose entries in the ledger are to bear a name, or
 * `node-7.node.token` for one that may speak for that node alone.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../runtime/log.ts'

export const ROLES = ['viewer', 'operator', 'node'] as const
export type Role = (typeof ROLES)[number]

export interface Identity {
  /** The author of what it changes; for a token of one node, that node. */
  readonly name: string
  readonly role: Role
  /** Speaks for the node of its name alone. */
  readonly bound: boolean
}

export const TOKENS_MAX = 1_000
const TOKEN_BYTES = 32

interface Known {
  readonly identity: Identity
  readonly digest: Buffer
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

export class Access {
  readonly #known: readonly Known[]
  /** Calls with no token or a wrong one. */
  refused = 0

  /** Makes what is missing. A file that others could read is closed to them, and said. */
  constructor(folder: string, log: Log) {
    for (const role of ROLES) {
      const path = join(folder, `${role}.token`)
      if (existsSync(path)) continue
      writeFileSync(path, `${randomBytes(TOKEN_BYTES).toString('hex')}\n`, { mode: 0o600 })
    }
    const files = readdirSync(folder).filter((file) => file.endsWith('.token'))
    if (files.length > TOKENS_MAX) {
      throw new RangeError(`${folder}: ${files.length} tokens are more than ${TOKENS_MAX}`)
    }
    this.#known = files
      .map((file) => read(folder, file, log))
      .filter((known) => known !== undefined)
  }

  /** By the value of an `authorization` header; undefined for none and for a wrong one alike. */
  identify(authorization: string | undefined): Identity | undefined {
    const match = /^Bearer ([0-9a-f]{64})$/.exec(authorization ?? '')
    let found: Identity | undefined
    if (match) {
      const digest = digestOf(match[1]!)
      // All are compared, each in constant time: how long it takes says nothing.
      for (const known of this.#known) {
        if (timingSafeEqual(known.digest, digest)) found = known.identity
      }
    }
    if (!found) this.refused += 1
    return found
  }
}

function read(folder: string, file: string, log: Log): Known | undefined {
  const match = /^(?:([A-Za-z0-9][A-Za-z0-9._-]{0,62})\.)?(viewer|operator|node)\.token$/.exec(file)
  const path = join(folder, file)
  if (!match) {
    log.warn('a token file is left out: its name is not NAME.ROLE.token', { path })
    return undefined
  }
  const token = readFileSync(path, 'latin1').trim()
  if (!/^[0-9a-f]{64}$/.test(token)) {
    log.warn('a token file is left out: it does not hold 64 hexadecimal digits', { path })
    return undefined
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    log.warn('a token could be read by others: closed to them', { path })
    chmodSync(path, 0o600)
  }
  const role = match[2] as Role
  const identity = { name: match[1] ?? role, role, bound: match[1] !== undefined }
  return { identity, digest: digestOf(token) }
}
