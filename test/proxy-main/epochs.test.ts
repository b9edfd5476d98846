/** Only what is certain: a share must not be handed on while its holder may still use it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  EPOCHS_FILE,
  EPOCHS_MAX,
  enterEpoch,
  isGone,
  type Machine,
  thisMachine,
} from '../../proxy/epochs.ts'
import { logger } from '../../runtime/log.ts'

const quiet = logger('test', () => {})
const machine: Machine = {
  boot: 'b1',
  namespace: 'n1',
  started: (pid) => (pid === 10 ? '555' : undefined),
}
const process10 = { epoch: '1', pid: 10, started: '555', boot: 'b1', namespace: 'n1' }

t.test('a process is gone only when that is certain', async (t) => {
  const table: [string, object, boolean][] = [
    ['it runs', {}, false],
    ['no process of that number', { pid: 11 }, true],
    ['the number is taken by a later process', { started: '1' }, true],
    ['the machine has started again', { boot: 'b0' }, true],
    ['another container: its numbers mean nothing here', { namespace: 'n0', pid: 11 }, false],
    ['it was found gone before', { ended: true }, true],
    ['the boot is not known', { boot: '' }, false],
  ]
  for (const [name, change, gone] of table) {
    t.equal(isGone({ ...process10, ...change }, machine), gone, name)
  }
})

t.test('each start tells which starts before it have ended', async (t) => {
  const folder = t.testdir()
  t.same(enterEpoch(folder, 1n, quiet, machine, 11), [])
  t.same(enterEpoch(folder, 2n, quiet, machine, 10), [1n], 'number 11 was never there')
  t.same(enterEpoch(folder, 3n, quiet, machine, 12), [1n], 'number 10 still runs')
})

t.test('the list is bounded, and a damaged one is as none', async (t) => {
  const folder = t.testdir()
  for (let i = 0; i < EPOCHS_MAX + 5; i++) enterEpoch(folder, BigInt(i), quiet, machine, 11)
  t.equal(enterEpoch(folder, 99n, quiet, machine, 11).length, EPOCHS_MAX)
  writeFileSync(join(folder, EPOCHS_FILE), '[{"epoch":')
  t.same(enterEpoch(folder, 100n, quiet, machine, 11), [])
})

t.test('a real process is there until it has ended', async (t) => {
  const child = spawn('sleep', ['60'])
  const pid = child.pid!
  const { boot, namespace } = thisMachine
  const known = { epoch: '1', pid, started: thisMachine.started(pid) ?? '', boot, namespace }
  t.equal(isGone(known, thisMachine), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(isGone(known, thisMachine), true)
})
