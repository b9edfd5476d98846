/** A node of a few lines over real gRPC: follows, answers as it is told to, reports windows. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import type { PlanText } from '../../policies/plan.ts'
import { planFromWire } from '../../wire/codec.ts'
import { channelOptions, serviceDefinition } from '../../wire/contract.ts'
import {
  Fleet,
  type FromNode,
  FromNodeSchema,
  type HelloSchema,
  type IntentDemandSchema,
  type Rehearse,
  type ToNode,
  type Window,
  type WindowAck,
  WindowSchema,
} from '../../wire/gen/airspace_pb.ts'

const { follow, report } = serviceDefinition(Fleet) as {
  readonly follow: grpc.MethodDefinition<FromNode, ToNode>
  readonly report: grpc.MethodDefinition<Window, WindowAck>
}

type Said = NonNullable<MessageInitShape<typeof FromNodeSchema>['message']>
const WAIT_MS = 10_000

export class FakeNode {
  readonly name: string
  epoch: bigint
  plans: PlanText[] = []
  digests = 0
  directories: string[] = []
  rehearsals: Rehearse[] = []
  acked: bigint[] = []
  /** What to do with a plan that has come. */
  onPlan: (plan: PlanText) => void
  status: grpc.StatusObject | undefined
  readonly #client: grpc.Client
  readonly #metadata = new grpc.Metadata()
  #follow: grpc.ClientDuplexStream<FromNode, ToNode> | undefined
  #report: grpc.ClientDuplexStream<Window, WindowAck> | undefined
  #sequence = 0n
  readonly #watchers = new Set<() => void>()

  constructor(address: string, token: string, name: string, epoch = 1n) {
    this.name = name
    this.epoch = epoch
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      ...channelOptions,
      'grpc.use_local_subchannel_pool': 1,
    })
    this.#metadata.set('authorization', `Bearer ${token}`)
    this.onPlan = (plan) => this.ack(plan)
  }

  follow(hello: MessageInitShape<typeof HelloSchema> = {}): this {
    const call = this.#client.makeBidiStreamRequest(
      follow.path,
      follow.requestSerialize,
      follow.responseDeserialize,
      this.#metadata,
    )
    this.#follow = call
    call.on('data', (message: ToNode) => this.#heard(message))
    call.on('error', (error: grpc.ServiceError) => {
      this.status = { code: error.code, details: error.details, metadata: error.metadata }
      this.#tell()
    })
    call.on('end', () => call.end())
    this.say({
      case: 'hello',
      value: { node: this.name, epoch: this.epoch, version: '0.1.0', workers: 2, ...hello },
    })
    return this
  }

  say(message: Said): void {
    this.#follow?.write(create(FromNodeSchema, { message }))
  }

  ack({ revision, edition }: { readonly revision: number; readonly edition: number }): void {
    this.say({ case: 'ack', value: { revision: BigInt(revision), edition: BigInt(edition) } })
  }

  nack({ revision, edition }: PlanText, path: string, reason: string): void {
    const mark = { revision: BigInt(revision), edition: BigInt(edition) }
    this.say({ case: 'nack', value: { ...mark, path, reason } })
  }

  demand(...intents: MessageInitShape<typeof IntentDemandSchema>[]): void {
    const { revision, edition } = this.plan
    const mark = { revision: BigInt(revision), edition: BigInt(edition) }
    this.say({ case: 'demand', value: { ...mark, intents } })
  }

  /** Sends the next window, or one that the caller numbers. */
  window(given: MessageInitShape<typeof WindowSchema> = {}): void {
    if (!this.#report) {
      const call = this.#client.makeBidiStreamRequest(
        report.path,
        report.requestSerialize,
        report.responseDeserialize,
        this.#metadata,
      )
      call.on('data', ({ sequence }: WindowAck) => {
        this.acked.push(sequence)
        this.#tell()
      })
      call.on('error', (error: grpc.ServiceError) => {
        this.status = { code: error.code, details: error.details, metadata: error.metadata }
        this.#report = undefined
        this.#tell()
      })
      this.#report = call
    }
    this.#sequence += 1n
    const startUnixMs = Date.now() - 1_000
    this.#report.write(
      create(WindowSchema, {
        ...{ node: this.name, epoch: this.epoch, sequence: this.#sequence },
        ...{ startUnixMs, lengthMs: 1_000, sentUnixMs: Date.now() },
        ...given,
      }),
    )
  }

  /** The newest. */
  get plan(): PlanText {
    const plan = this.plans.at(-1)
    if (!plan) throw new Error(`${this.name} has no plan`)
    return plan
  }

  /** This node's part of a limit, by the newest plan. */
  shareOf(id: string, field = 'maxInFlight'): number | undefined {
    const holdings = this.plans.at(-1)?.holdings ?? []
    return holdings.find(({ intent }) => intent.id === id)?.shares[field]
  }

  async until(what: string, test: () => boolean, waitMs = WAIT_MS): Promise<void> {
    if (test()) return
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
      }
      const look = (): void => {
        if (!test()) return
        end()
        resolve()
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`${this.name}: no ${what} within ${waitMs} ms`))
      }, waitMs)
      this.#watchers.add(look)
    })
  }

  /** Cuts the stream without a word, as a partition does. */
  cut(): void {
    this.#follow?.cancel()
    this.#follow = undefined
  }

  close(): void {
    this.#follow?.cancel()
    this.#report?.cancel()
    this.#client.close()
  }

  #heard({ message }: ToNode): void {
    if (message.case === 'plan') {
      const plan = planFromWire(message.value)
      this.plans.push(plan)
      this.onPlan(plan)
    } else if (message.case === 'digest') this.digests += 1
    else if (message.case === 'directory') this.directories.push(message.value.yaml)
    else if (message.case === 'rehearse') this.rehearsals.push(message.value)
    this.#tell()
  }

  #tell(): void {
    for (const look of this.#watchers) look()
  }
}
