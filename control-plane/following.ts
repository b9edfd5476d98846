/**
 * Nodes' streams. Follow: hello, acknowledgements and demand come up, plans go down. Report:
 * windows come up, each acknowledged when it is kept. What a node says is looked at here and only
 * here; a word that cannot be so ends its stream with the reason, and never ours.
 */

import { create } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import type { Shares } from '../policies/ramp.ts'
import type { Log } from '../runtime/log.ts'
import { numberOf, WireError } from '../wire/codec.ts'
import type {
  Demand,
  FromNode,
  Hello as HelloMessage,
  Nack,
  ToNode,
  Window,
  WindowAck,
} from '../wire/gen/airspace_pb.ts'
import { WindowAckSchema } from '../wire/gen/airspace_pb.ts'
import { isNodeName } from '../wire/signals.ts'
import type { Access } from './auth.ts'
import { Complaint } from './complaint.ts'
import type { Dispatch, Hello, IntentWish } from './dispatch.ts'
import { NODES_MAX, type Process } from './fleet.ts'
import type { Outlet } from './plans.ts'
import type { Rehearsals } from './rehearsals.ts'
import type { Signals } from './signals.ts'
import { identityOf, isMistake, statusOf } from './statuses.ts'

/** Two for each node that is being upgraded. */
export const STREAMS_MAX = NODES_MAX * 2
const WORDS_MAX = 64
const WORD_MAX = 128
const REASON_MAX = 1_000
/** More calls, or bytes, than any node sees in a second. */
const AMOUNT_MAX = 1e13

export type FollowCall = grpc.ServerDuplexStream<FromNode, ToNode | Buffer>
export type ReportCall = grpc.ServerDuplexStream<Window, WindowAck>

export interface FleetParts {
  readonly dispatch: Dispatch
  readonly signals: Signals
  readonly rehearsals: Rehearsals
  readonly access: Access
  readonly directory: () => Buffer | undefined
  readonly log: Log
}

export class Following {
  readonly #parts: FleetParts
  readonly #follows = new Map<FollowCall, Process | undefined>()
  readonly #reports = new Set<ReportCall>()

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  follow(call: FollowCall): void {
    if (this.#follows.size >= STREAMS_MAX) {
      refuse(call, full())
      return
    }
    this.#follows.set(call, undefined)
    const outlet: Outlet = { write: (message) => call.write(message) }
    call.on('data', (message: FromNode) => {
      if (this.#follows.has(call)) this.#guarded(call, () => this.#heard(call, outlet, message))
    })
    call.on('drain', () => {
      const process = this.#follows.get(call)
      if (process) this.#parts.dispatch.drained(process)
    })
    const over = (): void => this.#closed(call, outlet)
    call.on('end', () => {
      over()
      call.end()
    })
    call.on('cancelled', over)
    call.on('error', over)
    call.on('close', over)
  }

  report(call: ReportCall): void {
    if (this.#reports.size >= STREAMS_MAX) {
      refuse(call, full())
      return
    }
    this.#reports.add(call)
    let node: string | undefined
    call.on('data', (window: Window) => {
      if (!this.#reports.has(call)) return
      this.#guarded(call, () => {
        node ??= window.node
        this.#window(call, node, window)
      })
    })
    const over = (): boolean => this.#reports.delete(call)
    call.on('end', () => {
      over()
      call.end()
    })
    call.on('cancelled', over)
    call.on('error', over)
    call.on('close', over)
  }

  /** Where each process that follows can be written to. */
  outlets(): Map<Process, Outlet> {
    const outlets = new Map<Process, Outlet>()
    for (const [call, process] of this.#follows) {
      if (process) outlets.set(process, { write: (message) => call.write(message) })
    }
    return outlets
  }

  /** We end: nodes go on with what they have, and come back. */
  end(): void {
    for (const call of this.#follows.keys()) call.end()
    for (const call of this.#reports) call.end()
  }

  /** To every node: who lives where has changed. */
  tellDirectory(): void {
    const bytes = this.#parts.directory()
    for (const [call, process] of this.#follows) if (process && bytes) call.write(bytes)
  }

  #guarded(call: FollowCall | ReportCall, work: () => void): void {
    try {
      work()
    } catch (error) {
      const peer = call.getPeer()
      const { message, stack } = error as Error
      // A mistake of ours met on one node's word ends that node's stream, and never all of them.
      if (isMistake(error)) this.#parts.log.error('a stream failed', { peer, message, stack })
      else this.#parts.log.warn('a node said what cannot be so', { peer, why: message })
      refuse(call, statusOf(error))
    }
  }

  #heard(call: FollowCall, outlet: Outlet, { message }: FromNode): void {
    const { dispatch, rehearsals } = this.#parts
    if (message.case === 'hello') {
      this.#hello(call, outlet, message.value)
      return
    }
    const process = this.#follows.get(call)
    if (!process) throw new WireError('hello', 'is the first thing a node says')
    if (message.case === 'ack') dispatch.ack(process, markOf(message.value))
    else if (message.case === 'nack') dispatch.nack(process, nackOf(message.value))
    else if (message.case === 'demand') {
      const edition = numberOf(message.value.edition, 'demand.edition')
      dispatch.demand(process, edition, wishesOf(message.value))
    } else if (message.case === 'rehearsal') rehearsals.answered(process, message.value)
    else if (message.case === 'goodbye') dispatch.goodbye(process)
    else throw new WireError('message', 'is of a kind that is not known here')
  }

  #hello(call: FollowCall, outlet: Outlet, message: HelloMessage): void {
    const { dispatch, directory } = this.#parts
    const hello = helloOf(message)
    this.#mayBe(call, hello.node)
    const known = this.#follows.get(call)
    if (known && (known.node !== hello.node || known.epoch !== hello.epoch)) {
      throw new WireError('hello', `this stream is that of ${known.key}`)
    }
    const text = known ? undefined : directory()
    if (text) call.write(text)
    this.#follows.set(call, dispatch.hello(hello, outlet))
  }

  #window(call: ReportCall, node: string, window: Window): void {
    const { signals, dispatch } = this.#parts
    if (window.node !== node) throw new WireError('node', `this stream is that of '${node}'`)
    this.#mayBe(call, node)
    const { epoch, sequence } = window
    signals.take(node, window, () => {
      if (this.#reports.has(call)) call.write(create(WindowAckSchema, { epoch, sequence }))
    })
    dispatch.heardOf(node)
  }

  /** A token of one node speaks for that node alone. */
  #mayBe(call: FollowCall | ReportCall, node: string): void {
    const identity = identityOf(this.#parts.access, call.metadata)
    if (!identity?.bound || identity.name === node) return
    throw new Complaint('guarded', `this token is ${identity.name}'s, not that of ${node}`)
  }

  #closed(call: FollowCall, outlet: Outlet): void {
    const process = this.#follows.get(call)
    if (!this.#follows.delete(call) || !process) return
    this.#parts.dispatch.closed(process, outlet)
    this.#parts.rehearsals.gone(process)
  }
}

const full = (): Partial<grpc.StatusObject> => ({
  code: grpc.status.RESOURCE_EXHAUSTED,
  details: `there are ${STREAMS_MAX} streams already`,
})

function refuse(call: FollowCall | ReportCall, status: Partial<grpc.StatusObject>): void {
  call.emit('error', status)
}

function helloOf(hello: HelloMessage): Hello {
  const { node, version, kinds, ledger } = hello
  if (!isNodeName(node)) throw new WireError('hello.node', `'${node}' is not the name of a node`)
  const epoch = numberOf(hello.epoch, 'hello.epoch')
  if (epoch === 0) throw new WireError('hello.epoch', 'is missing')
  if (kinds.length > WORDS_MAX || hello.ended.length > WORDS_MAX) {
    throw new WireError('hello', `has a list of more than ${WORDS_MAX}`)
  }
  if ([version, ledger, ...kinds].some(({ length }) => length > WORD_MAX)) {
    throw new WireError('hello', `has a word of more than ${WORD_MAX} characters`)
  }
  const held = new Map<string, Shares>()
  for (const { id, shares } of hello.shares) {
    for (const [field, share] of Object.entries(shares))
      amount(share, `hello.shares.${id}.${field}`)
    held.set(id, { ...shares })
  }
  return {
    ...{ node, epoch, version, kinds, ledger, held, workers: hello.workers },
    revision: numberOf(hello.revision, 'hello.revision'),
    edition: numberOf(hello.edition, 'hello.edition'),
    ended: hello.ended
      .map((each) => numberOf(each, 'hello.ended'))
      .filter((each) => each !== epoch),
  }
}

const markOf = ({ revision, edition }: { revision: bigint; edition: bigint }) => ({
  revision: numberOf(revision, 'revision'),
  edition: numberOf(edition, 'edition'),
})

const nackOf = (nack: Nack) => ({
  ...markOf(nack),
  path: nack.path.slice(0, REASON_MAX),
  reason: nack.reason.slice(0, REASON_MAX),
})

function wishesOf({ intents }: Demand): IntentWish[] {
  return intents.map(({ id, inFlight, wanted, refused, under }, i) => ({
    id,
    under,
    inFlight: amount(inFlight, `demand.intents[${i}].inFlight`),
    wanted: amount(wanted, `demand.intents[${i}].wanted`),
    refused: amount(refused, `demand.intents[${i}].refused`),
  }))
}

function amount(value: number, path: string): number {
  if (value >= 0 && value <= AMOUNT_MAX) return value
  throw new WireError(path, `${value} is not between 0 and ${AMOUNT_MAX}`)
}
