/** What is wrong is said within seconds, what is not wrong is not said, and no word flaps. */
import t from 'tap'
import { type Flow, Traffic } from './traffic.ts'

const flow = (over: Partial<Flow> = {}): Flow => ({
  ...{ source: 'web', target: 'router', perSecond: 20, tookMs: 30, ...over },
})

t.test('calm traffic of any rate is normal for a quarter of an hour', async (t) => {
  for (const seed of [1, 2, 12]) {
    const rates = [0.05, 0.3, 2, 20, 300]
    const flows = rates.flatMap((perSecond, at) => [
      flow({ source: `s${at}`, perSecond }),
      flow({ source: `long${at}`, perSecond: perSecond / 10, tookMs: 20_000 }),
    ])
    flows.push(flow({ source: 'log', target: 'kafka', protocol: 'opaque', bytesIn: 9_000 }))
    const traffic = new Traffic(flows, seed)
    traffic.run(900)
    const said = traffic.said().filter((each) => !each.startsWith('new-edge'))
    t.strictSame(said, [], `seed ${seed}`)
  }
})

t.test('the green router: everything in, nothing out', async (t) => {
  const cases: [string, Partial<Flow>, number][] = [
    ['busy', { perSecond: 100, patienceS: 1 }, 6],
    ['steady', { perSecond: 20 }, 6],
    ['slow and steady', { perSecond: 4 }, 8],
    ['slow calls', { perSecond: 20, tookMs: 2_000 }, 16],
    ['a trickle', { perSecond: 0.5 }, 40],
  ]
  for (const [name, over, withinS] of cases) {
    const router = flow(over)
    const traffic = new Traffic([router, flow({ target: 'other' })])
    traffic.run(180)
    router.swallows = true
    traffic.run(withinS)
    t.equal(traffic.word('web..router'), 'stuck', `${name}: within ${withinS} s`)
    const { finding, suggestion } = traffic.turns.find((turn) => turn.finding.word === 'stuck')!
    t.match(finding.why, /in flight/)
    t.match(suggestion, /^airspace backpressure '\*\.\.router' --rate \d+\/s --for 10m$/)
    traffic.run(60)
    const said = traffic.said().filter((each) => each === 'black-hole web..router began')
    t.equal(said.length, 1, `${name}: said once`)
    t.ok(traffic.turns.length <= 3, `${name}: ${traffic.said()}`)
    router.swallows = false
    traffic.run(40)
    t.not(traffic.word('web..router'), 'stuck', `${name}: over when calls come out again`)
    t.equal(traffic.word('web..other'), 'normal')
  }
})

t.test('callers that wait for their answer do not hide a black hole', async (t) => {
  const router = flow({ perSecond: 20 })
  const traffic = new Traffic([router])
  traffic.run(120)
  router.swallows = true
  traffic.run(1)
  router.perSecond = 0
  traffic.run(14)
  t.equal(traffic.word('web..router'), 'stuck')
  t.match(
    traffic.verdicts.wordOf('web..router').why,
    /calls in flight and none has ended for \d+ s/,
  )
})

t.test('a target that is shed by our own hand is neither stuck nor silent', async (t) => {
  const router = flow({ perSecond: 20 })
  const traffic = new Traffic([router])
  traffic.run(180)
  router.perSecond = 0
  router.refusing = 20
  traffic.run(120)
  t.strictSame(traffic.said(), [])
})

t.test('raw TCP that used to answer and does not: bytes in and none out', async (t) => {
  const broker = flow({ protocol: 'opaque', bytesIn: 5_000, bytesOut: 400, connectionsOpen: 3 })
  const listener = flow({ target: 'syslog', protocol: 'opaque', bytesIn: 5_000 })
  const traffic = new Traffic([broker, listener])
  traffic.run(60)
  broker.swallows = true
  traffic.run(15)
  t.equal(traffic.word('web..router'), 'stuck')
  t.equal(traffic.word('web..syslog'), 'normal', 'one that never answers is a listener')
})

t.test('an edge that was steadily busy and goes quiet is silent', async (t) => {
  const cases: [string, Partial<Flow>, number, string][] = [
    ['busy', { perSecond: 50 }, 14, 'silent'],
    ['a call in two seconds, too early to say', { perSecond: 0.5 }, 14, 'normal'],
    ['a call in two seconds', { perSecond: 0.5 }, 45, 'silent'],
    ['raw TCP', { protocol: 'opaque', bytesIn: 3_000, bytesOut: 100 }, 14, 'silent'],
  ]
  for (const [name, over, quietS, word] of cases) {
    const quiet = flow(over)
    const traffic = new Traffic([quiet, flow({ target: 'other' })])
    traffic.run(200)
    Object.assign(quiet, { perSecond: 0, bytesIn: 0, bytesOut: 0 })
    traffic.run(quietS)
    t.equal(
      traffic.word('web..router'),
      word,
      `${name}: ${traffic.verdicts.wordOf('web..router').why}`,
    )
    if (word === 'normal') continue
    Object.assign(quiet, over)
    traffic.run(10)
    t.equal(traffic.word('web..router'), 'normal', `${name}: it goes on`)
    t.strictSame(traffic.said(), ['silent-edge web..router began', 'silent-edge web..router over'])
  }
})

t.test('when no node reports nothing is said of any edge', async (t) => {
  const traffic = new Traffic([flow({ perSecond: 50 })])
  traffic.run(200)
  traffic.nodes = 0
  traffic.run(300)
  t.strictSame(traffic.said(), [])
})

t.test('an edge that pauses by custom is not silent when it does', async (t) => {
  const batch = flow()
  const traffic = new Traffic([batch])
  for (let minute = 0; minute < 8; minute += 1) {
    batch.perSecond = 20
    traffic.run(50)
    batch.perSecond = 0
    traffic.run(15)
  }
  t.strictSame(traffic.said(), [])
})

t.test('a silent node says nothing about its edges, and the others are seen still', async (t) => {
  const [quiet, later] = [flow({ perSecond: 50 }), flow({ target: 'other', perSecond: 50 })]
  const traffic = new Traffic([quiet, later])
  traffic.nodes = 3
  traffic.run(200)
  traffic.nodes = 2
  quiet.perSecond = 0
  traffic.run(120)
  t.strictSame(traffic.said(), [])
  later.perSecond = 0
  traffic.run(20)
  t.strictSame(traffic.said(), ['silent-edge web..other began'])
})

t.test('stress is much slower, much fuller or failing, by the custom of the edge', async (t) => {
  const cases: [string, Partial<Flow>, Partial<Flow>, RegExp][] = [
    ['slower', {}, { tookMs: 200 }, /(p90|median) .* usually/],
    ['slower, and few calls', { perSecond: 3 }, { tookMs: 400 }, /median .* usually/],
    ['fuller', { perSecond: 100 }, { perSecond: 900 }, /in flight, usually/],
    ['failing', {}, { failing: 0.5 }, /% of calls fail, usually \d/],
  ]
  for (const [name, before, after, why] of cases) {
    const strained = flow(before)
    const traffic = new Traffic([strained])
    traffic.run(180)
    Object.assign(strained, after)
    traffic.run(15)
    const word = traffic.verdicts.wordOf('web..router')
    t.equal(word.word, 'stressed', name)
    t.match(word.why, why, name)
    t.equal(traffic.turns.length, 1, `${name}: ${traffic.said()}`)
    Object.assign(strained, flow(), { failing: 0 }, before)
    traffic.run(30)
    t.equal(traffic.word('web..router'), 'normal', `${name}: over`)
  }
})

t.test(
  'what differs little, or fast calls that differ by much of nothing, are normal',
  async (t) => {
    const cases: [string, Partial<Flow>, Partial<Flow>][] = [
      ['half as slow again', {}, { tookMs: 45 }],
      ['a millisecond more', { tookMs: 0.4 }, { tookMs: 2 }],
      ['two failures', { perSecond: 0.5 }, { failing: 0.3 }],
      ['a few failures', { perSecond: 8 }, { failing: 0.06 }],
      ['a busier day', {}, { perSecond: 50 }],
    ]
    for (const [name, before, after] of cases) {
      const strained = flow(before)
      const traffic = new Traffic([strained])
      traffic.run(180)
      Object.assign(strained, after)
      traffic.run(20)
      t.strictSame(traffic.said(), [], name)
    }
  },
)

t.test('the logging storm: raw TCP sources that burst together', async (t) => {
  const loggers = [0, 1, 2, 3, 4].map((at) => {
    return flow({ source: `s${at}`, target: 'kafka', protocol: 'opaque', bytesIn: 8_000 })
  })
  const traffic = new Traffic(loggers)
  traffic.run(60)
  for (let i = 0; i < 4; i += 1) {
    for (const logger of loggers) logger.bytesIn = 500
    traffic.run(2)
    for (const logger of loggers) logger.bytesIn = 150_000
    traffic.run(1)
  }
  t.equal(traffic.word('s3..kafka'), 'stressed')
  const { why } = traffic.verdicts.wordOf('s3..kafka')
  t.match(why, /bursts to kafka together with 4 others, \d times in 15 s: .* times its usual/)
  const { suggestion } = traffic.turns.find(({ finding }) => finding.kind === 'burst')!
  t.match(suggestion, /^airspace backpressure '\*\.\.kafka' --bandwidth \S+ --smooth 1s --for 10m$/)
  for (const logger of loggers) logger.bytesIn = 8_000
  traffic.run(30)
  t.equal(traffic.word('s3..kafka'), 'normal')
})

t.test('one that bursts alone is its own business', async (t) => {
  const loggers = [0, 1, 2, 3, 4].map((at) => {
    return flow({ source: `s${at}`, target: 'kafka', protocol: 'opaque', bytesIn: 8_000 })
  })
  const traffic = new Traffic(loggers)
  traffic.run(60)
  for (let i = 0; i < 6; i += 1) {
    loggers[i % 2]!.bytesIn = 300_000
    traffic.run(1)
    loggers[i % 2]!.bytesIn = 8_000
    traffic.run(1)
  }
  t.strictSame(traffic.said(), [])
})

t.test('a new edge is told once, when the landscape is known', async (t) => {
  const stranger = flow({ source: 'stranger', perSecond: 0 })
  const traffic = new Traffic([flow(), stranger])
  traffic.run(90)
  stranger.perSecond = 3
  traffic.run(5)
  t.equal(traffic.word('stranger..router'), 'new')
  t.equal(traffic.word('web..router'), 'normal')
  traffic.run(310)
  t.equal(traffic.word('stranger..router'), 'normal')
  t.strictSame(traffic.said(), [
    'new-edge stranger..router began',
    'new-edge stranger..router over',
  ])
  t.equal(traffic.turns[0]!.suggestion, "airspace describe edge 'stranger..router'")
})

t.test('numbers that are none say nothing', async (t) => {
  const odd = flow({ perSecond: 5, tookMs: Number.NaN })
  const traffic = new Traffic([odd, flow({ source: 'x', tookMs: 0 })])
  traffic.run(120)
  t.strictSame(
    traffic.said().filter((said) => !said.startsWith('black-hole web')),
    [],
  )
})

t.test('a change that stays becomes the custom', async (t) => {
  const slower = flow()
  const traffic = new Traffic([slower])
  traffic.run(180)
  slower.tookMs = 120
  traffic.run(20)
  t.equal(traffic.word('web..router'), 'stressed')
  traffic.run(900)
  t.equal(traffic.word('web..router'), 'normal')
  t.equal(traffic.turns.length, 2, 'and did not flap on the way')
})
