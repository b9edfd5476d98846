/**
 * Runs the transcripts beside it, each command against a real gRPC server with canned answers:
 *
 *   # a remark                       with NAME: the situation, see canned.ts
 *   $ airspace ...                   what is typed
 *   > standard output                ! standard error                = exit code
 *
 * `REWRITE=1` writes down what came of the commands now: read the diff before you commit it.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { VERSION } from '../../cli/version.ts'
import { FakeControl } from '../support/fake-control.ts'
import { CANNED } from './canned.ts'
import { runWith, STATE, wordsOf } from './run.ts'

const OUTPUT = /^[>!=]/

const prefixed = (prefix: string, text: string): string[] =>
  text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((row) => `${prefix} ${row}`.trimEnd())

async function replay(text: string, control: FakeControl): Promise<string> {
  const lines: string[] = []
  for (const row of text.split('\n')) {
    if (OUTPUT.test(row)) continue
    lines.push(row)
    if (row.startsWith('with ')) {
      const name = row.slice('with '.length)
      const script = CANNED[name]
      if (!script) throw new Error(`there is no situation '${name}' in canned.ts`)
      control.script = { ...CANNED['everywhere'], ...script }
    }
    if (!row.startsWith('$ ')) continue
    const { stdout, stderr, exit } = await runWith(control, wordsOf(row.slice(2)))
    lines.push(...prefixed('>', stdout), ...prefixed('!', stderr), `= ${exit}`)
  }
  return lines
    .join('\n')
    .replaceAll(control.address, '127.0.0.1:7400')
    .replaceAll(STATE, '~/.local/state')
    .replaceAll(`Node ${process.versions.node}`, 'Node 26.10.0')
    .replaceAll(new RegExp(`\\b(?<=(airspace|version) )${VERSION}\\b`, 'g'), '0.1.0')
}

const folder = import.meta.dirname

for (const path of globSync(join(folder, '*.txt')).sort()) {
  t.test(`transcript ${basename(path)}`, async (t) => {
    const control = await new FakeControl(CANNED['everywhere']).start()
    t.teardown(() => control.stop())
    const written = readFileSync(path, 'utf8')
    const replayed = await replay(written, control)
    if (process.env['REWRITE']) writeFileSync(path, replayed)
    else t.equal(replayed, written)
  })
}
