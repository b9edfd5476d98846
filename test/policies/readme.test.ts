/** The pattern that policies/README.md teaches by works as it stands there. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Pattern } from '../../policies/pattern.ts'
import { callOn, stateOf } from './world.ts'

const ROOM = new URL('../../policies/', import.meta.url)

t.test('readme: its example lets one call in so many through', async (t) => {
  const text = readFileSync(new URL('README.md', ROOM), 'utf8')
  const [, code] = /```ts\n(.*?)```/s.exec(text)!
  const file = join(t.testdir(), 'thin.ts')
  writeFileSync(file, code!.replaceAll("from './", `from '${ROOM.href}`))
  const { thin } = (await import(pathToFileURL(file).href)) as { thin: Pattern }
  const { state, settings } = stateOf(thin, { oneIn: 3 })
  const letters = Array.from(
    { length: 7 },
    () => thin.admit(state, settings, callOn(), 0).verdict[0],
  )
  t.equal(letters.join(''), 'prrprrp')
  t.throws(() => stateOf(thin, { oneIn: 0 }), /0 is not between 1 and 1000/)
})
