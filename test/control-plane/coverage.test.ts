/** Which intents an edge is under, and what one is warned of before another is added. */
import t from 'tap'
import { Coverage } from '../../control-plane/coverage.ts'
import { type Entry, Ledger } from '../../control-plane/ledger.ts'
import { Directory } from '../../landscape/directory.ts'
import { edgeOf } from '../../landscape/edge.ts'
import { type IntentText, readIntent } from '../../policies/intent.ts'

const intentOf = (id: string, from: string, to: string, kind = 'bulkhead'): IntentText => ({
  ...{ id, kind, from, to },
  settings: kind === 'bulkhead' ? { maxInFlight: 5 } : {},
})

class Stage {
  readonly ledger = new Ledger()
  directory = Directory.read({
    services: {
      web: { addresses: ['10.0.0.1'], labels: { tier: '1' } },
      batch: { addresses: ['10.0.0.2'], labels: { tier: '3' } },
      payments: { addresses: ['10.0.0.3'] },
    },
  })
  readonly edges = [edgeOf('web', 'payments'), edgeOf('batch', 'payments'), edgeOf('web', 'batch')]
  readonly coverage = new Coverage(
    this.ledger,
    () => this.directory,
    () => this.edges,
  )

  add(act: Entry['act'], id: string, intent?: IntentText, rampMs = 0): void {
    const revision = this.ledger.revision + 1
    const given = intent ? { intent } : {}
    this.ledger.add({
      ...{ act, id, author: 'anna', text: '', reason: '', leaseMs: 60_000, rampMs, ...given },
      ...{ revision, batch: revision, atMs: 0, wallMs: 0 },
    })
  }
}

t.test('an edge is under what covers it, as long as it does', async (t) => {
  const stage = new Stage()
  const on = (edge: string) => stage.coverage.on(stage.edges.find(({ key }) => key === edge)!)
  t.strictSame(on('web..payments'), [])
  stage.add('apply', 'a', intentOf('a', '*', 'payments'))
  stage.add('apply', 'b', intentOf('b', 'tier=3', '*'))
  t.strictSame(on('web..payments'), ['a'])
  t.strictSame(on('batch..payments'), ['a', 'b'])
  t.strictSame(on('web..batch'), [])
  stage.add('apply', 'a', intentOf('a', '*', 'batch'))
  t.strictSame(on('web..payments'), [], 'it was changed')
  stage.directory = Directory.empty()
  t.strictSame(on('batch..payments'), [], 'without a directory nobody has a label')
  stage.add('release', 'a', undefined, 5_000)
  t.strictSame(on('web..batch'), ['a'], 'its ramp is still about it')
  stage.ledger.settle(5_000)
  t.strictSame(on('web..batch'), [], 'and then it is over')
})

t.test('what matches nothing, and what another is about already, is said before', async (t) => {
  const stage = new Stage()
  stage.add('apply', 'a', intentOf('a', '*', 'payments'))
  const warned = (text: IntentText, except = '') =>
    stage.coverage.warnings(readIntent(text), except)
  t.strictSame(warned(intentOf('x', 'web', 'batch')), [])
  t.strictSame(warned(intentOf('x', '*', 'paiments')), ["'paiments' matches no known service"])
  t.strictSame(warned(intentOf('x', 'tier=9', '*')), ["'tier=9' matches no known service"])
  t.strictSame(warned(intentOf('x', 'web', 'payments')), [
    'a is a bulkhead on web..payments too: both apply',
  ])
  t.strictSame(warned(intentOf('x', 'web', 'payments', 'breaker')), [], 'another pattern')
  t.strictSame(warned(intentOf('a', 'web', 'payments'), 'a'), [], 'it replaces that one')
  for (let i = 0; i < 9; i += 1) stage.edges.push(edgeOf(`unknown/10.1.0.${i}`, 'payments'))
  t.match(warned(intentOf('x', '*', 'payments'))[0], /and 6 more too: both apply/)
})
