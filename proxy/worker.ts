/**
 * One thread that carries traffic. It is told everything by the main thread and tells it what it
 * counts; it reads no file, no environment but AIRSPACE_FAULTS, and never asks anyone on the way of
 * a request. A mistake of ours ends this thread alone: main replaces it.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Directory } from '../landscape/directory.ts'
import { Cells } from '../policies/cells.ts'
import { readBound } from '../policies/plan.ts'
import { Policies } from '../policies/policy.ts'
import { clock } from '../runtime/clock.ts'
import { Identify } from './identify.ts'
import { copies } from './leg.ts'
import { Listener, testRewrap } from './listen.ts'
import { livingOf } from './living.ts'
import { Meter, WORKER } from './meter.ts'
import { Ring } from './ring.ts'
import { meetPlan, type Versions, versionsOf } from './sever.ts'
import type { Connection, Surroundings } from './surroundings.ts'
import type { Bound, FromWorker, Limits, ToWorker, WorkerStart } from './thread.ts'
import { Wheel } from './wheel.ts'

/** How often limits of time are looked at. */
const SWEEP_MS = 250

const LIMITS: Limits = {
  connectionsMax: 20_000,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 3_600_000,
  connectTimeoutMs: 10_000,
}

export class Worker {
  readonly #around: Surroundings
  readonly #listeners: Listener[]
  readonly #say: (message: FromWorker) => void
  readonly #untils = new Map<string, string>()
  readonly #sweeper: NodeJS.Timeout
  #versions: Versions = new Map()
  #copied = 0

  constructor(start: WorkerStart, say: (message: FromWorker) => void) {
    this.#say = say
    const directory = start.directory ? Directory.read(start.directory) : Directory.empty()
    const policies = new Policies(new Cells(start.cells, start.worker), directory)
    const meter = new Meter(start.meters, say)
    const ring = new Ring()
    this.#around = {
      limits: { ...LIMITS, ...start.limits },
      meter,
      ring,
      wheel: new Wheel(clock.nowMs),
      policies,
      identify: new Identify(directory, policies, meter, ring),
      connections: new Set<Connection>(),
      untils: this.#untils,
      draining: false,
    }
    if (start.bound) this.#take(start.bound)
    this.#listeners = start.listeners.map((spec) => new Listener(spec, this.#around))
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  /** For whoever runs one in a thread of their own: nothing is left behind. */
  stop(): void {
    clearInterval(this.#sweeper)
    for (const listener of this.#listeners) listener.close()
    for (const connection of [...this.#around.connections]) connection.destroy()
  }

  async listen(): Promise<void> {
    if (!(await testRewrap())) {
      const msg = 'sockets cannot be wrapped with this Node: reading costs more'
      this.#say({ type: 'log', level: 'warn', msg })
    }
    const ports: number[] = []
    for (const listener of this.#listeners) ports.push(await listener.open())
    this.#say({ type: 'listening', ports })
  }

  heard(message: ToWorker): void {
    switch (message.type) {
      case 'plan':
        this.#take(message)
        break
      case 'directory':
        this.#around.identify.rename(Directory.read(message.directory))
        break
      case 'drain':
        this.#drain(message.graceMs)
        break
      case 'recall':
        this.#say(this.#around.ring.recall(message.id))
        break
      case 'live':
        this.#say(livingOf(message.id, this.#around.connections, clock.nowMs()))
        break
      case 'crash':
        crash(message.how)
        break
    }
  }

  /** In force from here on: for requests to come at once, for what runs as each policy says. */
  #take({ epoch, intents }: Bound): void {
    this.#untils.clear()
    for (const { intent, untilUnixMs } of intents) {
      if (untilUnixMs) this.#untils.set(intent.id, new Date(untilUnixMs).toISOString())
    }
    const { policies } = this.#around
    policies.apply(epoch, intents.map(readBound))
    meetPlan(this.#around, this.#versions, clock.nowMs())
    this.#versions = versionsOf(policies.intents)
    this.#around.meter.retire(new Set(this.#versions.keys()), clock.nowMs())
    this.#say({ type: 'taken', epoch })
  }

  #sweep(): void {
    const nowMs = clock.nowMs()
    const { connections, meter } = this.#around
    for (const connection of connections) connection.sweep(nowMs)
    meter.holds(WORKER.connections, connections.size)
    meter.add(WORKER.bytesCopied, copies.bytes - this.#copied)
    this.#copied = copies.bytes
  }

  /** Accepts no more; what is idle ends, what runs may finish, and then the rest is cut. */
  #drain(graceMs: number): void {
    const { connections } = this.#around
    this.#around.draining = true
    for (const listener of this.#listeners) listener.close()
    for (const connection of [...connections]) connection.drain(clock.nowMs())
    const untilMs = clock.nowMs() + graceMs
    const timer = setInterval(() => {
      if (connections.size > 0 && clock.nowMs() < untilMs) return
      clearInterval(timer)
      const severed = connections.size
      for (const connection of [...connections]) connection.destroy()
      this.#say({ type: 'drained', severed })
    }, 20)
  }
}

/** For tests of what happens then. */
function crash(how: 'throw' | 'heap'): void {
  if (process.env['AIRSPACE_FAULTS'] !== '1') return
  if (how === 'throw') throw new Error('a fault was asked for')
  const kept: unknown[] = []
  for (;;) kept.push(new Array(100_000).fill(kept.length))
}

const port = parentPort
if (port) {
  const worker = new Worker(workerData as WorkerStart, (message) => port.postMessage(message))
  port.on('message', (message: ToWorker) => worker.heard(message))
  await worker.listen()
}
