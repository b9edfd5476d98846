/**
 * All parts of a control plane, put together once: what is on disk, what is wanted, what is so, and
 * the beats that keep them in step. Ends in the reverse order.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Edge } from '../landscape/edge.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Access } from './auth.ts'
import { Book } from './book.ts'
import type { Config } from './config.ts'
import { Coverage } from './coverage.ts'
import { DirectoryFile, LOOK_MS } from './directory-file.ts'
import { Dispatch, rosterOf } from './dispatch.ts'
import { Events } from './events.ts'
import { Fleet } from './fleet.ts'
import { Following } from './following.ts'
import { gatewayOf } from './gateway.ts'
import { SqliteJournal } from './journal-sqlite.ts'
import { Metrics } from './metrics.ts'
import { numbersOf } from './numbers.ts'
import { operatorOf } from './operator.ts'
import { Rehearsals } from './rehearsals.ts'
import { ControlServer } from './server.ts'
import { Signals } from './signals.ts'
import { Verbs } from './verbs.ts'
import { Views } from './views.ts'
import { Watch } from './watch.ts'
import { WindowStore } from './window-store.ts'

/** Markers that are shown again after a restart are looked for among so many entries. */
const ENTRIES_RECALLED = 1_000
const TICK_MS = 1_000
/** Windows are on disk, and acknowledged, this soon. */
const FLUSH_MS = 200

export class ControlPlane {
  readonly server: ControlServer
  readonly gateway: Server
  readonly #following: Following
  readonly #ends: (() => void)[] = []

  /** Throws a RangeError for what an operator can mend. */
  constructor(config: Config, clock: Clock, log: Log) {
    mkdirSync(config.state, { recursive: true, mode: 0o700 })
    const file = new DirectoryFile(config.directory, log)
    const access = new Access(config.state, log)
    const journal = new SqliteJournal(config.state)
    const book = new Book(journal, clock, bootOf())
    if (book.damage) log.error('the journal is damaged: nothing is changed', { why: book.damage })
    const store = new WindowStore(config.state, log)
    this.#ends.push(
      () => store.close(),
      () => journal.close(),
    )

    const signals = new Signals(store, clock, log)
    const fleet = new Fleet(rosterOf(book), clock.nowMs())
    const dispatch = new Dispatch(book, fleet, clock, log)
    const events = new Events(randomUUID().slice(0, 4))
    recallMarkers(book, events)

    const directory = () => file.directory
    const coverage = new Coverage(book.ledger, directory, () => edgesOf(signals))
    const views = new Views({ fleet, signals, coverage, directory, clock })
    const verbs = new Verbs({ book, dispatch, coverage, events, clock })
    const rehearsals = new Rehearsals()
    const message = () => file.message
    const parts = { dispatch, signals, rehearsals, access, log }
    const following = new Following({ ...parts, directory: message })
    this.#following = following
    const alarms = () => [...book.alarms(), ...(store.trouble ? [unkept(store)] : [])]
    const operator = operatorOf({
      ...{ ...parts, book, fleet, events, verbs, views, following, clock, alarms },
      startedMs: clock.nowMs(),
    })
    this.server = new ControlServer(access, operator, following)
    const sources = { book, fleet, dispatch, signals, events, store, access, views, clock }
    const metrics = new Metrics(numbersOf(sources))
    this.gateway = gatewayOf({ access, metrics, log, unready: () => book.alarms().join('; ') })

    const watch = new Watch({ ...sources, coverage, log })
    this.#every(TICK_MS, () => watch.tick())
    this.#every(FLUSH_MS, () => signals.flush())
    this.#every(LOOK_MS, () => {
      if (file.look()) following.tellDirectory()
    })
  }

  async close(): Promise<void> {
    this.#following.end()
    await this.server.close()
    await new Promise<void>((resolve) => {
      this.gateway.close(() => resolve())
      this.gateway.closeAllConnections()
    })
    for (const end of this.#ends.reverse()) end()
  }

  #every(ms: number, beat: () => void): void {
    const timer = setInterval(beat, ms)
    this.#ends.push(() => clearInterval(timer))
  }
}

function* edgesOf({ landscape }: Signals): Iterable<Edge> {
  for (const { edge } of landscape.edges()) yield edge
}

const unkept = ({ trouble }: WindowStore): string =>
  `windows cannot be written (${trouble}): they are shown, and nodes keep them until they can be`

/**
 * What people have told is in the ledger; what detectors found is found again if it is still so.
 */
function recallMarkers(book: Book, events: Events): void {
  const { revision } = book.ledger
  const entries = book.entries(
    Math.max(0, revision - ENTRIES_RECALLED),
    revision + 1,
    ENTRIES_RECALLED,
  )
  for (const { act, author, text, source = '', target = '', wallMs } of entries) {
    if (act !== 'event') continue
    events.add({ kind: 'marker', source, target, text, suggestion: '', author }, wallMs)
  }
}

/** This start of the machine; where it cannot be told, each start of ours is one of its own. */
function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return randomUUID()
  }
}
