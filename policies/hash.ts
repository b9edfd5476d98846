/** A 64-bit hash of a text, for telling apart what is not meant to collide; no secret is in it. */
export function hashOf(text: string): string {
  let one = 0x811c_9dc5
  let two = 0x1b87_3593
  for (let i = 0; i < text.length; i += 1) {
    const letter = text.charCodeAt(i)
    one = Math.imul(one ^ letter, 0x85eb_ca6b)
    one ^= one >>> 13
    two = Math.imul(two ^ letter, 0x27d4_eb2f)
    two ^= two >>> 15
  }
  one = Math.imul(one ^ (one >>> 16), 0xc2b2_ae35)
  two = Math.imul(two ^ (two >>> 14), 0x1656_67b1)
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
  return hex(one) + hex(two)
}
