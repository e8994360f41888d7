import { longestMessage } from '../wire/web-socket.ts'
import type * as sdk from '@aws-sdk/client-apigatewaymanagementapi'
import { type ClientOption, isClientOption } from '../aws/client.ts'
import { managementApi } from '../aws/connections.ts'
import { type Port, portTo } from '../aws/port.ts'
import { bytesOf } from '../core/bytes.ts'
import { mapConcurrently } from '../core/map-concurrently.ts'
import { checkOptions, isCount } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { ConfigurationError, GoneError, InvalidDataError } from '../errors/index.ts'
import { Sending } from '../invocation/sends.ts'
import { awaitedScope, currentScope } from '../invocation/scope.ts'

/** Options of {@link ConnectionsBackend}. */
export interface ConnectionsBackendOptions {
  /**
   * Where the API's connections are managed: `https://{api}.execute-api.{region}.amazonaws.com/{stage}`, or behind a custom
   * domain `https://{domain}/{mapping}`.
   * @default the address of the WebSocket request that is being answered; a custom domain is taken without a mapping
   */
  readonly endpoint?: string
  /**
   * A client of `@aws-sdk/client-apigatewaymanagementapi`, or a function that makes one: it has its endpoint itself.
   * @default one per endpoint and process
   */
  readonly client?: ClientOption
  /** How many messages of one `broadcast()` are on their way at the same time. @default 50 */
  readonly concurrency?: number
}

/** A connection, as API Gateway knows it. */
export interface Connection {
  readonly connectionId: string
  readonly connectedAt: Date | undefined
  readonly lastActiveAt: Date | undefined
  readonly clientIp: string | undefined
  readonly userAgent: string | undefined
}

/** What became of a message to many. */
export interface Broadcast {
  /** The connections that have it. */
  readonly sent: readonly string[]
  /** The connections whose client has left: forget them. */
  readonly gone: readonly string[]
  /** The connections that may not have it, and why. */
  readonly failed: readonly { readonly connectionId: string; readonly error: unknown }[]
}

/** The process's own clients. Endpoints are few. */
const ports = new Map<string, Port<typeof sdk>>()

/**
 * Sends to the clients of a WebSocket API of API Gateway, from any function. Needs
 * `@aws-sdk/client-apigatewaymanagementapi` and the permission `execute-api:ManageConnections`. What nobody awaits is awaited
 * before the answer leaves, by the normalizer and by `backends()`.
 *
 * A message has at most 128 KB. A client that is just connecting has no connection yet: greet it at its first message.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { ConnectionsBackend } from 'clearskies-middy/backends/connections'
 * import { backends } from 'clearskies-middy/middleware/backends'
 * import { webSocket } from 'clearskies-middy/normalizers/web-socket'
 *
 * export const handler = middy()
 *   .use(webSocket())
 *   .use(backends({ connections: new ConnectionsBackend() }))
 *   .handler(async ({ type, connectionId, data }, { backends: { connections } }) => {
 *     if (type === 'message') await connections.send(connectionId, { received: data })
 *   })
 * ```
 */
export class ConnectionsBackend {
  readonly #endpoint: string | undefined
  readonly #concurrency: number
  readonly #ownPort: Port<typeof sdk> | undefined

  constructor(options: ConnectionsBackendOptions = {}) {
    checkOptions('new ConnectionsBackend', options, {
      endpoint: (value: unknown) => typeof value === 'string' && /^https?:\/\/[^/\s?#]+[^\s?#]*$/.test(value),
      client: isClientOption,
      concurrency: (value: unknown) => isCount(value) && value !== 0,
    })
    const { endpoint, client, concurrency = 50 } = options
    this.#endpoint = endpoint
    this.#concurrency = concurrency
    this.#ownPort = client && portTo(managementApi, { client })
  }

  /**
   * Sends a message: text and bytes as they are, anything else as JSON.
   *
   * @throws GoneError if the client has left; InvalidDataError for a value without JSON, and for more than 128 KB;
   * ConfigurationError if nobody tells the endpoint
   */
  send(connectionId: string, data: unknown): Promise<void> {
    return sending(async () => {
      await post(this.#port(), connectionId, toFrame(data))
    })
  }

  /**
   * Sends a message to many, once to each. Goes on where connections are gone or fail, and tells all.
   *
   * @throws InvalidDataError for a value without JSON, and for more than 128 KB; ConfigurationError if nobody tells the
   * endpoint
   */
  broadcast(connectionIds: Iterable<string>, data: unknown): Promise<Broadcast> {
    return sending(() => this.#postToAll(connectionIds, data))
  }

  async #postToAll(connectionIds: Iterable<string>, data: unknown): Promise<Broadcast> {
    const message = toFrame(data)
    const port = this.#port()
    const result = { sent: [] as string[], gone: [] as string[], failed: [] as Broadcast['failed'][number][] }
    await mapConcurrently(
      [...new Set(connectionIds)],
      async (connectionId) => {
        try {
          await post(port, connectionId, message)
          result.sent.push(connectionId)
        } catch (error) {
          if (error instanceof GoneError) result.gone.push(connectionId)
          else result.failed.push({ connectionId, error })
        }
      },
      this.#concurrency,
    )
    return result
  }

  /** Ends a connection. One that is gone is done. */
  close(connectionId: string): Promise<void> {
    return sending(async () => {
      await this.#unlessGone(connectionId, (port) =>
        port.call('DeleteConnection', { ConnectionId: connectionId }),
      )
    })
  }

  /** What API Gateway knows of a connection; `undefined` if it is gone. */
  async find(connectionId: string): Promise<Connection | undefined> {
    const found = await this.#unlessGone(connectionId, (port) =>
      port.call('GetConnection', { ConnectionId: connectionId }),
    )
    if (found === undefined) return undefined
    return {
      connectionId,
      connectedAt: found.ConnectedAt,
      lastActiveAt: found.LastActiveAt,
      clientIp: found.Identity?.SourceIp,
      userAgent: found.Identity?.UserAgent,
    }
  }

  async #unlessGone<T>(
    connectionId: string,
    work: (port: Port<typeof sdk>) => Promise<T>,
  ): Promise<T | undefined> {
    const port = this.#port()
    try {
      return await call(connectionId, () => work(port))
    } catch (error) {
      if (error instanceof GoneError) return undefined
      throw error
    }
  }

  #port(): Port<typeof sdk> {
    if (this.#ownPort !== undefined) return this.#ownPort
    const endpoint = this.#endpoint ?? endpointOfRequest()
    let port = ports.get(endpoint)
    if (port === undefined) {
      port = portTo(managementApi, { client: () => managementApi.newClient({ endpoint }) })
      ports.set(endpoint, port)
    }
    return port
  }
}

/** The address of the request that is being answered. A custom domain has a mapping in place of the stage. */
function endpointOfRequest(): string {
  let scope = currentScope()
  while (scope !== undefined && asRecord(scope.event)?.['kind'] !== 'web-socket') scope = scope.parent
  const { domainName, stage } = asRecord(scope?.event) ?? {}
  const [domain, name] = [asString(domainName), asString(stage)]
  if (domain === undefined)
    throw new ConfigurationError(
      'A ConnectionsBackend needs the option "endpoint" outside of a request of webSocket(): https://{api}.execute-api.{region}.amazonaws.com/{stage}',
    )
  return domain.includes('.execute-api.') && name !== undefined
    ? `https://${domain}/${name}`
    : `https://${domain}`
}

/** What nobody awaits is awaited before the answer leaves. */
function sending<T>(work: () => Promise<T>): Promise<T> {
  const begun = new Sending(work())
  awaitedScope()?.sends.add(begun)
  return begun
}

/** @throws InvalidDataError */
function toFrame(data: unknown): Uint8Array {
  const message = bytesOf(data) ?? Buffer.from(typeof data === 'string' ? data : frameText(data))
  if (message.byteLength <= longestMessage) return message
  throw new InvalidDataError(
    `A message of ${message.byteLength} bytes is too large: a connection takes ${longestMessage}`,
  )
}

function frameText(data: unknown): string {
  let text: unknown
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw new InvalidDataError('A message must be text, bytes or have JSON', { cause })
  }
  if (typeof text === 'string') return text
  throw new InvalidDataError(`A message must be text, bytes or have JSON: a ${typeof data} has none`)
}

function post(port: Port<typeof sdk>, connectionId: string, message: Uint8Array): Promise<unknown> {
  return call(connectionId, () =>
    port.call('PostToConnection', { ConnectionId: connectionId, Data: message }),
  )
}

/** Any client says that a connection is gone by a name or by a status. */
async function call<T>(connectionId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { name, $metadata } = asRecord(error) ?? {}
    if (name === 'GoneException' || asRecord($metadata)?.['httpStatusCode'] === 410)
      throw new GoneError(connectionId, { cause: error })
    throw error
  }
}
