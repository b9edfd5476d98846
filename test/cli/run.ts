/** One command of the CLI in this process, with a terminal that keeps what it was told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../cli/main.ts'
import type { FakeControl } from '../support/fake-control.ts'
import { FakeTerminal, type Options } from './fake-terminal.ts'

/** The state folder of all parts: nobody's own tokens are found, and none is left behind. */
export const STATE = mkdtempSync(join(tmpdir(), 'airspace-cli-'))
process.env['XDG_STATE_HOME'] = STATE
process.on('exit', () => rmSync(STATE, { recursive: true, force: true }))

export const OPERATOR = '0f'.repeat(32)
writeToken('control-plane', 'operator.token', OPERATOR)

export function writeToken(part: string, name: string, token: string): string {
  const folder = join(STATE, 'airspace', part)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), `${token}\n`, { mode: 0o600 })
  return join(folder, name)
}

// Times of day are the operator's own; in tests everyone lives in Greenwich.
process.env['TZ'] = 'UTC'

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
  readonly terminal: FakeTerminal
}

/** `words` as after the shell: the first is the program. */
export async function runWith(
  control: FakeControl | undefined,
  words: readonly string[],
  options: Options = {},
): Promise<Ran> {
  const address = control ? { AIRSPACE_CONTROL: control.address } : {}
  const terminal = new FakeTerminal({ ...options, env: { ...address, ...options.env } })
  const exit = await run(words.slice(1), terminal)
  return { stdout: terminal.stdout, stderr: terminal.stderr, exit, terminal }
}

/** Words as a shell splits them, with single quotes and nothing else. */
export function wordsOf(command: string): string[] {
  const words: string[] = []
  for (const [word] of command.matchAll(/(?:'[^']*'|[^\s'])+/g))
    words.push(word.replaceAll("'", ''))
  return words
}
