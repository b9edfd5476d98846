/**
 * Cases that other parsers are tested with. They lie beside the project, or the tests are
 * skipped.
 */
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('../../../shared/vectors/', import.meta.url)

/** Why the tests of a set are skipped, or false when it is there. */
export const absent = (set: string): string | false =>
  existsSync(new URL(set, folder)) ? false : `../shared/vectors/${set} is not here`

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

export interface LlhttpCase {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly input_b64: string
  readonly error: { readonly code: number; readonly reason: string } | null
  readonly messages_complete: number
}

export const llhttpCases = (): readonly LlhttpCase[] =>
  absent('llhttp/cases.json') ? [] : (read('llhttp/cases.json') as LlhttpCase[])

export interface ParserCase {
  readonly src: string
  readonly fn: string
  readonly name: string
  readonly input_b64: string
  readonly expect?: string
}

export const parserCases = (): readonly ParserCase[] =>
  absent('h1-parsers/cases.json') ? [] : (read('h1-parsers/cases.json') as ParserCase[])

export const bytesOf = (one: { readonly input_b64: string }): Buffer =>
  Buffer.from(one.input_b64, 'base64')

interface CurlCase {
  readonly test: string
  readonly name: string
  readonly reply: { readonly [part: string]: { readonly attr: string; readonly raw: string } }
  readonly curl_errorcode: number
}

export interface Reply {
  readonly name: string
  readonly bytes: Buffer
  /** What curl makes of it: 0 is a good answer. */
  readonly errorCode: number
}

/** Replies that curl's own server sends as they are, with CRLF where that server writes it. */
export function curlReplies(): readonly Reply[] {
  if (absent('curl-responses/responses.json')) return []
  const replies: Reply[] = []
  for (const one of read('curl-responses/responses.json') as CurlCase[]) {
    const { data, servercmd } = one.reply
    if (!data || servercmd || /base64|nonewline/.test(data.attr)) continue
    const text = expand(data.raw)
    if (text === undefined || !/^HTTP\/1/.test(text)) continue
    // Chunks lost their CR as they were taken out of XML, unless said line by line.
    if (/\nTransfer-Encoding:.*chunked/i.test(text) && !data.attr.includes('yes')) continue
    const bytes = Buffer.from(crlf(text, data.attr), 'latin1')
    replies.push({ name: `${one.test} ${one.name}`, bytes, errorCode: one.curl_errorcode })
  }
  return replies
}

/** curl's macros; undefined for those that depend on its server or its build. */
function expand(raw: string): string | undefined {
  const text = raw
    .replace(/%hex\[(.*?)\]hex%/gs, (_, hex: string) =>
      hex.replace(/%([0-9a-fA-F]{2})/g, (__, byte: string) =>
        String.fromCharCode(Number.parseInt(byte, 16)),
      ),
    )
    .replace(/%repeat\[(\d+) x (.*?)\]%/gs, (_, times: string, what: string) =>
      what.replaceAll('%0a', '\n').repeat(Number(times)),
    )
    .replaceAll('%CR', '\r')
    .replaceAll('%LF', '\n')
    .replaceAll('%SP', ' ')
    .replaceAll('%TESTNUMBER', '1')
  return /%[A-Za-z]/.test(text.replace(/%[0-9A-Fa-f]{2}/g, '')) ? undefined : text
}

/** Heads always: what lies here was stripped of CR as it was taken out of XML. */
function crlf(text: string, attr: string): string {
  if (attr.includes('yes')) return text.replace(/\r?\n/g, '\r\n')
  let at = 0
  let out = ''
  // Each head, interim ones too, up to its empty line; then the body as it is.
  while (/^HTTP\/1/.test(text.slice(at))) {
    const end = text.slice(at).search(/\r?\n\r?\n/)
    if (end < 0) break
    const head = text.slice(at).match(/^.*?\r?\n\r?\n/s)?.[0] ?? ''
    out += head.replace(/\r?\n/g, '\r\n')
    at += head.length
    if (!/^HTTP\/1\.\d 1\d\d/.test(head)) break
  }
  return out + text.slice(at)
}
