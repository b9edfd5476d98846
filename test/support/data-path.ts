/** A worker of the proxy in the test's own thread, on real sockets, with its counters at hand. */
import { Cells, cellsBytes, MAIN } from '../../policies/cells.ts'
import type { IntentText } from '../../policies/intent.ts'
import { readIntent } from '../../policies/intent.ts'
import { bind, writeBound } from '../../policies/plan.ts'
import {
  EDGE,
  edgeFloatsAt,
  metersBytes,
  POLICY,
  policyFloatsAt,
  WORKER,
} from '../../proxy/meter.ts'
import type { BoundIntentText, FromWorker, Limits } from '../../proxy/thread.ts'
import { Worker } from '../../proxy/worker.ts'

export interface PathOptions {
  readonly service?: string
  readonly host?: string
  readonly limits?: Partial<Limits>
  readonly directory?: unknown
  readonly intents?: readonly IntentText[]
}

export type EdgeCounters = { readonly [name in keyof typeof EDGE]: number }

export class DataPath {
  readonly said: FromWorker[] = []
  readonly worker: Worker
  readonly #floats: Float64Array
  #epoch = 0
  #intents: readonly BoundIntentText[] = []

  constructor(targetPort: number, options: PathOptions = {}) {
    const cells = new SharedArrayBuffer(cellsBytes())
    new Cells(cells, MAIN, [0x1234, 0x5678])
    const meters = new SharedArrayBuffer(metersBytes())
    this.#floats = new Float64Array(meters)
    const { service = 'web', host = '127.0.0.1', limits, directory } = options
    this.worker = new Worker(
      {
        worker: 0,
        cells,
        meters,
        listeners: [
          {
            host: '127.0.0.1',
            port: 0,
            targetHost: host,
            targetPort,
            family: 'ipv4',
            ...(service === '' ? {} : { service }),
          },
        ],
        ...(limits ? { limits } : {}),
        ...(directory === undefined ? {} : { directory }),
      },
      (message) => this.said.push(message),
    )
    this.apply(...(options.intents ?? []))
  }

  static async start(targetPort: number, options: PathOptions = {}): Promise<DataPath> {
    const path = new DataPath(targetPort, options)
    await path.worker.listen()
    return path
  }

  get port(): number {
    const listening = this.said.find((message) => message.type === 'listening')
    return listening?.ports[0] ?? 0
  }

  /** Everything in force from now on. What was there before, and is the same, has not changed. */
  apply(...intents: readonly IntentText[]): void {
    this.#epoch += 1
    const before = this.#intents
    this.#intents = intents.map((intent) => {
      const same = before.find((bound) => JSON.stringify(bound.intent) === JSON.stringify(intent))
      const version = same?.version ?? this.#epoch
      const holding = { intent: readIntent(intent), version, remainingMs: 60_000, shares: {} }
      return { ...writeBound(bind(holding)!), untilUnixMs: Date.UTC(2030, 0, 1) }
    })
    this.worker.heard({ type: 'plan', epoch: this.#epoch, intents: this.#intents })
  }

  /** Counters of the rows of a protocol, summed: mostly there is one. */
  edge(protocol: 'http1' | 'opaque' = 'http1'): EdgeCounters {
    const sum: Record<string, number> = {}
    for (const name of Object.keys(EDGE)) sum[name] = 0
    for (const message of this.said) {
      if (message.type !== 'row' || message.table !== 'edge') continue
      if (message.protocol !== protocol) continue
      const at = edgeFloatsAt(message.row)
      for (const [name, index] of Object.entries(EDGE)) sum[name]! += this.#floats[at + index]!
    }
    return sum as EdgeCounters
  }

  policy(id: string): { readonly [name in keyof typeof POLICY]: number } {
    const sum: Record<string, number> = {}
    for (const name of Object.keys(POLICY)) sum[name] = 0
    for (const message of this.said) {
      if (message.type !== 'row' || message.table !== 'policy' || message.id !== id) continue
      const at = policyFloatsAt(message.row)
      for (const [name, index] of Object.entries(POLICY)) sum[name]! += this.#floats[at + index]!
    }
    return sum as { [name in keyof typeof POLICY]: number }
  }

  counter(name: keyof typeof WORKER): number {
    return this.#floats[WORKER[name]]!
  }

  stop(): void {
    this.worker.stop()
  }
}

/** An intent with what a test does not care about filled in. */
export const intentOf = (given: Partial<IntentText> & { kind: string }): IntentText => ({
  id: `${given.kind}-1`,
  from: '*',
  to: '*',
  settings: {},
  ...given,
})
