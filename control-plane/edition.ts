/**
 * Editions count up over restarts too, without a write for each: a block of them is reserved on
 * disk, and a restart begins with the next block.
 */
import type { Book } from './book.ts'

const BLOCK = 1_000_000

export function editionsOf(book: Book): () => number {
  let edition = Number(book.recall('edition') ?? 0)
  let reserved = edition
  return () => {
    edition += 1
    if (edition >= reserved) {
      reserved = edition + BLOCK
      book.remember('edition', String(reserved))
    }
    return edition
  }
}
