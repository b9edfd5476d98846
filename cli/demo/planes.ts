/**
 * Airspace itself, as processes: a control plane and two nodes' proxies, each with one listener for
 * each service that is called from its node. All on loopback, on free ports, below one state
 * folder.
 */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { GRPC_PORT, HTTP_PORT } from '../../runtime/environment.ts'
import { EXIT, Failure } from '../failure.ts'
import type { Cast } from './cast.ts'
import type { Route } from './cue.ts'
import { Part } from './part.ts'
import { type Node, roster, targetsOf } from './roster.ts'

export const NODES: readonly Node[] = ['node-a', 'node-b']

/** The executable, as a person would start it. */
export const AIRSPACE = new URL('../main.ts', import.meta.url).pathname

type Routes = { readonly [target: string]: Route }

export class Planes {
  /** Where the control plane answers, HOST:PORT. */
  grpc = ''
  readonly folder: string
  readonly #parts: Part[] = []
  readonly #onDeath: (failure: Error) => void

  constructor(folder: string, onDeath: (failure: Error) => void) {
    this.folder = folder
    this.#onDeath = onDeath
  }

  get tokenFile(): string {
    return join(this.folder, 'operator.token')
  }

  /** With `usual` the ports that every command tries first, if they are free. */
  async start(cast: Cast, workers: number, usual: boolean): Promise<void> {
    const directory = join(this.folder, 'directory.yaml')
    writeFileSync(directory, stringify({ services: servicesOf(cast) }))
    const ports = usual && (await areFree([GRPC_PORT, HTTP_PORT]))
    const ready = await this.#start('the control plane', [
      'control-plane',
      ...['--state', this.folder, '--directory', directory],
      ...['--grpc', `127.0.0.1:${ports ? GRPC_PORT : 0}`],
      ...['--http', `127.0.0.1:${ports ? HTTP_PORT : 0}`],
    ])
    this.grpc = addressIn(ready, 'grpc')
    const routes = new Map<Node, Routes>()
    await Promise.all(
      NODES.map(async (node) => {
        routes.set(node, await this.#proxy(node, cast, workers, directory))
      }),
    )
    // From the far end to the visitors: nobody is called before it can call others itself.
    for (const { name, node } of roster.toReversed()) {
      cast.tell(name, { type: 'routes', routes: routes.get(node) ?? {} })
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.end()))
  }

  async #proxy(node: Node, cast: Cast, workers: number, directory: string): Promise<Routes> {
    const targets = targetsOf(node)
    const ready = await this.#start(`the proxy of ${node}`, [
      'proxy',
      ...['--node', node, '--control', this.grpc, '--workers', String(workers)],
      ...['--token-file', join(this.folder, 'node.token'), '--directory', directory],
      ...['--state', join(this.folder, node), '--admin', '127.0.0.1:0', '--drain', '1s'],
      ...targets.flatMap((target) => ['--direct', `127.0.0.1:0=${written(cast.routeTo(target))}`]),
    ])
    return routesIn(ready, targets, cast)
  }

  async #start(name: string, args: readonly string[]) {
    const part = new Part(name, [AIRSPACE, ...args])
    this.#parts.push(part)
    part.onDeath(this.#onDeath)
    return part.logged('ready')
  }
}

const written = ({ host, port }: Route): string => `${host}:${port}`

/** The directory: callers are known by address, the broker's two names by port. */
function servicesOf(cast: Cast): object {
  return Object.fromEntries(
    roster.map(({ name, address, kind, labels }) => {
      const addresses = [kind === 'broker' ? written(cast.routeTo(name)) : address]
      return [name, { addresses, labels }]
    }),
  )
}

type Entry = { readonly [field: string]: unknown }

function addressIn(ready: Entry, field: string): string {
  const address = ready[field]
  if (typeof address === 'string') return address
  throw new Failure(EXIT.failed, `the control plane is ready and does not say where (${field})`)
}

/** Which listener of a ready proxy leads to which target. */
function routesIn(ready: Entry, targets: readonly string[], cast: Cast): Routes {
  const listeners = (ready['listeners'] ?? []) as { listen: string; target: string }[]
  const routes: { [target: string]: Route } = {}
  for (const target of targets) {
    const listener = listeners.find((each) => each.target === written(cast.routeTo(target)))
    const [host, port] = listener?.listen.split(':') ?? []
    if (host === undefined) throw new Failure(EXIT.failed, `no listener leads to ${target}`)
    routes[target] = { host, port: Number(port) }
  }
  return routes
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) {
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer()
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (!free) return false
  }
  return true
}
