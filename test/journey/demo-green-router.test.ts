/** A router that swallows everything while all lights are green, from calm to calm. */
import t from 'tap'
import { demo, holds } from '../support/demo.ts'

/** The bound on a whole story, with room for a busy machine. */
const STORY_MS = 150_000

t.test('the green router is seen, remedied and over', { timeout: STORY_MS }, async (t) => {
  const told = demo(t, '--story', 'green-router', '--headless', '--assert', '--speed', 'fast')
  await holds(t, told)
  t.match(told.text(), /in force on 2 of 2 nodes/, 'the command itself has said so')
  t.match(told.text(), /would have refused/, 'and before it what it would do')
  t.match(told.text(), /the landscape recovered/)
})
