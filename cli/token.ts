/** Where the token is found: named by flag, by environment, or left there by the control plane. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stateFolder } from '../runtime/environment.ts'
import { EXIT, Failure } from './failure.ts'

export interface Token {
  readonly path: string
  readonly secret: string
}

/** A token is 64 characters; a file longer than this is some other file. */
const TOKEN_BYTES_MAX = 1_024

/** In this order: who may change things comes before who may look. */
export const tokenPaths = (folder: string): readonly string[] => [
  join(folder, 'operator.token'),
  join(folder, 'viewer.token'),
]

/** Throws when a file was named and cannot be used; undefined when none was and none is there. */
export function findToken(
  named: string | undefined,
  folder = stateFolder('control-plane'),
): Token | undefined {
  if (named !== undefined) return readNamed(named)
  for (const path of tokenPaths(folder)) {
    const token = tokenIn(path)
    if (token) return token
  }
  return undefined
}

/** The token in a file that may not be there, or not be ours to read. */
export function tokenIn(path: string): Token | undefined {
  try {
    const secret = secretIn(path)
    return secret === undefined ? undefined : { path, secret }
  } catch {
    return undefined
  }
}

function readNamed(path: string): Token {
  let secret: string | undefined
  try {
    secret = secretIn(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new Failure(EXIT.notAllowed, `--token-file: cannot read ${path} (${code})`)
  }
  if (secret === undefined) {
    throw new Failure(EXIT.notAllowed, `--token-file: ${path} does not hold one line of a token`)
  }
  return { path, secret }
}

function secretIn(path: string): string | undefined {
  const text = readFileSync(path, 'utf8').trim()
  return text.length <= TOKEN_BYTES_MAX && /^[\x21-\x7e]+$/.test(text) ? text : undefined
}
