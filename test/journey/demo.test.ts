/**
 * The README's promise, run: both stories from calm to calm, with nobody there, judged by the exit
 * code. And what must hold however the demo ends: nothing of it stays.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'

const AIRSPACE = new URL('../../cli/main.ts', import.meta.url).pathname
/** The bound on a whole story, with room for a busy machine. */
const STORY_MS = 150_000
const GONE_MS = 15_000

interface Demo {
  readonly child: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals | null>
  text(): string
}

function demo(...flags: string[]): Demo {
  const child = spawn(process.execPath, [AIRSPACE, 'demo', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
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
  t.teardown(() => child.kill('SIGKILL'))
  return { child, ended, text: () => text }
}

async function until(what: string, mostMs: number, so: () => boolean): Promise<void> {
  const untilMs = performance.now() + mostMs
  while (!so()) {
    if (performance.now() > untilMs) throw new Error(`not within ${mostMs} ms: ${what}`)
    await wait(50)
  }
}

/** Processes whose parent is `pid`, as Linux tells them; none elsewhere. */
function childrenOf(pid: number): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
      } catch {
        return false
      }
    })
    .map(Number)
}

const isAlive = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

for (const story of ['logging-storm', 'green-router']) {
  t.test(`the ${story} is seen, remedied and over`, { timeout: STORY_MS }, async (t) => {
    const { ended, text } = demo('--story', story, '--headless', '--assert', '--speed', 'fast')
    const exit = await ended
    if (exit !== 0) t.comment(text())
    t.equal(exit, 0, 'all of it held')
    t.match(text(), /in force on 2 of 2 nodes/, 'the command itself has said that it is in force')
    t.match(text(), /the landscape recovered/)
  })
}

for (const how of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`after ${how} nothing of the demo stays`, { timeout: 60_000 }, async (t) => {
    const { child, ended, text } = demo('--headless')
    await until('the landscape is up', 40_000, () => text().includes('top edges'))
    const parts = childrenOf(child.pid ?? 0)
    if (existsSync('/proc/self/stat')) t.ok(parts.length >= 12, `${parts.length} processes`)
    child.kill(how)
    t.equal(await ended, how === 'SIGINT' ? 130 : how)
    await until('all parts have ended', GONE_MS, () => !parts.some(isAlive))
    t.pass('all have ended')
  })
}

t.test('it ends by itself after --for, and says so', { timeout: 60_000 }, async (t) => {
  const { ended, text } = demo('--headless', '--for', '6s')
  t.equal(await ended, 0)
  t.match(text(), /6 s are over/)
})

t.test('a flag that makes no sense ends it before it starts anything', async (t) => {
  const { ended, text } = demo('--story', 'green-ruter')
  t.equal(await ended, 2)
  t.match(text(), /'green-ruter' is none of/)
  t.match(text(), /--story green-router/)
})
