/** A thread with an opossum breaker of its own: tries to get in twice as often as there is room. */
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import CircuitBreaker from 'opossum'

const { inside, limit } = workerData as { inside: Int32Array; limit: number }
const NOW = 0
const MOST = 1

const breaker = new CircuitBreaker(
  async () => {
    const now = Atomics.add(inside, NOW, 1) + 1
    if (now > Atomics.load(inside, MOST)) Atomics.store(inside, MOST, now)
    await sleep(1000) // long enough for the other thread to be inside too
    Atomics.sub(inside, NOW, 1)
  },
  { capacity: limit, timeout: false },
)
await Promise.allSettled(Array.from({ length: limit * 2 }, () => breaker.fire()))
breaker.shutdown()
