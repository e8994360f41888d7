import { lazily } from '../core/lazily.ts'
import type { Attempts } from './attempts.ts'
import { type AwsClient, type ClientOption, type SdkClient, ownClients } from './client.ts'

/** The operations of a service, by the classes of commands that its SDK package exports. */
export type OperationOf<TSdk> = { [K in keyof TSdk]: K extends `${infer O}Command` ? O : never }[keyof TSdk]

type CommandOf<TSdk, TOperation extends string> = TSdk[`${TOperation}Command` & keyof TSdk]

/** What an operation takes. */
export type OperationInput<TSdk, TOperation extends string> = TOperation extends unknown
  ? CommandOf<TSdk, TOperation> extends new (...inputs: infer TInputs) => unknown
    ? Extract<TInputs, readonly [unknown]>[0]
    : never
  : never

/** What an operation gives. */
export type OperationOutput<TSdk, TOperation extends string> = TOperation extends unknown
  ? CommandOf<TSdk, TOperation> extends new (input: never) => {
      resolveMiddleware(...args: never): (...args: never) => Promise<{ output: infer TOutput }>
    }
    ? TOutput
    : never
  : never

/** A service of AWS: how the package of its SDK is loaded, and how its client is made. */
export interface Service<TSdk> {
  /** Loads the package when it is first needed. @throws MissingDependencyError */
  readonly load: () => Promise<TSdk>
  /** Makes a client. */
  readonly newClient: (config: object) => Promise<SdkClient>
  /** The process's client: one per region. @throws ConfigurationError if no region is set anywhere */
  readonly ownClient: (region?: string) => Promise<AwsClient>
}

export function service<TSdk>(
  load: () => Promise<TSdk>,
  make: (sdk: TSdk, config: object) => SdkClient,
): Service<TSdk> {
  const newClient = async (config: object): Promise<SdkClient> => make(await load(), config)
  return { load, newClient, ownClient: ownClients(newClient) }
}

/** Where calls of one service go. */
export interface Port<TSdk> {
  /** Calls an operation by its name, with the input that a pure function has made. */
  call<TOperation extends OperationOf<TSdk>>(
    operation: TOperation,
    input: OperationInput<TSdk, TOperation>,
    signal?: AbortSignal,
  ): Promise<OperationOutput<TSdk, TOperation>>
  /** The same calls, which note how each attempt of them fails. */
  readonly noting: (attempts: Attempts) => Pick<Port<TSdk>, 'call'>
  /** The client, for code that brings its own commands. */
  readonly client: () => Promise<AwsClient>
}

/**
 * Gives operations to a client of the SDK: the user's client, or else the process's own. The first call loads the package
 * and the client. A client of another kind, which needs no package, gets its own branch in this function.
 */
export function portTo<TSdk>(
  { load, ownClient }: Service<TSdk>,
  {
    client: option,
    region,
  }: { readonly client?: ClientOption | undefined; readonly region?: string | undefined } = {},
): Port<TSdk> {
  const client = lazily(async () => {
    if (option === undefined) return ownClient(region)
    return typeof option === 'function' ? option() : option
  })
  const ready = lazily(async () => {
    const newCommand = commandsOf(await load())
    return { client: await client(), newCommand }
  })
  const calls = (attempts?: Attempts): Pick<Port<TSdk>, 'call'> => ({
    async call<TOperation extends OperationOf<TSdk>>(
      operation: TOperation,
      input: OperationInput<TSdk, TOperation>,
      signal?: AbortSignal,
    ) {
      const sdk = await ready()
      const options = signal && { abortSignal: signal }
      const command = sdk.newCommand(operation, input)
      if (attempts !== undefined) noteAttempts(command, attempts)
      return (await sdk.client.send(command, options)) as OperationOutput<TSdk, TOperation>
    },
  })
  return { client, noting: calls, ...calls() }
}

type Handler = (request: object) => Promise<object>

/** A command of an SDK. Its own steps run in whichever client sends it, which stays as it is. */
interface Command {
  readonly middlewareStack: {
    add(step: (next: Handler) => Handler, options: { step: 'finalizeRequest'; priority: 'low' }): void
  }
}

/** The lowest step behind the client's retries runs once for each attempt. */
function noteAttempts({ middlewareStack }: Command, attempts: Attempts): void {
  middlewareStack.add(
    (next) => async (request) => {
      try {
        return await next(request)
      } catch (error) {
        attempts.failed(error)
        throw error
      }
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
}

type Commands = Readonly<Record<string, new (input: unknown) => Command>>

/** Makes the commands of an SDK. */
function commandsOf(sdk: unknown): (operation: string, input: unknown) => Command {
  // A read of this map is faster than to build the class's name and look it up in the SDK.
  const known: Record<string, Commands[string] | undefined> = {}
  return (operation, input) => {
    const Command = (known[operation] ??= (sdk as Commands)[`${operation}Command`])
    if (Command === undefined) throw new TypeError(`The SDK has no operation ${operation}`)
    return new Command(input)
  }
}
