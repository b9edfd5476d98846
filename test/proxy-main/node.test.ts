/** Starting and ending, as they cross: in this process, with the real workers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../proxy/config.ts'
import { PLAN_FILE, readKept, writeKept } from '../../proxy/keep.ts'
import { Node } from '../../proxy/node.ts'
import { clock } from '../../runtime/clock.ts'
import { logger } from '../../runtime/log.ts'
import { planText } from './plans.ts'

const machine = { hostname: 'a', cores: 1, env: {} }
const flags = ['--no-control', '--admin', '127.0.0.1:0', '--direct', '127.0.0.1:0=127.0.0.1:9']

t.test('an end that comes before the start is over blames no plan', async (t) => {
  const state = t.testdir({})
  const plan = planText({ revision: 3, holdings: [{}] })
  const text = writeKept({ plan, released: [], poisoned: [] }, clock.wallMs())
  writeFileSync(join(state, PLAN_FILE), text)
  const config = readConfig([...flags, '--state', state, '--workers', '2'], machine)
  const node = new Node(
    config,
    logger('test', () => {}),
    clock,
  )
  const started = node.start().then(
    () => 'started',
    (error) => error.message,
  )
  await node.drain()
  t.match(await started, /started|ended before it was ready/)
  const kept = readKept(readFileSync(join(state, PLAN_FILE), 'utf8'), clock.wallMs())
  t.same(kept.poisoned, [])
  t.equal(kept.plan?.revision, 3)
})
