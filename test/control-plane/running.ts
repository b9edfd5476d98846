/** A real control plane in a process of its own, its operator, and the nodes that follow it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Control } from '../../cli/client.ts'
import { Processes, ROOT, type Running } from '../support/processes.ts'
import { FakeNode } from './fake-node.ts'

export class Plane {
  readonly state: string
  grpc = ''
  http = ''
  running: Running | undefined
  readonly #processes = new Processes()
  readonly #nodes: FakeNode[] = []
  readonly #controls: Control[] = []

  constructor(state: string) {
    this.state = state
  }

  async start(args: readonly string[] = [], shell = ''): Promise<this> {
    const file = join(ROOT, 'control-plane/main.ts')
    const own = [file, '--state', this.state, ...at('grpc', this.grpc), ...at('http', this.http)]
    const all = [...own, ...args]
    this.running = shell
      ? this.#processes.start('control-plane', 'sh', [
          '-c',
          `${shell}; exec "$0" "$@"`,
          process.execPath,
          ...all,
        ])
      : this.#processes.startNode('control-plane', all)
    const ready = await this.running.line(({ msg }) => msg === 'ready')
    this.grpc = String(ready['grpc'])
    this.http = String(ready['http'])
    return this
  }

  token(role: string): string {
    return readFileSync(join(this.state, `${role}.token`), 'latin1').trim()
  }

  node(name: string, epoch = 1n): FakeNode {
    const node = new FakeNode(this.grpc, this.token('node'), name, epoch)
    this.#nodes.push(node)
    return node
  }

  control(role = 'operator'): Control {
    const secret = role === '' ? '' : this.token(role)
    const control = new Control({
      address: this.grpc,
      token: () => (role === '' ? undefined : { path: role, secret }),
      timeoutMs: 10_000,
      interrupted: new AbortController().signal,
    })
    this.#controls.push(control)
    return control
  }

  /** As a power cut or an operator's hand does. */
  async kill(): Promise<void> {
    await this.running?.kill()
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) node.close()
    for (const control of this.#controls) control.close()
    await this.#processes.end()
  }
}

const at = (name: string, address: string): string[] => [`--${name}`, address || '127.0.0.1:0']

export const bulkhead = (to: string, maxInFlight: number, more: object = {}) => ({
  ...{ kind: 'bulkhead', from: '*', to, leaseMs: 60_000 },
  settings: { maxInFlight: { value: { case: 'number' as const, value: maxInFlight } } },
  ...more,
})
