import type { LightClient, LightOptions } from './client.ts'

/** So many different options are remembered. Beyond that, the one that was not asked for the longest is forgotten. */
const maxClients = 50

/** One client for equal options: one pool of connections, one set of credentials, one quota of retries. */
export class SharedClients {
  readonly #make: (options: LightOptions) => LightClient
  readonly #clients = new Map<string, LightClient>()
  /** Functions are equal if they are the same. */
  readonly #numbers = new WeakMap<object, number>()
  #count = 0

  constructor(make: (options: LightOptions) => LightClient) {
    this.#make = make
  }

  get(options: LightOptions): LightClient {
    const name = this.#nameOf(options)
    const client = this.#clients.get(name) ?? this.#make({ ...options })
    this.#clients.delete(name)
    this.#clients.set(name, client)
    const [oldest] = this.#clients.size > maxClients ? this.#clients.keys() : []
    if (oldest !== undefined) this.#clients.delete(oldest)
    return client
  }

  #nameOf(options: LightOptions): string {
    const { region, endpoint, maxAttempts, connectTimeout, requestTimeout, maxSockets, onCall } = options
    const values = [region, endpoint, maxAttempts, connectTimeout, requestTimeout, maxSockets]
    return JSON.stringify([...values, onCall && this.#numberOf(onCall), this.#credentialsOf(options)])
  }

  /** Of credentials only a hash is kept. */
  #credentialsOf({ credentials }: LightOptions): string | number | undefined {
    if (credentials === undefined) return undefined
    if (typeof credentials === 'function') return this.#numberOf(credentials)
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials
    const text = JSON.stringify([accessKeyId, secretAccessKey, sessionToken, expiration])
    return process.getBuiltinModule('node:crypto').hash('sha256', text)
  }

  #numberOf(option: object): number {
    const known = this.#numbers.get(option) ?? ++this.#count
    this.#numbers.set(option, known)
    return known
  }
}
