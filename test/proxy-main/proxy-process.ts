/** A proxy as a process of its own, in front of a small target in this one. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { askHttp } from '../support/fleet.ts'
import { Processes, ROOT, type Running } from '../support/processes.ts'
import { FleetServer, TOKEN } from './fleet-server.ts'

/** Ends what it started whatever becomes of a test; each test ends its own proxy. */
const processes = new Processes()
const MAIN = join(ROOT, 'proxy', 'main.ts')

/** Holds each call until a test lets it go, or answers at once. */
export class Target {
  readonly held: ServerResponse[] = []
  holding = false
  address = ''
  readonly #server = createServer((request, response) => this.#answer(request, response))

  async start(t: Test): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    t.teardown(() => {
      this.#server.close()
      this.#server.closeAllConnections()
    })
    return this
  }

  letGo(): void {
    this.holding = false
    for (const response of this.held.splice(0)) response.end('held\n')
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.holding) this.held.push(response)
    else response.end(`${request.url}\n`)
  }
}

export interface Options {
  readonly workers?: number
  readonly control?: FleetServer
  readonly env?: NodeJS.ProcessEnv
  readonly more?: readonly string[]
}

export class ProxyProcess {
  readonly state: string
  readonly target: Target
  running!: Running
  listen = ''
  admin = ''
  readonly #options: Options

  constructor(state: string, target: Target, options: Options) {
    this.state = state
    this.target = target
    this.#options = options
  }

  static async start(t: Test, options: Options = {}): Promise<ProxyProcess> {
    const state = join(t.testdir({}), 'state')
    mkdirSync(state)
    writeFileSync(join(state, 'node.token'), TOKEN)
    const proxy = new ProxyProcess(state, await new Target().start(t), options)
    t.teardown(() => proxy.running?.stop())
    await proxy.again()
    return proxy
  }

  /** Starts, or starts again after an end, with the same state. */
  async again(): Promise<void> {
    this.running = this.spawn(this.args())
    const ready = await this.running.line(({ msg }) => msg === 'ready')
    const [listener] = ready['listeners'] as { listen: string }[]
    this.listen = listener?.listen ?? ''
    this.admin = String(ready['admin'])
  }

  args(): string[] {
    const { control, workers = 1, more = [] } = this.#options
    return [
      ...['--node', 'a', '--state', this.state, '--admin', '127.0.0.1:0'],
      ...['--direct', `127.0.0.1:0=${this.target.address},service=web`],
      ...['--workers', String(workers), '--token-file', join(this.state, 'node.token')],
      ...(control ? ['--control', control.address] : ['--no-control']),
      ...more,
    ]
  }

  spawn(args: readonly string[]): Running {
    const env = { XDG_STATE_HOME: this.state, ...this.#options.env }
    return processes.startNode('proxy', [MAIN, ...args], { env })
  }

  call(path = '/'): Promise<{ code: number; text: string }> {
    return askHttp(this.listen, 'GET', path)
  }

  ask(method: string, path: string, body?: unknown): Promise<{ code: number; text: string }> {
    const token = readFileSync(join(this.state, 'admin.token'), 'utf8').trim()
    return askHttp(this.admin, method, path, token, body)
  }

  async json(path: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.ask('GET', path)).text)
  }

  /** Asks again and again, for what becomes so by itself. */
  async until(done: () => Promise<boolean>, complaint: string): Promise<void> {
    const endMs = performance.now() + 10_000
    while (performance.now() < endMs) {
      if (await done()) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`${complaint}\n${this.running.complaint()}`)
  }
}

export async function fleetServer(t: Test): Promise<FleetServer> {
  const server = await new FleetServer().start()
  t.teardown(() => server.stop())
  return server
}
