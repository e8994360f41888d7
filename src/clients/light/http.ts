import type * as http from 'node:http'
import type { Interruption } from './interruption.ts'
import { Slots } from './slots.ts'

/** A whole answer of a server. */
export interface Answer {
  readonly status: number
  /** A header by its name in lower case. */
  readonly header: (name: string) => string | undefined
  /** Given up once its text is read, so that a large page is not held twice. */
  body: Buffer
}

/** Why there is no answer. */
export interface NoAnswer {
  readonly error: Error
  /** Whether a connection that was kept had ended before the request reached anybody. */
  readonly isStale: boolean
}

/** Where a request goes. */
export interface Origin {
  readonly isSecure: boolean
  readonly hostname: string
  readonly port: number
  /** As in the header `host`. */
  readonly host: string
}

/** A request that is ready to be written. */
export interface OutgoingRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The limits of connections and requests. */
export interface TransportLimits {
  readonly maxSockets: number
  /** Milliseconds until a new connection stands. */
  readonly connectTimeout: number
  /** Milliseconds from the beginning of a request to the last byte of its answer. */
  readonly requestTimeout: number
}

/** A guard far above the largest answer of a service, which is 16 MB. */
const maxAnswerSize = 2 ** 26

/** Sends requests over connections that it keeps. */
export class Transport {
  readonly #limits: TransportLimits
  readonly #agents = new Map<boolean, http.Agent>()
  readonly #slots = new Map<string, Slots>()

  constructor(limits: TransportLimits) {
    this.#limits = limits
  }

  /**
   * Sends one request. Waits for a free connection first, and only then makes the request, because a signature is good
   * for minutes.
   */
  async send(
    origin: Origin,
    interruption: Interruption,
    make: () => OutgoingRequest,
  ): Promise<Answer | NoAnswer> {
    const slots = this.#slotsOf(origin)
    const turn = slots.take(interruption)
    if (turn !== undefined) await turn
    try {
      return await interruption.wait<Answer | NoAnswer>((resolve) => {
        const exchange = new Exchange(this.#limits, resolve)
        exchange.begin(this.#agentOf(origin), origin, make())
        return () => exchange.cancel()
      })
    } finally {
      slots.give()
    }
  }

  /** Ends the connections that nothing uses. When one of them has died in a freeze, so have the others. */
  dropIdle(): void {
    for (const { freeSockets } of this.#agents.values())
      for (const sockets of Object.values(freeSockets))
        for (const socket of [...(sockets ?? [])]) socket.destroy()
  }

  #slotsOf({ isSecure, host }: Origin): Slots {
    const name = `${isSecure}${host}`
    let slots = this.#slots.get(name)
    if (slots === undefined) this.#slots.set(name, (slots = new Slots(this.#limits.maxSockets)))
    return slots
  }

  #agentOf({ isSecure }: Origin): http.Agent {
    let agent = this.#agents.get(isSecure)
    if (agent === undefined) {
      const { Agent } = moduleOf(isSecure)
      agent = new Agent({ keepAlive: true, maxSockets: this.#limits.maxSockets })
      this.#agents.set(isSecure, agent)
    }
    return agent
  }
}

/** Not by `import`: the facade of an ES module, which evaluates what is lazy, takes 28 ms. */
export function moduleOf(isSecure: boolean): Pick<typeof http, 'Agent' | 'request'> {
  return isSecure ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
}

/** One request and its answer. */
class Exchange {
  readonly #limits: TransportLimits
  readonly #settle: (result: Answer | NoAnswer) => void
  #request: http.ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #connectTimer: NodeJS.Timeout | undefined
  #hasAnswer = false
  #isOver = false

  constructor(limits: TransportLimits, settle: (result: Answer | NoAnswer) => void) {
    this.#limits = limits
    this.#settle = settle
  }

  begin(
    agent: http.Agent,
    { isSecure, hostname, port }: Origin,
    { path, headers, body }: OutgoingRequest,
  ): void {
    const request = moduleOf(isSecure).request({ method: 'POST', agent, hostname, port, path, headers })
    this.#request = request
    const { requestTimeout, connectTimeout } = this.#limits
    this.#timer = setTimeout(() => this.#late('answer', requestTimeout), requestTimeout)
    request.on('error', (error) => this.#fail(error))
    request.on('response', (response) => this.#read(response))
    // Also what ends without an error, such as an answer that switches protocols.
    request.on('close', () => {
      if (!this.#isOver) this.#fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    })
    request.on('socket', (socket) => {
      if (!socket.connecting) return
      this.#connectTimer = setTimeout(() => this.#late('connection', connectTimeout), connectTimeout)
      socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(this.#connectTimer))
    })
    request.end(body)
  }

  /** Ends the request, whatever comes of it. */
  cancel(): void {
    if (this.#isOver) return
    this.#end()
    this.#request?.destroy()
  }

  #read(response: http.IncomingMessage): void {
    this.#hasAnswer = true
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxAnswerSize)
        this.#give({ error: new Error('The answer is larger than 64 MB'), isStale: false })
    })
    response.on('error', (error) => this.#fail(error))
    response.on('end', () => {
      if (!response.complete || this.#isOver) return
      this.#end()
      const [first] = chunks
      this.#settle({
        status: response.statusCode ?? 0,
        header: (name) => {
          const value = response.headers[name]
          return Array.isArray(value) ? value[0] : value
        },
        // Characters may stand in two chunks: the text is made of all bytes at once.
        body: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size),
      })
      chunks.length = 0
    })
  }

  #late(what: string, milliseconds: number): void {
    const error = new Error(`There was no ${what} within ${milliseconds} ms`)
    this.#give({ error: Object.assign(error, { name: 'TimeoutError' }), isStale: false })
  }

  /** Node's errors may hold what was received: only what names the failure is taken from them. */
  #fail({ message, code }: NodeJS.ErrnoException): void {
    const isStale = this.#request?.reusedSocket === true && !this.#hasAnswer
    const error = new Error(message || code || 'The connection failed')
    this.#give({ error: code === undefined ? error : Object.assign(error, { code }), isStale })
  }

  #give(result: NoAnswer): void {
    if (this.#isOver) return
    this.cancel()
    this.#settle(result)
  }

  #end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    clearTimeout(this.#connectTimer)
  }
}
