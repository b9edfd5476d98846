/** The README's promise, run: a storm of log lines, from calm to calm, with nobody there. */
import t from 'tap'
import { demo, holds } from '../support/demo.ts'

/** The bound on a whole story, with room for a busy machine. */
const STORY_MS = 150_000

t.test('the logging storm is seen, remedied and over', { timeout: STORY_MS }, async (t) => {
  const told = demo(t, '--headless', '--assert', '--speed', 'fast')
  await holds(t, told)
  t.match(told.text(), /in force on 2 of 2 nodes/, 'the command itself has said so')
  t.match(told.text(), /18 made, 0 lost/, 'loggers are paced and never cut')
  t.match(told.text(), /the landscape recovered/)
})
