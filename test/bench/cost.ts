/**
 * What a process has used of a processor, all its threads together. The scheduler's own count is
 * exact to the nanosecond; user and system time apart come in ticks, so they only share it out.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Cost {
  readonly userUs: number
  readonly systemUs: number
  readonly totalUs: number
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** The nanoseconds on a processor of every thread there is now; undefined where it is not told. */
function scheduledUs(pid: number): number | undefined {
  try {
    let sum = 0
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    }
    return sum / 1000
  } catch {
    return undefined
  }
}

export function costOf(pid: number): Cost {
  // The name in parentheses may hold anything: fields are counted from its end. proc(5).
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const userUs = (Number(fields[11]) / ticksPerSecond) * 1e6
  const systemUs = (Number(fields[12]) / ticksPerSecond) * 1e6
  return { userUs, systemUs, totalUs: scheduledUs(pid) ?? userUs + systemUs }
}

/** From one reading to the next; the exact total, shared out as the ticks say. */
export function costSince(before: Cost, now: Cost): Cost {
  const totalUs = now.totalUs - before.totalUs
  const user = now.userUs - before.userUs
  const system = now.systemUs - before.systemUs
  const share = user + system > 0 ? user / (user + system) : 0
  return { totalUs, userUs: totalUs * share, systemUs: totalUs * (1 - share) }
}
