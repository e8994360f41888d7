import type {
  GetParametersByPathCommandOutput,
  GetParametersCommandOutput,
  Parameter,
} from '@aws-sdk/client-ssm'
import type * as sdk from '@aws-sdk/client-ssm'
import { type AwsClient, isLightClient } from '../../aws/client.ts'
import type { Port } from '../../aws/port.ts'
import { chunks } from '../../core/chunks.ts'
import { optionalImport } from '../../core/optional-import.ts'
import { SecretError, SecretNotFoundError } from '../../errors/index.ts'
import { NamesApart } from './apart.ts'
import { loadThroughMiddy } from './middy-loader.ts'
import { parameterTitle } from './parameter-name.ts'
import { readInBatches } from './read-in-batches.ts'
import { isOfOneName, readError } from './read-error.ts'
import { pathEnd } from './same-secret.ts'
import type { Outcome, Outcomes, ReadOptions, SecretRef, Timed } from './store.ts'

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const parametersPerRequest = 10

/** Reads parameters. */
export class ParameterReader {
  readonly #port: Port<typeof sdk>
  readonly #apart = new NamesApart()

  constructor(port: Port<typeof sdk>) {
    this.#port = port
  }

  /** Which can be read in one call. */
  batches(refs: readonly SecretRef[]): SecretRef[][] {
    const isAlone = (ref: SecretRef): boolean => ref.isPath === true || this.#apart.has(ref)
    const together = refs.filter((ref) => !isAlone(ref))
    return [...chunks(together, parametersPerRequest), ...refs.filter(isAlone).map((ref) => [ref])]
  }

  async read(batch: readonly SecretRef[], { signal }: ReadOptions): Promise<Outcomes> {
    const [first] = batch
    if (first?.isPath === true) return [await this.#readPath(first, signal)]
    if (first !== undefined && this.#apart.has(first)) return [await this.#readSingly(first, signal)]
    return this.#readBatch(batch, signal)
  }

  /** Reads what is declared: through Middy's loader, but for selectors, ARNs and paths, which it does not know. */
  async readDeclared(refs: readonly SecretRef[], options: ReadOptions): Promise<Outcomes> {
    const client = await this.#port.client()
    // Middy's loader would load the package of the SDK.
    if (isLightClient(client)) return readInBatches(this, refs, options)
    const isPlain = (ref: SecretRef): boolean =>
      ref.key === ref.name && !ref.name.startsWith('arn:') && !ref.isPath && !this.#apart.has(ref)
    const plain = refs.filter(isPlain)
    const others = refs.filter((ref) => !isPlain(ref))
    const [heard, read] = await Promise.all([
      plain.length > 0 ? this.#readPlain(plain, client, options.signal) : new Map<string, Promise<Outcome>>(),
      readInBatches(this, others, options),
    ])
    const found = new Map<string, Outcome | Promise<Outcome>>(heard)
    for (const [place, { key }] of others.entries()) found.set(key, read[place] ?? missing(key))
    return refs.map(({ key }) => found.get(key) ?? missing(key))
  }

  /** All names below a path. */
  async *list(prefix: string, timed: Timed): AsyncGenerator<string, void> {
    let NextToken: string | undefined
    do {
      const token = NextToken
      const page = await timed((signal) =>
        this.#page(prefix, { WithDecryption: false, NextToken: token }, signal).catch((error: unknown) => {
          throw readError(parameterTitle, prefix, error, 'list')
        }),
      )
      for (const { Name } of page.Parameters ?? []) if (Name !== undefined) yield Name
      NextToken = page.NextToken // A page may be empty and not the last.
    } while (NextToken)
  }

  #page(
    path: string,
    options: { readonly WithDecryption: boolean; readonly NextToken: string | undefined },
    signal: AbortSignal,
  ): Promise<GetParametersByPathCommandOutput> {
    const Path = path.startsWith('/') ? path : `/${path}`
    return this.#port.call('GetParametersByPath', { Path, Recursive: true, ...options }, signal)
  }

  /** The values below a path, by their names below it. */
  async #readPath({ key, name }: SecretRef, signal: AbortSignal): Promise<Outcome> {
    const path = name.slice(0, -pathEnd.length) || '/'
    const values = new Map<string, string>()
    try {
      let NextToken: string | undefined
      do {
        const page = await this.#page(path, { WithDecryption: true, NextToken }, signal)
        for (const { Name, Value } of page.Parameters ?? [])
          if (Name !== undefined && Value !== undefined) values.set(Name.slice(name.length - 1), Value)
        NextToken = page.NextToken
      } while (NextToken)
      return values
    } catch (error) {
      return readError(parameterTitle, key, error)
    }
  }

  async #readBatch(refs: readonly SecretRef[], signal: AbortSignal): Promise<Outcomes> {
    try {
      const Names = refs.map(({ key }) => key)
      const output = await this.#port.call('GetParameters', { Names, WithDecryption: true }, signal)
      return refs.map((ref) => parameterOutcome(output, ref))
    } catch (cause) {
      if (refs.length > 1 && isOfOneName(cause)) return refs.map((ref) => this.#readSingly(ref, signal))
      return refs.map(({ key }) => readError(parameterTitle, key, cause))
    }
  }

  async #readSingly(ref: SecretRef, signal: AbortSignal): Promise<Outcome> {
    const [outcome = new SecretNotFoundError(ref.key, parameterTitle)] = await this.#readBatch([ref], signal)
    const read = await outcome
    this.#apart.remember(ref, isOfOneName(read))
    return read
  }

  async #readPlain(
    refs: readonly SecretRef[],
    client: AwsClient,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Promise<Outcome>>> {
    const { default: loader } = await optionalImport('@aws-sdk/client-ssm', () => import('@middy/ssm'))
    const heard = new Map<string, Outcome>()
    const names = refs.map(({ name }) => name)
    const calls = await loadThroughMiddy(loader, names, client, signal, {
      answered(output: GetParametersCommandOutput, { input }: GetParameters) {
        for (const name of input.Names) heard.set(name, parameterOutcome(output, { key: name, name }))
      },
      failed(cause, { input }: GetParameters) {
        if (!isOfOneName(cause))
          for (const name of input.Names) heard.set(name, readError(parameterTitle, name, cause))
      },
    })
    const outcome = async (ref: SecretRef): Promise<Outcome> => {
      await calls.get(ref.name)
      return heard.get(ref.name) ?? this.#readSingly(ref, signal)
    }
    return new Map(refs.map((ref) => [ref.key, outcome(ref)]))
  }
}

function missing(key: string): SecretNotFoundError {
  return new SecretNotFoundError(key, parameterTitle)
}

interface GetParameters {
  readonly input: { readonly Names: readonly string[] }
}

function parameterOutcome({ Parameters = [] }: GetParametersCommandOutput, ref: SecretRef): Outcome {
  const found = Parameters.find((parameter) => isMeant(parameter, ref))
  if (found === undefined) return new SecretNotFoundError(ref.key, parameterTitle)
  // So it answers for a binary secret behind /aws/reference/secretsmanager/.
  const message = `${parameterTitle} gives no value for "${ref.key}", which is binary: read it with secretsManager()`
  return found.Value ?? new SecretError(ref.key, message)
}

function isMeant({ Name, ARN, Selector = '' }: Parameter, { key }: SecretRef): boolean {
  return key === `${Name}${Selector}` || key === `${ARN}${Selector}`
}
