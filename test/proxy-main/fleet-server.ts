/**
 * A control plane as a node sees it: a real gRPC server that implements Fleet and keeps all it was
 * told, so that tests say what is sent and wait for what comes.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import type { PlanText } from '../../policies/plan.ts'
import { planToWire } from '../../wire/codec.ts'
import { serviceDefinition } from '../../wire/contract.ts'
import {
  Fleet,
  type FromNode,
  type ToNode,
  ToNodeSchema,
  type Window,
  type WindowAck,
  WindowAckSchema,
} from '../../wire/gen/airspace_pb.ts'

const WAIT_MS = 10_000
export const TOKEN = 'a'.repeat(64)

type Follow = grpc.ServerDuplexStream<FromNode, ToNode>
type Report = grpc.ServerDuplexStream<Window, WindowAck>
type Kind = NonNullable<FromNode['message']['case']>
type Said<K extends Kind> = Extract<FromNode['message'], { case: K }>['value']

export class FleetServer {
  readonly heard: FromNode['message'][] = []
  readonly windows: Window[] = []
  /** Windows are acknowledged as they come, unless a test wants to see what happens if not. */
  acknowledging = true
  /** Given to each node that says hello. */
  plan: PlanText | undefined
  follows: Follow[] = []
  #reports: Report[] = []
  #server = new grpc.Server()
  #watchers = new Set<() => void>()
  port = 0

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** On the port it had, if it had one. */
  async start(): Promise<this> {
    this.#server = new grpc.Server()
    this.#server.addService(serviceDefinition(Fleet), {
      follow: (stream: Follow) => this.#follow(stream),
      report: (stream: Report) => this.#report(stream),
    })
    const credentials = grpc.ServerCredentials.createInsecure()
    this.port = await new Promise<number>((resolve, refuse) => {
      this.#server.bindAsync(`127.0.0.1:${this.port}`, credentials, (error, port) =>
        error ? refuse(error) : resolve(port),
      )
    })
    return this
  }

  stop(): void {
    this.#server.forceShutdown()
    this.follows = []
    this.#reports = []
  }

  say(message: NonNullable<MessageInitShape<typeof ToNodeSchema>['message']>): void {
    for (const stream of this.follows) stream.write(create(ToNodeSchema, { message }))
  }

  send(plan: PlanText): void {
    this.plan = plan
    this.say({ case: 'plan', value: planToWire(plan) })
  }

  all<K extends Kind>(kind: K): Said<K>[] {
    return this.heard
      .filter((message) => message.case === kind)
      .map(({ value }) => value as Said<K>)
  }

  /** The first that fits, of what was or will be said. */
  async until<K extends Kind>(kind: K, fits: (value: Said<K>) => boolean = () => true) {
    await this.look(() => this.all(kind).some(fits), `no ${kind} like that`)
    return this.all(kind).find(fits)!
  }

  async look(done: () => boolean, complaint: string): Promise<void> {
    if (done()) return
    await new Promise<void>((resolve, refuse) => {
      const watch = () => {
        if (!done()) return
        clearTimeout(timer)
        this.#watchers.delete(watch)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(watch)
        refuse(new Error(`${complaint} in ${WAIT_MS} ms`))
      }, WAIT_MS)
      this.#watchers.add(watch)
    })
  }

  #told(): void {
    for (const watch of [...this.#watchers]) watch()
  }

  #isKnown(stream: Follow | Report): boolean {
    if (stream.metadata.get('authorization')[0] === `Bearer ${TOKEN}`) return true
    stream.emit('error', { code: grpc.status.UNAUTHENTICATED, details: 'no token' })
    return false
  }

  #follow(stream: Follow): void {
    if (!this.#isKnown(stream)) return
    this.follows.push(stream)
    stream.on('data', ({ message }: FromNode) => {
      this.heard.push(message)
      if (message.case === 'hello' && this.plan) {
        const value = planToWire(this.plan)
        stream.write(create(ToNodeSchema, { message: { case: 'plan', value } }))
      }
      this.#told()
    })
    this.#ends(stream)
  }

  #report(stream: Report): void {
    if (!this.#isKnown(stream)) return
    this.#reports.push(stream)
    stream.on('data', (window: Window) => {
      this.windows.push(window)
      const { epoch, sequence } = window
      if (this.acknowledging) stream.write(create(WindowAckSchema, { epoch, sequence }))
      this.#told()
    })
    this.#ends(stream)
  }

  #ends(stream: Follow | Report): void {
    stream.on('end', () => stream.end())
    stream.on('error', () => {}) // the node went away
  }
}
