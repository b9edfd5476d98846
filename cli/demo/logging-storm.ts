/**
 * S3, the logging storm. The broker's log topic loses its leader for a second now and then. Every
 * sidecar spools meanwhile, with a stack trace for each refusal, and when there is a leader again
 * all of them speak at once. The broker's disk is busy with log lines; the journal, on the same
 * disk, waits; so does every order. Nothing is wrong on any edge of the checkout itself.
 *
 * The remedy paces the loggers by not reading from them: their connections stay, their lines come
 * later. It works while the broker goes on flapping.
 */
import { BROKER, LOGGERS_EACH, roster } from './roster.ts'
import type { Glance } from './sight.ts'
import { rateWords, type Story, slow, type Told, victimWords } from './story.ts'

/** A twentieth of what the disk takes, and four times what loggers write on a calm day. */
const BANDWIDTH = '512KiB/s'

const loggerWords = (glance: Glance): string => {
  const { edges, bytesPerSecond } = glance.into(BROKER)
  return `${edges} services log ${rateWords(bytesPerSecond)}`
}

export const loggingStorm: Story = {
  name: 'logging-storm',
  title: 'S3, the logging storm',
  culprit: BROKER,
  victim: ['web', 'orders'],
  begins: 'the broker of the logs begins to lose its leader, for 1.3 s out of 3.5',
  repaired: 'the broker keeps its leader from now on',

  remedy: (rampMs) => [
    'backpressure',
    `*..${BROKER}`,
    ...['--bandwidth', BANDWIDTH, '--smooth', '1s', '--ramp', `${Math.round(rampMs / 1e3)}s`],
    ...['--for', '5m', '--reason', 'loggers all speak at once'],
  ],

  figures: (glance) => `${victimWords(loggingStorm, glance)} · ${loggerWords(glance)}`,
  ailing: (glance, before) => slow(loggingStorm, glance, before),

  async repair(cast) {
    cast.tell(BROKER, { type: 'fault', on: false })
  },

  async promises({ cast }: Told) {
    const services = roster.filter(({ logs }) => logs)
    const tallies = await Promise.all(services.map(({ name }) => cast.tally(name)))
    const sum = (field: string): number =>
      tallies.reduce((at, tally) => at + (tally[`loggers.${field}`] ?? 0), 0)
    const connected = sum('connected')
    return [
      {
        what: 'no logger lost its connection',
        measured: `${connected} made, ${sum('resets')} lost`,
        held: sum('resets') === 0 && connected === services.length * LOGGERS_EACH,
      },
    ]
  },
}
