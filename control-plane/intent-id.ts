/**
 * Names of intents: short enough to be read out, never given twice by one ledger. The revision
 * makes it unique; the ledger's own seed makes it differ from the names another ledger gave.
 */
const PREFIXES: Readonly<Record<string, string>> = {
  bulkhead: 'bh',
  backpressure: 'bp',
  breaker: 'br',
  segment: 'sg',
  quarantine: 'qt',
}

/** Crockford's base 32: no letter that is mistaken for a digit. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
const SHORTEST = 3
/** Odd, so that multiplying by it modulo a power of two gives each number once. */
const SPREAD = 2_654_435_761n

/** `revision` is that of the entry which first applies the intent. */
export function intentId(kind: string, revision: number, seed: number): string {
  let length = SHORTEST
  while (revision >= 32 ** length) length += 1
  const space = 32n ** BigInt(length)
  let rest = (BigInt(revision) * SPREAD + BigInt(seed)) % space
  let text = ''
  for (let place = 0; place < length; place += 1) {
    text = DIGITS[Number(rest % 32n)] + text
    rest /= 32n
  }
  return `${PREFIXES[kind] ?? kind.slice(0, 2)}-${text}`
}
