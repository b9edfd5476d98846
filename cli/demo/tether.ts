/**
 * Loaded before a part of the demo (`node --import tether.ts ...`): when the demo is gone,
 * however it went, the part goes too. The pipe to the demo ends with the demo, so nothing is
 * polled.
 */
import { isMainThread } from 'node:worker_threads'

/** A part that does not end by itself after being asked is ended after this long. */
const GRACE_MS = 5_000

if (isMainThread && process.channel) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The tether itself must not keep a part alive that is done.
  process.channel.unref()
}
