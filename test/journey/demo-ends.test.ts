/** However the demo ends, nothing of it stays. */
import t from 'tap'
import { childrenOf, demo, isAlive, knowsProcesses, until } from '../support/demo.ts'

const UP_MS = 40_000
const GONE_MS = 15_000
const TEST_MS = 60_000

for (const how of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`after ${how} nothing of the demo stays`, { timeout: TEST_MS }, async (t) => {
    const { child, ended, text } = demo(t, '--headless')
    await until('the landscape is up', UP_MS, () => text().includes('top edges'))
    const parts = childrenOf(child.pid ?? 0)
    if (knowsProcesses) t.ok(parts.length >= 12, `${parts.length} processes`)
    child.kill(how)
    t.equal(await ended, how === 'SIGINT' ? 130 : how)
    await until('all parts have ended', GONE_MS, () => !parts.some(isAlive))
    t.pass('all have ended')
  })
}

t.test('a part that dies ends it, and is named', { timeout: TEST_MS }, async (t) => {
  const { child, ended, text } = demo(t, '--headless')
  await until('the landscape is up', UP_MS, () => text().includes('top edges'))
  const parts = childrenOf(child.pid ?? 0)
  if (parts.length === 0) return
  process.kill(parts[0] ?? 0, 'SIGKILL')
  t.equal(await ended, 1)
  t.match(text(), /demo: \S+ ended \(SIGKILL\)/)
  t.notOk(parts.some(isAlive))
})

t.test('it ends by itself after --for, and says so', { timeout: TEST_MS }, async (t) => {
  const { ended, text } = demo(t, '--headless', '--for', '6s')
  t.equal(await ended, 0)
  t.match(text(), /6 s are over/)
})

t.test('a flag that makes no sense ends it before it starts anything', async (t) => {
  const { ended, text } = demo(t, '--story', 'green-ruter')
  t.equal(await ended, 2)
  t.match(text(), /'green-ruter' is none of/)
  t.match(text(), /--story green-router/)
})
