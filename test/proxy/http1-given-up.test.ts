/** A source that gives up closes, and to the proxy that looks like one that only says no more. */
import t from 'tap'
import { LINGER_MAX_MS } from '../../proxy/http1/endings.ts'
import { clock } from '../../runtime/clock.ts'
import { between, soon } from '../support/between.ts'
import { intentOf } from '../support/data-path.ts'
import { get } from '../support/raw.ts'

const ONE = intentOf({ kind: 'bulkhead', settings: { maxInFlight: 1 } })

t.test('a FIN is passed on in the end, since its source may be gone altogether', async (t) => {
  const { target, source, path } = await between(t, undefined, { intents: [ONE] })
  const one = await source()
  one.say(get('/slow'))
  const other = await target.talk()
  await other.hears('/slow')
  one.socket.destroy()
  const two = await source()
  two.say(get('/two'))
  await two.hears('\r\n\r\n')
  t.match(two.text, /^HTTP\/1.1 429 /, 'its slot is in use')
  t.notOk(other.ended, 'the target is not told')
  const { nowMs } = clock
  t.teardown(() => Object.assign(clock, { nowMs }))
  Object.assign(clock, { nowMs: () => nowMs() + LINGER_MAX_MS })
  await other.ends()
  other.socket.end()
  await soon(() => path.edge().inFlight === 0, 'the slot is free')
  two.say(get('/three'))
  await (await target.talk(1)).hears('/three')
})
