/** Segmentation as a table: which calls cross the border. */
import t from 'tap'
import { edgeOf } from '../../landscape/edge.ts'
import { readIntent } from '../../policies/intent.ts'
import { callOn, intentText, sidesOf, World } from './world.ts'

const EDGES = ['web..pay', 'pay..web', 'web..web', 'pay..db', 'job..db', 'job..pay']

t.test('segment: covers the calls that cross the border, and no others', async (t) => {
  for (const [from, to, settings, expected] of [
    ['web', 'pay', { action: 'deny' }, 'on - - - - -'],
    ['web|job', '*', { action: 'deny' }, 'on - on - on on'],
    ['*', 'pay|db', { action: 'deny', allow: 'pay' }, '- - - - on -'],
    ['web', 'pay', { action: 'allow' }, '- - - - - in'],
    ['web', 'pay|db', { action: 'allow' }, '- - - - in in'], // pay..db is within
    ['web', 'pay|db', { action: 'allow', allow: 'job' }, '- - - - - -'],
    ['pay|db', '*', { action: 'isolate' }, 'in out - - in in'],
    ['pay|db', 'web', { action: 'isolate' }, 'in out - - - -'],
    ['pay|db', '*', { action: 'isolate', allow: 'web' }, '- - - - in in'],
  ] as const) {
    const sides = sidesOf({ kind: 'segment', from, to, settings }, EDGES)
    t.equal(sides, expected, `${settings.action} ${from}..${to}`)
  }
})

t.test('segment: a border that would refuse nothing is not drawn', async (t) => {
  for (const [given, complaint] of [
    [{ from: 'web', to: 'web', settings: { action: 'isolate' } }, /refuses nothing/],
    [{ from: 'web', to: '*', settings: { action: 'allow' } }, /has no outside/],
  ] as const) {
    t.throws(() => readIntent(intentText({ kind: 'segment', ...given })), complaint)
  }
})

t.test('segment: refuses for good, and ends what is under way', async (t) => {
  const world = new World()
  world.apply({ kind: 'segment', from: 'web', to: 'pay' })
  const [policy] = world.policies.on(edgeOf('web', 'pay'))
  t.match(policy, { severs: true, existing: 'drain', graceMs: 5000 })
  const { verdict, passage } = world.enter(callOn(edgeOf('web', 'pay')))
  t.equal(verdict, 'refuse')
  t.match(passage.refusal, { cause: 'segment', retryAfterMs: -1 })
  t.equal(world.enter(callOn(edgeOf('pay', 'web'))).verdict, 'pass')
})
