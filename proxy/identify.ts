/**
 * Whose call it is. The source is known by the address it comes from, the target by where the
 * connection was going; both through the directory. Who is never a matter of what a caller says.
 * Answers are kept: an edge is one object in a worker, with its counters' rows and its policies.
 */
import type { Directory } from '../landscape/directory.ts'
import { type Edge, edgeOf } from '../landscape/edge.ts'
import { serviceNamed } from '../landscape/service.ts'
import type { Policies, Policy } from '../policies/policy.ts'
import type { Meter } from './meter.ts'
import type { Ring } from './ring.ts'

/** Source addresses whose service is remembered; beyond it all are looked up anew. */
export const SOURCES_MAX = 10_000
/** Edges remembered; rows of meters are bounded apart, and are found again. */
export const ROUTES_MAX = 50_000

/** What a target was seen to speak. Learnt on its first connections, to spare the next a wait. */
export type Speech = 'unknown' | 'http' | 'server-first'

/** Where connections accepted by one listener were going. */
export interface Place {
  readonly host: string
  readonly port: number
  /** The target's service if it was said by hand. */
  readonly service: string | undefined
  speech: Speech
}

/** An edge at work in this worker. */
export class Route {
  readonly edge: Edge
  /** What the edge is called in the ring. */
  readonly recorded: number
  readonly #policies: Policies
  readonly #meter: Meter
  #known: readonly Policy[] = []
  #epoch = -1
  #terms = ''
  #http1 = -1
  #opaque = -1

  constructor(edge: Edge, policies: Policies, meter: Meter, ring: Ring) {
    this.edge = edge
    this.#policies = policies
    this.#meter = meter
    this.recorded = ring.edge(edge.source, edge.target)
  }

  /** Where exchanges are counted. A row is taken only when a protocol is met. */
  get http1(): number {
    if (this.#http1 < 0)
      this.#http1 = this.#meter.edgeRow(this.edge.source, this.edge.target, 'http1')
    return this.#http1
  }

  /** Where connections that are not HTTP are counted. */
  get opaque(): number {
    if (this.#opaque < 0) {
      this.#opaque = this.#meter.edgeRow(this.edge.source, this.edge.target, 'opaque')
    }
    return this.#opaque
  }

  /** In the order in which they are asked. */
  get policies(): readonly Policy[] {
    if (this.#epoch !== this.#policies.epoch) this.renew()
    return this.#known
  }

  renew(): void {
    this.#known = this.#policies.on(this.edge)
    this.#epoch = this.#policies.epoch
    this.#terms = ''
  }

  /**
   * What the policies ask, in words that differ when any of them does: who waits under the same
   * terms need not ask again. Made only when somebody waits, once an edge and plan.
   */
  get terms(): string {
    const { policies } = this
    if (this.#terms === '') {
      this.#terms = JSON.stringify(
        policies.map(({ key, side, settings, percent }) => [key, side, settings, percent]),
      )
    }
    return this.#terms
  }
}

export class Identify {
  readonly #policies: Policies
  readonly #meter: Meter
  readonly #ring: Ring
  #directory: Directory
  readonly #sources = new Map<string, string>()
  readonly #routes = new Map<string, Route>()

  constructor(directory: Directory, policies: Policies, meter: Meter, ring: Ring) {
    this.#directory = directory
    this.#policies = policies
    this.#meter = meter
    this.#ring = ring
  }

  /** New names are for connections to come; those that are open stay who they are. */
  rename(directory: Directory): void {
    this.#directory = directory
    this.#sources.clear()
    this.#policies.rename(directory)
    for (const route of this.#routes.values()) route.renew()
  }

  route(address: string, place: Place): Route {
    const source = this.#sourceOf(address)
    const target = place.service ?? this.#directory.targetOf(place.host, place.port).name
    const edge = edgeOf(source, target)
    const known = this.#routes.get(edge.key)
    if (known !== undefined) return known
    if (this.#routes.size >= ROUTES_MAX) this.#routes.clear()
    const route = new Route(edge, this.#policies, this.#meter, this.#ring)
    this.#routes.set(edge.key, route)
    return route
  }

  #sourceOf(address: string): string {
    const known = this.#sources.get(address)
    if (known !== undefined) return known
    if (this.#sources.size >= SOURCES_MAX) this.#sources.clear()
    const { name } =
      address === '' ? serviceNamed('unknown/other') : this.#directory.sourceOf(address)
    this.#sources.set(address, name)
    return name
  }
}
