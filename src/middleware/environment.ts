import type { StandardSchemaV1 } from '@standard-schema/spec'
import { redacted, inspect } from '../core/redacted.ts'
import { readDotenv } from '../core/dotenv.ts'
import {
  ConfigurationError,
  InvalidEnvironmentError,
  InvalidVariableError,
  MalformedJsonError,
  MissingVariableError,
  SecretError,
  ValidationError,
} from '../errors/index.ts'
import { parseJson } from '../core/json.ts'
import { checkOptions } from '../core/options.ts'
import { setEnvFile } from '../aws/region.ts'
import { isSchema, validated } from '../core/standard-schema.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'
import { Secrets } from './secrets.ts'
import { ofVariable } from './secrets/variable-error.ts'

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

const hidden = '[Environment]'
const uri = /^(secret|ssm|secretsmanager):\/\/(.*)$/s

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
  readonly #file: string | false
  readonly #overrides: Readonly<Record<string, string>>
  #variables: Map<string, string> | undefined
  #secrets: Secrets[] = []
  #raw: readonly (string | undefined)[] = []
  #values: Record<string, unknown> = {}
  /** The declared variables, loaded before the handler. */
  readonly values: TValues

  private constructor({ file = '.env', names = [], overrides = {} }: EnvironmentOptions) {
    this.#file = file
    this.#overrides = overrides
    this.values = redacted(
      Object.fromEntries(names.map((name) => [name, () => this.#values[name]])),
      hidden,
    ) as TValues
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
    const value = this.#lookUp(name)
    if (value === undefined) {
      if (optional) return undefined
      throw new MissingVariableError(name, this.#file === false ? 'a file (none is read)' : this.#file)
    }
    const match = uri.exec(value)
    return match === null ? value : this.#resolve(name, match, (secrets, path) => secrets.get(path))
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

  #lookUp(name: string): string | undefined {
    const place = [this.#overrides, process.env].find((variables) => Object.hasOwn(variables, name))
    const set = place?.[name]
    if (set !== undefined || this.#file === false) return set
    this.#variables ??= readDotenv(this.#file)
    return this.#variables.get(name)
  }

  /** Reads the secret that a variable's value is the address of. */
  async #resolve<T>(
    variable: string,
    [, scheme = '', address = '']: RegExpExecArray,
    read: (secrets: Secrets, path: string) => Promise<T>,
  ): Promise<T> {
    const wanted = scheme === 'secret' ? undefined : (scheme as 'ssm' | 'secretsmanager')
    const path = address.replace(/\?key=/, '#')
    if (path === '' || path.startsWith('#'))
      throw new ConfigurationError(`The variable "${variable}" names no secret behind ${scheme}://`)
    for (const candidate of this.#secrets) {
      const secrets = Secrets.ofScheme(candidate, wanted)
      if (secrets === undefined) continue
      try {
        return await read(secrets, Secrets.nameFromUri(secrets, path))
      } catch (error) {
        throw error instanceof SecretError ? ofVariable(variable, Secrets.title(secrets), error) : error
      }
    }
    const middleware = wanted === 'secretsmanager' ? 'secretsManager()' : 'parameterStore()'
    throw new ConfigurationError(
      `The variable "${variable}" is a secret (${scheme}://), which needs ${middleware} in front of environment()`,
    )
  }

  /** @internal */
  static of(options: EnvironmentOptions): Environment {
    return new Environment(options)
  }

  /** @internal Uses a variable's value, and once more what its secret has become if the first is not accepted. */
  static async withFresh<T>(
    environment: Environment,
    name: string,
    use: (value: string) => Promise<T>,
  ): Promise<T> {
    const match = uri.exec(environment.#lookUp(name) ?? '')
    if (match === null) return use(await environment.get(name))
    return environment.#resolve(name, match, (secrets, path) => secrets.withFresh(path, use))
  }

  /** @internal */
  static use(environment: Environment, secrets: Secrets[]): void {
    environment.#secrets = secrets
  }

  /** @internal */
  static async load(
    environment: Environment,
    names: readonly string[],
    schema: StandardSchemaV1 | undefined,
  ): Promise<void> {
    const loaded = await Promise.all(
      names.map(
        (name) => environment.get(name, { optional: schema !== undefined }) as Promise<string | undefined>,
      ),
    )
    // Most invocations find what the one before has found: that was checked already.
    if (
      loaded.length === environment.#raw.length &&
      loaded.every((value, index) => value === environment.#raw[index])
    )
      return
    const values = Object.fromEntries(names.map((name, index) => [name, loaded[index]]))
    environment.#values =
      schema === undefined ? values : ((await checked(schema, values)) as Record<string, unknown>)
    environment.#raw = loaded
  }

  /** A word in place of the values. */
  toJSON(): string {
    return hidden
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => hidden })
  }
}

async function checked(
  schema: StandardSchemaV1,
  values: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  try {
    return await validated(schema, values, 'The environment')
  } catch (error) {
    // Schemas quote what they refuse, and these are secrets.
    if (!(error instanceof ValidationError))
      throw new InvalidEnvironmentError('The environment is not valid: its schema threw an error')
    const errors = error.errors.map(({ path }) => ({ path, message: 'Not what the schema asks for' }))
    const names = new Set(errors.map(({ path: [name] }) => String(name)))
    throw new InvalidEnvironmentError(`The environment is not valid: ${[...names].join(', ')}`, { errors })
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
  })
  const { file = '.env', names = [], schema } = options
  if (schema !== undefined && names.length === 0)
    throw new TypeError('environment(): the option "schema" needs "names", which say what it checks')
  const variables = Environment.of(options)
  setEnvFile(file)

  return {
    before: function environmentBefore(request: MiddyRequest): void | Promise<void> {
      const context = request.context as unknown as Record<string, unknown>
      Environment.use(
        variables,
        Object.values(context).filter((value) => Secrets.is(value)),
      )
      context['environment'] = variables
      if (names.length > 0) return Environment.load(variables, names, schema)
    },
  }
}
