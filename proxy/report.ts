/**
 * Brings windows to the control plane: in order, a bounded number ahead of what is acknowledged,
 * and all of it again on the next stream. Nothing leaves the buffer but by an acknowledgement.
 */
import type { WindowAck } from '../wire/gen/airspace_pb.ts'
import type { WindowBuffer } from './buffer.ts'
import type { ReportStream } from './link.ts'

/** Sent and not acknowledged. After a long absence an hour of windows is to be brought home. */
export const AHEAD_MAX = 64

export class Reporter {
  readonly #buffer: WindowBuffer
  readonly #wallMs: () => number
  #stream: ReportStream | undefined
  #sent = 0 // number of the last window sent on this stream
  #idle: (() => void)[] = []

  constructor(buffer: WindowBuffer, wallMs: () => number) {
    this.#buffer = buffer
    this.#wallMs = wallMs
  }

  attach(stream: ReportStream): void {
    this.#stream = stream
    this.#sent = 0
    stream.on('data', (ack: WindowAck) => {
      if (stream === this.#stream) this.#acknowledged(ack)
    })
    stream.on('drain', () => {
      if (stream === this.#stream) this.send()
    })
    this.send()
  }

  detach(): void {
    this.#stream = undefined
  }

  /** Sends what may be sent; called whenever there is more. */
  send(): void {
    const stream = this.#stream
    while (stream && !stream.writableNeedDrain && this.#ahead < AHEAD_MAX) {
      const next = this.#buffer.after(this.#sent)
      if (!next) break
      this.#sent = next.number
      const window = this.#buffer.read(next)
      if (!window) continue
      window.sentUnixMs = this.#wallMs()
      stream.write(window)
    }
    if (this.#buffer.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Resolves when all is acknowledged. */
  async empty(): Promise<void> {
    if (this.#buffer.size === 0) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  get #ahead(): number {
    return this.#buffer.countTo(this.#sent)
  }

  #acknowledged({ epoch, sequence }: WindowAck): void {
    this.#buffer.acknowledge(epoch, sequence)
    this.send()
  }
}
