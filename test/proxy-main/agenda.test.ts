/** Moments come in their order, however they were added. */
import t from 'tap'
import { Agenda } from '../../proxy/agenda.ts'
import { chanceOf } from '../support/chance.ts'

t.test('whatever is added between takings, the earliest is taken first', async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const chance = chanceOf(seed)
    const agenda = new Agenda()
    const inside: number[] = []
    const take = (): void => {
      inside.sort((a, b) => a - b)
      const wanted = inside.shift()
      if (agenda.take()?.atMs !== wanted) t.fail(`seed ${seed}`)
    }
    for (let i = 0; i < 200; i++) {
      if (chance() < 0.6) {
        const atMs = Math.floor(chance() * 100)
        inside.push(atMs)
        agenda.add(atMs, () => {})
      } else take()
      if (agenda.size !== inside.length) t.fail(`seed ${seed}: ${agenda.size}`)
    }
    while (inside.length > 0) take()
    t.equal(agenda.nextMs, Infinity)
  }
})
