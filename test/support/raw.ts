/** Both ends of a connection as bytes: a source that says exactly this, a target that does that. */
import net from 'node:net'

/** Waits are for what must come; this long is a failure, not a delay. */
const PATIENCE_MS = 5_000

/** A socket and all it has heard. */
export class Talk {
  readonly socket: net.Socket
  heard = Buffer.alloc(0)
  ended = false
  closed = false
  error = ''
  #waiting: (() => void)[] = []

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.heard = Buffer.concat([this.heard, bytes])
      this.#wake()
    })
    socket.on('connect', () => this.#wake())
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message
    })
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async to(port: number, allowHalfOpen = true): Promise<Talk> {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen, noDelay: true })
    const talk = new Talk(socket)
    await talk.until(() => !socket.connecting, 'connected')
    return talk
  }

  /** From an address of loopback that stands for another machine. */
  static async from(localAddress: string, port: number): Promise<Talk> {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    const talk = new Talk(socket)
    await talk.until(() => !socket.connecting, 'connected')
    return talk
  }

  get text(): string {
    return this.heard.toString('latin1')
  }

  say(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** One byte a write, each in a turn of its own. */
  async drip(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.closed; at += 1) {
      this.socket.write(bytes.subarray(at, at + 1))
      await new Promise<void>((next) => setImmediate(next))
    }
  }

  async until(done: () => boolean, what: string): Promise<void> {
    const timer = setTimeout(() => this.#wake(), PATIENCE_MS)
    const lateMs = performance.now() + PATIENCE_MS
    while (!done() && performance.now() < lateMs) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    clearTimeout(timer)
    if (!done()) throw new Error(`waited for ${what}, heard ${JSON.stringify(this.text)}`)
  }

  hears(text: string): Promise<void> {
    return this.until(() => this.text.includes(text), JSON.stringify(text))
  }

  hearsTimes(text: string, times: number): Promise<void> {
    const count = () => this.text.split(text).length - 1
    return this.until(() => count() >= times, `${times} times ${JSON.stringify(text)}`)
  }

  ends(): Promise<void> {
    return this.until(() => this.ended || this.closed, 'the end')
  }

  closes(): Promise<void> {
    return this.until(() => this.closed, 'the close')
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

/** A target that does with each connection what the test says. */
export class Target {
  readonly talks: Talk[] = []
  readonly #server: net.Server
  #accepted: (() => void)[] = []

  constructor(act: (talk: Talk) => void = () => {}) {
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const talk = new Talk(socket)
      this.talks.push(talk)
      act(talk)
      for (const wake of this.#accepted.splice(0)) wake()
    })
  }

  static async start(act?: (talk: Talk) => void): Promise<Target> {
    const target = new Target(act)
    await new Promise<void>((done) => target.#server.listen(0, '127.0.0.1', done))
    return target
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  /** The connection of that number, once it is there. */
  async talk(index = 0): Promise<Talk> {
    while (this.talks.length <= index) {
      await new Promise<void>((resolve) => this.#accepted.push(resolve))
    }
    return this.talks[index]!
  }

  stop(): void {
    this.#server.close()
    for (const { socket } of this.talks) socket.destroy()
  }
}

/** Answers as soon as it has heard `ask`, each time it is there once more. */
export const answering =
  (answer: string, ask = '\r\n\r\n') =>
  (talk: Talk): void => {
    let asked = 0
    talk.socket.on('data', () => {
      const count = talk.text.split(ask).length - 1
      for (; asked < count; asked += 1) talk.say(answer)
    })
  }

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
export const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`
