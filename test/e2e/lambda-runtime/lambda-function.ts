import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Outcome, type PostedError, RuntimeApi, type StreamOutcome } from './runtime-api.ts'

const runtime = resolve(import.meta.dirname, 'client/node_modules/aws-lambda-ric/index.mjs')

/** What a function is configured with. */
export interface FunctionSettings {
  /** The folder with the bundle, `LAMBDA_TASK_ROOT`. */
  readonly root: string
  /** The bundle's file without its extension, and the export. */
  readonly handler: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A function's process: AWS's runtime interface client with a bundle, and the Runtime API that it talks to. */
export class LambdaFunction implements AsyncDisposable {
  /** What it has written to its log, line by line. */
  readonly log: string[] = []
  /** On the clock of `performance`. */
  readonly startedAt: number
  readonly #api: RuntimeApi
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>

  private constructor(api: RuntimeApi, child: ChildProcess, startedAt: number) {
    this.startedAt = startedAt
    this.#api = api
    this.#child = child
    this.#exit = once(child, 'close').then(([code]) => code as number | null)
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface(stream).on('line', (line) => this.log.push(line))
  }

  static async start({ root, handler, env = {} }: FunctionSettings): Promise<LambdaFunction> {
    const api = new RuntimeApi()
    const address = await api.listen()
    const startedAt = performance.now()
    const child = spawn(process.execPath, [runtime], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        AWS_LAMBDA_RUNTIME_API: address,
        _HANDLER: handler,
        LAMBDA_TASK_ROOT: root,
        AWS_LAMBDA_FUNCTION_NAME: 'shop',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/shop',
        AWS_LAMBDA_LOG_STREAM_NAME: '2026/03/10/[$LATEST]0123456789abcdef',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'ASIATEST',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_SESSION_TOKEN: 'test',
        ...env,
      },
    })
    return new LambdaFunction(api, child, startedAt)
  }

  /** @throws if the process ends instead of answering, with its log */
  invoke(event: unknown, options?: { timeout?: number }): Promise<Outcome> {
    return this.#orGone(this.#api.invoke(event, options))
  }

  /** Invokes, and expects a value. */
  async call(event: unknown, options?: { timeout?: number }): Promise<unknown> {
    const outcome = await this.invoke(event, options)
    if (outcome.kind === 'response') return outcome.value
    throw new Error(`Instead of a response: ${JSON.stringify(outcome)}\n${this.log.join('\n')}`)
  }

  /** Invokes, and expects a response that streams. */
  async stream(event: unknown): Promise<StreamOutcome> {
    const outcome = await this.invoke(event)
    if (outcome.kind === 'stream') return outcome
    throw new Error(`Instead of a stream: ${JSON.stringify(outcome)}\n${this.log.join('\n')}`)
  }

  /** Resolves when the handler is loaded. */
  get ready(): Promise<void> {
    return this.#orGone(this.#api.ready)
  }

  /** The error that the runtime could not start for; the process ends with it. */
  async initError(): Promise<PostedError & { readonly exitCode: number | null }> {
    const error = await this.#orGone(this.#api.initError)
    return { ...error, exitCode: await this.#exit }
  }

  /** As Lambda ends an environment whose time is up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.#api.close()
  }

  #orGone<T>(promise: Promise<T>): Promise<T> {
    const gone = this.#exit.then(async (code): Promise<never> => {
      // What it said last may still be on its way.
      const said = await Promise.race([promise.then((value) => ({ value })), immediate()])
      if (said !== undefined) return said.value as never
      throw new Error(`The process ended with ${code}\n${this.log.join('\n')}`)
    })
    return Promise.race([promise, gone])
  }
}

function immediate(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined))
}
