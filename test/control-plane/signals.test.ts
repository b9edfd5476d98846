/** Windows are counted once, kept before they are acknowledged, and looked at before they count. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageInitShape } from '@bufbuild/protobuf'
import t from 'tap'
import type { Control } from '../../cli/client.ts'
import type { EdgeSignalSchema } from '../../wire/gen/airspace_pb.ts'
import { Plane } from './running.ts'

const edge = (started: number, more: MessageInitShape<typeof EdgeSignalSchema> = {}) => ({
  ...{ source: 'web', target: 'payments', protocol: 'http1' },
  ...{ started: BigInt(started), succeeded: BigInt(started), bytesIn: 300, bytesOut: 900 },
  ...{ latencyBuckets: [100, started], latencySumUs: started * 1_000, ...more },
})

/** All that is counted, over the whole ring. */
async function counted(control: Control): Promise<number> {
  const { edges } = await control.ask('getEdges', { from: '*', to: '*', windowMs: 900_000 })
  return edges.reduce((sum, { signal }) => sum + Number(signal?.started ?? 0), 0)
}

/** A window lies a few seconds back, so that its second is complete whatever the clock says. */
const ago = (seconds: number) => ({ startUnixMs: Date.now() - seconds * 1_000 })

t.test('a window counts once, and over a restart too', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  for (let sequence = 1n; sequence <= 3n; sequence += 1n) {
    node.window({ sequence, edges: [edge(10)], ...ago(20 - Number(sequence)) })
  }
  node.window({ sequence: 2n, edges: [edge(10)], ...ago(18) })
  node.window({ sequence: 4n, ...ago(2) })
  await node.until('acknowledgements', () => node.acked.length === 5)
  const control = plane.control()
  t.equal(await counted(control), 30)
  const { edges, freshness } = await control.ask('getEdges', {
    from: 'web',
    to: '*',
    windowMs: 60_000,
  })
  t.match(edges, [{ verdict: 'normal', nodes: 1, signal: { target: 'payments', bytesOut: 2_700 } }])
  t.match(freshness, { expected: 1, silent: [] })
  await plane.kill()
  await plane.start()
  const again = plane.node('n-a').follow()
  t.equal(await counted(plane.control()), 30, 'what was acknowledged is on disk')
  again.window({ sequence: 3n, edges: [edge(10)], ...ago(17) })
  again.window({ sequence: 5n, edges: [edge(7)], ...ago(10) })
  await again.until('acknowledgements', () => again.acked.length === 2)
  again.window({ sequence: 6n, ...ago(2) })
  await again.until('one more', () => again.acked.length === 3)
  t.equal(await counted(plane.control()), 37, 'and what is sent again counts once still')
})

t.test('an edge that cannot be so is left out, and the others of its window are not', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  const wrong: MessageInitShape<typeof EdgeSignalSchema>[] = [
    edge(10, { bytesIn: Number.NaN }),
    edge(10, { bytesOut: -1 }),
    edge(10, { latencySumUs: Number.POSITIVE_INFINITY }),
    edge(10, { started: 10n ** 12n }),
    edge(10, { started: 2n ** 60n }),
    edge(10, { source: '' }),
    edge(10, { target: 'a b' }),
    edge(10, { source: 'x'.repeat(300) }),
    edge(10, { protocol: 'HTTP/1.1' }),
    edge(10, { latencyBuckets: [1] }),
    edge(10, { latencyBuckets: [9_999, 1] }),
    edge(10, { idleMs: Number.NaN }),
  ]
  node.window({ edges: [...wrong, edge(5, { source: 'batch' })], ...ago(5) })
  node.window(ago(2))
  await node.until('acknowledgements', () => node.acked.length === 2)
  t.equal(await counted(plane.control()), 5)
  const metrics = await fetch(`http://${plane.http}/metrics`, {
    headers: { authorization: `Bearer ${plane.token('viewer')}` },
  })
  const text = await metrics.text()
  t.match(text, new RegExp(`airspace_control_plane_signals_left_out ${wrong.length}\n`))
  t.match(
    text,
    /airspace_edge_requests_total\{source="batch",target="payments",outcome="success"\} 5/,
  )
  t.match(text, /airspace_edge_latency_seconds_count\{source="batch",target="payments"\} 5/)
})

t.test('a window of another node, or of none, ends its stream', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const cases: [object, RegExp][] = [
    [{ node: '' }, /node: is not the name of a node/],
    [{ epoch: 0n }, /epoch: is missing/],
    [{ sequence: 0n }, /sequence: is missing/],
    [{ startUnixMs: Number.NaN }, /startUnixMs: NaN/],
    [{ lengthMs: -5 }, /lengthMs: -5/],
  ]
  for (const [wrong, details] of cases) {
    const node = plane.node('n-a')
    node.window(wrong)
    await node.until('an end', () => node.status !== undefined)
    t.match(node.status?.details, details)
  }
  const liar = plane.node('n-a')
  liar.window()
  liar.window({ node: 'n-b' })
  await liar.until('an end', () => liar.status !== undefined)
  t.match(liar.status?.details, /this stream is that of 'n-a'/)
})

t.test('windows that cannot be read any more are put aside, and we begin', async (t) => {
  const state = t.testdir()
  const plane = await new Plane(state).start()
  t.teardown(() => plane.end())
  const node = plane.node('n-a').follow()
  node.window({ edges: [edge(10)], ...ago(5) })
  await node.until('an acknowledgement', () => node.acked.length === 1)
  await plane.running?.stop()
  const path = join(state, 'windows.sqlite')
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(7, 0, 2_000))
  await plane.start()
  t.equal(await counted(plane.control()), 0)
  t.ok(readFileSync(`${path}.damaged`).length > 0)
  t.match(await plane.control().ask('getStatus', {}), { alarms: [] })
})

t.test('policies are counted by intent, since they were applied and lately', async (t) => {
  const plane = await new Plane(t.testdir()).start()
  t.teardown(() => plane.end())
  const control = plane.control()
  const settings = { action: { value: { case: 'text' as const, value: 'deny' } } }
  const intent = { kind: 'segment', from: 'web', to: 'payments', settings }
  const { ids } = await control.ask('apply', { intent })
  const node = plane.node('n-a').follow()
  const signal = { id: ids[0]!, source: 'web', target: 'payments', matched: 5n, refused: 2n }
  node.window({ policies: [signal], ...ago(60) })
  node.window({ policies: [signal, { ...signal, delayedMs: Number.NaN }], ...ago(4) })
  node.window({ sequence: 2n, policies: [signal], ...ago(4) })
  node.window(ago(2))
  await node.until('acknowledgements', () => node.acked.length === 4)
  const { patterns } = await control.ask('getPatterns', {})
  t.match(patterns, [
    { total: { matched: 10n, refused: 4n }, recent: { matched: 5n, refused: 2n } },
  ])
})
