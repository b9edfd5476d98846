/**
 * Commands as a person types them into a second terminal: what is printed is what is run, word for
 * word, with the environment that makes it find this demo's control plane.
 */
import { execFile } from 'node:child_process'
import { GRPC_PORT } from '../../runtime/environment.ts'
import { AIRSPACE, type Planes } from './planes.ts'

const RUN_MS = 30_000
const OUTPUT_BYTES_MAX = 1024 * 1024

export interface Ran {
  readonly exit: number
  /** What it printed, standard output first. */
  readonly text: string
}

/** A word as a POSIX shell reads it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export class Prompt {
  readonly #env: { readonly [name: string]: string }

  constructor(planes: Pick<Planes, 'grpc' | 'tokenFile'>) {
    const usual = planes.grpc === `127.0.0.1:${GRPC_PORT}`
    this.#env = {
      ...(usual ? {} : { AIRSPACE_CONTROL: planes.grpc }),
      AIRSPACE_TOKEN_FILE: planes.tokenFile,
    }
  }

  /** What to paste. */
  line(words: readonly string[]): string {
    const env = Object.entries(this.#env).map(([name, value]) => `${name}=${quoted(value)}`)
    return [...env, 'npx', 'airspace', ...words.map(quoted)].join(' ')
  }

  /** The same without the environment, for a terminal that has it. */
  short(words: readonly string[]): string {
    return ['npx', 'airspace', ...words.map(quoted)].join(' ')
  }

  run(words: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [AIRSPACE, ...words],
        {
          env: { ...process.env, NO_COLOR: '1', ...this.#env },
          timeout: RUN_MS,
          maxBuffer: OUTPUT_BYTES_MAX,
        },
        (error, stdout, stderr) => {
          const exit = error ? (typeof error.code === 'number' ? error.code : 1) : 0
          resolve({ exit, text: `${stdout}${stderr}`.trimEnd() })
        },
      )
    })
  }
}
