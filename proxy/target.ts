/**
 * The way to the target. A connection serves one source connection only and ends with it: what
 * targets bind to a connection (authentication, ordering, limits) stays as it was without us.
 */
import type { Place } from './identify.ts'
import { Leg, type Reader } from './leg.ts'

/** Dials at once; `connected` or `closed` of the reader follow, never within this call. */
export const dial = (place: Place, reader: Reader): Leg => Leg.dial(place.host, place.port, reader)
