import { inputText } from './input.ts'
import { ServiceClock, elapsedTime } from './clock.ts'
import { CredentialsSource, isCredentials } from './credentials.ts'
import type { CredentialsOption, LightCredentials } from './light-credentials.ts'
import { type Endpoint, Endpoints } from './endpoint.ts'
import { serviceError } from './failure.ts'
import type { LightMetadata } from './light-error.ts'
import { unsignedHeaders } from './headers.ts'
import { withIdempotencyToken } from './idempotency.ts'
import { type OutgoingRequest, Transport } from './http.ts'
import { Interruption } from './interruption.ts'
import { variable } from './record.ts'
import { type CallOutcome, isDamaged, outputOf, answerRequestId } from './outcome.ts'
import { AttemptBudget, RetryQuota, kindOfNoAnswer, kindOfRefusal, toldDelay } from './retry.ts'
import { type LightService, type ServiceWire, wireOf } from './services.ts'
import { setupError } from './setup-error.ts'
import { RequestSigner, signingDate } from './sign.ts'

/** What `onCall` is told of a call that is over. */
export interface LightCall {
  readonly service: LightService
  readonly operation: string
  /** How many requests were sent. */
  readonly attempts: number
  /** From the call to its end. */
  readonly milliseconds: number
  /** Of the last answer; `undefined` without one. */
  readonly status: number | undefined
  /** Of the last answer; `undefined` without one. */
  readonly requestId: string | undefined
}

/** Options of `light()`. */
export interface LightOptions {
  /** @default AWS_REGION, else the region in the `.env` file */
  readonly region?: string
  /** The address of all services. @default AWS_ENDPOINT_URL_DYNAMODB and its like, AWS_ENDPOINT_URL, else the region's */
  readonly endpoint?: string
  /** @default those of the environment, else of the container, else of the SDK's chain where that is installed */
  readonly credentials?: CredentialsOption
  /** How often a call is tried in all. @default AWS_MAX_ATTEMPTS, else 4 for DynamoDB and 3 for others */
  readonly maxAttempts?: number
  /** Until a new connection stands, in milliseconds. @default 1000 */
  readonly connectTimeout?: number
  /** Until the last byte of an answer has come, for each attempt, in milliseconds. @default 60_000 */
  readonly requestTimeout?: number
  /** Connections to each host at once. More calls wait. @default 50 */
  readonly maxSockets?: number
  /** Told of each call when it is over. What it throws changes nothing. */
  readonly onCall?: (call: LightCall) => unknown
}

/** A client of DynamoDB, SQS, Systems Manager and Secrets Manager. */
export interface LightClient {
  /**
   * Calls an operation.
   *
   * @param operation - Such as `GetItem`
   * @param input - What the service's reference says, with bytes as `Uint8Array`
   * @returns the service's JSON, with bytes as `Uint8Array`
   * @throws a {@link LightError}; ConfigurationError for another service, or without region or credentials
   */
  call(
    service: LightService,
    operation: string,
    input?: object,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Record<string, unknown>>
}

/** One call while it is being made. */
interface SignedCall {
  readonly wire: ServiceWire
  readonly operation: string
  readonly input: object | undefined
  readonly body: string
  readonly interruption: Interruption
  readonly metadata: LightMetadata
}

const expired: ReadonlySet<string> = new Set(['ExpiredTokenException', 'ExpiredToken'])

/** Calls services by their JSON protocol, and tries again as the SDK's standard mode does. */
export class HttpClient implements LightClient {
  readonly #options: LightOptions
  readonly #endpoints: Endpoints
  readonly #credentials: CredentialsSource
  readonly #transport: Transport
  readonly #signer = new RequestSigner()
  readonly #clock = new ServiceClock()
  readonly #quota = new RetryQuota()

  constructor(options: LightOptions) {
    const { region, endpoint, credentials, maxSockets = 50 } = options
    const { connectTimeout = 1000, requestTimeout = 60_000 } = options
    this.#options = options
    this.#endpoints = new Endpoints({ region, endpoint })
    this.#credentials = new CredentialsSource(credentials)
    this.#transport = new Transport({ maxSockets, connectTimeout, requestTimeout })
  }

  /** Tells the region as a client of the SDK does, for messages. */
  get config(): { readonly region: () => Promise<string> } {
    return { region: () => this.#endpoints.region() }
  }

  async call(
    service: LightService,
    operation: string,
    input?: object,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Record<string, unknown>> {
    const wire = wireOf(service)
    if (wire === undefined)
      throw await setupError(
        `The light client does not know the service "${service}": use @aws-sdk/client-${service}`,
      )
    if (!/^[A-Za-z]\w*$/.test(operation)) throw new TypeError('An operation has a name such as "GetItem"')
    const metadata: LightMetadata = { attempts: 0, totalRetryDelay: 0, lost: false }
    const interruption = new Interruption(signal, metadata)
    const begun = elapsedTime()
    try {
      const body = inputText(withIdempotencyToken(wire, operation, input))
      return await this.#tried({ wire, operation, input, body, interruption, metadata })
    } finally {
      interruption.end()
      const { attempts, httpStatusCode: status, requestId } = metadata
      this.#report({
        service,
        operation,
        attempts,
        milliseconds: elapsedTime() - begun,
        status,
        requestId,
      })
    }
  }

  /** Whatever it does is its own affair. */
  #report(call: LightCall): void {
    const { onCall } = this.#options
    if (onCall === undefined) return
    const ignore = (): void => undefined
    new Promise((resolve) => resolve(onCall(call))).catch(ignore)
  }

  async #tried(call: SignedCall): Promise<Record<string, unknown>> {
    const { wire, operation, interruption, metadata } = call
    interruption.check()
    const endpoint = await this.#endpoints.find(call)
    const attempts = this.#options.maxAttempts ?? attemptsOfVariable() ?? wire.attempts
    const budget = new AttemptBudget(this.#quota, attempts, wire.baseDelay)
    for (;;) {
      const { output, error, kind, told = 0 } = await this.#attempt(call, endpoint)
      if (output !== undefined) {
        budget.succeed()
        return output
      }
      const delay = budget.delayAfter(kind, told)
      if (delay === undefined) {
        // Who polls asks again at once, and a queue that is down would be asked without a pause.
        if (operation === 'ReceiveMessage') await interruption.delay(budget.refusedDelay)
        throw Object.assign(error ?? new Error(), { $metadata: metadata })
      }
      metadata.totalRetryDelay += delay
      if (delay > 0) await interruption.delay(delay)
    }
  }

  async #attempt(call: SignedCall, endpoint: Endpoint): Promise<CallOutcome> {
    const { wire, interruption, metadata } = call
    const { lost: wasLost } = metadata
    const credentials = await this.#credentialsFor(interruption)
    let [started, offset] = [0, 0]
    const result = await this.#transport.send(endpoint, interruption, () => {
      started = elapsedTime()
      offset = this.#clock.offset
      metadata.attempts++
      metadata.lost = true
      return this.#request(call, endpoint, credentials)
    })
    if ('error' in result) {
      const kind = kindOfNoAnswer(result)
      if (kind === 'reconnect') this.#transport.dropIdle()
      return { error: result.error, kind }
    }
    const { status } = result
    metadata.httpStatusCode = status
    const requestId = answerRequestId(result)
    if (requestId !== undefined) metadata.requestId = requestId
    const isSkewed = this.#clock.read(result, started, offset)
    if (isDamaged(wire, result))
      return { error: new Error('The answer was damaged on its way'), kind: 'transient' }
    if (status >= 200 && status < 300) return outputOf(call, result)
    metadata.lost = wasLost || status >= 500
    const error = serviceError(wire.name, result)
    if (expired.has(error.name) && this.#credentials.forget(credentials)) return { error, kind: 'renew' }
    return { error, kind: kindOfRefusal(error, status, isSkewed), told: toldDelay(result) }
  }

  async #credentialsFor(interruption: Interruption): Promise<LightCredentials> {
    const credentials = await this.#credentials.get(interruption)
    if (isCredentials(credentials)) return credentials
    throw await setupError('The credentials are no texts that can stand in headers')
  }

  /** Signs anew for each attempt: dates pass, and credentials change. */
  #request(
    { wire, operation, body }: SignedCall,
    { host, path, region }: Endpoint,
    credentials: LightCredentials,
  ): OutgoingRequest {
    const { sessionToken } = credentials
    const date = signingDate(Date.now() + this.#clock.offset)
    const headers = {
      'content-type': wire.contentType,
      host,
      'x-amz-date': date,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
      'x-amz-target': wire.target + operation,
    }
    const scope = { region, service: wire.name, date }
    const authorization = this.#signer.authorization(
      { method: 'POST', path, headers, body },
      credentials,
      scope,
    )
    return { path, body, headers: { ...headers, authorization, ...unsignedHeaders(wire, body) } }
  }
}

function attemptsOfVariable(): number | undefined {
  const attempts = Number(variable('AWS_MAX_ATTEMPTS'))
  return Number.isInteger(attempts) && attempts > 0 ? attempts : undefined
}
