/**
 * The load: requests are due at fixed times, whatever the answers do, and each is measured from
 * when it was due. A generator that waits for answers slows down with its target and reports
 * calm.
 */
import { Caller } from './caller.ts'
import { onCue, type Route, report } from './cue.ts'
import { roleOf } from './roster.ts'

const TICK_MS = 4
/** Beyond this many under way the rest is counted as unsent: a bound, and a sign of trouble. */
const UNDER_WAY_MAX = 4_000
/** Latencies kept for the percentiles: some 30 s of them. */
const KEPT_MAX = 8_192
/** How often each path comes in ten requests. */
const PATHS = [
  '/order',
  '/browse',
  '/offer',
  '/order',
  '/browse',
  '/browse',
  '/order',
  '/offer',
].concat(['/browse', '/page'])

const me = roleOf('visitors')
const perSecond = Number(process.argv[2] ?? 240)
const caller = new Caller(me.address, me.patienceMs)
const tally = { due: 0, answered: 0, refused: 0, failed: 0, unsent: 0, underWay: 0 }
const latencies = new Float64Array(KEPT_MAX)
let measured = 0

function send(route: Route, dueMs: number): void {
  const path = PATHS[tally.due % PATHS.length] ?? '/page'
  tally.due += 1
  if (tally.underWay >= UNDER_WAY_MAX) {
    tally.unsent += 1
    return
  }
  tally.underWay += 1
  caller.call(route, path, (answer) => {
    tally.underWay -= 1
    tally[answer] += 1
    latencies[measured % KEPT_MAX] = performance.now() - dueMs
    measured += 1
  })
}

function start(route: Route): void {
  const gapMs = 1000 / perSecond
  let dueMs = performance.now()
  setInterval(() => {
    for (const nowMs = performance.now(); dueMs <= nowMs; dueMs += gapMs) send(route, dueMs)
  }, TICK_MS)
}

/** Of the last five seconds' worth of answers. */
function percentiles(): { p50Ms: number; p99Ms: number } {
  const count = Math.min(measured, KEPT_MAX, Math.round(perSecond * 5))
  const newest = Array.from({ length: count }, (_, back) => {
    return latencies[(measured - 1 - back) % KEPT_MAX] ?? 0
  }).sort((a, b) => a - b)
  const at = (q: number): number => newest[Math.min(count - 1, Math.floor(count * q))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

let started = false
onCue((cue) => {
  const route = cue.type === 'routes' ? cue.routes['web'] : undefined
  if (route && !started) {
    started = true
    start(route)
  }
  if (cue.type === 'tell') report({ type: 'tally', tally: { ...tally, ...percentiles() } })
})
report({ type: 'listening', ports: {} })
process.once('SIGTERM', () => process.exit(0))
