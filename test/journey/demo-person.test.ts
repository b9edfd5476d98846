/**
 * What the demo prints to be typed can be typed, and then the demo leaves the acting to a person.
 */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { demo, holds, until } from '../support/demo.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const STORY_MS = 150_000

t.test('a person acts, by pasting what it says', { timeout: STORY_MS }, async (t) => {
  const told = demo(t, '--assert', '--speed', 'fast')
  await until('the command to type', 60_000, () => /then: .*\n/.test(told.text()))
  const typed = /then: (.*)\n/.exec(told.text())?.[1] ?? ''
  t.match(typed, /^AIRSPACE_.* npx airspace backpressure '\*\.\.logbroker' /)
  const { status, stdout, stderr } = spawnSync('sh', ['-c', typed], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 20_000,
  })
  t.equal(status, 0, stderr)
  t.match(stdout + stderr, /in force on 2 of 2 nodes/)
  await holds(t, told)
  t.match(told.text(), /operator has applied \S+; watch it recover/)
  t.notMatch(told.text(), /nobody has acted/)
})
