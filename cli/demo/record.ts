/** What a drill has measured: when things happened, how the landscape looked, what has held. */
import { line, toned } from '../printable.ts'
import { type Column, rows } from '../table.ts'
import { bytes, duration, latency, NOTHING, plural, short } from '../words.ts'
import { NODES } from './planes.ts'
import type { Glance } from './sight.ts'
import { type Criterion, dueOf, p99Of, type Story, victimIn, type Worst } from './story.ts'

/** Columns of a sentence in the table of times. */
const MEANS_MAX = 120

/** Unix ms; undefined when it did not happen. */
export interface Times {
  fault?: number
  detected?: number
  applied?: number
  inForce?: number
  recovered?: number
  released?: number
  over?: number
}

export class DrillRecord {
  readonly story: Story
  readonly times: Times = {}
  readonly worst: Worst = { p99Ms: 0, rise: 0, inFlight: 0, bytesPerSecond: 0 }
  /** What the landscape looked like: 'calm', 'fault', 'remedy', 'released'. */
  readonly looks = new Map<string, Glance>()
  /** By what the fault was known. */
  sign = ''
  /** Nodes that enforced the pattern, at the most. */
  enforcing = 0
  /** Why the landscape had not recovered, when it had not. */
  ailing: string | undefined
  byHand = false
  /** Refused a second, in any look after the release. */
  refusedAfter = 0

  constructor(story: Story) {
    this.story = story
  }

  worse(glance: Glance, before: Glance): void {
    const { inFlight, bytesPerSecond } = glance.into(this.story.culprit)
    const p99Ms = p99Of(this.story, glance)
    if (p99Ms > this.worst.p99Ms) this.worst.p99Ms = p99Ms
    const rise = p99Ms / dueOf(this.story, glance, before)
    if (rise > this.worst.rise) this.worst.rise = rise
    this.worst.inFlight = Math.max(this.worst.inFlight, inFlight)
    this.worst.bytesPerSecond = Math.max(this.worst.bytesPerSecond, bytesPerSecond)
  }

  criteria(): readonly Criterion[] {
    const { times, worst, story } = this
    const calm = this.looks.get('calm')
    const released = this.looks.get('released')
    return [
      {
        what: `the fault was seen: ${this.sign || 'by nothing'}`,
        measured: `p99 ${latency(worst.p99Ms)}, ${worst.rise.toFixed(1)} times what was due`,
        held: times.detected !== undefined,
      },
      {
        what: `the pattern was in force on all ${NODES.length} nodes`,
        measured: `${this.enforcing} of ${NODES.length}`,
        held: this.enforcing === NODES.length && times.inForce !== undefined,
      },
      {
        what: 'the landscape recovered under it',
        measured: this.ailing ?? this.since('inForce', 'recovered'),
        held: times.recovered !== undefined,
      },
      {
        what: 'after the release nothing is refused and nothing is slow',
        measured: released
          ? `${short(this.refusedAfter)} r/s refused, p99 ${latency(p99Of(story, released))}`
          : 'not seen',
        held:
          times.over !== undefined &&
          calm !== undefined &&
          released !== undefined &&
          this.refusedAfter === 0 &&
          story.ailing(released, calm) === undefined,
      },
    ]
  }

  since(from: keyof Times, to: keyof Times): string {
    const [start, end] = [this.times[from], this.times[to]]
    return start === undefined || end === undefined ? NOTHING : duration(end - start)
  }

  /** The drill's times, each counted from the fault. */
  timeLines(): readonly string[] {
    const steps: readonly (readonly [keyof Times, string])[] = [
      ['detected', this.sign],
      ['applied', this.byHand ? 'by hand' : 'by the demo'],
      ['inForce', `on all nodes, ${this.since('applied', 'inForce')} after it was applied`],
      ['recovered', `p99 as before, ${this.since('inForce', 'recovered')} after it was in force`],
      ['released', 'by a ramp'],
      ['over', `nothing is held back any more, ${this.since('released', 'over')} later`],
    ]
    const items = steps
      .filter(([step]) => this.times[step] !== undefined)
      .map(([step, means]) => ({ step, at: this.since('fault', step), means }))
    return rows<(typeof items)[number]>(
      [
        { title: 'AFTER THE FAULT', cell: ({ step }) => NAMES[step] },
        { title: '', align: 'right', cell: ({ at }) => at },
        { title: '', cell: ({ means }) => means, widest: MEANS_MAX },
      ],
      items,
    )
  }

  /** Before and after: the four signals of the edge that suffered and of what made it suffer. */
  lookLines(): readonly string[] {
    const { story } = this
    const column = (look: string): Column<(g: Glance) => string> => ({
      title: look.toUpperCase(),
      align: 'right',
      cell: (of) => {
        const glance = this.looks.get(look)
        return glance ? of(glance) : NOTHING
      },
    })
    const lines: readonly (readonly [string, (glance: Glance) => string])[] = [
      ['requests/s', (glance) => short(victimIn(story, glance)?.requestsPerSecond ?? Number.NaN)],
      ['p50', (glance) => latency(victimIn(story, glance)?.p50Ms ?? Number.NaN)],
      ['p99', (glance) => latency(p99Of(story, glance))],
      ['in flight', (glance) => short(victimIn(story, glance)?.inFlight ?? Number.NaN)],
      [`into ${story.culprit}, in flight`, (glance) => short(glance.into(story.culprit).inFlight)],
      [
        `into ${story.culprit}, bytes/s`,
        (glance) => bytes(glance.into(story.culprit).bytesPerSecond),
      ],
      ['refused/s', (glance) => short(glance.all().refusedPerSecond)],
    ]
    const names = new Map(lines.map(([name, of]) => [of, name]))
    return rows(
      [
        { title: story.victim.join(' → '), cell: (of) => names.get(of) ?? '' },
        ...['calm', 'fault', 'remedy', 'released'].map(column),
      ],
      lines.map(([, of]) => of),
    )
  }
}

const NAMES: { readonly [step in keyof Times]-?: string } = {
  fault: 'fault',
  detected: 'detected',
  applied: 'applied',
  inForce: 'in force',
  recovered: 'recovered',
  released: 'released',
  over: 'over',
}

export function verdictLines(criteria: readonly Criterion[]): readonly string[] {
  const failed = criteria.filter(({ held }) => !held).length
  const lines = criteria.map(({ what, measured, held }) => {
    const mark = toned(held ? 'good' : 'bad', held ? '√' : '×')
    return `${mark} ${line`${what}`} (${line`${measured}`})`
  })
  const sum = failed === 0 ? 'the landscape recovered' : `${plural(failed, 'thing')} did not hold`
  return [...lines, sum]
}
