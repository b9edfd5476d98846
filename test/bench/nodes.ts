/**
 * Simulated nodes: real control streams, one connection each, that acknowledge every plan at once
 * and report a small window each second. `nodes.ts GRPC TOKEN_FILE COUNT`
 */
import { readFileSync } from 'node:fs'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { clock } from '../../runtime/clock.ts'
import { channelOptions, type Encoded, serviceDefinition } from '../../wire/contract.ts'
import { Fleet, FromNodeSchema, type ToNode, WindowSchema } from '../../wire/gen/airspace_pb.ts'

const { follow, report } = serviceDefinition(Fleet)
const EDGES = 10
const [address = '', tokenFile = '', count = '100'] = process.argv.slice(2)
const metadata = new grpc.Metadata()
metadata.set('authorization', `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`)

type Stream = grpc.ClientDuplexStream<Encoded, Encoded>
type Word = MessageInitShape<typeof FromNodeSchema>['message']

class SimulatedNode {
  readonly #name: string
  readonly #control: Stream
  readonly #windows: Stream
  readonly #epoch = BigInt(Math.floor(clock.wallMs()))
  #sequence = 0n

  constructor(name: string, ready: () => void) {
    this.#name = name
    // A connection each: otherwise they would all share one.
    const options = { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 }
    const client = new grpc.Client(address, grpc.credentials.createInsecure(), options)
    this.#control = this.#open(client, follow!)
    this.#windows = this.#open(client, report!)
    this.#windows.on('data', () => {})
    this.#control.on('data', (message: ToNode) => {
      if (message.message.case !== 'plan') return
      const { revision, edition } = message.message.value
      this.#say({ case: 'ack', value: { revision, edition, tookMs: 1 } })
      ready()
    })
    const kinds = ['quarantine', 'segment', 'breaker', 'backpressure', 'bulkhead']
    const hello = { node: name, epoch: this.#epoch, version: '0.1.0', kinds, workers: 1 }
    this.#say({ case: 'hello', value: hello })
  }

  tell(): void {
    this.#sequence += 1n
    const edges = Array.from({ length: EDGES }, (_, edge) => ({
      source: 'web',
      target: `service-${edge}`,
      protocol: 'http1',
      started: 10n,
      succeeded: 10n,
      latencyBuckets: [100, 10],
    }))
    const at = { startUnixMs: clock.wallMs() - 1000, lengthMs: 1000, sentUnixMs: clock.wallMs() }
    const of = { node: this.#name, epoch: this.#epoch, sequence: this.#sequence }
    this.#windows.write(create(WindowSchema, { ...of, ...at, edges }))
  }

  #open(client: grpc.Client, method: grpc.MethodDefinition<Encoded, Encoded>): Stream {
    const { path, requestSerialize, responseDeserialize } = method
    const stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
    )
    stream.on('error', (error: Error) => {
      process.stderr.write(`${this.#name}: ${error.message}\n`)
      process.exit(1)
    })
    return stream
  }

  #say(message: NonNullable<Word>): void {
    this.#control.write(create(FromNodeSchema, { message }))
  }
}

const waiting = new Set<string>()
const nodes = Array.from({ length: Number(count) }, (_, number) => {
  const name = `simulated-${number}`
  waiting.add(name)
  return new SimulatedNode(name, () => {
    if (!waiting.delete(name) || waiting.size > 0) return
    process.stdout.write(`${JSON.stringify({ msg: 'ready', nodes: nodes.length })}\n`)
  })
})
setInterval(() => {
  for (const node of nodes) node.tell()
}, 1000)
process.once('SIGTERM', () => process.exit(0))
