/** Reading what people and machines send: what was meant, and how to quote it back. */

/** The known word that is nearest to what was typed, if one is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const edits = distance(word.toLowerCase(), candidate.toLowerCase())
    if (edits >= least) continue
    least = edits
    best = candidate
  }
  return best
}

/** Letters to change, add, drop or swap with the next. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let edits = Math.min(line[column - 1]!, above[column]!) + 1
      edits = Math.min(edits, above[column - 1]! + (same ? 0 : 1))
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, before[column - 2]! + 1)
      line.push(edits)
    }
    before = above
    above = line
  }
  return above[b.length]!
}

export type Given = { readonly [name: string]: unknown }

/** A plain object: not null, no array. */
export const isObject = (given: unknown): given is Given =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

const SHOWN_MAX = 60

/** A value as a complaint quotes it: short, and a text in quotes. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const short = value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}...` : value
    return `'${short}'`
  }
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}
