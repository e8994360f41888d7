import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
import { secretsManager } from 'clearskies-middy/middleware/secrets-manager'

/** What a store does with a call: milliseconds to its answer, an error, or nothing at all. */
export type Reply = number | Error | 'hang'

/** One call that has come. */
export interface TimedCall {
  readonly operation: string
  readonly names: readonly string[]
  readonly at: number
  /** When it was answered, refused or given up. */
  endedAt: number | undefined
  isAborted: boolean
}

type Input = Readonly<Record<string, string & readonly string[]>>

/** A client of either store whose answers take a time of the test's own clock. */
export class TimedStore {
  readonly calls: TimedCall[] = []
  readonly values = new Map<string, string>()
  reply: (names: readonly string[], operation: string) => Reply = () => 0

  async send(
    command: { readonly input: Input; readonly constructor: { readonly name: string } },
    { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<unknown> {
    const operation = command.constructor.name.replace(/Command$/, '')
    const { Names, Name, SecretIdList, SecretId, Path } = command.input
    const names = [Names ?? Name ?? SecretIdList ?? SecretId ?? Path ?? []].flat()
    const call: TimedCall = { operation, names, at: Date.now(), endedAt: undefined, isAborted: false }
    this.calls.push(call)
    try {
      await this.#turn(this.reply(names, operation), abortSignal)
    } catch (error) {
      call.isAborted = abortSignal?.aborted === true
      throw error
    } finally {
      call.endedAt = Date.now()
    }
    return this.#output(operation, names)
  }

  #turn(reply: Reply, abortSignal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      abortSignal?.addEventListener('abort', () => {
        reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }))
      })
      if (reply instanceof Error) reject(reply)
      else if (reply === 0) resolve()
      else if (reply !== 'hang') setTimeout(resolve, reply)
    })
  }

  #output(operation: string, names: readonly string[]): unknown {
    const found = names.filter((name) => this.values.has(name))
    const secrets = found.map((Name) => ({ Name, SecretString: this.values.get(Name) }))
    if (operation === 'GetSecretValue')
      return secrets[0] ?? Promise.reject(awsError('ResourceNotFoundException'))
    if (operation === 'BatchGetSecretValue') return { SecretValues: secrets, Errors: [] }
    return { Parameters: found.map((Name) => ({ Name, Value: this.values.get(Name) })) }
  }
}

/** An error as the SDK's clients throw it. */
export function awsError(name: string, message: string = name): Error {
  return Object.assign(new Error(message), { name, $metadata: {} })
}

/** Both stores, each made with such a client. */
export const timedStores: readonly (readonly [name: string, make: typeof parameterStore])[] = [
  ['parameterStore()', parameterStore],
  ['secretsManager()', secretsManager],
]
