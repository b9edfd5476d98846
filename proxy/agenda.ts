/**
 * Moments to come in a time that is not ours: whoever drives it takes them in their order. A binary
 * heap, earliest first.
 */
export interface Coming {
  readonly atMs: number
  readonly act: (atMs: number) => void
}

export class Agenda {
  readonly #heap: Coming[] = []

  get size(): number {
    return this.#heap.length
  }

  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity
  }

  add(atMs: number, act: (atMs: number) => void): void {
    const heap = this.#heap
    heap.push({ atMs, act })
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1
      if (heap[above]!.atMs <= atMs) break
      this.#swap(at, above)
      at = above
    }
  }

  take(): Coming | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      if (left < heap.length && heap[left]!.atMs < heap[least]!.atMs) least = left
      if (right < heap.length && heap[right]!.atMs < heap[least]!.atMs) least = right
      if (least === at) return first
      this.#swap(at, least)
      at = least
    }
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap
    const was = heap[one]!
    heap[one] = heap[other]!
    heap[other] = was
  }
}
