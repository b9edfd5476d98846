/**
 * Who may use the admin port: whoever can read this node's own admin.token, or the operator's token
 * where it lies beside the fleet's. Tokens are 256 random bits, made at the first start, readable
 * by the owner alone, and compared in constant time.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const ADMIN_TOKEN = 'admin.token'
const OPERATOR_TOKEN = 'operator.token'
const BEARER = /^Bearer ([0-9a-f]{64})$/

const readToken = (path: string): string | undefined => {
  try {
    const token = readFileSync(path, 'utf8').trim()
    return /^[0-9a-f]{64}$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

const isEqual = (one: string, other: string): boolean =>
  timingSafeEqual(
    createHash('sha256').update(one).digest(),
    createHash('sha256').update(other).digest(),
  )

export class Access {
  readonly #own: string
  readonly #operatorFile: string

  /** Makes admin.token in the state folder unless it is there. Throws if that cannot be written. */
  constructor(folder: string, tokenFile: string) {
    const path = join(folder, ADMIN_TOKEN)
    this.#operatorFile = join(dirname(tokenFile), OPERATOR_TOKEN)
    let own = readToken(path)
    if (own === undefined) {
      own = randomBytes(32).toString('hex')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(path, `${own}\n`, { mode: 0o600 })
    }
    this.#own = own
  }

  allows(authorization: string | undefined): boolean {
    const given = BEARER.exec(authorization ?? '')?.[1]
    if (given === undefined) return false
    if (isEqual(given, this.#own)) return true
    // Read anew: the control plane may have made it since, or changed it.
    const operator = readToken(this.#operatorFile)
    return operator !== undefined && isEqual(given, operator)
  }
}
