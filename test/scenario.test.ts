/**
 * Runs the transcripts in test/scenarios. A transcript is commands, a line of dashes, and what came
 * of them. `REWRITE=1` writes down what came of them now: read the diff before you commit it.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Transcript } from './policies/transcript.ts'

const paths = globSync('test/scenarios/*.txt')

t.ok(paths.length >= 8, 'one for each pattern, and what they have in common')

for (const path of paths) {
  t.test(`scenario: ${path}`, async (t) => {
    const written = readFileSync(path, 'utf8')
    const transcript = new Transcript()
    const blocks = written.trimEnd().split(/\n\n+/)
    const replayed = blocks.map((block) => {
      const lines = block.split('\n')
      const dashes = lines.indexOf('----')
      const asked = dashes === -1 ? lines : lines.slice(0, dashes)
      const commands = asked.filter((line) => !line.startsWith('#'))
      return [...asked, '----', ...commands.flatMap((line) => transcript.run(line))].join('\n')
    })
    const text = `${replayed.join('\n\n')}\n`
    if (process.env['REWRITE']) writeFileSync(path, text)
    t.equal(process.env['REWRITE'] ? text : written, text)
  })
}
