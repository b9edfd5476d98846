/**
 * Real parts as real processes: started, awaited until they say they are ready, listened to, and
 * ended by their own pid. Everything is bounded: what is waited for, what is kept of their words,
 * and how long an end may take before it is made to be one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export const ROOT = new URL('../../', import.meta.url).pathname

/** What is kept of a process's output; a proxy says little, a loop of errors would say much. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
const READY_WAIT_MS = 40_000
/** A part is given this long to end by itself. Drains in tests are shorter. */
const STOP_WAIT_MS = 10_000

export type Line = { readonly [name: string]: unknown }
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export interface Options {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Core that the process is kept on, where the machine has taskset. */
  readonly core?: number
  readonly stdin?: string
}

/** The first file of that name in PATH, or undefined: a missing program is said, never faked. */
export function programOf(name: string): string | undefined {
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  return folders
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** Reads a line of JSON; of anything else, undefined. */
function readLine(text: string): Line | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}

export class Running {
  readonly name: string
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  out = ''
  err = ''
  exit: Exit | undefined
  readonly #listeners = new Set<() => void>()

  constructor(name: string, child: ChildProcess) {
    this.name = name
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear('out', text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear('err', text))
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit) => {
        this.exit ??= exit
        resolve(this.exit)
        this.#tell()
      }
      child.once('error', (error) => {
        this.err += `${error.message}\n`
        end({ code: null, signal: null })
      })
      // 'close' and not 'exit': by then all it said has been heard.
      child.once('close', (code, signal) => end({ code, signal }))
    })
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  /** The lines of JSON it has written so far, on either stream. */
  lines(): Line[] {
    const texts = `${this.out}\n${this.err}`.split('\n')
    return texts.map(readLine).filter((line) => line !== undefined)
  }

  /** Waits for a line of JSON; throws with all it said when it ends or the wait is over first. */
  async line(test: (line: Line) => boolean, waitMs = READY_WAIT_MS): Promise<Line> {
    const found = () => this.lines().find(test)
    await this.#until(() => found() !== undefined || this.exit !== undefined, waitMs)
    const line = found()
    if (line === undefined) throw new Error(`${this.name}: ${this.complaint()}`)
    return line
  }

  /** What to say when it did not do what it should. */
  complaint(): string {
    const how = this.exit
      ? `ended with ${this.exit.code ?? this.exit.signal}`
      : 'was silent too long'
    return `${how}\n${this.out.slice(-4000)}\n${this.err.slice(-4000)}`
  }

  /** SIGTERM, and SIGKILL if that is not enough. */
  async stop(waitMs = STOP_WAIT_MS): Promise<Exit> {
    if (this.exit === undefined) this.child.kill('SIGTERM')
    await this.#until(() => this.exit !== undefined, waitMs)
    return this.kill()
  }

  async kill(): Promise<Exit> {
    if (this.exit === undefined) this.child.kill('SIGKILL')
    return this.exited
  }

  #hear(stream: 'out' | 'err', text: string): void {
    this[stream] = (this[stream] + text).slice(-KEPT_BYTES_MAX)
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #until(done: () => boolean, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#listeners.delete(look)
        resolve()
      }
      const look = () => done() && end()
      const timer = setTimeout(end, waitMs)
      this.#listeners.add(look)
      look()
    })
  }
}

/** All that one test or bench has started; `end` leaves none of it running. */
export class Processes {
  readonly #started: Running[] = []

  constructor() {
    // A test that is itself ended early must not leave its parts behind.
    process.once('exit', () => this.#killAll())
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(signal, () => {
        this.#killAll()
        process.exit(1)
      })
    }
  }

  start(name: string, program: string, args: readonly string[], options: Options = {}): Running {
    const pinned = options.core !== undefined && programOf('taskset') !== undefined
    const line = pinned
      ? ['taskset', '-c', `${options.core}`, program, ...args]
      : [program, ...args]
    const [file = program, ...rest] = line
    const child = spawn(file, rest, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd ?? ROOT,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    child.stdin?.on('error', () => {}) // it may end without reading; its exit tells
    child.stdin?.end(options.stdin)
    const running = new Running(name, child)
    this.#started.push(running)
    return running
  }

  /** A TypeScript file of ours, by the Node this runs on. */
  startNode(name: string, args: readonly string[], options: Options = {}): Running {
    return this.start(name, process.execPath, args, options)
  }

  /** Runs to the end, within `waitMs`. */
  async run(
    program: string,
    args: readonly string[],
    options: Options & { waitMs?: number } = {},
  ): Promise<Running> {
    const running = this.start(program, program, args, options)
    const timer = setTimeout(() => running.child.kill('SIGKILL'), options.waitMs ?? 60_000)
    await running.exited
    clearTimeout(timer)
    return running
  }

  async end(): Promise<void> {
    // Latest first: callers before proxies, proxies before what they call.
    for (const running of this.#started.reverse()) await running.stop()
    this.#started.length = 0
  }

  #killAll(): void {
    for (const running of this.#started)
      if (running.exit === undefined) running.child.kill('SIGKILL')
  }
}
