/**
 * The end of a process that is asked to end: it accepts nothing more, what is under way has a grace
 * to end in, what was counted is brought home, and the control plane hears that its shares are
 * free.
 */
import type { Log } from '../runtime/log.ts'
import type { Crew } from './crew.ts'
import type { Descriptors } from './descriptors.ts'
import type { Follower } from './follow.ts'
import type { Link } from './link.ts'
import type { Reporter } from './report.ts'

/** The last windows are brought home in this time, or by the next process: they are on disk. */
const FAREWELL_MS = 2_000

export interface Ending {
  readonly descriptors: Descriptors
  readonly crew: Crew
  readonly follower: Follower
  readonly reporter: Reporter
  readonly link: Link | undefined
  /** Counts and keeps what has been since the last second. */
  readonly lastCut: () => void
  readonly log: Log
}

export async function drain(ending: Ending, graceMs: number): Promise<void> {
  const { descriptors, crew, follower, reporter, link, log } = ending
  log.info('draining', { graceMs })
  // Main's own descriptors too: as long as one is there the kernel goes on queueing.
  descriptors.close()
  await crew.drain(graceMs)
  ending.lastCut()
  if (link?.following) {
    reporter.send()
    await within(reporter.empty(), FAREWELL_MS)
    follower.goodbye()
  }
}

async function within(promise: Promise<void>, waitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
