import { lazily } from '../core/lazily.ts'
import type { Attempts } from './attempts.ts'
import {
  type AnyClient,
  type AwsClient,
  type ClientOption,
  type SdkClient,
  isLightClient,
  ownClients,
} from './client.ts'

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
  /** What stands behind `@aws-sdk/client-` in the name of its package, or how the light client calls it. */
  readonly name: string
  /** Loads the package when it is first needed. @throws MissingDependencyError */
  readonly load: () => Promise<TSdk>
  /** Makes a client. */
  readonly newClient: (config: object) => Promise<SdkClient>
  /** The process's client: one per region. @throws ConfigurationError if no region is set anywhere */
  readonly ownClient: (region?: string) => Promise<AwsClient>
}

export function service<TSdk>(
  name: string,
  load: () => Promise<TSdk>,
  make: (sdk: TSdk, config: object) => SdkClient,
): Service<TSdk> {
  const newClient = async (config: object): Promise<SdkClient> => make(await load(), config)
  return { name, load, newClient, ownClient: ownClients(newClient) }
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
  readonly client: () => Promise<AnyClient>
}

/** What a call goes with. */
interface CallSettings {
  readonly signal: AbortSignal | undefined
  readonly attempts: Attempts | undefined
}

/** Calls an operation. The names and types of inputs are those of the service, whichever client takes them. */
type Call = (operation: string, input: object, settings: CallSettings) => Promise<unknown>

/**
 * Gives operations to a client: the user's, or else the process's own client of the SDK. The first call makes the client,
 * and loads the SDK's package where the client is of the SDK.
 */
export function portTo<TSdk>(
  { name, load, ownClient }: Service<TSdk>,
  {
    client: option,
    region,
  }: { readonly client?: ClientOption | undefined; readonly region?: string | undefined } = {},
): Port<TSdk> {
  const client = lazily(async () => {
    if (option === undefined) {
      // A chain is put together meanwhile: an `environment()` further back may name the file that has the region.
      await load()
      return ownClient(region)
    }
    return typeof option === 'function' ? option() : option
  })
  const ready = lazily(async (): Promise<Call> => {
    const made = await client()
    return isLightClient(made) ? callsOfLight(made, name) : callsOfSdk(made, await load())
  })
  const calls = (attempts?: Attempts): Pick<Port<TSdk>, 'call'> => ({
    async call<TOperation extends OperationOf<TSdk>>(
      operation: TOperation,
      input: OperationInput<TSdk, TOperation>,
      signal?: AbortSignal,
    ) {
      const call = await ready()
      return (await call(operation, new Object(input), { signal, attempts })) as OperationOutput<
        TSdk,
        TOperation
      >
    },
  })
  return { client, noting: calls, ...calls() }
}

/** A service that the light client does not know is an error of its call, which names the package of the SDK. */
interface AnyServices {
  call(
    service: string,
    operation: string,
    input: object,
    options: Pick<CallSettings, 'signal'>,
  ): Promise<unknown>
}

function callsOfLight(client: AnyServices, service: string): Call {
  return async (operation, input, { signal, attempts }) => {
    try {
      return await client.call(service, operation, input, { signal })
    } catch (error) {
      attempts?.callFailed(error)
      throw error
    }
  }
}

function callsOfSdk(client: AwsClient, sdk: unknown): Call {
  const newCommand = commandsOf(sdk)
  return (operation, input, { signal, attempts }) => {
    const command = newCommand(operation, input)
    if (attempts !== undefined) noteAttempts(command, attempts)
    return client.send(command, signal && { abortSignal: signal })
  }
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
