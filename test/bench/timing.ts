/** How long a call takes in this thread, and how many bytes it leaves to the collector. */
import { getHeapStatistics } from 'node:v8'

export interface Timing {
  readonly ns: number
  readonly bytes: number
}

const allocated = (): number => getHeapStatistics().total_allocated_bytes

function timing(calls: number, start: bigint, before: number): Timing {
  const ns = Number(process.hrtime.bigint() - start) / calls
  return { ns, bytes: (allocated() - before) / calls }
}

/** Calls awaited one after the other, as callers of promises must; warmed up by as many. */
export async function timeCalls(calls: number, call: () => Promise<unknown>): Promise<Timing> {
  for (let warm = 0; warm < calls; warm += 1) await call()
  const before = allocated()
  const start = process.hrtime.bigint()
  for (let done = 0; done < calls; done += 1) await call()
  return timing(calls, start, before)
}

/** `loop` makes so many calls itself, so that calling it costs nothing. */
export function timeLoop(calls: number, loop: (calls: number) => void): Timing {
  loop(calls)
  const before = allocated()
  const start = process.hrtime.bigint()
  loop(calls)
  return timing(calls, start, before)
}
