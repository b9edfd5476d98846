/** Cases that other parsers are tested with. They lie beside the project, or the tests are skipped. */
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
