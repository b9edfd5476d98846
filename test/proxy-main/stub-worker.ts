/**
 * A worker that carries nothing and does as it is told, to see what main makes of it. How it
 * is to behave is in the directory, which every worker of a crew gets.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerStart } from '../../proxy/thread.ts'

const start = workerData as WorkerStart & { readonly directory?: { readonly manner?: string } }
const manner = start.directory?.manner ?? ''
const port = parentPort!
const say = (message: FromWorker): void => port.postMessage(message)
const note = (msg: string): void => say({ type: 'log', level: 'info', msg })

port.on('message', (message: ToWorker) => {
  if (message.type === 'plan') {
    note(`plan ${message.epoch}`)
    if (manner === 'deaf' && message.epoch > 1) return
    say({ type: 'taken', epoch: message.epoch })
  } else if (message.type === 'drain') {
    if (manner !== 'stubborn') say({ type: 'drained', severed: 0 })
  } else if (message.type === 'recall') {
    if (start.worker === 1 && manner === 'mute') return
    const none = { edges: [], edge: new Uint32Array(), facts: new Uint8Array(), forgotten: 0 }
    const times = { startMs: new Float64Array(), tookMs: new Float64Array() }
    const rest = { patienceMs: new Float64Array(), chance: new Float32Array() }
    say({ type: 'recalled', id: message.id, ...none, ...times, ...rest })
  } else if (message.type === 'crash') {
    if (message.how === 'heap') {
      const hoard: number[][] = []
      for (;;) hoard.push(new Array(100_000).fill(1))
    }
    throw new Error('asked to')
  } else if (message.type === 'directory') {
    note(`directory ${(message.directory as { manner?: string }).manner}`)
  }
})

if (manner === 'stillborn' && start.bound && start.bound.intents.length > 0) {
  throw new Error('cannot bear this plan')
}
if (start.bound) say({ type: 'taken', epoch: start.bound.epoch })
say({ type: 'listening', ports: [] })
note(`begun with ${start.bound?.epoch ?? 'nothing'} ${manner}`)
