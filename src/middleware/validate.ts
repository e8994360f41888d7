import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError, type InputError, ValidationError } from '../errors/index.ts'
import { missingNormalizer } from '../events/advice.ts'
import { eventKind } from '../events/event-kind.ts'
import { fieldNames } from '../core/field-names.ts'
import { checkOptions } from '../core/options.ts'
import type { RecordKind } from '../normalizers/records/record-request.ts'
import { listsByName } from '../core/record.ts'
import { isSchema, toInputError } from '../core/standard-schema.ts'
import type { MiddyRequest, Middleware } from '../core/middy.ts'

/** The parts of a request that a schema can be given for. */
export interface ValidateSchemas {
  readonly data?: StandardSchemaV1
  /** Of an object with the last value of each name, or the list where a name is repeated. */
  readonly query?: StandardSchemaV1
  readonly pathParameters?: StandardSchemaV1
  /** Of an object with lower-case names. */
  readonly headers?: StandardSchemaV1
}

/** The kinds of requests. A batch is none: its records are. */
type RequestKind = 'http' | 'web-socket' | 'invocation' | 'event' | RecordKind

type SchemaOutput<TSchema> = TSchema extends StandardSchemaV1<unknown, infer TOutput> ? TOutput : never

/** The kinds of requests that have all parts of which a schema is given: behind another source the request is `never`. */
type KindWith<TPart> = 'pathParameters' extends TPart
  ? 'http'
  : 'query' extends TPart
    ? 'http' | 'web-socket'
    : 'headers' extends TPart
      ? 'http' | 'web-socket' | 'kafka'
      : RequestKind

/** The values that `request.query` has as members. The names of its methods stay its methods. */
type QueryMembers<TOutput> = {
  [K in keyof TOutput as K extends keyof URLSearchParams ? never : K]: TOutput[K]
}

type RequestPart = keyof ValidateSchemas
type Request = Record<RequestPart, unknown> & { readonly kind?: unknown; readonly valid?: object }
type Result = StandardSchemaV1.Result<unknown>

/**
 * Checks parts of the request by any Standard Schema (zod, valibot, arktype, …) and puts what the schema makes of them
 * in their place, and whole into `request.valid`. In the query a name that `URLSearchParams` has (`sort`, `size`, `get`)
 * stays its method: such a value is in `request.valid.query`. Works behind every source; records of a queue and direct invocations have `data` only.
 *
 * @throws ValidationError (400) with all findings in `errors`
 * @throws ConfigurationError without a normalizer in front, and for a part that the source does not have
 * @example
 * ```ts
 * import middy from '@middy/core'
 * import { validate } from 'clearskies-middy/middleware/validate'
 * import { httpApi } from 'clearskies-middy/normalizers/http-api'
 * import * as z from 'zod'
 *
 * export const handler = middy()
 *   .use(httpApi())
 *   .use(validate({ data: z.object({ title: z.string() }), query: z.object({ page: z.coerce.number().default(1) }) }))
 *   .handler(async ({ data, query }) => `${data.title}, page ${query.page + 1}`)
 * ```
 */
export function validate<const TSchemas extends ValidateSchemas>(
  schemas: TSchemas,
): Middleware<
  { readonly kind: KindWith<keyof TSchemas> } & {
    [K in keyof TSchemas]: K extends 'query'
      ? QueryMembers<SchemaOutput<TSchemas[K]>>
      : SchemaOutput<TSchemas[K]>
  } & {
    /** What the schemas made of each part, whole. */
    readonly valid: { [K in keyof TSchemas]: SchemaOutput<TSchemas[K]> }
  }
> {
  checkOptions('validate', schemas, {
    data: isSchema,
    query: isSchema,
    pathParameters: isSchema,
    headers: isSchema,
  })
  const parts = Object.entries(schemas) as [RequestPart, StandardSchemaV1][]

  function before({ event }: MiddyRequest): void | Promise<void> {
    for (const [part] of parts) checkPart(event, part)
    const request = event as Request
    const results = parts.map(([part, schema]) => schema['~standard'].validate(inputOf(request, part)))
    if (results.some((result) => result instanceof Promise)) {
      return Promise.all(results as Promise<Result>[]).then((settled) => {
        accept(request, settled)
      })
    }
    accept(request, results as Result[])
  }

  function accept(request: Request, results: readonly Result[]): void {
    const errors = results.flatMap(({ issues = [] }, index): InputError[] =>
      issues.map((issue) => ({ ...toInputError(issue), in: parts[index]?.[0] as RequestPart })),
    )
    if (errors.length > 0) throw new ValidationError(messageFor(request, errors), { errors })
    for (const [index, result] of results.entries()) {
      if (result.issues === undefined) replace(request, parts[index]?.[0] as RequestPart, result.value)
    }
  }

  return {
    before: function validateBefore(request: MiddyRequest): void | Promise<void> {
      return before(request)
    },
  }
}

/** HTTP has a place for the findings of its own. Of other errors only the message reaches the caller, or the log. */
function messageFor({ kind }: Request, errors: readonly InputError[]): string {
  const message = 'The request is not valid'
  return kind === 'http' ? message : `${message}: ${fieldNames(errors)}`
}

/** @throws ConfigurationError instead of blaming the caller for what the chain lacks */
function checkPart(event: unknown, part: RequestPart): void {
  const { kind, source } = (event ?? {}) as { kind?: unknown; source?: unknown }
  if (typeof kind === 'string' && kind.endsWith('-batch'))
    throw new ConfigurationError(
      'validate() got a whole batch: it belongs to each record, eachRecord(middy(fn).use(validate(…)))',
    )
  const isRequest = typeof kind === 'string' && typeof source === 'string'
  // A direct invocation has the keys of its payload, too; a part of the request is none of them.
  const isThere =
    typeof event === 'object' && event !== null && part in event && (kind !== 'invocation' || part === 'data')
  if (isRequest ? isThere : isThere && eventKind(event) === 'direct') return
  throw new ConfigurationError(
    isRequest
      ? `validate(): a request of "${source}" has no "${part}"`
      : `validate() needs a normalizer, and ${missingNormalizer(event)}`,
  )
}

function inputOf(request: Request, part: RequestPart): unknown {
  if (part !== 'query') return part === 'data' ? request.data : { ...(request[part] as object) }
  const lists = Object.entries(listsByName(request.query as URLSearchParams))
  return Object.fromEntries(lists.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

function replace(request: Request, part: RequestPart, value: unknown): void {
  define(request, 'valid', { ...request.valid, [part]: value })
  if (part === 'query') {
    // Beside the parameters as they were sent: `query.page` is what the schema made, `query.get('page')` the text.
    // A name of a method stays the method.
    for (const [name, member] of Object.entries(value as object)) {
      if (!(name in URLSearchParams.prototype)) define(request.query as object, name, member)
    }
  } else if (part === 'data') {
    request.data = value
  } else {
    // Defined and not set, because what is set is taken for encoded still.
    define(request, part, value)
  }
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true })
}
