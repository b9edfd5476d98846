/** `airspace top` on a real screen: drawn in place, led by keys, and the screen given back. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FakeControl } from '../support/fake-control.ts'
import { programOf, ROOT } from '../support/processes.ts'
import { CANNED } from './canned.ts'
import { STATE } from './run.ts'

const WAIT_MS = 15_000
const LOOK_MS = 50

/** A terminal of its own server, so that no other one is touched. */
class Screen {
  readonly #server = `airspace-${process.pid}-${Math.random().toString(36).slice(2)}`

  #tmux(...words: readonly string[]): string {
    const env = { ...process.env, SHELL: '/bin/sh' } // a user may have none that lets in
    return execFileSync('tmux', ['-L', this.#server, ...words], { encoding: 'utf8', env })
  }

  start(columns: number, rows: number, command: string, env: Record<string, string>): void {
    const given = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    const size = ['-x', String(columns), '-y', String(rows)]
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...given, command)
  }

  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  lines(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n')
  }

  /** What is on it, once it has what is looked for. */
  async until(text: RegExp): Promise<string> {
    for (const end = Date.now() + WAIT_MS; Date.now() < end; await wait(LOOK_MS)) {
      const shown = this.lines().join('\n')
      if (text.test(shown)) return shown
    }
    throw new Error(`${text} did not appear in:\n${this.lines().join('\n')}`)
  }

  end(): void {
    this.#tmux('kill-server')
  }
}

async function onScreen(t: Test, columns: number, rows: number): Promise<Screen> {
  const control = await new FakeControl(CANNED['everywhere']).start()
  const screen = new Screen()
  t.teardown(() => {
    screen.end()
    control.stop()
  })
  const main = join(ROOT, 'cli', 'main.ts')
  const command = `'${process.execPath}' '${main}' top; echo "ended with $?"; exec cat`
  screen.start(columns, rows, command, {
    AIRSPACE_CONTROL: control.address,
    XDG_STATE_HOME: STATE,
    LC_ALL: 'C.UTF-8',
  })
  return screen
}

const skip = !programOf('tmux') && 'no tmux here'

for (const [columns, rows] of [
  [80, 24],
  [200, 50],
] as const) {
  t.test(`at ${columns}x${rows}`, { skip }, async (t) => {
    const screen = await onScreen(t, columns, rows)
    const first = await screen.until(/web → payments/)
    t.match(first, /^top edges · window 10 s · sort p99 · 2\/2 nodes, 0\.8 s old/)
    t.match(first, /web → catalog/)
    screen.press('/', 'p', 'a', 'y', 'Enter')
    const filtered = await screen.until(/old · \/pay(?!_)/)
    t.notMatch(filtered, /web → catalog/)
    screen.press('s')
    await screen.until(/sort inflight/)
    screen.press('?')
    await screen.until(/any key goes back/)
    screen.press('x')
    await screen.until(/web → payments/)
    screen.press('q')
    const ended = await screen.until(/ended with 0/)
    t.notMatch(ended, /top edges/, 'what was there before is there again')
  })
}

t.test('an interrupt gives the screen back too', { skip }, async (t) => {
  const screen = await onScreen(t, 80, 24)
  await screen.until(/web → payments/)
  screen.press('C-c')
  t.notMatch(await screen.until(/ended with \d+/), /top edges/)
})
