/**
 * A control plane with canned answers: a real gRPC server on loopback that implements Operator, so
 * that what is tested is the CLI and the wire, and what is asked of it is kept to be looked at.
 */
import {
  create,
  type DescMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { serviceDefinition } from '../../wire/contract.ts'
import { Operator } from '../../wire/gen/airspace_pb.ts'

type Methods = (typeof Operator)['method']
type Name = keyof Methods
type Input<N extends Name> = MessageShape<Methods[N]['input']>
type Output<N extends Name> = MessageInitShape<Methods[N]['output']>
type Told<N extends Name> = Methods[N]['methodKind'] extends 'unary' ? Output<N> : Output<N>[]

/** What is answered, by method: a message (several for a stream), or a Refusal that is thrown. */
export type Script = { readonly [N in Name]?: (request: Input<N>) => Told<N> | Promise<Told<N>> }

/** Thrown by a script, it leaves as a gRPC status. */
export class Refusal extends Error {
  readonly code: grpc.status

  constructor(code: grpc.status, details: string) {
    super(details)
    this.code = code
  }
}

export interface Asked {
  readonly name: string
  readonly request: Message
  readonly authorization: string
}

/** A test that asks more is out of hand. */
const ASKED_MAX = 10_000

/** An answer that never comes, for deadlines and interrupts. */
export const never = (): Promise<never> => new Promise(() => {})

type Handler = (call: grpc.ServerWritableStream<Message, Message>, reply?: Reply) => void
type Reply = grpc.sendUnaryData<Message>

export class FakeControl {
  readonly asked: Asked[] = []
  address = ''
  script: Script
  readonly #server = new grpc.Server()

  constructor(script: Script = {}) {
    this.script = script
    const handlers: Record<string, Handler> = {}
    for (const method of Operator.methods) {
      handlers[method.localName] = (call, reply) => {
        void this.#answer(method.localName as Name, call, reply)
      }
    }
    this.#server.addService(
      serviceDefinition(Operator),
      handlers as unknown as grpc.UntypedServiceImplementation,
    )
  }

  async start(): Promise<this> {
    const credentials = grpc.ServerCredentials.createInsecure()
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
        if (error) reject(error)
        else resolve(bound)
      })
    })
    this.address = `127.0.0.1:${port}`
    return this
  }

  stop(): void {
    this.#server.forceShutdown()
  }

  /** The requests of one method, oldest first. */
  requests<N extends Name>(name: N): Input<N>[] {
    return this.asked.filter((each) => each.name === name).map((each) => each.request as Input<N>)
  }

  async #answer(
    name: Name,
    call: grpc.ServerWritableStream<Message, Message>,
    reply?: Reply,
  ): Promise<void> {
    const authorization = String(call.metadata.get('authorization')[0] ?? '')
    if (this.asked.length < ASKED_MAX) {
      this.asked.push({ name, request: call.request, authorization })
    }
    try {
      const script = this.script[name] as ((request: Message) => unknown) | undefined
      if (!script) throw new Refusal(grpc.status.UNIMPLEMENTED, `${name} is not known here`)
      const told = await script(call.request)
      const output = Operator.method[name].output as DescMessage
      const made = (init: unknown): Message =>
        create(output, init as MessageInitShape<DescMessage>) as Message
      if (reply) {
        reply(null, made(told))
        return
      }
      for (const each of told as unknown[]) call.write(made(each))
      call.end()
    } catch (error) {
      const code = error instanceof Refusal ? error.code : grpc.status.INTERNAL
      const failure = { code, details: (error as Error).message }
      if (reply) reply(failure)
      else call.emit('error', failure)
    }
  }
}
