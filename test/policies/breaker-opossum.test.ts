/**
 * opossum is the oracle of the breaker's state machine: random scripts of calls, failures and
 * time go through both, and after each step both say the same of the state and of the next call.
 *
 * Where the two differ by design, the script keeps out of it: opossum's share must be exceeded and
 * ours reached (hence the hair's breadth), a late answer closes it in half-open (so what is under
 * way ends before), and what it counted outlives an opening (so its buckets are turned then).
 */
import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import Opossum from 'opossum'
import t from 'tap'
import { breaker } from '../../policies/breaker.ts'
import { chanceOf } from '../support/chance.ts'
import { callOn, stateOf } from './world.ts'

const SCRIPTS = 60
const STEPS = 80
const BUCKETS = 10

type Ending = (failed: boolean) => void

/** Both machines, and the clock they share. */
class Pair {
  readonly #openForMs: number
  readonly #bucketMs: number
  readonly #turns = new EventEmitter()
  readonly #opossum: Opossum
  readonly #ours: ReturnType<
    typeof stateOf<typeof breaker.fields, ReturnType<typeof breaker.cells>>
  >
  readonly #endings: Ending[] = []
  #mark = 0
  nowMs: number

  constructor(windowMs: number, openForMs: number, minRequests: number, errorRatio: number) {
    this.#openForMs = openForMs
    this.#bucketMs = windowMs / BUCKETS
    this.nowMs = windowMs * 1000
    const machine = { probes: 1, jitterRatio: 0, consecutive: 100_000, openForMaxMs: openForMs }
    const given = { ...machine, windowMs, openForMs, minRequests, errorRatio }
    this.#ours = stateOf(breaker, given)
    this.#opossum = new Opossum(
      () =>
        new Promise<void>((resolve, refuse) => {
          this.#endings.push((failed) => (failed ? refuse(new Error('it failed')) : resolve()))
        }),
      {
        timeout: false,
        resetTimeout: openForMs,
        volumeThreshold: minRequests,
        errorThresholdPercentage: errorRatio * 100 - 1e-9,
        rollingCountTimeout: windowMs,
        rollingCountBuckets: BUCKETS,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: this.#turns,
      },
    )
    this.#opossum.on('close', () => this.#turnBuckets(BUCKETS))
  }

  #turnBuckets(times: number): void {
    for (let i = 0; i < times; i += 1) this.#turns.emit('rotate')
  }

  get states(): { ours: string; theirs: string } {
    const { state } = this.#ours
    const name = state.stateOf(state.load())
    const due = name === 'open' && state.leftMs(this.nowMs) <= 0
    const { opened, halfOpen } = this.#opossum
    return {
      ours: due ? 'half-open' : name,
      theirs: halfOpen ? 'half-open' : opened ? 'open' : 'closed',
    }
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1) {
      this.nowMs += 1
      mock.timers.tick(1)
      if (this.nowMs % this.#bucketMs === 0) this.#turnBuckets(1)
    }
  }

  /** A call through both: whether each lets it go. */
  async begin(): Promise<{ ours: boolean; theirs: boolean }> {
    const before = this.#endings.length
    this.#opossum.fire().catch(() => {})
    await settled()
    const { state, settings } = this.#ours
    const decision = breaker.admit(state, settings, callOn(), this.nowMs)
    if (decision.verdict === 'pass') this.#mark = decision.mark
    return { ours: decision.verdict === 'pass', theirs: this.#endings.length > before }
  }

  async end(failed: boolean): Promise<void> {
    this.#endings.pop()!(failed)
    await settled()
    const result = failed ? 'failure' : 'success'
    const outcome = { result, admittedMs: this.nowMs, tookMs: 0, mark: this.#mark } as const
    breaker.settle(this.#ours.state, this.#ours.settings, outcome, this.nowMs)
  }

  /** How far to the end of an opening: half of the steps in time go just there. */
  step(chance: () => number): number {
    if (chance() < 0.5) return Math.ceil(chance() * this.#openForMs * 1.2)
    return 1 + Math.floor(chance() * 3 * this.#bucketMs)
  }
}

/** opossum answers after a few turns of the microtask queue. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve()
}

t.test('breaker: the same states as opossum, call by call', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
  t.teardown(() => mock.timers.reset())
  const seen = { closed: 0, open: 0, 'half-open': 0 } as { [state: string]: number }
  for (let seed = 1; seed <= SCRIPTS; seed += 1) {
    const chance = chanceOf(seed)
    const pick = <T>(...of: T[]): T => of[Math.floor(chance() * of.length)]!
    const pair = new Pair(1000, pick(1000, 1700, 3000), pick(1, 3, 10), pick(0.2, 0.5, 0.8))
    const failing = pick(0.2, 0.5, 0.9)
    const log: string[] = []
    for (let step = 0; step < STEPS; step += 1) {
      if (chance() < 0.25) {
        const ms = pair.step(chance)
        pair.pass(ms)
        log.push(`+${ms}`)
      } else {
        const went = await pair.begin()
        log.push(went.theirs ? 'goes' : 'refused')
        if (went.ours !== went.theirs) {
          t.same(went, { ours: went.theirs, theirs: went.theirs }, `seed ${seed}: ${log.join(' ')}`)
          return
        }
        // While a probe is out others stay out.
        if (went.ours && pair.states.ours === 'half-open') {
          t.same(await pair.begin(), { ours: false, theirs: false })
        }
        const failed = chance() < failing
        if (went.ours) await pair.end(failed)
        if (went.ours) log.push(failed ? 'failed' : 'done')
      }
      const { ours, theirs } = pair.states
      seen[ours] = (seen[ours] ?? 0) + 1
      if (ours !== theirs) {
        t.equal(ours, theirs, `seed ${seed}: ${log.join(' ')}`)
        return
      }
    }
  }
  for (const [state, times] of Object.entries(seen)) t.ok(times > 200, `${state}: ${times} times`)
})
