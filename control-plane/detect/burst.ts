/**
 * The logging storm: on raw TCP many sources speak to one target at the same moment, again and
 * again. One source's burst is its own business; several in one second, twice within seconds, are
 * driven by something they have in common.
 */
import { bytes, type Finding } from './finding.ts'

/** Times the usual bytes of a second, and at least so many more. */
const LOUDER = 4
const LOUDER_BYTES = 16_384
/** Sources that burst in the same second, and their part of those that speak at all. */
const TOGETHER_MIN = 3
const TOGETHER_PART = 0.5
/** Bursts together within this stretch, of which two make a storm. */
const STORM_S = 15
const BURSTS_MIN = 2
/** An edge known for less has no custom yet. */
const KNOWN_S = 10

export interface Speaker {
  readonly source: string
  readonly bytesInNow: number
  /** In a second, usually. */
  readonly usually: number
  readonly knownS: number
}

const bursts = ({ bytesInNow, usually, knownS }: Speaker): boolean =>
  knownS >= KNOWN_S && bytesInNow > usually * LOUDER + LOUDER_BYTES

/** What has been heard of one target's raw TCP sources. */
export class Chorus {
  /** Seconds in which several burst together. */
  #together: number[] = []
  #voices = new Map<string, { readonly times: number; readonly bytes: number; lastS: number }>()

  /** One second has passed: `second` counts them. */
  hear(speakers: readonly Speaker[], second: number): void {
    this.#together = this.#together.filter((each) => second - each < STORM_S)
    for (const [source, { lastS }] of this.#voices) {
      if (second - lastS >= STORM_S) this.#voices.delete(source)
    }
    const loud = speakers.filter(bursts)
    const speaking = speakers.filter(({ bytesInNow }) => bytesInNow > 0).length
    if (loud.length < TOGETHER_MIN || loud.length < speaking * TOGETHER_PART) return
    this.#together.push(second)
    for (const { source, bytesInNow, usually } of loud) {
      const times = Math.round(bytesInNow / Math.max(1, usually))
      this.#voices.set(source, { times, bytes: bytesInNow, lastS: second })
    }
  }

  get empty(): boolean {
    return this.#together.length === 0 && this.#voices.size === 0
  }

  finding(source: string, target: string): Finding | undefined {
    const voice = this.#voices.get(source)
    if (!voice || this.#together.length < BURSTS_MIN) return undefined
    const others = this.#voices.size - 1
    const how = `${bytes(voice.bytes)} in a second, ${voice.times} times its usual`
    const when = `${this.#together.length} times in ${STORM_S} s`
    return {
      kind: 'burst',
      word: 'stressed',
      why: `bursts to ${target} together with ${others} others, ${when}: ${how}`,
    }
  }
}
