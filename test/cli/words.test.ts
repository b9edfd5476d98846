/** Quantities as people read them: never zero for what is not, never all for what is not. */
import t from 'tap'
import {
  bytes,
  count,
  duration,
  latency,
  percent,
  short,
  sparkline,
  timeOfDay,
} from '../../cli/words.ts'

process.env['TZ'] = 'UTC'
const NOW_MS = Date.UTC(2026, 0, 5, 14, 6, 4)

const tables: readonly [
  string,
  (value: number) => string,
  readonly (readonly [number, string])[],
][] = [
  [
    'duration',
    duration,
    [
      [0, '0 ms'],
      [38.2, '38 ms'],
      [800, '0.8 s'],
      [1_000, '1 s'],
      [9_949, '9.9 s'],
      [12_000, '12 s'],
      [59_499, '59 s'],
      [59_500, '1 m'],
      [192_000, '3 m 12 s'],
      [660_000, '11 m'],
      [3_599_999, '1 h'],
      [7_500_000, '2 h 5 m'],
      [29 * 86_400_000, '29 d'],
      [-4_200, '-4.2 s'],
      [Number.NaN, '-'],
    ],
  ],
  [
    'latency',
    latency,
    [
      [0.01, '<0.1ms'],
      [0.41, '0.4ms'],
      [41.4, '41ms'],
      [999.4, '999ms'],
      [999.6, '1.0s'],
      [2_100, '2.1s'],
      [192_000, '3m12s'],
      [Number.NaN, '-'],
    ],
  ],
  [
    'short',
    short,
    [
      [0, '0'],
      [0.01, '<0.1'],
      [0.4, '0.4'],
      [9.96, '10'],
      [812, '812'],
      [999.6, '1.0k'],
      [41_234, '41.2k'],
      [999_999, '1.0M'],
      [3_100_000, '3.1M'],
      [Infinity, '-'],
    ],
  ],
  [
    'bytes',
    bytes,
    [
      [0, '0B'],
      [512, '512B'],
      [1_023, '1.0KiB'],
      [3_250_000, '3.1MiB'],
      [1024 ** 3 * 412, '412GiB'],
    ],
  ],
  [
    'count',
    count,
    [
      [412, '412'],
      [9_310, '9,310'],
      [1_234_567, '1,234,567'],
    ],
  ],
]

for (const [name, write, table] of tables) {
  t.test(name, async (t) => {
    for (const [value, text] of table) t.equal(write(value), text, String(value))
  })
}

t.test('percent', async (t) => {
  t.equal(percent(412, 9_310), '4.4 %')
  t.equal(percent(0, 10), '0.0 %')
  t.equal(percent(1, 1_000_000), '<0.1 %')
  t.equal(percent(999_999, 1_000_000), '>99.9 %')
  t.equal(percent(10, 10), '100.0 %')
  t.equal(percent(0, 0), '-')
})

t.test('a time of another day says its day', async (t) => {
  t.equal(timeOfDay(NOW_MS + 900_000, NOW_MS), '14:21:04')
  t.equal(timeOfDay(NOW_MS + 12 * 3_600_000, NOW_MS), '2026-01-06 02:06:04')
  t.equal(timeOfDay(0, NOW_MS), '-')
})

t.test('a sparkline has a bar a point, a gap where nothing was measured', async (t) => {
  t.equal(sparkline([1, 8, Number.NaN, 4]), '▁█ ▄')
  t.equal(sparkline([0, 0]), '▁▁')
  t.equal(sparkline([]), '')
})
