/**
 * A small landscape on loopback: a control plane, proxies and the CLI as real processes, each with
 * a state folder of its own. Ports are chosen by the system and read from the ready lines.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Line, Processes, ROOT, type Running } from './processes.ts'

const MAIN = join(ROOT, 'cli', 'main.ts')
const isReady = (line: Line): boolean => line['msg'] === 'ready'

export interface Direct {
  /** Where the proxy listens; port 0 lets the system choose. */
  readonly listen?: string
  readonly target: string
  readonly service?: string
}

export interface ProxyOptions {
  readonly node: string
  readonly direct: readonly Direct[]
  readonly workers?: number
  readonly control?: boolean
  readonly core?: number
  readonly env?: NodeJS.ProcessEnv
}

export class RunningProxy {
  readonly running: Running
  readonly state: string
  /** host:port of each --direct, in their order. */
  readonly listens: readonly string[]
  readonly admin: string

  constructor(running: Running, state: string, ready: Line) {
    this.running = running
    this.state = state
    this.listens = (ready['listeners'] as { listen: string }[]).map(({ listen }) => listen)
    this.admin = String(ready['admin'])
  }

  /** Asks the proxy's own admin port. */
  async ask(method: string, path: string, body?: unknown): Promise<{ code: number; text: string }> {
    const token = (await readFile(join(this.state, 'admin.token'), 'utf8')).trim()
    return askHttp(this.admin, method, path, token, body)
  }
}

export interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export class Fleet {
  readonly processes = new Processes()
  readonly folder: string
  readonly #directory: string | undefined
  #control: Running | undefined
  grpc = '127.0.0.1:0'
  http = '127.0.0.1:0'

  /** `directory` is the YAML text that names the services. */
  constructor(directory?: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'airspace-'))
    process.once('exit', () => this.#sweep()) // a run that is ended early leaves nothing either
    if (directory === undefined) return
    this.#directory = join(this.folder, 'directory.yaml')
    writeFileSync(this.#directory, directory)
  }

  get control(): Running {
    if (this.#control === undefined) throw new Error('the control plane was not started')
    return this.#control
  }

  get operatorToken(): string {
    return join(this.folder, 'control-plane', 'operator.token')
  }

  /** Starts the control plane; once it has been started, again on the same ports and state. */
  async startControlPlane(core?: number): Promise<void> {
    const state = join(this.folder, 'control-plane')
    mkdirSync(state, { recursive: true })
    const args = ['control-plane', '--state', state, '--grpc', this.grpc, '--http', this.http]
    if (this.#directory) args.push('--directory', this.#directory)
    this.#control = this.#start('control-plane', args, core)
    const ready = await this.#control.line(isReady)
    this.grpc = String(ready['grpc'])
    this.http = String(ready['http'])
  }

  async startProxy(options: ProxyOptions): Promise<RunningProxy> {
    const state = join(this.folder, options.node)
    mkdirSync(state, { recursive: true })
    const args = ['proxy', '--node', options.node, '--state', state, '--admin', '127.0.0.1:0']
    args.push('--workers', `${options.workers ?? 1}`)
    if (options.control === false) args.push('--no-control')
    else args.push('--control', this.grpc)
    if (this.#directory) args.push('--directory', this.#directory)
    for (const { listen = '127.0.0.1:0', target, service } of options.direct) {
      args.push('--direct', `${listen}=${target}${service ? `,service=${service}` : ''}`)
    }
    const node = join(this.folder, 'control-plane', 'node.token')
    const env = { AIRSPACE_TOKEN_FILE: node, ...options.env }
    const running = this.#start(options.node, args, options.core, env)
    return new RunningProxy(running, state, await running.line(isReady))
  }

  /** One command of the operator's, as typed. */
  async airspace(...words: string[]): Promise<Said> {
    const env = this.#env({ AIRSPACE_TOKEN_FILE: this.operatorToken, AIRSPACE_CONTROL: this.grpc })
    const run = await this.processes.run(process.execPath, [MAIN, ...words], { env })
    return { code: run.exit?.code ?? null, out: run.out, err: run.err }
  }

  /** A command that must succeed, and what it said in JSON. */
  async airspaceJson(...words: string[]): Promise<unknown> {
    const said = await this.airspace(...words, '-o', 'json')
    if (said.code === 0) return JSON.parse(said.out)
    throw new Error(`airspace ${words.join(' ')}: exit ${said.code}\n${said.out}\n${said.err}`)
  }

  async end(): Promise<void> {
    await this.processes.end()
    this.#sweep()
  }

  #sweep(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #start(name: string, args: string[], core?: number, env: NodeJS.ProcessEnv = {}): Running {
    const options = { env: this.#env(env), ...(core === undefined ? {} : { core }) }
    return this.processes.startNode(name, [MAIN, ...args], options)
  }

  /** Nothing a test starts may find or touch what the user of this machine has of his own. */
  #env(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return { XDG_STATE_HOME: join(this.folder, 'home'), NO_COLOR: '1', ...more }
  }
}

/** One request on a connection of its own, answered within ten seconds or an error. */
export function askHttp(
  address: string,
  method: string,
  path: string,
  token = '',
  body?: unknown,
): Promise<{ code: number; text: string }> {
  const [host = '', port = ''] = address.split(':')
  const headers: Record<string, string> = { connection: 'close' }
  if (token) headers['authorization'] = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  return new Promise((resolve, fail) => {
    const asked = request({ host, port, method, path, headers, timeout: 10_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ code: answer.statusCode ?? 0, text }))
      answer.on('error', fail)
    })
    asked.on('timeout', () => asked.destroy(new Error(`${address}${path}: no answer in 10 s`)))
    asked.on('error', fail)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
