/**
 * Programs that everybody has, through --direct and beside it: what they print is compared by
 * hash, and so is how they end. Afterwards their edges are in the landscape.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startBodies } from '../support/bodies.ts'
import { startPostgres, startRedis } from '../support/databases.ts'
import { edgeSums } from '../support/edges.ts'
import { Fleet } from '../support/fleet.ts'
import { programOf } from '../support/processes.ts'

const BIG_BYTES = 100 * 1024 * 1024

interface Command {
  readonly what: string
  readonly program: string
  /** `host` and `port` are where the target is, or the proxy before it. */
  readonly args: (host: string, port: string) => readonly string[]
  readonly stdin?: string
  /** What of the output is the same in every run; all of it, unless said. */
  readonly same?: (out: string) => string
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Runs it against the target and against the proxy: nobody may see a difference. */
async function same(
  t: Test,
  fleet: Fleet,
  command: Command,
  [direct, proxied]: readonly [string, string],
): Promise<void> {
  const { what, program, args, stdin, same = (out) => out } = command
  const [straight, through] = await Promise.all(
    [direct, proxied].map(async (address) => {
      const [host = '', port = ''] = address.split(':')
      const path = programOf(program)!
      return fleet.processes.run(path, args(host, port), stdin === undefined ? {} : { stdin })
    }),
  )
  t.equal(through!.exit?.code, straight!.exit?.code, `${what}: exit code\n${through!.err}`)
  t.ok(straight!.out.length > 0, `${what}: it says something`)
  t.equal(hash(same(through!.out)), hash(same(straight!.out)), `${what}: output by hash`)
}

/** One target behind one proxy of a fleet, and what the landscape must say of it at the end. */
async function behind(t: Test, fleet: Fleet, target: string, service: string): Promise<string> {
  t.teardown(() => fleet.end())
  await fleet.startControlPlane()
  const proxy = await fleet.startProxy({ node: 'a', workers: 2, direct: [{ target, service }] })
  return proxy.listens[0]!
}

/** The landscape comes in windows of a second. */
async function edgeOf(fleet: Fleet, edge: string, started: number) {
  let sums = await edgeSums(fleet, edge)
  for (let tries = 0; tries < 20 && sums.started < started; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    sums = await edgeSums(fleet, edge)
  }
  return sums
}

const missing = (...programs: string[]): string | false => {
  const name = programs.find((program) => programOf(program) === undefined)
  return name === undefined ? false : `${name} is not installed`
}

t.setTimeout(100_000) // a landscape takes its time to start where others work too

t.test('curl cannot tell', { skip: missing('curl') }, async (t) => {
  const fleet = new Fleet()
  const bodies = await startBodies()
  t.teardown(() => bodies.close())
  const proxied = await behind(t, fleet, bodies.address, 'bodies')
  const big = join(fleet.folder, 'big')
  writeFileSync(big, Buffer.alloc(BIG_BYTES, 'all work and no play makes a dull boy. '))
  const small = join(fleet.folder, 'small')
  writeFileSync(small, Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz'))
  const at = (host: string, port: string, path: string): string => `http://${host}:${port}${path}`
  const curl = (what: string, path: string, ...words: string[]): Command => ({
    what,
    program: 'curl',
    // Headers too. A proxy that swallowed the 100 would leave curl waiting until it gives up.
    args: (host, port) => [
      ...['-sS', '-i', '-H', 'host: bodies', '--expect100-timeout', '60', '--max-time', '40'],
      ...[...words, at(host, port, path)],
    ],
  })
  const commands = [
    curl('POST of 100 MB', '/hash', '--data-binary', `@${big}`),
    curl('chunked upload', '/hash', '-T', small, '-H', 'transfer-encoding: chunked'),
    curl('HEAD', '/bytes/123456', '-I'),
    curl('Expect', '/hash', '--data-binary', `@${small}`, '-H', 'expect: 100-continue'),
    curl(
      'Expect, refused by the target',
      '/refuse',
      '--data-binary',
      `@${small}`,
      '-H',
      'expect: 100-continue',
    ),
    curl('a body with a length', '/bytes/1000000'),
    curl('a chunked answer', '/chunked/1000000'),
    curl('an answer that ends with its connection', '/until-close/100000'),
    curl('HTTP/1.0', '/bytes/1000', '--http1.0'),
    curl('an answer cut short', '/cut/1000'),
    curl('no body at all', '/status/204'),
  ]
  const pair = [bodies.address, proxied] as const
  for (const command of commands) await same(t, fleet, command, pair)

  const sums = await edgeOf(fleet, '*..bodies', commands.length)
  t.equal(sums.started, commands.length, 'every request is on its edge')
  t.strictSame(sums.protocols, ['http1'])
  t.equal(sums.failed, 1, 'and so is the one that was cut short')
})

const PYTHON = `
import http.client, hashlib, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=30)
for turn in range(20):
    connection.request('GET', '/bytes/%d' % (turn * 1000), headers={'host': 'bodies'})
    answer = connection.getresponse()
    print(answer.status, hashlib.sha256(answer.read()).hexdigest())
    body = (b'%d' % turn for _ in range(100))
    connection.request('POST', '/hash', body, headers={'host': 'bodies'}, encode_chunked=True)
    answer = connection.getresponse()
    print(answer.status, answer.getheaders(), answer.read())
    connection.request('HEAD', '/chunked/1000', headers={'host': 'bodies'})
    answer = connection.getresponse()
    print(answer.status, answer.getheaders(), answer.read())
`

t.test("Python's http.client cannot tell", { skip: missing('python3') }, async (t) => {
  const fleet = new Fleet()
  const bodies = await startBodies()
  t.teardown(() => bodies.close())
  const proxied = await behind(t, fleet, bodies.address, 'bodies')
  const command: Command = {
    what: 'sixty requests on one connection',
    program: 'python3',
    args: (host, port) => ['-c', PYTHON, host, port],
  }
  await same(t, fleet, command, [bodies.address, proxied])
  const sums = await edgeOf(fleet, '*..bodies', 60)
  t.equal(sums.started, 60, 'every request is on its edge')
  t.equal(sums.connections, 1, 'on one connection')
})

const redis = missing('redis-server', 'redis-benchmark', 'redis-cli')

t.test('Redis and its clients cannot tell', { skip: redis }, async (t) => {
  const fleet = new Fleet()
  const address = await startRedis(fleet.processes, fleet.folder)
  const proxied = await behind(t, fleet, address, 'redis')
  const cli = (what: string, words: string[], stdin = ''): Command => ({
    what,
    program: 'redis-cli',
    args: (host, port) => ['-h', host, '-p', port, ...words],
    stdin,
  })
  const pair = [address, proxied] as const
  await same(t, fleet, cli('a value of 1 MB, in', ['-x', 'set', 'k'], 'v'.repeat(1e6)), pair)
  await same(t, fleet, cli('the same, out', ['get', 'k']), pair)
  await same(t, fleet, cli('a word it does not know', ['nonsense']), pair)
  const benchmark: Command = {
    what: 'redis-benchmark',
    program: 'redis-benchmark',
    args: (host, port) => ['-h', host, '-p', port, '-n', '3000', '-c', '20', '-P', '4', '--csv'],
    // Names of what it ran; the times are its own affair.
    same: (out) => out.replace(/,.*$/gm, ''),
  }
  await same(t, fleet, benchmark, pair)
  const sums = await edgeOf(fleet, '*..redis', 23)
  t.ok(sums.connections >= 23, `its connections are on an edge: ${sums.connections}`)
  t.strictSame(sums.protocols, ['opaque'])
})

t.test('psql cannot tell', { skip: missing('psql') }, async (t) => {
  const fleet = new Fleet()
  const address = await startPostgres(fleet.processes, t)
  if (address === undefined) {
    await fleet.end()
    return t.comment('PostgreSQL could not be started as an ordinary user here: not compared')
  }
  const proxied = await behind(t, fleet, address, 'postgres')
  const psql = (what: string, sql: string): Command => ({
    what,
    program: 'psql',
    args: (host, port) => [
      ...['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres'],
      ...['-h', host, '-p', port, '-d', 'postgres', '-f', '-'],
    ],
    stdin: sql,
  })
  const commands = [
    psql('20,000 rows', 'select n, md5(n::text) from generate_series(1, 20000) n;'),
    psql('a copy in and out', copy()),
    psql('an error, by exit code', 'select 1;\nselect 1/0;\nselect 2;'),
  ]
  for (const command of commands) await same(t, fleet, command, [address, proxied])
  const sums = await edgeOf(fleet, '*..postgres', commands.length)
  t.ok(sums.connections >= commands.length, 'its connections are on an edge')
  t.strictSame(sums.protocols, ['opaque'])
})

function copy(): string {
  const rows = Array.from({ length: 20_000 }, (_, row) => `${row}\t${'x'.repeat(row % 50)}`)
  return [
    'create temp table copied (a int, b text);',
    'copy copied from stdin;',
    ...rows,
    '\\.',
    'copy copied to stdout;',
    '',
  ].join('\n')
}
