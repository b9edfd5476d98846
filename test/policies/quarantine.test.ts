/** Quarantine as a table: which calls cross the fence, and what each is told. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import { callOn, sidesOf, World } from './world.ts'

const EDGES = ['web..bad', 'bad..db', 'bad..bad2', 'ops..bad', 'bad..ops', 'web..db']

t.test('quarantine: refuses what crosses the fence in its direction', async (t) => {
  for (const [given, expected] of [
    [{}, 'in out - in out -'],
    [{ settings: { direction: 'in' } }, 'in - - in - -'],
    [{ settings: { direction: 'out' } }, '- out - - out -'],
    [{ settings: { direction: 'both', allow: 'ops' } }, 'in out - - - -'],
    [{ from: 'web' }, 'in - - - - -'],
    [{ from: 'web|db' }, 'in out - - - -'],
  ] as const) {
    const sides = sidesOf({ kind: 'quarantine', to: 'bad*', ...given }, EDGES)
    t.equal(sides, expected, JSON.stringify(given))
  }
})

t.test('quarantine: of everything is no quarantine', async (t) => {
  t.throws(() => sidesOf({ kind: 'quarantine', to: '*' }, EDGES), /'\*' has no outside/)
})

t.test('quarantine: calls into it may be served elsewhere, calls out of it may not', async (t) => {
  const world = new World()
  world.apply({ kind: 'quarantine', to: 'bad' })
  const [into] = world.policies.on(edgeOf('web', 'bad'))
  const [out] = world.policies.on(edgeOf('bad', 'db'))
  t.match(into, { severs: true, side: 'in', existing: 'drain', graceMs: 30_000 })
  t.match(out, { severs: true, side: 'out', existing: 'drain', graceMs: 5000 })
  const entered = world.enter(callOn(edgeOf('web', 'bad'))).passage
  t.match(entered.refusal, { cause: 'quarantine-in', retryAfterMs: 0 })
  const left = world.enter(callOn(edgeOf('bad', 'db'))).passage
  t.match(left.refusal, { cause: 'quarantine-out', retryAfterMs: -1 })
})
