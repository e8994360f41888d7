import type * as sdk from '@aws-sdk/client-sfn'
import { type ClientOption, isClientOption } from '../aws/client.ts'
import { type Port, portTo } from '../aws/port.ts'
import { stepFunctions } from '../aws/step-functions.ts'
import { type Logger, defaultLogger, logSafely } from '../core/logger.ts'
import type { Middleware, MiddyRequest } from '../core/middy.ts'
import { checkOptions, is, isLogger } from '../core/options.ts'
import { asRecord, asString } from '../core/record.ts'
import { errorOf } from '../core/thrown-response.ts'
import { ConfigurationError, ResponseTooLargeError } from '../errors/index.ts'
import { missingNormalizer } from '../events/advice.ts'
import { awaitSends, finalizeResponse, opensInvocation, settleSends } from '../invocation/middy-request.ts'
import { openContext } from '../invocation/open-context.ts'
import { encodeJson } from '../normalizers/http/response-body.ts'

/** Options of {@link taskToken}. */
export interface TaskTokenOptions {
  /** The payload's key with the token. @default 'taskToken' */
  readonly from?: string
  /** A client of `@aws-sdk/client-sfn`, or a function that makes one. @default one per region and process */
  readonly client?: ClientOption
  /** Told of a task that was answered already. @default console */
  readonly logger?: Logger
}

/** What `taskToken()` leaves in the context. */
export interface TaskContext {
  readonly task: {
    /**
     * Tells Step Functions that the work goes on: within the state's `HeartbeatSeconds`, again and again.
     *
     * @throws TaskTimedOut of the SDK where the task is given up: stop working
     */
    readonly heartbeat: () => Promise<void>
  }
}

/** In bytes. https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html */
const longestOutput = 262_144

/** What Step Functions says of a task that has an answer, or needs none any more. */
const answeredNames = new Set(['TaskTimedOut', 'InvalidToken', 'TaskDoesNotExist'])

/**
 * Answers a task of Step Functions (`.waitForTaskToken`) with the handler's value, or with the name and the message of its
 * error: state machines look for the name in `ErrorEquals`. Stands behind `invocation()`. Needs `@aws-sdk/client-sfn` and the
 * permissions `states:SendTaskSuccess`, `states:SendTaskFailure`, `states:SendTaskHeartbeat`.
 *
 * The invocation itself fails only if the answer could not be given, so that Lambda tries again. An answer to a task that
 * has one already is a warning.
 *
 * A value that is no output, because JSON has nothing of it or because it is too large (262,144 bytes), is the task's failure.
 *
 * @throws ConfigurationError for a payload without a token
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { taskToken } from 'clearskies-middy/middleware/task-token'
 * import { invocation } from 'clearskies-middy/normalizers/invocation'
 *
 * export const handler = middy()
 *   .use(invocation())
 *   .use(taskToken())
 *   .handler(async ({ data }, { task }) => {
 *     await task.heartbeat()
 *     return { received: data }
 *   })
 * ```
 */
export function taskToken(options: TaskTokenOptions = {}): Middleware<unknown, TaskContext> {
  checkOptions('taskToken', options, { from: is('string'), client: isClientOption, logger: isLogger })
  const { from = 'taskToken', client, logger = defaultLogger } = options
  const port = portTo(stepFunctions, { client })
  const answers = new TaskAnswers(port, logger)
  const tokens = new WeakMap<object, string>()
  const middleware = {
    before: function taskTokenBefore(request: MiddyRequest): void | Promise<void> {
      return opensInvocation(request, () => {
        const token = tokenOf(request.event, from)
        tokens.set(request, token)
        awaitSends(request, middleware)
        const heartbeat = async (): Promise<void> => {
          await port.call('SendTaskHeartbeat', { taskToken: token })
        }
        Object.assign(openContext(request), { task: { heartbeat } })
        finalizeResponse(request, (result) =>
          tokens.delete(request) ? answers.succeed(token, result) : result,
        )
      })
    },
    after: async function taskTokenAfter(request: MiddyRequest): Promise<void> {
      await settleSends(request, middleware)
      const token = tokens.get(request)
      // Whatever comes of this answer, another one would contradict it.
      tokens.delete(request)
      if (token !== undefined) request.response = await answers.succeed(token, request.response)
    },
    onError: async function taskTokenOnError(request: MiddyRequest): Promise<void> {
      const token = tokens.get(request)
      if (token === undefined) return
      await settleSends(request, middleware)?.catch(() => undefined)
      await answers.fail(token, errorOf(request.error))
      tokens.delete(request)
      // The task has its answer. An invocation that fails would be tried again, and fail the task a second time.
      request.response ??= null
    },
  }
  return middleware
}

/**
 * Step Functions has no word for nothing.
 *
 * @throws ResponseTooLargeError, InvalidResponseError
 */
function taskOutput(result: unknown): string {
  const { text } = encodeJson(result ?? null)
  const size = Buffer.byteLength(text)
  if (size > longestOutput) throw new ResponseTooLargeError(size, longestOutput)
  return text
}

/** Answers tasks, each once. */
class TaskAnswers {
  readonly #port: Port<typeof sdk>
  readonly #logger: Logger

  constructor(port: Port<typeof sdk>, logger: Logger) {
    this.#port = port
    this.#logger = logger
  }

  /**
   * A value that is no output is the task's failure: a task without an answer waits until its time is up. Gives what the
   * invocation answers.
   */
  async succeed(token: string, result: unknown): Promise<unknown> {
    let output: string
    try {
      output = taskOutput(result)
    } catch (error) {
      await this.fail(token, error)
      return null
    }
    await this.#once(() => this.#port.call('SendTaskSuccess', { taskToken: token, output }))
    return result
  }

  async fail(token: string, error: unknown): Promise<void> {
    const { name = 'Error', message = '' } = error instanceof Error ? error : { message: String(error) }
    const failure = { error: name.slice(0, 256), cause: message.slice(0, 32_768) }
    await this.#once(() => this.#port.call('SendTaskFailure', { taskToken: token, ...failure }))
  }

  async #once(answer: () => Promise<unknown>): Promise<void> {
    try {
      await answer()
    } catch (error) {
      if (!answeredNames.has(asString(asRecord(error)?.['name']) ?? '')) throw error
      logSafely(this.#logger, 'warn', 'The task had an answer already, or is given up', error)
    }
  }
}

/** @throws ConfigurationError */
function tokenOf(event: unknown, from: string): string {
  const { kind, data } = asRecord(event) ?? {}
  if (kind !== 'invocation') throw new ConfigurationError(`taskToken() ${missingNormalizer(event)}`)
  const token = asRecord(data)?.[from]
  if (typeof token === 'string' && token !== '') return token
  throw new ConfigurationError(
    `The payload has no task token in "${from}": let the state pass it, "${from}.$": "$$.Task.Token"`,
  )
}
