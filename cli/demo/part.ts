/**
 * One process of the demo. It is in a process group of its own, so that a Ctrl-C reaches the demo
 * alone and things end in order; its tether ends it when the demo is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { EXIT, Failure } from '../failure.ts'
import type { Cue, Report, Tally } from './cue.ts'

const TETHER = new URL('./tether.ts', import.meta.url).pathname
/** A part that is not up by then is missing: seconds, since ten start at once on two cores. */
const READY_MS = 30_000
const TALLY_MS = 5_000
/** After being asked to end, and before it is made to. */
const END_MS = 3_000
/** Its last words, for when it dies. */
const LINES_MAX = 20

export class Part {
  readonly name: string
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #ended: Promise<string>
  readonly #takers = new Set<(report: Report) => void>()
  readonly #readers = new Set<(line: string) => void>()
  #ending = false

  constructor(name: string, args: readonly string[]) {
    this.name = name
    this.#child = spawn(process.execPath, ['--import', TETHER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#heard(line))
    }
    this.#child.on('message', (report: Report) => {
      for (const take of this.#takers) take(report)
    })
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(error.message))
      this.#child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    })
  }

  #heard(line: string): void {
    if (this.#lines.push(line) > LINES_MAX) this.#lines.shift()
    for (const read of this.#readers) read(line)
  }

  tell(cue: Cue): void {
    if (this.#child.connected) this.#child.send(cue)
  }

  /** Calls back when it ends without having been asked to. */
  onDeath(call: (failure: Failure) => void): void {
    this.#ended.then((how) => {
      if (!this.#ending) call(this.#failure(`ended (${how})`))
    })
  }

  /** The ports it listens on. */
  listening(): Promise<{ readonly [service: string]: number }> {
    return this.#expect('starting', READY_MS, (resolve, reject) => {
      const take = (report: Report): void => {
        if (report.type === 'listening') resolve(report.ports)
        if (report.type === 'failed') reject(unable(this.name, report.reason))
      }
      this.#takers.add(take)
      return () => this.#takers.delete(take)
    })
  }

  /** The line of its log that says it is ready. */
  logged(msg: string): Promise<{ readonly [field: string]: unknown }> {
    return this.#expect('starting', READY_MS, (resolve) => {
      const read = (line: string): void => {
        const entry = parsed(line)
        if (entry?.['msg'] === msg) resolve(entry)
      }
      this.#readers.add(read)
      return () => this.#readers.delete(read)
    })
  }

  tally(): Promise<Tally> {
    return this.#expect('counting', TALLY_MS, (resolve) => {
      const take = (report: Report): void => {
        if (report.type === 'tally') resolve(report.tally)
      }
      this.#takers.add(take)
      this.tell({ type: 'tell' })
      return () => this.#takers.delete(take)
    })
  }

  async end(): Promise<void> {
    this.#ending = true
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    await this.#ended
    clearTimeout(late)
  }

  /** Waits for what `begin` sets up; ends with a failure when it is late or the process is gone. */
  async #expect<T>(
    doing: string,
    mostMs: number,
    begin: (resolve: (value: T) => void, reject: (failure: Failure) => void) => () => void,
  ): Promise<T> {
    let stop = (): void => {}
    let late: NodeJS.Timeout | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        stop = begin(resolve, reject)
        late = setTimeout(() => {
          reject(this.#failure(`is still ${doing} after ${mostMs / 1000} s`))
        }, mostMs)
        this.#ended.then((how) => reject(this.#failure(`ended while ${doing} (${how})`)))
      })
    } finally {
      clearTimeout(late)
      stop()
    }
  }

  #failure(what: string): Failure {
    const said = this.#lines.map((each) => `    ${each}`).join('\n')
    return new Failure(EXIT.failed, `${this.name} ${what}`, said === '' ? undefined : `\n${said}`)
  }
}

/** Linux answers on all of 127/8; others want to be told of each address. */
function unable(name: string, reason: string): Failure {
  const address = /EADDRNOTAVAIL.* (127[0-9.]+)/.exec(reason)?.[1]
  const hint = address && `give this machine that address: sudo ifconfig lo0 alias ${address} up`
  return new Failure(EXIT.failed, `${name} cannot start: ${reason}`, hint)
}

function parsed(line: string): { readonly [field: string]: unknown } | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
