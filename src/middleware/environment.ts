import type { StandardSchemaV1 } from '@standard-schema/spec'
import { nameEnvFile, useEnvFile } from '../invocation/region.ts'
import { parseJson } from '../core/json.ts'
import { type Logger } from '../core/logger.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { checkOptions, isLogger } from '../core/options.ts'
import type { UnknownRecord } from '../core/record.ts'
import { redacted, inspect } from '../core/redacted.ts'
import { isSchema } from '../core/standard-schema.ts'
import { InvalidVariableError, MalformedJsonError, MissingVariableError } from '../errors/index.ts'
import { withinInvocation } from '../invocation/middy-request.ts'
import { openContext } from '../invocation/open-context.ts'
import { addressIn, followAddress } from './environment/address.ts'
import { DeclaredVariables } from './environment/declared-variables.ts'
import { Variables } from './environment/variables.ts'
import { Secrets } from './secrets.ts'

/** Options of {@link environment}. */
export interface EnvironmentOptions<
  TNames extends readonly string[] = readonly string[],
  TSchema extends StandardSchemaV1 = StandardSchemaV1,
> {
  /** A file whose variables count where `process.env` has none; it need not exist. `false` for none. @default '.env' */
  readonly file?: string | false
  /** Variables that count before those of `process.env`; for tests above all. */
  readonly overrides?: Readonly<Record<string, string>>
  /** What is loaded before the handler runs, as `environment.values.NAME`. */
  readonly names?: TNames
  /** Checks and types `values`, for instance a zod object of the `names`. */
  readonly schema?: TSchema
  /** Told of lines of the file that are skipped. @default console */
  readonly logger?: Logger
}

/** What `values` holds: what the schema makes of the names, or text for each. */
export type EnvironmentValues<TNames extends readonly string[], TSchema> =
  TSchema extends StandardSchemaV1<unknown, infer TOutput>
    ? unknown extends TOutput
      ? { readonly [K in TNames[number]]: string }
      : Readonly<TOutput>
    : { readonly [K in TNames[number]]: string }

/** Options of `environment.get()`. */
export interface GetVariableOptions {
  /** Gives `undefined` for a variable that is not set, instead of an error. */
  readonly optional?: boolean
}

const hiddenEnvironment = '[Environment]'

/** @internal What one middleware knows, for all invocations. */
interface Declaration {
  readonly variables: Variables
  readonly declared: DeclaredVariables
}

/**
 * The environment variables, `process.env` over a `.env` file, with secrets in place of the addresses of secrets.
 *
 * @example
 * ```ts
 * import type { Environment } from 'clearskies-middy/middleware/environment'
 *
 * export async function settings(environment: Environment) {
 *   return { table: await environment.get('TABLE'), limit: await environment.int('LIMIT', { optional: true }) }
 * }
 * ```
 */
export class Environment<TValues = unknown> {
  readonly #variables: Variables
  readonly #declared: DeclaredVariables
  readonly #secrets: readonly Secrets[]
  #loaded: UnknownRecord = {}
  #values: TValues | undefined

  private constructor({ variables, declared }: Declaration, secrets: readonly Secrets[]) {
    this.#variables = variables
    this.#declared = declared
    this.#secrets = secrets
  }

  /** The declared variables, loaded before the handler. They stay as they were loaded for the whole invocation. */
  get values(): TValues {
    const getters = this.#declared.names.map((name) => [name, () => this.#loaded[name]] as const)
    return (this.#values ??= redacted(Object.fromEntries(getters), hiddenEnvironment) as TValues)
  }

  /**
   * A variable's value. One that reads `secret://path` (or `ssm://path`, `secretsmanager://path`) is replaced by that
   * secret, which is held as long as the secrets middleware says; what a secret contains is not replaced again.
   *
   * @throws MissingVariableError if it is not set
   */
  get(name: string, options: { readonly optional: true }): Promise<string | undefined>
  get(name: string, options?: GetVariableOptions): Promise<string>
  async get(name: string, { optional = false }: GetVariableOptions = {}): Promise<string | undefined> {
    const value = this.#variables.get(name)
    if (value === undefined) {
      if (optional) return undefined
      throw new MissingVariableError(name, this.#variables.place)
    }
    const address = addressIn(name, value)
    if (address === undefined) return value
    return followAddress(address, this.#secrets, (secrets, path) => secrets.get(path))
  }

  /** A whole number. @throws MissingVariableError, InvalidVariableError */
  int(name: string, options: { readonly optional: true }): Promise<number | undefined>
  int(name: string, options?: GetVariableOptions): Promise<number>
  int(name: string, options: GetVariableOptions = {}): Promise<number | undefined> {
    return this.#as(name, options, 'a whole number', (text) => {
      const number = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
      return Number.isSafeInteger(number) ? number : undefined
    })
  }

  /** `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off`. @throws MissingVariableError, InvalidVariableError */
  bool(name: string, options: { readonly optional: true }): Promise<boolean | undefined>
  bool(name: string, options?: GetVariableOptions): Promise<boolean>
  bool(name: string, options: GetVariableOptions = {}): Promise<boolean | undefined> {
    return this.#as(name, options, 'true or false', (text) => {
      if (/^(?:true|1|yes|on)$/i.test(text)) return true
      return /^(?:false|0|no|off)$/i.test(text) ? false : undefined
    })
  }

  /** A value written as JSON. @throws MissingVariableError, InvalidVariableError */
  async json(name: string, options: GetVariableOptions = {}): Promise<unknown> {
    const text = (await this.get(name, options)) as string | undefined
    if (text === undefined) return undefined
    try {
      return parseJson(text, `The environment variable "${name}"`)
    } catch (error) {
      if (!(error instanceof MalformedJsonError)) throw error
      throw new InvalidVariableError(name, `valid JSON: it breaks at position ${error.position}`)
    }
  }

  async #as<T>(
    name: string,
    options: GetVariableOptions,
    kind: string,
    convert: (text: string) => T | undefined,
  ): Promise<T | undefined> {
    const text = (await this.get(name, options)) as string | undefined
    if (text === undefined) return undefined
    const value = convert(text.trim())
    if (value === undefined) throw new InvalidVariableError(name, kind)
    return value
  }

  /** @internal */
  static of(declaration: Declaration, secrets: readonly Secrets[]): Environment {
    return new Environment(declaration, secrets)
  }

  /** @internal Uses a variable's value, and once more what its secret has become if the first is not accepted. */
  static async withFresh<T>(
    environment: Environment,
    name: string,
    use: (value: string) => Promise<T>,
  ): Promise<T> {
    const address = addressIn(name, environment.#variables.get(name) ?? '')
    if (address === undefined) return use(await environment.get(name))
    return followAddress(address, environment.#secrets, (secrets, path) => secrets.withFresh(path, use))
  }

  /** @internal Reads what is declared. */
  static async load(environment: Environment): Promise<void> {
    const { names, areOptional } = environment.#declared
    const texts = await Promise.all(
      names.map((name) => (areOptional ? environment.get(name, { optional: true }) : environment.get(name))),
    )
    environment.#loaded = await environment.#declared.values(texts)
  }

  /** A word in place of the values. */
  toJSON(): string {
    return hiddenEnvironment
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => hiddenEnvironment })
  }
}

/** What `environment()` leaves in the context. */
export interface EnvironmentContext<TValues = unknown> {
  readonly environment: Environment<TValues>
}

/**
 * Puts the environment variables into the context.
 *
 * @throws MissingVariableError before the handler, if a declared name is not set and no schema makes it optional;
 * InvalidEnvironmentError if the schema refuses the values
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { environment } from 'clearskies-middy/middleware/environment'
 * import { parameterStore } from 'clearskies-middy/middleware/parameter-store'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 *
 * // TABLE=products, API_KEY=secret://shop/api-key
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(parameterStore())
 *   .use(environment({ names: ['TABLE', 'API_KEY'] }))
 *   .handler(async (request, { environment }) => ({ table: environment.values.TABLE }))
 * ```
 */
export function environment<
  const TNames extends readonly string[] = [],
  TSchema extends StandardSchemaV1 = StandardSchemaV1,
>(
  options: EnvironmentOptions<TNames, TSchema> = {},
): Middleware<unknown, EnvironmentContext<EnvironmentValues<TNames, TSchema>>> {
  checkOptions('environment', options, {
    file: (value: unknown) => value === false || typeof value === 'string',
    overrides: (value: unknown) =>
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((text) => typeof text === 'string'),
    names: (value: unknown) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    schema: isSchema,
    logger: isLogger,
  })
  const { file = '.env', names = [], schema, overrides = {}, logger } = options
  if (schema !== undefined && names.length === 0)
    throw new TypeError('environment(): the option "schema" needs "names", which say what it checks')
  const variables = new Variables({ file, overrides, logger })
  const declared = new DeclaredVariables(names, schema)
  nameEnvFile(file)

  function place(context: Record<string, unknown>): Environment {
    const secrets = Object.values(context).filter((value) => Secrets.is(value))
    const environment = Environment.of({ variables, declared }, secrets)
    context['environment'] = environment
    return environment
  }

  return {
    before: function environmentBefore(request: MiddyRequest): void | Promise<void> {
      return withinInvocation(request, (scope) => {
        useEnvFile(scope, file)
        const environment = place(openContext(request))
        return names.length > 0 ? Environment.load(environment) : undefined
      })
    },
  }
}
