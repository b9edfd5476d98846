/**
 * The log broker: one process, one disk, two ports. `logbroker` takes log lines, `journal` takes
 * the records that an order waits for. Every byte is written before anything else is read, as a
 * broker with one log directory and synchronous appends does, so whoever comes second waits for
 * the disk.
 *
 * Its fault: the log topic loses its leader now and then. Loggers are refused meanwhile, and told
 * all at once when there is one again. The journal never loses its leader: it only waits.
 */
import { createServer, type Socket } from 'node:net'
import { onCue, report, type Tally } from './cue.ts'
import { FrameReader, frame, HEAD_BYTES, KEPT, LEADER, RECORD, REFUSED } from './frame.ts'
import { BROKER, roleOf } from './roster.ts'

/** What the disk takes. A write blocks the process for as long as the disk needs. */
const DISK_BYTES_PER_MS = 10_000
/** Shorter waits are saved up: the operating system cannot wait less. */
const LEAST_WAIT_MS = 0.5
const WITHOUT_LEADER_MS = 1_300
const WITH_LEADER_MS = 2_200

const never = new Int32Array(new SharedArrayBuffer(4))
const loggers = new Set<Socket>()
const tally = { keptBytes: 0, refusedRecords: 0, journalRecords: 0, connections: 0 }
let owedMs = 0
let leader = true
let flapping: NodeJS.Timeout | undefined

function append(bytes: number): void {
  tally.keptBytes += bytes
  owedMs += bytes / DISK_BYTES_PER_MS
  if (owedMs < LEAST_WAIT_MS) return
  Atomics.wait(never, 0, 0, owedMs)
  owedMs = 0
}

function serve(socket: Socket, take: (kind: number, length: number) => void): void {
  const reader = new FrameReader(take)
  tally.connections += 1
  socket.setNoDelay(true)
  socket.on('data', (bytes) => reader.read(bytes as Buffer))
  socket.on('error', () => socket.destroy())
}

const logs = createServer((socket) => {
  loggers.add(socket)
  socket.on('close', () => loggers.delete(socket))
  serve(socket, (kind, length) => {
    if (kind !== RECORD) return
    if (leader) append(length + HEAD_BYTES)
    else tally.refusedRecords += 1
    socket.write(frame(leader ? KEPT : REFUSED, length))
  })
})

const journal = createServer((socket) => {
  serve(socket, (kind, length) => {
    if (kind !== RECORD) return
    tally.journalRecords += 1
    append(length + HEAD_BYTES)
    socket.write(frame(KEPT, length))
  })
})

function flap(): void {
  leader = !leader
  if (leader) for (const socket of loggers) socket.write(frame(LEADER, 0))
  flapping = setTimeout(flap, leader ? WITH_LEADER_MS : WITHOUT_LEADER_MS)
}

function fault(on: boolean): void {
  clearTimeout(flapping)
  if (on || !leader) flap()
  if (!on) clearTimeout(flapping)
}

const portOf = (server: typeof logs): number => {
  const bound = server.address()
  return typeof bound === 'object' && bound ? bound.port : 0
}

const { address } = roleOf(BROKER)
let listening = 0
const ready = (): void => {
  listening += 1
  if (listening < 2) return
  report({ type: 'listening', ports: { logbroker: portOf(logs), journal: portOf(journal) } })
}
for (const server of [logs, journal]) {
  server.on('error', (error) => report({ type: 'failed', reason: error.message }))
  server.listen(0, address, ready)
}

onCue((cue) => {
  if (cue.type === 'fault') fault(cue.on)
  if (cue.type === 'tell') report({ type: 'tally', tally: { ...tally } satisfies Tally })
})
process.once('SIGTERM', () => process.exit(0))
