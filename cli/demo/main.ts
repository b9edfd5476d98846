/**
 * `airspace demo`: ten services, two nodes and a control plane as processes of this machine, a
 * fault after a while, and the command that remedies it. Needs no privilege and nothing but
 * loopback; all of it ends with the demo.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Control } from '../client.ts'
import { EXIT, type Exit, Failure } from '../failure.ts'
import { line } from '../printable.ts'
import { processTerminal, type Terminal } from '../terminal.ts'
import { findToken } from '../token.ts'
import { duration, timeOfDay } from '../words.ts'
import { Cast } from './cast.ts'
import { Prompt } from './command.ts'
import { Drill } from './drill.ts'
import { DEMO_USAGE, type DemoFlags, readDemoFlags } from './flags.ts'
import { greenRouter } from './green-router.ts'
import { loggingStorm } from './logging-storm.ts'
import { Narrator } from './narrator.ts'
import { NODES, Planes } from './planes.ts'
import { verdictLines } from './record.ts'
import { roster } from './roster.ts'
import { Sight } from './sight.ts'
import type { Story } from './story.ts'

const STORIES: readonly Story[] = [loggingStorm, greenRouter]
const ASK_MS = 5_000

/** Why the demo ends before its story does. */
class Over extends Error {
  readonly exit: Exit

  constructor(message: string, exit: Exit) {
    super(message)
    this.exit = exit
  }
}

export async function runDemo(argv: readonly string[]): Promise<number> {
  const terminal = processTerminal(false)
  try {
    const flags = readDemoFlags(argv)
    if (flags) return await play(flags, terminal)
    terminal.out(DEMO_USAGE)
    return EXIT.done
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    terminal.err(line`demo: ${error.message}\n`)
    if (error.hint) terminal.err(`${error.hint}\n`)
    return error.exit
  }
}

async function play(flags: DemoFlags, terminal: Terminal): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'airspace-demo-'))
  const over = new AbortController()
  const end = (why: Error): void => over.abort(why)
  const interrupted = (): void => end(new Over('interrupted', EXIT.interrupted))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted)
  const cast = new Cast(end)
  const planes = new Planes(folder, end)
  const late = setTimeout(
    () =>
      end(new Over(`${duration(flags.forMs)} are over`, flags.assert ? EXIT.failed : EXIT.done)),
    flags.forMs,
  )
  try {
    const untilMs = Date.now() + flags.forMs
    return await tell(flags, { cast, planes, terminal, over: over.signal, untilMs })
  } catch (error) {
    const why = over.signal.aborted ? over.signal.reason : error
    if (!(why instanceof Over)) throw why
    terminal.out(`${why.message}: ending everything\n`)
    return why.exit
  } finally {
    clearTimeout(late)
    await Promise.all([cast.end(), planes.end()])
    if (flags.keep) terminal.out(`kept: ${folder}\n`)
    else rmSync(folder, { recursive: true, force: true })
  }
}

interface Props {
  readonly cast: Cast
  readonly planes: Planes
  readonly terminal: Terminal
  readonly over: AbortSignal
  readonly untilMs: number
}

async function tell(flags: DemoFlags, props: Props): Promise<number> {
  const { cast, planes, terminal, over } = props
  const story = STORIES.find(({ name }) => name === flags.story)!
  const narrator = new Narrator(terminal)
  narrator.plain(
    `airspace demo · ${story.title} · ${roster.length} services, ${NODES.length} nodes, ` +
      `${flags.perSecond} r/s · everything on 127.0.0.0/8, Ctrl-C ends it\n`,
  )
  await cast.start(flags.perSecond)
  await planes.start(cast, flags.workers, !flags.headless)
  const prompt = new Prompt(planes)
  narrator.plain('  in a second terminal:')
  for (const words of [['top', 'edges'], ['status']]) narrator.plain(`  ${prompt.line(words)}`)
  narrator.plain()
  const control = new Control({
    address: planes.grpc,
    token: () => findToken(planes.tokenFile),
    timeoutMs: ASK_MS,
    interrupted: over,
  })
  try {
    const sight = new Sight(control)
    const drill = new Drill(story, {
      cast,
      sight,
      prompt,
      narrator,
      speed: flags.speed,
      ended: over,
    })
    await drill.run()
    const exit = await conclude(drill, cast, narrator)
    if (flags.assert) return exit
    if (!flags.headless) await linger(narrator, props)
    return EXIT.done
  } finally {
    control.close()
  }
}

async function conclude(drill: Drill, cast: Cast, narrator: Narrator): Promise<Exit> {
  const { record } = drill
  const before = record.looks.get('calm')
  const promises = before ? await record.story.promises({ cast, before, worst: record.worst }) : []
  const criteria = [...record.criteria(), ...promises]
  narrator.plain()
  for (const each of record.timeLines()) narrator.plain(each)
  narrator.plain()
  for (const each of record.lookLines()) narrator.plain(each)
  narrator.plain()
  for (const each of verdictLines(criteria)) narrator.plain(each)
  return criteria.every(({ held }) => held) ? EXIT.done : EXIT.failed
}

/** The story is told; the landscape stays for who wants to try other commands. */
async function linger(narrator: Narrator, { over, untilMs }: Props): Promise<void> {
  const until = timeOfDay(untilMs, Date.now())
  narrator.plain()
  narrator.say(`the landscape stays up for you, at most until ${until}; Ctrl-C ends it`)
  await once(over, 'abort')
  // That was the way to end it: no failure, unless a part has died.
  if (!(over.reason instanceof Over)) throw over.reason
}

if (import.meta.main) process.exitCode = await runDemo(process.argv.slice(2))
