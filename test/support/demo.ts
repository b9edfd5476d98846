/** The demo as a process, what it prints, and whether anything of it is left. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'

const AIRSPACE = new URL('../../cli/main.ts', import.meta.url).pathname
const LOOK_MS = 50

export interface Demo {
  readonly child: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals | null>
  text(): string
}

export function demo(t: Test, ...flags: string[]): Demo {
  // Killed, it cannot clear up after itself.
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  const child = spawn(process.execPath, [AIRSPACE, 'demo', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', TMPDIR: folder },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal))
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  })
  return { child, ended, text: () => text }
}

/** A whole story, judged by its exit code; what it printed is shown when it went wrong. */
export async function holds(t: Test, told: Demo): Promise<void> {
  const exit = await told.ended
  if (exit !== 0) t.comment(told.text())
  t.equal(exit, 0, 'all of it held')
}

export async function until(what: string, mostMs: number, so: () => boolean): Promise<void> {
  const untilMs = performance.now() + mostMs
  while (!so()) {
    if (performance.now() > untilMs) throw new Error(`not within ${mostMs} ms: ${what}`)
    await wait(LOOK_MS)
  }
}

/** Whether processes can be looked up. */
export const knowsProcesses = existsSync('/proc/self/stat')

/** State and parent of a process; undefined when it is gone. */
function statOf(pid: number | string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

export function childrenOf(pid: number): number[] {
  if (!knowsProcesses) return []
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return all.filter((name) => Number(statOf(name)?.[1]) === pid).map(Number)
}

export const isAlive = (pid: number): boolean => (statOf(pid)?.[0] ?? 'Z') !== 'Z'
