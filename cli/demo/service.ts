/**
 * One HTTP service of the demo: does its share of work, calls others one after the other, answers.
 * Run as `service.ts NAME [PORT]`; which calls a path means is in the roster. A call that a policy
 * refused is done without: the answer is then partial, and says so.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Caller } from './caller.ts'
import { onCue, type Route, report } from './cue.ts'
import { Errand, type Means } from './errand.ts'
import { Journal } from './journal.ts'
import { Logger } from './logger.ts'
import { BROKER, LOGGERS_EACH, roleOf } from './roster.ts'
import { Thrash } from './thrash.ts'

const me = roleOf(process.argv[2] ?? '')
const loggers: Logger[] = []

/** The router alone works through a shared table, which its fault makes it sweep for each step. */
const PER_SECOND = 300
const HEALTHY_KNEE = 1_000
const THRASHING_KNEE = 24
const HOLD_MS = 3_000
const WORK_MS = 5
const thrash = me.name === 'router' ? new Thrash(PER_SECOND, HEALTHY_KNEE) : undefined
if (thrash) setInterval(() => thrash.work(WORK_MS, performance.now()), WORK_MS).unref()

const means: Means = {
  role: me,
  caller: new Caller(me.address, me.patienceMs),
  body: Buffer.alloc(600, `${me.name} `),
  routes: {},
  thrash,
  tally: { requests: 0, partial: 0, failed: 0 },
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  request.resume()
  if (request.url === '/health') {
    // Green whatever happens: it asks nothing of what is stuck.
    response.writeHead(200, { 'content-length': 3 }).end('ok\n')
    return
  }
  means.tally.requests += 1
  new Errand(means, request.url ?? '/', response).start()
})
// A connection closed for idleness while a request is on its way would look like a failure.
server.keepAliveTimeout = 0
server.on('error', (error) => report({ type: 'failed', reason: error.message }))
server.listen(Number(process.argv[3] ?? 0), me.address, () => {
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  report({ type: 'listening', ports: { [me.name]: port } })
})

function take(routes: { readonly [target: string]: Route }): void {
  means.routes = routes
  const toJournal = routes['journal']
  if (toJournal) means.journal ??= new Journal(me.address, toJournal)
  const toBroker = routes[BROKER]
  if (!toBroker || !me.logs || loggers.length > 0) return
  for (let each = 0; each < LOGGERS_EACH; each += 1) loggers.push(new Logger(me.address, toBroker))
}

function fault(on: boolean): void {
  if (!thrash) return
  thrash.knee = on ? THRASHING_KNEE : HEALTHY_KNEE
  if (on) thrash.hold(performance.now() + HOLD_MS)
}

function sums(): { [name: string]: number } {
  const sum: { [name: string]: number } = { ...means.tally, inFlight: thrash?.inFlight ?? 0 }
  for (const logger of loggers) {
    for (const [name, value] of Object.entries(logger.tally)) {
      const field = `loggers.${name}`
      sum[field] = (sum[field] ?? 0) + value
    }
  }
  return sum
}

onCue((cue) => {
  if (cue.type === 'routes') take(cue.routes)
  if (cue.type === 'fault') fault(cue.on)
  if (cue.type === 'tell') report({ type: 'tally', tally: sums() })
})
process.once('SIGTERM', () => process.exit(0))
