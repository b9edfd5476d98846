/** The services on stage: each a process on its own loopback address. */
import type { Cue, Route, Tally } from './cue.ts'
import { Part } from './part.ts'
import { type Role, roleOf, roster } from './roster.ts'

const here = (file: string): string => new URL(file, import.meta.url).pathname

const FILES: { readonly [kind in Role['kind']]: string } = {
  http: here('./service.ts'),
  broker: here('./broker.ts'),
  visitors: here('./visitors.ts'),
}

export class Cast {
  readonly #parts = new Map<string, Part>()
  readonly #ports = new Map<string, number>()
  readonly #routes = new Map<string, Cue>()
  readonly #onDeath: (failure: Error) => void

  constructor(onDeath: (failure: Error) => void) {
    this.#onDeath = onDeath
  }

  /** Everyone, at once. `perSecond` is what the visitors ask. */
  async start(perSecond: number): Promise<void> {
    const started = roster
      .filter(({ name }) => name !== 'journal')
      .map((role) =>
        this.#start(role, role.kind === 'visitors' ? [String(perSecond)] : [role.name]),
      )
    const failed = (await Promise.allSettled(started)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** Where a service itself listens. */
  routeTo(service: string): Route {
    const port = this.#ports.get(service)
    if (port === undefined) throw new RangeError(`routeTo: ${service} does not listen`)
    return { host: roleOf(service).address, port }
  }

  /** Every name that listens. */
  listening(): readonly string[] {
    return [...this.#ports.keys()]
  }

  tell(service: string, cue: Cue): void {
    if (cue.type === 'routes') this.#routes.set(service, cue)
    this.#parts.get(service)?.tell(cue)
  }

  async tally(service: string): Promise<Tally> {
    return (await this.#parts.get(service)?.tally()) ?? {}
  }

  /** Ends a service and starts another of it in the same place, as a roll-out of one does. */
  async swap(service: string): Promise<void> {
    await this.#parts.get(service)?.end()
    await this.#start(roleOf(service), [service, String(this.#ports.get(service) ?? 0)])
    const cue = this.#routes.get(service)
    if (cue) this.tell(service, cue)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#parts.values()].map((part) => part.end()))
  }

  async #start(role: Role, args: readonly string[]): Promise<void> {
    const part = new Part(role.name, [FILES[role.kind], ...args])
    part.onDeath(this.#onDeath)
    this.#parts.set(role.name, part)
    for (const [name, port] of Object.entries(await part.listening())) this.#ports.set(name, port)
  }
}
