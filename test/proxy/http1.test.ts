/** What HTTP/1.1 asks of whoever stands between: exact bytes at both ends, on real sockets. */
import t from 'tap'
import { between, soon } from '../support/between.ts'
import { answering, get, OK } from '../support/raw.ts'

t.test('a request and its answer are the same bytes at both ends', async (t) => {
  const { target, path, source } = await between(t, answering(OK))
  const one = await source()
  one.say(get('/a?b=c'))
  await one.hears('ok')
  t.equal(one.text, OK)
  t.equal(target.talks[0]!.text, get('/a?b=c'))
  one.socket.end()
  await one.closes()
  t.match(path.edge(), { started: 1, succeeded: 1, failed: 0, inFlight: 0, connections: 1 })
})

t.test('requests on one connection use one target connection', async (t) => {
  const { target, source, path } = await between(t, answering(OK))
  const one = await source()
  for (let i = 1; i <= 5; i += 1) {
    one.say(get(`/${i}`))
    await one.hearsTimes('ok', i)
  }
  t.equal(target.talks.length, 1)
  t.equal(path.edge().started, 5)
})

t.test('pipelined requests go one at a time and answers keep their order', async (t) => {
  let under = 0
  let most = 0
  const { source } = await between(t, (talk) => {
    let asked = 0
    talk.socket.on('data', () => {
      const paths = [...talk.text.matchAll(/GET \/(\d+) /g)].map((match) => match[1])
      for (; asked < paths.length; asked += 1) {
        under += 1
        most = Math.max(most, under)
        const path = paths[asked]!
        setImmediate(() => {
          under -= 1
          talk.say(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`)
        })
      }
    })
  })
  const one = await source()
  const paths = Array.from({ length: 1000 }, (_, i) => `${i}`)
  one.say(paths.map((path) => get(`/${path}`)).join(''))
  await one.hears('\r\n\r\n999')
  t.same(one.text.split(/HTTP\/1.1 200 OK\r\ncontent-length: \d+\r\n\r\n/).slice(1), paths)
  t.equal(most, 1)
})

t.test('a request may come a byte at a time', async (t) => {
  const { target, source } = await between(t, answering(OK, 'hello'))
  const one = await source()
  const request = 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello'
  await one.drip(Buffer.from(request))
  await one.hears('ok')
  t.equal(target.talks[0]!.text, request)
})

t.test('chunks and trailers are forwarded as they are', async (t) => {
  const answer =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nx: y\r\n\r\n'
  const { target, source } = await between(t, answering(answer, '0\r\n\r\n'))
  const one = await source()
  const request =
    'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n'
  one.say(request).say(request)
  await one.hearsTimes('x: y\r\n\r\n', 2)
  t.equal(one.text, answer + answer)
  t.equal(target.talks[0]!.text, request + request)
})

for (const [what, request, head] of [
  ['HEAD', 'HEAD / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'],
  ['204', get('/204'), 'HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n'],
  ['304', get('/304'), 'HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n'],
] as const) {
  t.test(`an answer to ${what} has no body, whatever it says`, async (t) => {
    const { source } = await between(t, (talk) => {
      talk.socket.on('data', (bytes) => talk.say(String(bytes).includes('GET /n') ? OK : head))
    })
    const one = await source()
    one.say(request)
    await one.hears('\r\n\r\n')
    one.say(get('/next'))
    await one.hears('ok')
    t.equal(one.text, head + OK)
  })
}

t.test('interim answers are relayed before the final one', async (t) => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
  const { source } = await between(t, answering(hints + hints + OK))
  const one = await source()
  one.say(get())
  await one.hears('ok')
  t.equal(one.text, hints + hints + OK)
})

t.test('a body waits for 100 when its source does', async (t) => {
  const { target, source } = await between(t, (talk) => {
    talk.socket.on('data', (bytes) => {
      talk.say(String(bytes).includes('expect') ? 'HTTP/1.1 100 Continue\r\n\r\n' : OK)
    })
  })
  const one = await source()
  one.say('POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n')
  await one.hears('100 Continue\r\n\r\n')
  one.say('hi')
  await one.hears('ok')
  one.say(get('/after'))
  await one.hearsTimes('ok', 2)
  t.match(target.talks[0]!.text, /hiGET \/after/)
})

t.test('after a final answer instead of 100 the connection is not used again', async (t) => {
  const no = 'HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n'
  const { target, source } = await between(t, answering(no))
  const one = await source()
  one.say('POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n')
  await one.ends()
  t.equal(one.text, no)
  one.say(get('/smuggled'))
  await target.talks[0]!.ends()
  t.notMatch(target.talks[0]!.text, /smuggled/)
})

t.test('an answer that lasts until the end ends the connection', async (t) => {
  const { source, path } = await between(t, (talk) => {
    talk.socket.once('data', () => {
      talk.say('HTTP/1.1 200 OK\r\n\r\nall of it')
      talk.socket.end()
    })
  })
  const one = await source()
  one.say(get())
  await one.ends()
  t.equal(one.text, 'HTTP/1.1 200 OK\r\n\r\nall of it')
  one.socket.end()
  await one.closes()
  t.equal(path.edge().succeeded, 1)
})

t.test('HTTP/1.0 is answered once, or kept if it asks', async (t) => {
  const kept = 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok'
  const { source } = await between(t, (talk) => {
    talk.socket.on('data', (bytes) => talk.say(String(bytes).includes('keep-alive') ? kept : OK))
  })
  const one = await source()
  one.say('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n')
  await one.hears('ok')
  one.say('GET / HTTP/1.0\r\n\r\n')
  await one.ends()
  t.equal(one.text, kept + OK)
})

t.test('nothing after a closing request is forwarded', async (t) => {
  const { target, source } = await between(t, answering(OK))
  const one = await source()
  one.say(`GET / HTTP/1.1\r\nconnection: close\r\n\r\n${get('/smuggled')}`)
  await one.ends()
  t.equal(one.text, OK)
  t.notMatch(target.talks[0]!.text, /smuggled/)
})

t.test('a source that has said all may still listen', async (t) => {
  const { target, source } = await between(t)
  const one = await source()
  one.say(get())
  one.socket.end()
  const other = await target.talk()
  await other.ends()
  t.equal(other.text, get())
  other.say(OK)
  await one.ends()
  t.equal(one.text, OK)
})

t.test('names of ours are taken out both ways', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nX-Airspace-Until: x\r\ncontent-length: 2\r\n\r\nok'
  const { target, source } = await between(t, answering(answer))
  const one = await source()
  one.say('GET / HTTP/1.1\r\nx-airspace-a: 1\r\nhost: x\r\nX-AIRSPACE-B: 2\r\n\r\n')
  await one.hears('ok')
  t.equal(one.text, OK)
  t.equal(target.talks[0]!.text, get())
})

t.test('a large body goes both ways whole', async (t) => {
  const body = Buffer.alloc(3_000_000, 'abcdefghijklmnopqrstuvwxyz0123456789')
  const head = `content-length: ${body.length}\r\n\r\n`
  const { target, source } = await between(t, (talk) => {
    let answered = false
    talk.socket.on('data', () => {
      if (answered || talk.heard.length < body.length) return
      answered = true
      talk.say(`HTTP/1.1 200 OK\r\n${head}`).say(body)
    })
  })
  const one = await source()
  one.say(`POST / HTTP/1.1\r\n${head}`).say(body)
  const all = () => one.heard.length >= body.length + 17 + head.length
  await one.until(all, 'the whole body')
  t.ok(one.heard.subarray(-body.length).equals(body))
  t.ok(target.talks[0]!.heard.subarray(-body.length).equals(body))
})

t.test('what a source sends ahead of its turn is bounded by not reading it', async (t) => {
  const { source, target } = await between(t)
  const one = await source()
  one.say(get('/first'))
  const other = await target.talk()
  await other.hears('/first')
  for (let i = 0; i < 30; i += 1) one.say(get('/ahead').repeat(20_000))
  let turns = 0
  await soon(() => ++turns > 2_000, 'it had time to be read')
  const left = one.socket.writableLength
  t.ok(left > 4_000_000, `${left} bytes have not left the source`)
})
