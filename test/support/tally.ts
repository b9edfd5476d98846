/**
 * What one test file has to say, read from its TAP. Its named tests are counted, not their raw
 * asserts; a file that ends badly, says nothing or stops midway has failed, whatever it printed.
 */
import { Parser, type Result, type TapError } from 'tap-parser'

/** Lines shown of one failure, and bytes of what a failed file wrote to standard error. */
const DETAIL_LINES_MAX = 60
const STDERR_MAX = 16 * 1024

export interface Named {
  /** The file, and within it the names of tests, outermost first. */
  readonly name: string
  /** Why it failed, line by line, or why it was skipped. */
  readonly why: readonly string[]
}

export interface FileResult {
  readonly file: string
  readonly passed: number
  readonly failed: readonly Named[]
  readonly skipped: readonly Named[]
  readonly stderr: string
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
  /** It was ended because it took this long. */
  readonly timedOutS?: number
}

export class Tally {
  readonly #file: string
  readonly #parser: Parser
  #passed = 0
  readonly #failed: Named[] = []
  readonly #skipped: Named[] = []
  /** Failing asserts of the named test that is under way. */
  #asserts: Named[] = []
  /** The file's own asserts, outside any named test, count as one more test. */
  #own: 'none' | 'passed' | 'failed' = 'none'
  #bailout = ''
  #stderr = ''

  constructor(file: string) {
    this.#file = file
    this.#parser = new Parser()
    this.#parser.on('bailout', (reason: string) => {
      this.#bailout = `bailed out: ${reason || 'without a reason'}`
    })
    this.#parser.on('child', (child: Parser) => this.#descend(child, [file, child.name]))
    this.#parser.on('assert', (result: Result) => this.#top(result))
  }

  stdout(chunk: string): void {
    this.#parser.write(chunk)
  }

  stderr(chunk: string): void {
    this.#stderr = (this.#stderr + chunk).slice(-STDERR_MAX)
  }

  end(exit: Exit): FileResult {
    this.#parser.end()
    if (this.#own === 'passed') this.#passed += 1
    const { results } = this.#parser
    if (results?.plan.skipAll) {
      const reason = results.plan.skipReason
      // tap says the same of a file that defines no test as of one that says why it has none.
      if (reason && reason !== 'no tests found') this.#skipped.push(this.#whole(reason))
    }
    for (const complaint of this.#complaints(exit)) this.#failed.push(this.#whole(complaint))
    return {
      file: this.#file,
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      stderr: this.#stderr,
    }
  }

  #whole(why: string): Named {
    return { name: this.#file, why: [why] }
  }

  /** What is wrong with the file as a whole. */
  #complaints(exit: Exit): string[] {
    if (exit.timedOutS !== undefined) return [`timed out after ${exit.timedOutS} s`]
    if (this.#bailout !== '') return [this.#bailout]
    const failed = this.#failed.length > 0
    if (exit.signal !== null) return [`ended by ${exit.signal}`]
    if (exit.code !== 0 && !failed) return [`exited with ${exit.code}`]
    if (this.#passed + this.#skipped.length === 0 && !failed) return ['has no test']
    const { results } = this.#parser
    if (failed || results?.ok) return []
    const tapErrors = results?.failures.map((error: TapError) => error.tapError) ?? []
    return [`its output is not whole: ${tapErrors.join('; ') || 'it stopped before its end'}`]
  }

  /** A test of the file has ended, or the file made an assert of its own. */
  #top(result: Result): void {
    const asserts = this.#asserts
    this.#asserts = []
    const name = `${this.#file} > ${result.name}`
    const reason = skipOf(result)
    if (reason !== undefined) this.#skipped.push({ name, why: [reason] })
    else if (!result.closingTestPoint) {
      if (!result.ok) this.#failed.push({ name, why: detailOf(result) })
      this.#own = result.ok && this.#own !== 'failed' ? 'passed' : 'failed'
    } else if (result.ok) this.#passed += 1
    else {
      const why = asserts.flatMap((assert) => [
        assert.name,
        ...assert.why.map((line) => `  ${line}`),
      ])
      this.#failed.push({ name, why: asserts.length > 0 ? why : detailOf(result) })
    }
  }

  /** Failures and skips within a named test, however deep. */
  #descend(parser: Parser, path: readonly string[]): void {
    parser.on('child', (child: Parser) => this.#descend(child, [...path, child.name]))
    parser.on('assert', (result: Result) => {
      const reason = skipOf(result)
      const name = [...path, result.name].join(' > ')
      if (reason !== undefined) this.#skipped.push({ name, why: [reason] })
      else if (!result.ok && !result.closingTestPoint) {
        this.#asserts.push({
          name: [...path.slice(2), result.name].join(' > '),
          why: detailOf(result),
        })
      }
    })
  }
}

/** The reason of a skip or a to-do, if the result is one; what is to be done was not tested. */
function skipOf({ skip, todo }: Result): string | undefined {
  if (skip) return skip === true ? 'without a reason' : skip
  if (todo) return `to do: ${todo === true ? 'without a reason' : todo}`
  return undefined
}

interface Diagnosis {
  readonly at?: { readonly fileName?: string; readonly lineNumber?: number }
  readonly diff?: string
  readonly message?: string
  readonly found?: unknown
  readonly wanted?: unknown
  readonly stack?: string
  readonly expired?: string
  readonly cause?: Diagnosis
}

function detailOf({ diag, tapError }: Result): string[] {
  const found = diagnosed((diag ?? {}) as Diagnosis)
  if (tapError) found.unshift(tapError)
  return found.length > DETAIL_LINES_MAX ? [...found.slice(0, DETAIL_LINES_MAX), '...'] : found
}

function diagnosed(diagnosis: Diagnosis): string[] {
  const lines: string[] = []
  const { at, diff, message, stack, expired, cause } = diagnosis
  if (at?.fileName) lines.push(`at ${at.fileName}:${at.lineNumber}`)
  if (expired) lines.push(`expired: ${expired}`)
  if (message) lines.push(...message.trimEnd().split('\n'))
  if (diff) lines.push(...diff.trimEnd().split('\n'))
  else if ('found' in diagnosis || 'wanted' in diagnosis) {
    lines.push(
      `wanted ${JSON.stringify(diagnosis.wanted)}`,
      `found  ${JSON.stringify(diagnosis.found)}`,
    )
  }
  if (cause) lines.push('because:', ...diagnosed(cause).map((line) => `  ${line}`))
  if (!diff && stack) lines.push(...stack.trimEnd().split('\n'))
  return lines
}
