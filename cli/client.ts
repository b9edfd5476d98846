/**
 * Asks the control plane. What comes back as a gRPC status leaves as a Failure with the exit code
 * that scripts know; nothing is tried twice, since whoever typed the command is still there.
 */
import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { create, type DescMessage, type Message } from '@bufbuild/protobuf'
import type { GenMessage } from '@bufbuild/protobuf/codegenv2'
import * as grpc from '@grpc/grpc-js'
import { isLoopback, readAddress } from '../runtime/environment.ts'
import { channelOptions, serviceDefinition } from '../wire/contract.ts'
import { Operator } from '../wire/gen/airspace_pb.ts'
import { EXIT, type Exit, Failure, misused } from './failure.ts'
import type { Token } from './token.ts'

type Methods = (typeof Operator)['method']
type Kind<K extends string> = {
  [N in keyof Methods]: Methods[N] extends { readonly methodKind: K } ? N : never
}[keyof Methods]
export type Question = Kind<'unary'>
export type Subscription = Kind<'server_streaming'>
export type InputOf<N extends keyof Methods> = MessageInitShape<Methods[N]['input']>
export type OutputOf<N extends keyof Methods> = MessageShape<Methods[N]['output']>

const definitions = serviceDefinition(Operator)

/** An answer may take this much longer than what was asked to be waited for. */
const GRACE_MS = 2_000

export interface Way {
  readonly address: string
  readonly token: () => Token | undefined
  readonly timeoutMs: number
  readonly interrupted: AbortSignal
}

export class Control {
  readonly #way: Way
  readonly #client: grpc.Client

  constructor(way: Way) {
    const { host } = readAddress('--control', way.address)
    if (!isLoopback(host)) {
      throw misused(
        `--control: ${way.address} is not this machine, and a token does not travel in the clear`,
        `ssh -L 7400:127.0.0.1:7400 ${host}`,
      )
    }
    this.#way = way
    this.#client = new grpc.Client(way.address, grpc.credentials.createInsecure(), {
      ...channelOptions,
    })
  }

  /** One answer to one question. */
  ask<N extends Question>(name: N, request: InputOf<N>): Promise<OutputOf<N>> {
    const { path, requestSerialize, responseDeserialize } = definitions[name]!
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        this.#message(name, request),
        this.#metadata(),
        { deadline: this.#deadline(0) },
        (error, answer) => {
          release()
          if (error) reject(this.#failureOf(error))
          else resolve(answer as OutputOf<N>)
        },
      )
      const release = this.#onInterrupt(() => call.cancel())
    })
  }

  /** Answers as they come, for `waitMs` at most. */
  async *follow<N extends Subscription>(
    name: N,
    request: InputOf<N>,
    waitMs: number,
  ): AsyncGenerator<OutputOf<N>> {
    const { path, requestSerialize, responseDeserialize } = definitions[name]!
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.#message(name, request),
      this.#metadata(),
      { deadline: this.#deadline(waitMs) },
    )
    const release = this.#onInterrupt(() => call.cancel())
    try {
      for await (const answer of call) yield answer as OutputOf<N>
    } catch (error) {
      throw this.#failureOf(error as grpc.ServiceError)
    } finally {
      release()
      call.cancel()
    }
  }

  close(): void {
    this.#client.close()
  }

  #message(name: Question | Subscription, request: unknown): Message {
    const input: GenMessage<Message> | DescMessage = Operator.method[name].input
    return create(input as DescMessage, request as MessageInitShape<DescMessage>)
  }

  #metadata(): grpc.Metadata {
    const metadata = new grpc.Metadata()
    const token = this.#way.token()
    if (token) metadata.set('authorization', `Bearer ${token.secret}`)
    return metadata
  }

  #deadline(waitMs: number): Date {
    const graceMs = waitMs === 0 ? 0 : GRACE_MS
    return new Date(Date.now() + Math.max(this.#way.timeoutMs, waitMs + graceMs))
  }

  #onInterrupt(cancel: () => void): () => void {
    const { interrupted } = this.#way
    interrupted.addEventListener('abort', cancel, { once: true })
    return () => interrupted.removeEventListener('abort', cancel)
  }

  #failureOf(error: grpc.ServiceError): Failure {
    if (this.#way.interrupted.aborted) return new Failure(EXIT.interrupted, 'interrupted')
    const { address, token, timeoutMs } = this.#way
    switch (error.code) {
      case grpc.status.UNAVAILABLE:
        return new Failure(
          EXIT.unreachable,
          `the control plane at ${address} does not answer (${causeIn(error.details)})`,
          'start one: airspace control-plane; past a dead one: --at-node HOST:PORT',
        )
      case grpc.status.DEADLINE_EXCEEDED:
        return new Failure(
          EXIT.unreachable,
          `the control plane at ${address} gave no answer within ${timeoutMs} ms`,
          'wait longer: --timeout 30s; past a hung one: --at-node HOST:PORT',
        )
      case grpc.status.UNAUTHENTICATED:
        return notLoggedIn(token(), error.details)
      default:
        return new Failure(exitOf(error.code), error.details || error.message, hintOf(error.code))
    }
  }
}

/** gRPC tells the whole story of a connection; what the system said is enough. */
const causeIn = (details: string): string =>
  /\b(?:connect|read|write) E[A-Z]+\b|getaddrinfo E[A-Z]+\b/.exec(details)?.[0] ?? details

function notLoggedIn(token: Token | undefined, details: string): Failure {
  return new Failure(
    EXIT.notAllowed,
    token
      ? `the control plane does not know the token in ${token.path}`
      : `not logged in: ${details}`,
    "name the file: --token-file FILE (operator.token in the control plane's --state folder)",
  )
}

const EXITS: ReadonlyMap<grpc.status, Exit> = new Map<grpc.status, Exit>([
  [grpc.status.INVALID_ARGUMENT, EXIT.misused],
  [grpc.status.OUT_OF_RANGE, EXIT.misused],
  [grpc.status.NOT_FOUND, EXIT.missing],
  [grpc.status.FAILED_PRECONDITION, EXIT.guarded],
  [grpc.status.RESOURCE_EXHAUSTED, EXIT.guarded],
  [grpc.status.ABORTED, EXIT.conflict],
  [grpc.status.ALREADY_EXISTS, EXIT.conflict],
  [grpc.status.PERMISSION_DENIED, EXIT.notAllowed],
  [grpc.status.UNIMPLEMENTED, EXIT.skewed],
])

const exitOf = (code: grpc.status): Exit => EXITS.get(code) ?? EXIT.failed

const HINTS: ReadonlyMap<grpc.status, string> = new Map([
  [grpc.status.ABORTED, 'look again: airspace get patterns'],
  [grpc.status.PERMISSION_DENIED, 'changes need the operator token: --token-file operator.token'],
  [grpc.status.UNIMPLEMENTED, 'bring both to one version: airspace status, airspace --version'],
])

const hintOf = (code: grpc.status): string | undefined => HINTS.get(code)
