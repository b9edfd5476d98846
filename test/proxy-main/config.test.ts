/** What the proxy is told: flags over variables over defaults, and complaints that help. */
import t from 'tap'
import { readConfig } from '../../proxy/config.ts'
import { CONNECTIONS_MAX, descriptorsMax, limitsOf } from '../../proxy/limits.ts'

const machine = (env: Record<string, string> = {}, cores = 2) => ({
  hostname: 'host-1',
  cores,
  env,
})
const direct = ['--direct', '127.0.0.1:0=127.0.0.1:9000']

t.test('defaults need nothing but something to carry', async (t) => {
  const config = readConfig(direct, machine())
  t.match(config, {
    node: 'host-1',
    control: { host: '127.0.0.1', port: 7400 },
    workers: 2,
    admin: { host: '127.0.0.1', port: 7402 },
    drainMs: 30_000,
    faults: false,
  })
  t.match(config.tokenFile, /control-plane\/node\.token$/)
  t.same(config.direct, [
    { listen: { host: '127.0.0.1', port: 0 }, target: { host: '127.0.0.1', port: 9000 } },
  ])
  t.equal(
    readConfig(direct, machine({}, 64)).workers,
    15,
    'no more workers than cells have room for',
  )
})

t.test('flags win over variables, variables over defaults', async (t) => {
  const env = {
    AIRSPACE_NODE: 'n',
    AIRSPACE_WORKERS: '3',
    AIRSPACE_TOKEN_FILE: '/t',
    AIRSPACE_DIRECT: '127.0.0.1:1=a.example:2,service=pay [::1]:3=[::2]:4',
    AIRSPACE_DRAIN: '5s',
    AIRSPACE_FAULTS: '1',
  }
  const config = readConfig(['--workers', '1', '--no-control'], machine(env))
  t.match(config, { node: 'n', workers: 1, tokenFile: '/t', drainMs: 5000, faults: true })
  t.equal(config.control, undefined)
  t.same(config.direct[0], {
    listen: { host: '127.0.0.1', port: 1 },
    target: { host: 'a.example', port: 2 },
    service: 'pay',
  })
  t.same(config.direct[1]?.target, { host: '::2', port: 4 })
  const alone = readConfig(direct, machine({ AIRSPACE_NO_CONTROL: '1' }))
  t.equal(alone.control, undefined)
})

t.test('complaints name the setting, what was given and what would do', async (t) => {
  const table: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /nothing to carry: give --direct/],
    [[...direct, '--workers', '16'], {}, /^--workers: '16' is not between 1 and 15$/],
    [[...direct, '--workers', '1.5'], {}, /^--workers: '1.5' is not/],
    [direct, { AIRSPACE_WORKERS: 'many' }, /^AIRSPACE_WORKERS: 'many' is not between/],
    [[...direct, '--node', 'a b'], {}, /^--node: 'a b' is not a name/],
    [[...direct, '--node', 'x'.repeat(254)], {}, /^--node: /],
    [[...direct, '--drain', '30'], {}, /^--drain: '30' is not a duration, such as 30s$/],
    [[...direct, '--drain', '2h'], {}, /^--drain: '2h' is more than 1h$/],
    [[...direct, '--control', 'here'], {}, /^--control: 'here' is not HOST:PORT/],
    [
      [...direct, '--control', '10.0.0.1:7400'],
      {},
      /^--control: '10.0.0.1:7400' is not on loopback/,
    ],
    [[...direct, '--admin', '0.0.0.0:1'], {}, /^--admin: '0.0.0.0:1' is not on loopback/],
    [[...direct, '--admin', '127.0.0.1:99999'], {}, /^--admin: '127.0.0.1:99999' is not HOST:PORT/],
    [[...direct, '--control', '127.0.0.1:1', '--no-control'], {}, /give one of them$/],
    [['--direct', '127.0.0.1:1=127.0.0.1'], {}, /^--direct: '127.0.0.1' is not HOST:PORT/],
    [['--direct', 'a.example:1=b:2'], {}, /'a.example' is not an address to listen on/],
    [['--direct', '127.0.0.1:1=b:0'], {}, /has no port to forward to/],
    [['--direct', '127.0.0.1:1=b:2,svc=x'], {}, /is not LISTEN=TARGET\[,service=NAME\], such as/],
    [
      ['--direct', '127.0.0.1:1=b:2', '--direct', '127.0.0.1:1=b:3'],
      {},
      /127.0.0.1:1 is given twice/,
    ],
    [[...direct, '--wrokers', '2'], {}, /'--wrokers'.*--workers\?$/],
    [[...direct, 'extra'], {}, /extra/],
    [[...direct, '--node'], {}, /--node/],
  ]
  for (const [argv, env, complaint] of table) {
    t.throws(() => readConfig(argv, machine(env)), { name: 'RangeError', message: complaint })
  }
})

t.test('connections are bounded by half of the descriptors', async (t) => {
  t.same(limitsOf(1128, 2), { connectionsMax: 250 })
  t.same(limitsOf(Infinity, 4), { connectionsMax: CONNECTIONS_MAX / 4 })
  t.same(limitsOf(10, 2), { connectionsMax: 16 }, 'a few there must be')
  const said = 'Limit   Soft Limit  Hard Limit  Units\nMax open files   256   4096   files\n'
  t.equal(
    descriptorsMax(() => said),
    256,
  )
  t.equal(
    descriptorsMax(() => {
      throw new Error('not Linux')
    }),
    Infinity,
  )
})
