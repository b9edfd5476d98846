/** Settings of patterns: read, refused with a reason, and written as people type them. */
import fc from 'fast-check'
import t from 'tap'
import { catalog } from '../../policies/catalog.ts'
import {
  durationOf,
  readDuration,
  readText,
  writeDuration,
  writeText,
} from '../../policies/quantity.ts'
import {
  bytesPerSecond,
  choice,
  count,
  type Field,
  flag,
  milliseconds,
  perSecond,
  ratio,
  readSettings,
  set,
} from '../../policies/settings.ts'
import { nearest } from '../../policies/words.ts'
import { thrownBy } from './world.ts'

const help = 'for a test'
const fields = {
  maxInFlight: count({ flag: 'max-in-flight', help, min: 1, max: 1000 }),
  waitMs: milliseconds({ flag: 'wait', help, min: 0, max: 3_600_000, fallback: 500 }),
  rate: perSecond({ flag: 'rate', help, min: 0.01, max: 100_000, fallback: 10 }),
  bandwidth: bytesPerSecond({ flag: 'bandwidth', help, min: 1, max: 1e12, fallback: 1e6 }),
  errors: ratio({ flag: 'errors', help, min: 0.01, max: 1, fallback: 0.5 }),
  way: choice({ flag: 'way', help, choices: ['in', 'out', 'both'], fallback: 'both' }),
  allow: set({ flag: 'allow', help }),
  strict: flag({ flag: 'strict', help, fallback: false }),
}

t.test('settings: what is given is checked, what is not has its fallback', async (t) => {
  const settings = readSettings(fields, { maxInFlight: 7, way: 'in' })
  t.same(settings, {
    maxInFlight: 7,
    waitMs: 500,
    rate: 10,
    bandwidth: 1e6,
    errors: 0.5,
    way: 'in',
    allow: undefined,
    strict: false,
  })
})

t.test('settings: the complaint says where, what was given and what would do', async (t) => {
  for (const [given, path, message] of [
    [{ maxInFlight: 0 }, 'settings.maxInFlight', '0 is not between 1 and 1000'],
    [{ maxInFlight: 1001 }, 'settings.maxInFlight', '1001 is not between 1 and 1000'],
    [{ maxInFlight: 1.5 }, 'settings.maxInFlight', '1.5 is not a whole number'],
    [{ maxInFlight: NaN }, 'settings.maxInFlight', 'NaN is not between 1 and 1000'],
    [{ maxInFlight: '7' }, 'settings.maxInFlight', "'7' is not a number"],
    [{ maxInFlight: null }, 'settings.maxInFlight', 'null is not a number'],
    [
      { maxInFligth: 7 },
      'settings.maxInFligth',
      "no 'maxInFligth' here; did you mean 'maxInFlight'?",
    ],
    [{ zzz: 7 }, 'settings.zzz', /no 'zzz' here; there is maxInFlight, waitMs, rate/],
    [{ __proto__: null, constructor: 1 }, 'settings.constructor', /no 'constructor' here/],
    [{ way: 'inn' }, 'settings.way', "'inn' is not one of in, out, both; did you mean 'in'?"],
    [{ way: '' }, 'settings.way', "'' is not one of in, out, both"],
    [{ allow: ' ' }, 'settings.allow', /' ' is not a set of services/],
    [{ strict: 'yes' }, 'settings.strict', "'yes' is neither true nor false"],
    [[], 'settings', 'a list is not settings by name'],
    [null, 'settings', 'null is not settings by name'],
  ] as const) {
    const error = thrownBy(() => readSettings(fields, given))
    t.match(error, { path, name: 'SettingError' })
    if (typeof message === 'string') t.equal(error.message, `${path}: ${message}`)
    else t.match(error.message, message)
  }
  t.equal(thrownBy(() => readSettings(fields, { rate: -1 }, 'a.b')).path, 'a.b.rate')
})

t.test('settings: are read as people write them', async (t) => {
  for (const [field, text, value] of [
    [fields.maxInFlight, '40', 40],
    [fields.waitMs, '500ms', 500],
    [fields.waitMs, '15m', 900_000],
    [fields.waitMs, '1.5s', 1500],
    [fields.waitMs, '2.3s', 2300],
    [fields.waitMs, '0h1m30s', 90_000],
    [fields.rate, '200/s', 200],
    [fields.rate, '90/m', 1.5],
    [fields.rate, '90/min', 1.5],
    [fields.rate, '360/h', 0.1],
    [fields.bandwidth, '5MiB/s', 5 * 2 ** 20],
    [fields.bandwidth, '5MB/s', 5e6],
    [fields.bandwidth, '1.5kB/s', 1500],
    [fields.bandwidth, '100B/s', 100],
    [fields.errors, '50%', 0.5],
    [fields.errors, '7%', 0.07],
    [fields.way, 'out', 'out'],
    [fields.allow, 'shop/*', 'shop/*'],
    [fields.strict, 'true', true],
  ] as const) {
    t.equal(readText(field, text), value, text)
  }
})

t.test('settings: where a unit matters a bare number is refused', async (t) => {
  for (const [field, text, message] of [
    [fields.waitMs, '500', "--wait: '500' is not a duration, such as 500ms or 15m"],
    [fields.rate, '200', "--rate: '200' is not a rate, such as 200/s"],
    [fields.bandwidth, '5MiB', "--bandwidth: '5MiB' is not a bandwidth, such as 5MiB/s"],
    [fields.errors, '0.5', "--errors: '0.5' is not a percentage, such as 50%"],
    [fields.maxInFlight, '40/s', "--max-in-flight: '40/s' is not a whole number, such as 40"],
    [fields.maxInFlight, '', "--max-in-flight: '' is not a whole number, such as 40"],
    [fields.maxInFlight, '-3', '--max-in-flight: -3 is not between 1 and 1000'],
    [fields.errors, '150%', '--errors: 1.5 is not between 0.01 and 1'],
    [fields.waitMs, '2h', '--wait: 7200000 is not between 0 and 3600000'],
    [fields.waitMs, '1s ago', "--wait: '1s ago' is not a duration, such as 500ms or 15m"],
    [fields.strict, '1', "--strict: '1' is not true or false"],
  ] as const) {
    t.equal(thrownBy(() => readText(field, text)).message, message)
  }
  t.equal(thrownBy(() => readDuration('soon', '--for')).path, '--for')
})

t.test('settings: what is written is read as the same', async (t) => {
  const some: fc.Arbitrary<[Field, number]> = fc.oneof(
    fc.tuple(fc.constant(fields.maxInFlight), fc.integer({ min: 1, max: 1000 })),
    fc.tuple(fc.constant(fields.waitMs), fc.integer({ min: 0, max: 3_600_000 })),
    fc.tuple(
      fc.constant(fields.waitMs),
      fc.integer({ min: 0, max: 9999 }).map((n) => n / 10),
    ),
    fc.tuple(
      fc.constant(fields.rate),
      fc.integer({ min: 1, max: 9999 }).map((n) => n / 100),
    ),
    fc.tuple(fc.constant(fields.bandwidth), fc.integer({ min: 1, max: 2 ** 31 })),
    fc.tuple(
      fc.constant(fields.bandwidth),
      fc.integer({ min: 1, max: 900 }).map((n) => n * 2 ** 20),
    ),
    fc.tuple(
      fc.constant(fields.errors),
      fc.integer({ min: 100, max: 10_000 }).map((n) => n / 10_000),
    ),
  )
  fc.assert(
    fc.property(some, ([field, value]) => readText(field, writeText(field, value)) === value),
  )
  for (const [ms, text] of [
    [0, '0ms'],
    [500, '500ms'],
    [1500, '1.5s'],
    [90_000, '1m30s'],
    [900_000, '15m'],
    [5_400_000, '1h30m'],
    [86_400_000, '24h'],
  ] as const) {
    t.equal(writeDuration(ms), text)
    t.equal(durationOf(text), ms)
  }
  t.equal(writeText(fields.bandwidth, 5 * 2 ** 20), '5MiB/s')
  t.equal(writeText(fields.errors, 0.07), '7%')
})

t.test('settings: a word that was nearly right is found', async (t) => {
  const known = ['bulkhead', 'backpressure', 'breaker', 'segment', 'quarantine']
  for (const [word, meant] of [
    ['bulkhaed', 'bulkhead'],
    ['Breaker', 'breaker'],
    ['quarentine', 'quarantine'],
    ['segmentation', undefined],
    ['x', undefined],
    ['', undefined],
  ] as const) {
    t.equal(nearest(word, known), meant, word)
  }
})

t.test('settings: every pattern`s fields are fit to be flags and forms', async (t) => {
  for (const { kind, fields: own } of catalog) {
    const flags = Object.values(own).map((field) => field.flag)
    t.equal(new Set(flags).size, flags.length, `${kind}: flags differ`)
    for (const [name, field] of Object.entries<Field>(own)) {
      t.match(field.flag, /^[a-z]+(-[a-z]+)*$/, `${kind} ${name}`)
      t.ok(field.help.length > 10 && field.help.length < 90, `${kind} ${name}: ${field.help}`)
      if (field.unit === 'ms') t.match(name, /Ms$/)
      if (field.unit === 'ratio') t.match(name, /Ratio$/)
      if (field.unit === 'perSecond') t.match(name, /PerSecond$/)
      if ('min' in field && field.fallback !== undefined) {
        t.ok(field.fallback >= field.min && field.fallback <= field.max, `${kind} ${name}`)
      }
      if (field.unit === 'choice' && field.fallback) t.ok(field.choices.includes(field.fallback))
    }
  }
})
