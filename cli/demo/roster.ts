/**
 * Who is on stage: ten services told apart by loopback address, on two nodes, and who calls whom.
 *
 *                      +-> catalog --+----------------> router --> bank
 *   visitors --> web --+             +--> inventory       ^
 *                      |             |                    |
 *                      +-> orders ---+--> payments -------+
 *                            |
 *                            +----------> journal    raw TCP, a record an order, acknowledged
 *   loggers of six services ------------> logbroker  raw TCP, batches of log lines
 *
 * `journal` and `logbroker` are two ports of one broker with one disk: that is how a storm of log
 * lines reaches the checkout, over an edge on which nothing is wrong.
 */
export type Node = 'node-a' | 'node-b'

export interface Role {
  readonly name: string
  /** Its own loopback address: it listens there and makes its calls from there. */
  readonly address: string
  readonly node: Node
  readonly kind: 'http' | 'broker' | 'visitors'
  /** Which services it calls, one after the other, for a request of a path. */
  readonly calls: { readonly [path: string]: readonly string[] }
  /** Its own share of the work: least and most, in ms. */
  readonly workMs: readonly [number, number]
  /** How long it waits for an answer. Shorter the deeper, so that the nearest gives up first. */
  readonly patienceMs: number
  /** Whether sidecars of it log to the broker. */
  readonly logs: boolean
  readonly labels: { readonly [name: string]: string }
}

const role = (
  name: string,
  host: number,
  node: Node,
  rest: Partial<Omit<Role, 'name' | 'address' | 'node'>>,
): Role => ({
  name,
  address: `127.0.1.${host}`,
  node,
  kind: 'http',
  calls: {},
  workMs: [0, 0],
  patienceMs: 5_000,
  logs: true,
  labels: { tier: '2' },
  ...rest,
})

export const roster: readonly Role[] = [
  role('visitors', 10, 'node-a', {
    kind: 'visitors',
    logs: false,
    patienceMs: 10_000,
    calls: { '/page': ['web'], '/browse': ['web'], '/offer': ['web'], '/order': ['web'] },
    labels: { tier: '0' },
  }),
  role('web', 1, 'node-a', {
    workMs: [1, 2],
    patienceMs: 8_000,
    calls: { '/browse': ['catalog'], '/offer': ['catalog'], '/order': ['orders'] },
    labels: { tier: '1' },
  }),
  role('catalog', 2, 'node-a', {
    workMs: [1, 4],
    calls: { '/browse': ['inventory'], '/offer': ['router'] },
  }),
  role('inventory', 3, 'node-a', {
    workMs: [1, 4],
  }),
  role('orders', 4, 'node-b', {
    workMs: [1, 2],
    patienceMs: 7_000,
    calls: { '/order': ['inventory', 'payments', 'journal'] },
    labels: { tier: '1' },
  }),
  role('payments', 5, 'node-b', {
    workMs: [1, 3],
    calls: { '/order': ['router'] },
  }),
  role('router', 6, 'node-b', {
    workMs: [1, 2],
    logs: false,
    calls: { '/order': ['bank'], '/offer': ['bank'] },
    labels: { tier: '3' },
  }),
  role('bank', 7, 'node-b', { workMs: [5, 12], labels: { tier: '3' } }),
  role('logbroker', 8, 'node-b', { kind: 'broker', logs: false, labels: { tier: '3' } }),
  role('journal', 8, 'node-b', { kind: 'broker', logs: false, labels: { tier: '3' } }),
]

/** The one process behind the last two. */
export const BROKER = 'logbroker'

/** Sidecars of each service that logs. */
export const LOGGERS_EACH = 3

export function roleOf(name: string): Role {
  const found = roster.find((each) => each.name === name)
  if (!found) throw new RangeError(`role: '${name}' is not one of the demo's services`)
  return found
}

/** Which targets the services of a node call: a proxy listens once for each. */
export function targetsOf(node: Node): readonly string[] {
  const targets = new Set<string>()
  for (const each of roster.filter((one) => one.node === node)) {
    for (const called of Object.values(each.calls).flat()) targets.add(called)
    if (each.logs) targets.add(BROKER)
  }
  return [...targets]
}
