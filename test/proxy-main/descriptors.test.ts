/** Listening descriptors: one queue for all who accept, however they come and go. */
import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { Descriptors } from '../../proxy/descriptors.ts'

const loopback = { host: '127.0.0.1', port: 0 }

function server(t: Test, name: string): net.Server {
  const made = net.createServer((socket) => socket.end(name))
  t.teardown(() => made.close())
  return made
}

async function listening(
  made: net.Server,
  options: net.ListenOptions & { fd?: number },
): Promise<void> {
  made.listen(options)
  await once(made, 'listening')
}

const answer = async (port: number): Promise<string> => {
  const socket = net.connect(port, '127.0.0.1')
  const [bytes] = await once(socket, 'data')
  return String(bytes)
}

t.test('duplicates accept from one queue, and go on when the other is closed', async (t) => {
  const descriptors = new Descriptors()
  if (!descriptors.shared) {
    t.comment('no koffi on this machine: nothing to duplicate')
    return
  }
  const bound = descriptors.bind(loopback, '--direct')
  t.teardown(() => descriptors.close())
  const one = server(t, 'one')
  await listening(one, { fd: bound.duplicate()! })
  t.equal(await answer(bound.port), 'one')
  await new Promise((resolve) => one.close(resolve))

  // Nobody accepts now: who comes waits in the kernel's queue for the next worker.
  const early = answer(bound.port)
  const two = server(t, 'two')
  await listening(two, { fd: bound.duplicate()! })
  t.equal(await early, 'two')
})

t.test('without koffi workers share the port, which is held all the same', async (t) => {
  const descriptors = new Descriptors(null)
  t.equal(descriptors.shared, false)
  const bound = descriptors.bind(loopback, '--direct')
  t.teardown(() => descriptors.close())
  t.equal(bound.duplicate(), undefined)
  const one = server(t, 'one')
  await listening(one, { host: bound.host, port: bound.port, reusePort: true })
  t.equal(await answer(bound.port), 'one', 'main itself takes no connection')
})

t.test('an address that cannot be had is named', async (t) => {
  const descriptors = new Descriptors()
  t.teardown(() => descriptors.close())
  const taken = server(t, 'taken')
  await listening(taken, loopback)
  const { port } = taken.address() as net.AddressInfo
  t.throws(() => descriptors.bind({ host: '127.0.0.1', port }, '--direct'), {
    message: `--direct: cannot listen on 127.0.0.1:${port} (address in use)`,
  })
  t.throws(() => descriptors.bind({ host: '203.0.113.7', port: 1 }, '--direct'), {
    message: '--direct: cannot listen on 203.0.113.7:1 (not an address of this machine)',
  })
})
