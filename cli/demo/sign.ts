/**
 * What tells that something is wrong: a verdict, a detector's event, or a p99 far from what it
 * was.
 */
import type { Event } from '../../wire/gen/airspace_pb.ts'
import type { EdgeRow } from '../view/edges.ts'
import { edgeName, latency } from '../words.ts'
import type { Glance } from './sight.ts'
import { dueOf, p99Of, RISE, type Story } from './story.ts'

const GRAVE: readonly string[] = ['stuck', 'stressed']
const EVENTS: readonly string[] = [
  'black-hole',
  'burst',
  'strain',
  'crowd',
  'failing',
  'silent-edge',
]

/** The first sign on the edges of a story, in words; undefined while there is none. */
export function signOf(
  story: Story,
  glance: Glance,
  before: Glance,
  events: readonly Event[],
): string | undefined {
  const concerns = ({ source, target }: { source: string; target: string }): boolean =>
    target === story.culprit || (source === story.victim[0] && target === story.victim[1])
  const event = events.find((each) => EVENTS.includes(each.kind) && !each.over && concerns(each))
  if (event) return `${event.kind}, ${event.text}`
  const grave = glance.rows.find((row) => {
    return concerns(row) && GRAVE.includes(row.verdict) && !was(row, before)
  })
  if (grave) return `${edgeName(grave.source, grave.target)} is ${grave.verdict}: ${grave.why}`
  const [p99Ms, calmMs] = [p99Of(story, glance), p99Of(story, before)]
  if (!(p99Ms > RISE * dueOf(story, glance, before))) return undefined
  return `${edgeName(...story.victim)} p99 ${latency(calmMs)} → ${latency(p99Ms)}`
}

const was = (row: EdgeRow, before: Glance): boolean =>
  before.edge(row.source, row.target)?.verdict === row.verdict
