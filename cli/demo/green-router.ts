/**
 * S1, the green router. A router shared by several services is held up for three seconds and does
 * not come back: it sweeps all that waits for each step, so that with hundreds in flight next to
 * nothing is done, while it accepts everything and its health check is green. Callers give up and
 * are replaced by new ones: arrivals alone keep it down.
 *
 * The remedy caps what is in flight to it, of all callers together. It can work again at once;
 * who is over the cap is told so in a millisecond and does without. Then it is swapped for a
 * sound one.
 */
import { duration, short } from '../words.ts'
import type { Glance } from './sight.ts'
import { type Criterion, type Story, slow, type Told, victimWords } from './story.ts'

const ROUTER = 'router'
const MAX_IN_FLIGHT = 16
/** In flight has climbed when it is this many times what it was. */
const CLIMB = 10
/** A black hole lets less than this share of what it takes in out again. */
const SWALLOWED = 0.2

const routerWords = (glance: Glance): string => {
  const { perSecond, donePerSecond, inFlight, refusedPerSecond } = glance.into(ROUTER)
  const refused = refusedPerSecond > 0 ? `, ${short(refusedPerSecond)} refused` : ''
  const [came, done] = [short(perSecond), short(donePerSecond)]
  return `router ${came} r/s in, ${done} done${refused}, ${inFlight} in flight`
}

export const greenRouter: Story = {
  name: 'green-router',
  title: 'S1, the green router',
  culprit: ROUTER,
  victim: ['web', 'orders'],
  begins: 'the router is held up for 3 s; its health check stays green',
  repaired: 'the router has been swapped for a sound one',

  remedy: (rampMs) => [
    'bulkhead',
    `*..${ROUTER}`,
    ...['--max-in-flight', String(MAX_IN_FLIGHT), '--ramp', `${Math.round(rampMs / 1e3)}s`],
    ...['--for', '5m', '--reason', 'takes everything in, lets nothing out'],
  ],

  figures: (glance) => `${victimWords(greenRouter, glance)} · ${routerWords(glance)}`,

  ailing(glance, before) {
    const { inFlight, donePerSecond, perSecond } = glance.into(ROUTER)
    if (donePerSecond < perSecond * SWALLOWED) return `router ${short(donePerSecond)} r/s done`
    if (inFlight > MAX_IN_FLIGHT * CLIMB) return `router ${inFlight} in flight`
    return slow(greenRouter, glance, before)
  },

  async repair(cast) {
    await cast.swap(ROUTER)
  },

  async promises({ cast, before, worst }: Told): Promise<readonly Criterion[]> {
    const calm = Math.max(1, before.into(ROUTER).inFlight)
    const { p99Ms = Number.NaN } = await cast.tally('visitors')
    return [
      {
        what: `in flight to the router climbed more than ${CLIMB} times`,
        measured: `${calm} → ${worst.inFlight}`,
        held: worst.inFlight > CLIMB * calm,
      },
      {
        what: 'visitors, who measure for themselves, are answered within 1 s again',
        measured: `p99 ${duration(p99Ms)}`,
        held: p99Ms < 1_000,
      },
    ]
  },
}
