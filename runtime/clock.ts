/**
 * Two clocks. The monotonic one counts milliseconds since the machine started, the same number in
 * every thread of a process, and never jumps: leases, delays and latencies are measured with it.
 * The wall clock is for people and for other machines.
 */
export interface Clock {
  /** Monotonic, in ms with a fraction. */
  nowMs(): number
  /** Unix time in ms. */
  wallMs(): number
}

// performance.now() counts from each thread's own start; hrtime from the machine's.
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()

export const clock: Clock = {
  nowMs: () => performance.now() + offsetMs,
  wallMs: () => Date.now(),
}
