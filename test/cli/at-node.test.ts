/** Break-glass: one proxy is asked directly, through its own admin port, with its own token. */
import { join } from 'node:path'
import t from 'tap'
import { Access } from '../../proxy/access.ts'
import { Admin, type Office } from '../../proxy/admin.ts'
import { logger } from '../../runtime/log.ts'
import { runWith, STATE, wordsOf, writeToken } from './run.ts'

const inForce = new Set(['bh-91c', 'br-2f0'])

const office: Office = {
  isReady: () => true,
  ready: () => ({ ready: true }),
  plan: () => ({
    ledger: 'a1b2',
    revision: 17,
    patterns: [...inForce].map((id) => ({
      id,
      kind: 'bulkhead',
      text: 'bulkhead web..payments maxInFlight=60',
      from: 'web',
      to: 'payments',
      state: 'in force',
      remainingMs: 660_000,
      inFlight: 58,
      reason: 'INC-2231',
    })),
  }),
  edges: () => ({
    edges: ['web', 'batch'].map((source) => ({
      source,
      target: 'payments',
      started: 9_310,
      succeeded: 9_000,
      failed: 90,
      refused: 412,
      inFlight: 58,
      connectionsOpen: 4,
      bytesIn: 1_000_000,
      bytesOut: 3_250_000,
      p50Ms: 41,
      p99Ms: null,
      idleMs: 12,
    })),
  }),
  metrics: async () => ({ type: 'text/plain', text: '' }),
  release: async (id) => {
    const ids = id === undefined ? [...inForce] : [...inForce].filter((each) => each === id)
    for (const each of ids) inForce.delete(each)
    return ids
  },
  fault: undefined,
}

const folder = join(STATE, 'airspace', 'proxy')
const access = new Access(folder, join(STATE, 'airspace', 'control-plane', 'node.token'))
const admin = new Admin(
  { host: '127.0.0.1', port: 0 },
  access,
  office,
  logger('test', () => {}),
)
const address = await admin.listen()
t.teardown(() => admin.close())

const at = async (command: string) => {
  const { stdout, stderr, exit } = await runWith(undefined, [
    ...wordsOf(`airspace ${command}`),
    '--at-node',
    address,
  ])
  return {
    stdout: stdout.replaceAll(address, 'NODE'),
    stderr: stderr.replaceAll(address, 'NODE'),
    exit,
  }
}

t.test('its part of the landscape', async (t) => {
  const { stdout, exit } = await at('get edges web..payments')
  t.equal(exit, 0)
  t.equal(
    stdout,
    [
      'edges of the node at NODE alone · counts since it started',
      'SOURCE → TARGET  STARTED   p50  p99  INFL  OPEN      IN     OUT  FAIL  REFUSED   IDLE',
      'web → payments     9,310  41ms    -    58     4  977KiB  3.1MiB  1.0%     4.2%  12 ms',
      '',
    ].join('\n'),
  )
  const { items } = JSON.parse((await at('get edges -o json')).stdout)
  t.equal(items.length, 2)
  t.equal(items[0].p99Ms, null)
})

t.test('labels are for the control plane to know', async (t) => {
  const { stderr, exit } = await at("get edges 'tier=1..payments'")
  t.match(stderr, 'a single node is asked by names, not by labels')
  t.equal(exit, 2)
})

t.test('what it enforces', async (t) => {
  const { stdout } = await at('get patterns')
  t.match(stdout, 'patterns of the node at NODE alone · revision 17')
  t.match(stdout, /^bh-91c +bulkhead +web → payments .* in force +58 +11 m +INC-2231$/m)
})

t.test('a release, and one that is not there: what was done is told', async (t) => {
  const ran = await at('release bh-91c bh-000')
  t.equal(ran.stdout, 'released bh-91c at NODE alone, at once\n')
  t.match(ran.stderr, "'bh-000' is not in force on this node")
  t.equal(ran.exit, 3)
  t.equal((await at('release --all')).stdout, 'released br-2f0 at NODE alone, at once\n')
  t.equal((await at('release --all')).stdout, 'nothing was released at NODE\n')
})

t.test("another's token is not let in, the operator's own machine is", async (t) => {
  const stranger = writeToken('elsewhere', 'x.token', 'ab'.repeat(32))
  const { stderr, exit } = await at(`get patterns --token-file ${stranger}`)
  t.equal(exit, 7)
  t.match(stderr, 'admin.token')
  const operator = join(STATE, 'airspace', 'control-plane', 'operator.token')
  t.equal((await at(`get patterns --token-file ${operator}`)).exit, 0)
})

t.test("the token found first may be another node's: then the operator's is tried", async (t) => {
  const own = writeToken('proxy', 'admin.token', 'de'.repeat(32))
  t.equal((await at('get patterns')).exit, 0)
  t.equal((await at(`get patterns --token-file ${own}`)).exit, 7, 'one that is named is the one')
})

t.test('a node that is gone, one far away, and what it cannot be asked', async (t) => {
  const gone = await runWith(undefined, wordsOf('airspace get edges --at-node 127.0.0.1:1'))
  t.equal(gone.exit, 8)
  t.match(gone.stderr, 'the node at 127.0.0.1:1 does not answer')
  const far = await runWith(undefined, wordsOf('airspace release --all --at-node 10.0.0.5:7402'))
  t.equal(far.exit, 2)
  t.match(far.stderr, 'a token does not travel in the clear')
  t.equal((await at('get nodes')).exit, 2)
  t.equal((await at('release --edge web..payments')).exit, 2)
})
