/**
 * The way to the control plane: one connection that carries both streams of this node. Whatever
 * ends one ends both, and after a growing, jittered wait it is tried again, for ever. The data path
 * does not know of it.
 */
import { readFile } from 'node:fs/promises'
import * as grpc from '@grpc/grpc-js'
import { Backoff } from '../runtime/backoff.ts'
import type { Address } from '../runtime/environment.ts'
import type { Log } from '../runtime/log.ts'
import { channelOptions, serviceDefinition } from '../wire/contract.ts'
import {
  Fleet,
  type FromNode,
  type ToNode,
  type Window,
  type WindowAck,
} from '../wire/gen/airspace_pb.ts'

/** A control plane that does not pick up is tried again after this. */
export const CONNECT_WAIT_MS = 5_000
/** A digest comes every 15 s: three missed, and the stream is only thought to be there. */
export const SILENCE_MAX_MS = 45_000
/** A token is 64 hex digits; whatever is longer than this is another file. */
const TOKEN_MAX = 4_096

export type FollowStream = grpc.ClientDuplexStream<FromNode, ToNode>
export type ReportStream = grpc.ClientDuplexStream<Window, WindowAck>

interface FleetClient extends grpc.Client {
  follow(metadata: grpc.Metadata): FollowStream
  report(metadata: grpc.Metadata): ReportStream
}

const Client = grpc.makeGenericClientConstructor(serviceDefinition(Fleet), 'Fleet')

/** What uses the streams while they are there. */
export interface Session {
  follow(stream: FollowStream): void
  report(stream: ReportStream): void
  /** The streams are gone. */
  ended(): void
}

export interface Route {
  readonly control: Address
  readonly tokenFile: string
}

/** One connection, from dialling to its end. */
interface Attempt {
  readonly client: FleetClient
  streams: readonly [FollowStream, ReportStream] | undefined
}

export class Link {
  readonly #route: Route
  readonly #session: Session
  readonly #log: Log
  readonly #backoff: Backoff
  #attempt: Attempt | undefined
  #retry: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  #stopped = false
  #said = '' // the same complaint is logged once, however often it is tried
  #following = false

  constructor(route: Route, session: Session, log: Log, backoff = new Backoff()) {
    this.#route = route
    this.#session = session
    this.#log = log
    this.#backoff = backoff
  }

  /** The control plane has said something on this connection. */
  get following(): boolean {
    return this.#following
  }

  start(): void {
    this.#try().catch((error) => this.#lost(error))
  }

  /** What was written before goes out first, if that takes no longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    clearTimeout(this.#silence)
    const streams = this.#attempt?.streams ?? []
    const ends = streams.map((stream) => {
      stream.end()
      return new Promise<void>((resolve) => {
        for (const event of ['end', 'error']) stream.once(event, () => resolve())
      })
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([Promise.all(ends), late])
    clearTimeout(timer)
    this.#detach()
  }

  async #try(): Promise<void> {
    const token = await this.#token()
    const { host, port } = this.#route.control
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const client = new Client(address, grpc.credentials.createInsecure(), {
      ...channelOptions,
      // Waiting is ours: the channel's own memory of failures would add to it.
      'grpc.use_local_subchannel_pool': 1,
    }) as unknown as FleetClient
    const attempt: Attempt = { client, streams: undefined }
    this.#attempt = attempt
    if (!(await connected(client))) throw new Error(`nobody answers at ${address}`)
    if (this.#stopped) return this.#detach()
    this.#attach(attempt, token)
  }

  #attach(attempt: Attempt, token: string): void {
    const metadata = new grpc.Metadata()
    metadata.set('authorization', `Bearer ${token}`)
    const streams = [attempt.client.follow(metadata), attempt.client.report(metadata)] as const
    attempt.streams = streams
    const lost = (error: Error) => {
      if (this.#attempt === attempt) this.#lost(error)
    }
    for (const stream of streams) {
      stream.on('error', lost)
      stream.on('end', () => lost(new Error('the control plane ended the stream')))
      stream.on('data', () => this.#heard())
    }
    this.#listen()
    this.#session.follow(streams[0])
    this.#session.report(streams[1])
  }

  /** Its word is the proof: a connection alone may lead to something that only accepts. */
  #heard(): void {
    this.#listen()
    if (this.#following) return
    this.#following = true
    this.#said = ''
    this.#backoff.succeeded()
    const { host, port } = this.#route.control
    this.#log.info('following the control plane', { control: `${host}:${port}` })
  }

  #listen(): void {
    clearTimeout(this.#silence)
    if (this.#stopped) return
    this.#silence = setTimeout(() => {
      this.#lost(new Error(`nothing heard for ${SILENCE_MAX_MS} ms`))
    }, SILENCE_MAX_MS)
    this.#silence.unref()
  }

  #lost(error: unknown): void {
    if (this.#stopped) return
    this.#detach()
    const said = error instanceof Error ? error.message : String(error)
    if (said !== this.#said) this.#log.warn('no control plane; going on alone', { error: said })
    this.#said = said
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.start(), this.#backoff.next())
  }

  #detach(): void {
    const attempt = this.#attempt
    this.#attempt = undefined
    this.#following = false
    clearTimeout(this.#silence)
    if (!attempt) return
    for (const stream of attempt.streams ?? []) stream.cancel()
    attempt.client.close()
    if (attempt.streams) this.#session.ended()
  }

  /** Read anew each time: the control plane makes it at its first start, and may change it. */
  async #token(): Promise<string> {
    const token = (await readFile(this.#route.tokenFile, 'utf8')).trim()
    if (token === '' || token.length > TOKEN_MAX) {
      throw new Error(`${this.#route.tokenFile}: holds no token`)
    }
    return token
  }
}

/** False at the first failure, unlike waitForReady, which tries again at a pace of its own. */
function connected(client: grpc.Client): Promise<boolean> {
  const channel = client.getChannel()
  const until = Date.now() + CONNECT_WAIT_MS
  return new Promise((resolve) => {
    const look = (): void => {
      const state = channel.getConnectivityState(true)
      if (state === grpc.connectivityState.READY) resolve(true)
      else if (
        state === grpc.connectivityState.TRANSIENT_FAILURE ||
        state === grpc.connectivityState.SHUTDOWN
      ) {
        resolve(false)
      } else {
        channel.watchConnectivityState(state, until, (late) => (late ? resolve(false) : look()))
      }
    }
    look()
  })
}
