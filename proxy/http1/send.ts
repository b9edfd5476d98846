/** Forwarding a head: as it came, but for lines left out, and with what belongs to it behind it. */
import type { Leg } from '../leg.ts'
import type { Head } from './head.ts'

export const CLOSE_LINE = Buffer.from('connection: close\r\n')

/**
 * One write for the head and the body bytes up to `end`. Mostly nothing is left out, and the bytes
 * go as they came. `line` is put before the empty line. False: as Leg.write.
 */
export function sendHead(
  leg: Leg,
  head: Head,
  bytes: Buffer,
  start: number,
  end: number,
  line?: Buffer,
): boolean {
  if (head.cutCount === 0 && line === undefined) return leg.write(bytes, start, end)
  const whole = Buffer.allocUnsafeSlow(end - start + (line?.length ?? 0))
  let length = 0
  let at = start
  for (let cut = 0; cut < head.cutCount; cut += 1) {
    length += bytes.copy(whole, length, at, start + head.cuts[cut * 2]!)
    at = start + head.cuts[cut * 2 + 1]!
  }
  const last = start + head.length - 2
  length += bytes.copy(whole, length, at, last)
  if (line) length += line.copy(whole, length)
  length += bytes.copy(whole, length, last, end)
  return leg.write(whole, 0, length)
}
