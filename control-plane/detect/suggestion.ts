/** A command to type, ready to be pasted: what would help against a finding, for a short time. */
import { edgeKey } from '../../landscape/edge.ts'
import { backpressure } from '../../policies/backpressure.ts'
import { breaker } from '../../policies/breaker.ts'
import { bulkhead } from '../../policies/bulkhead.ts'
import { writeText } from '../../policies/quantity.ts'
import type { Field, Setting } from '../../policies/settings.ts'
import type { Finding } from './finding.ts'

/** What is usual for all that goes to the target, of all sources together. */
export interface UsualInto {
  readonly endedPerSecond: number
  readonly inFlight: number
  readonly bytesInPerSecond: number
}

const SHORT = '10m'
const LONGER = '15m'
/** A bandwidth below this would stop rather than pace. */
const BANDWIDTH_MIN = 65_536

const said = (field: Field, value: Setting): string => `--${field.flag} ${writeText(field, value)}`

/** Quoted, since `*` means something to every shell. */
const edge = (source: string, target: string): string => `'${edgeKey(source, target)}'`

export function suggestionFor(
  { kind }: Finding,
  source: string,
  target: string,
  into: UsualInto,
): string {
  const all = edge('*', target)
  switch (kind) {
    case 'black-hole': {
      const half = Math.max(1, Math.round(into.endedPerSecond / 2))
      const rate = said(backpressure.fields.ratePerSecond, half)
      return `airspace backpressure ${all} ${rate} --for ${SHORT}`
    }
    case 'burst': {
      const twice = Math.max(BANDWIDTH_MIN, Math.round(into.bytesInPerSecond / 1_024) * 2_048)
      const width = said(backpressure.fields.bytesPerSecond, twice)
      const smooth = said(backpressure.fields.smoothMs, 1_000)
      return `airspace backpressure ${all} ${width} ${smooth} --for ${SHORT}`
    }
    case 'failing': {
      const errors = said(breaker.fields.errorRatio, 0.5)
      return `airspace breaker ${edge(source, target)} ${errors} --for ${LONGER}`
    }
    case 'strain':
    case 'crowd': {
      const room = Math.max(2, Math.ceil(into.inFlight * 2))
      return `airspace bulkhead ${all} ${said(bulkhead.fields.maxInFlight, room)} --for ${LONGER}`
    }
    case 'silent-edge':
    case 'new-edge':
      return `airspace describe edge ${edge(source, target)}`
  }
}
