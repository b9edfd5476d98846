/**
 * The main thread of a proxy: it carries no traffic. It starts the workers, tells them what is in
 * force, and once a second reads what they counted. Whatever the control plane does, or does not,
 * workers go on with what they were last told.
 *
 *   control plane ── link ─┬─ follower ── desk ── enforcement ── crew ── workers
 *                          └─ reporter ── buffer ── windows ──── meters ────┘
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Cells, cellsBytes, MAIN } from '../policies/cells.ts'
import { tend } from '../policies/tend.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Access } from './access.ts'
import { Admin } from './admin.ts'
import { WindowBuffer } from './buffer.ts'
import type { ProxyConfig } from './config.ts'
import { Crew, type Listener } from './crew.ts'
import { DemandMeter } from './demand.ts'
import { Descriptors } from './descriptors.ts'
import { deskOf } from './desk.ts'
import { drain } from './drain.ts'
import { Enforcement } from './enforce.ts'
import { enterEpoch } from './epochs.ts'
import { Follower } from './follow.ts'
import { Keep, loadKept } from './keep.ts'
import { descriptorsMax, limitsOf } from './limits.ts'
import { Link } from './link.ts'
import { bindAll, listenersText } from './listeners.ts'
import { Names } from './names.ts'
import { officeOf } from './office.ts'
import { Reporter } from './report.ts'
import { Sights } from './sight.ts'
import type { FromWorker } from './thread.ts'
import { Tick } from './tick.ts'
import { Unable } from './unable.ts'
import { VERSION } from './version.ts'
import { Windows } from './window.ts'

/** Streams may say their last words for so long. */
const STOP_WAIT_MS = 1_000
/** Published packages carry JavaScript. */
const WORKER = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

export class Node {
  readonly #config: ProxyConfig
  readonly #log: Log
  readonly #clock: Clock
  readonly #descriptors = new Descriptors()
  readonly #cells: Cells
  readonly #names: Names
  readonly #listeners: readonly Listener[]
  readonly #windows: Windows
  readonly #buffer: WindowBuffer
  readonly #enforcement: Enforcement
  readonly #crew: Crew
  readonly #sights: Sights
  readonly #follower: Follower
  readonly #reporter: Reporter
  readonly #demand: DemandMeter
  readonly #link: Link | undefined
  readonly #admin: Admin
  readonly #tick: Tick
  #draining = false

  /** Throws a RangeError for what was given wrongly, an Unable for what the machine refuses. */
  constructor(config: ProxyConfig, log: Log, clock: Clock) {
    this.#config = config
    this.#log = log
    this.#clock = clock
    mkdirSync(config.state, { recursive: true, mode: 0o700 })
    const access = new Access(config.state, config.tokenFile)
    this.#names = new Names(config.state, config.directoryFile, log)
    this.#listeners = bindAll(config.direct, this.#descriptors)
    const epoch = BigInt(clock.wallMs())
    const ended = enterEpoch(config.state, epoch, log)
    const memory = new SharedArrayBuffer(cellsBytes())
    const seed = randomBytes(8)
    this.#cells = new Cells(memory, MAIN, [seed.readInt32LE(0), seed.readInt32LE(4)])
    this.#windows = new Windows(config.node, epoch, clock.nowMs())
    this.#buffer = new WindowBuffer(join(config.state, 'windows'), epoch, log)
    this.#enforcement = this.#enforce()
    this.#crew = this.#muster(memory)
    this.#sights = new Sights(this.#windows, () => this.#names.directory)
    this.#follower = this.#follow(epoch, ended)
    this.#reporter = new Reporter(this.#buffer, clock.wallMs)
    this.#demand = new DemandMeter(this.#enforcement, this.#cells, (demand) =>
      this.#follower.demand(demand),
    )
    this.#link = this.#dial()
    this.#admin = this.#open(access)
    this.#tick = new Tick(() => this.#second(), clock, log)
  }

  /** Resolves when every worker accepts, with what the ready line says. */
  async start(): Promise<object> {
    if (!this.#descriptors.shared) this.#log.warn('no koffi: workers share ports by SO_REUSEPORT')
    const enforcement = this.#enforcement
    let started = await this.#crew.start(enforcement.bound, this.#names.given)
    // Deaths, and not slowness, nor an end that came first, are what a plan may be blamed for.
    const isPoison = !started && !this.#draining && this.#crew.deaths > 0
    if (isPoison && enforcement.holdings.size > 0) {
      this.#log.error('workers do not start with the plan on disk: trying without it')
      enforcement.distrust()
      await this.#crew.stop()
      started = await this.#crew.start(enforcement.bound, this.#names.given)
    }
    if (!started && this.#draining) throw new Unable('ended before it was ready')
    if (!started) throw new Unable(`workers do not start: ${this.#crew.lastDeath}`)
    enforcement.command(this.#crew)
    const admin = await this.#admin.listen()
    this.#link?.start()
    this.#tick.start()
    const { node, workers } = this.#config
    const listeners = listenersText(this.#listeners)
    return { node, version: VERSION, workers, listeners, admin, state: this.#config.state }
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Lets go of everything in good order: see drain.ts. */
  async drain(): Promise<void> {
    this.#draining = true
    const parts = {
      descriptors: this.#descriptors,
      crew: this.#crew,
      follower: this.#follower,
      reporter: this.#reporter,
      link: this.#link,
      log: this.#log,
    }
    const lastCut = () => {
      this.#tick.stop()
      this.#cut()
    }
    await drain({ ...parts, lastCut }, this.#config.drainMs)
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#tick.stop()
    this.#descriptors.close()
    this.#demand.stop()
    this.#enforcement.stop()
    this.#admin.close()
    await this.#link?.stop(STOP_WAIT_MS)
    await this.#crew.stop()
  }

  #enforce(): Enforcement {
    const { state } = this.#config
    const clock = this.#clock
    return new Enforcement({
      kept: loadKept(state, clock.wallMs(), this.#log),
      keep: new Keep(state, clock.wallMs),
      cells: this.#cells,
      clock,
      log: this.#log,
      gaveBack: (name, complaint) => this.#follower.refuse(name, complaint),
    })
  }

  #muster(cells: SharedArrayBuffer): Crew {
    const { workers } = this.#config
    return new Crew({
      workers,
      entry: new URL(WORKER, import.meta.url),
      cells,
      listeners: this.#listeners,
      limits: limitsOf(descriptorsMax(), workers),
      clock: this.#clock,
      log: this.#log,
      began: (worker, meters) => this.#windows.began(worker, meters),
      said: (worker, message) => this.#said(worker, message),
      died: (worker, asked) => {
        this.#cells.forgive(worker)
        this.#windows.died(worker)
        if (!asked) this.#enforcement.died()
      },
    })
  }

  #follow(epoch: bigint, ended: readonly bigint[]): Follower {
    const { node, workers } = this.#config
    const desk = deskOf({
      node,
      workers,
      epoch,
      ended,
      version: VERSION,
      enforcement: this.#enforcement,
      crew: this.#crew,
      names: this.#names,
      clock: this.#clock,
      taken: () => this.#demand.taken(),
    })
    return new Follower(desk, this.#clock.nowMs, this.#log)
  }

  #dial(): Link | undefined {
    const { control, tokenFile } = this.#config
    if (control === undefined) return undefined
    const session = {
      follow: this.#follower.attach.bind(this.#follower),
      report: this.#reporter.attach.bind(this.#reporter),
      ended: () => {
        this.#follower.detach()
        this.#reporter.detach()
      },
    }
    return new Link({ control, tokenFile }, session, this.#log)
  }

  #open(access: Access): Admin {
    const office = officeOf({
      config: this.#config,
      cells: this.#cells,
      clock: this.#clock,
      crew: this.#crew,
      enforcement: this.#enforcement,
      windows: this.#windows,
      buffer: this.#buffer,
      isFollowing: () => this.#link?.following ?? false,
      isDraining: () => this.#draining,
    })
    return new Admin(this.#config.admin, access, office, this.#log)
  }

  #said(worker: number, message: FromWorker): void {
    if (message.type === 'row') this.#windows.named(worker, message)
    else if (message.type === 'log')
      this.#log[message.level](message.msg, { worker, ...message.fields })
  }

  #second(): void {
    this.#cut()
    this.#demand.tick(this.#windows.policies.values())
    const { bindings } = this.#enforcement
    tend(this.#cells, bindings, this.#sights.look(), this.#clock.nowMs())
  }

  #cut(): void {
    const window = this.#windows.cut(this.#clock.nowMs(), this.#clock.wallMs())
    if (!this.#link) return // nobody will ever ask for it
    this.#buffer.append(window)
    this.#reporter.send()
  }
}
