/** Cases of picohttpparser and httparse: none that they refuse is taken, most of theirs are. */
import t from 'tap'
import { readPieces } from '../support/messages.ts'
import { absent, bytesOf, type ParserCase, parserCases } from './vectors.ts'

const kindOf = ({ fn, kind }: ParserCase & { kind?: string }): 'request' | 'response' | '' => {
  const said = kind ?? fn
  return /response/.test(said) ? 'response' : /request/.test(said) ? 'request' : ''
}

t.test('requests and responses', { skip: absent('h1-parsers/cases.json') }, async (t) => {
  const taken = { request: 0, response: 0 }
  for (const one of parserCases()) {
    const kind = kindOf(one)
    if (kind === '' || !one.expect) continue
    const bytes = bytesOf(one)
    const verdict = readPieces(kind, [bytes])
    const drops = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
    t.equal(readPieces(kind, drops), verdict, `${one.name}: one verdict for all cuts`)
    const head = /whole$/.test(verdict) || (kind === 'response' && !/bad|large/.test(verdict))
    if (one.expect.startsWith('reject')) t.match(verdict, /bad/, one.name)
    else if (one.expect === 'ok' && head) taken[kind] += 1
  }
  // The rest are bare line feeds, folding, relative targets and bytes above 0x7f in targets.
  t.ok(taken.request >= 250, `${taken.request} of 285 requests`)
  t.ok(taken.response >= 11, `${taken.response} of 16 responses`)
})
