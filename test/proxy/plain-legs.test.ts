/** Should a later Node not let sockets be wrapped anew, all is as before, only dearer. */
import t from 'tap'
import { rewrap } from '../../proxy/leg.ts'
import { between } from '../support/between.ts'
import { answering, get, OK } from '../support/raw.ts'

t.beforeEach(() => {
  rewrap.works = true
})

t.test('the test at the start finds that it works here', async (t) => {
  rewrap.works = false
  await between(t)
  t.equal(rewrap.works, true)
})

t.test('requests, one after the other', async (t) => {
  const { source, path } = await between(t, answering(OK))
  rewrap.works = false
  const one = await source()
  for (let times = 1; times <= 3; times += 1) {
    one.say(get())
    await one.hearsTimes('ok', times)
  }
  one.socket.end()
  await one.closes()
  t.match(path.edge(), { started: 3, succeeded: 3, inFlight: 0 })
})

t.test('more than the kernel takes, both ways', async (t) => {
  const body = Buffer.alloc(12_000_000, 'abcdefghijklmnopqrstuvwxyz012345678')
  const { source, target } = await between(t)
  rewrap.works = false
  const one = await source()
  one.say(`POST / HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n`).say(body)
  const other = await target.talk()
  const heard = { in: 0, out: 0 }
  for (const [talk, way] of [
    [other, 'in'],
    [one, 'out'],
  ] as const) {
    talk.socket.removeAllListeners('data')
    talk.socket.on('data', (bytes: Buffer) => {
      heard[way] += bytes.length
      if (way === 'in' && heard.in > body.length) answer()
    })
  }
  let answered = false
  const answer = () => {
    if (answered) return
    answered = true
    other.say(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n`).say(body).socket.end()
  }
  await one.ends()
  t.ok(heard.out > body.length, `${heard.out} bytes`)
})

t.test('opaque, ending first', async (t) => {
  const { source, target } = await between(t)
  rewrap.works = false
  const one = await source()
  one.say('\x00hello').socket.end()
  const other = await target.talk()
  await other.ends()
  other.say('bye').socket.end()
  await one.closes()
  t.equal(one.text, 'bye')
})
