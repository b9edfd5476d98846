/**
 * Who lives where: addresses to services. The most specific entry wins: address and port, then
 * address or host name, then the longest block. Whatever is in no entry gets a name of its own,
 * `unknown/<address>`, up to a bound; callers keep what they were told, so that this is asked once
 * a connection at most.
 *
 *   services:
 *     payments:
 *       addresses: [10.1.2.3, 10.1.0.0/16, '10.1.2.3:8080', pay.example]
 *       labels: { tier: 1 }
 */
import { type Block, joinPort, readBlock, widened, writeBlock } from './address.ts'
import { readEntries } from './directory-entries.ts'
import { OTHER, type Service, serviceNamed, UNKNOWN, unknownService } from './service.ts'

/** Distinct unknown names a directory gives; whoever comes later shares `unknown/other`. */
export const UNKNOWN_MAX = 1000

const UNKNOWN_OTHER = serviceNamed(UNKNOWN + OTHER)

export class Directory {
  readonly services: ReadonlyMap<string, Service>
  /** '10.1.2.3:8080', '10.1.2.3' and 'pay.example', as writeBlock writes addresses. */
  readonly #exact = new Map<string, Service>()
  /** By family and prefix length, the longest first: the masked address to its service. */
  readonly #blocks: { bits: number; prefix: number; services: Map<string, Service> }[] = []
  readonly #unknown = new Map<string, Service>()

  private constructor(services: ReadonlyMap<string, Service>) {
    this.services = services
    for (const service of services.values()) {
      for (const address of service.addresses ?? []) this.#settle(service, address)
    }
    this.#blocks.sort((left, right) => right.prefix - left.prefix)
  }

  static empty(): Directory {
    return new Directory(new Map())
  }

  /** From YAML or JSON already parsed. Throws a RangeError that names the entry at fault. */
  static read(given: unknown): Directory {
    return new Directory(readEntries(given))
  }

  /** Who calls from this address (an IP address as a socket says it). */
  sourceOf(address: string, port?: number): Service {
    const block = readBlock(address)
    const host = block === undefined ? address : writeBlock(block)
    return this.#known(host, port, block) ?? this.#unknownAt(host)
  }

  /** Who is called at this address or host name. */
  targetOf(host: string, port: number): Service {
    const block = readBlock(host)
    const place = block === undefined ? host.toLowerCase() : writeBlock(block)
    return this.#known(place, port, block) ?? this.#unknownAt(place, port)
  }

  /** By a name that another node gave: without an entry it has no labels. */
  byName(name: string): Service {
    return this.services.get(name) ?? serviceNamed(name)
  }

  #known(host: string, port: number | undefined, block: Block | undefined): Service | undefined {
    const exact =
      (port === undefined ? undefined : this.#exact.get(joinPort(host, port))) ??
      this.#exact.get(host)
    if (exact !== undefined || block === undefined) return exact
    for (const { bits, prefix, services } of this.#blocks) {
      if (bits !== block.bits) continue
      const service = services.get(writeBlock(widened(block, prefix)))
      if (service !== undefined) return service
    }
    return undefined
  }

  #unknownAt(host: string, port?: number): Service {
    const key = port === undefined ? host : joinPort(host, port)
    const met = this.#unknown.get(key)
    if (met !== undefined) return met
    if (this.#unknown.size >= UNKNOWN_MAX) return UNKNOWN_OTHER
    const service = unknownService(host, port)
    this.#unknown.set(key, service)
    return service
  }

  /** Entries are already checked: each address is canonical and belongs to one service. */
  #settle(service: Service, address: string): void {
    const block = readBlock(address)
    if (block === undefined || block.prefix === block.bits) {
      this.#exact.set(address, service)
      return
    }
    const { bits, prefix } = block
    let table = this.#blocks.find((known) => known.bits === bits && known.prefix === prefix)
    if (table === undefined) {
      table = { bits, prefix, services: new Map() }
      this.#blocks.push(table)
    }
    table.services.set(writeBlock(block), service)
  }
}
