import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type InputError, ValidationError } from '../../errors/index.ts'
import { type UnknownRecord, asRecord } from '../../core/record.ts'
import { isSchema, toInputError, validated } from '../../core/standard-schema.ts'

/** The schema of one column. */
interface ColumnSchema {
  readonly schema: StandardSchemaV1
  /** Whether the schema says by itself that an item may lack the column. */
  readonly isOptional: boolean
}

/** Checks what an update writes: each column by its own schema, or the whole patch by one that was made for it. */
export class PatchSchema {
  readonly #columns: ReadonlyMap<string, ColumnSchema> | undefined
  readonly #whole: StandardSchemaV1 | undefined

  /** @param whole - Asked instead of the columns, for schemas that do not show them */
  constructor(schema: object, whole: StandardSchemaV1 | undefined) {
    this.#whole = whole
    this.#columns = whole === undefined ? columnSchemas(schema) : undefined
  }

  /**
   * The values as they are stored. `null` takes a value away, where the column may be without one.
   *
   * @throws ValidationError
   */
  async check(values: UnknownRecord): Promise<UnknownRecord> {
    if (this.#whole !== undefined && Object.keys(values).length > 0)
      return asRecord(await validated(this.#whole, values, 'The patch')) ?? {}
    const errors: InputError[] = []
    const checked: [string, unknown][] = []
    for (const [column, value] of Object.entries(values)) {
      const facts = this.#columns?.get(column)
      const result = facts === undefined ? { value } : await columnResult(facts, value)
      if (result.issues === undefined) checked.push([column, result.value ?? null])
      else errors.push(...result.issues.map((issue) => withinColumn(column, toInputError(issue))))
    }
    if (errors.length > 0) throw new ValidationError('The patch is not valid', { errors })
    return Object.fromEntries(checked)
  }

  /** Checks elements that are added to a list or a set, where the schema shows what those are. @throws ValidationError */
  async checkElements(column: string, elements: readonly unknown[]): Promise<readonly unknown[]> {
    const schema = elementSchema(this.#columns?.get(column)?.schema)
    if (schema === undefined) return elements
    const results = await Promise.all(elements.map(async (element) => schema['~standard'].validate(element)))
    const errors = results.flatMap(({ issues = [] }) =>
      issues.map((issue) => withinColumn(column, toInputError(issue))),
    )
    if (errors.length > 0) throw new ValidationError('The patch is not valid', { errors })
    return results.flatMap((result) => (result.issues === undefined ? [result.value] : []))
  }
}

async function columnResult(
  { schema, isOptional }: ColumnSchema,
  value: unknown,
): Promise<StandardSchemaV1.Result<unknown>> {
  const result = await schema['~standard'].validate(value)
  if (value !== null || (result.issues === undefined && result.value === null)) return result
  if (isOptional) return { value: null }
  const absent = await schema['~standard'].validate(undefined)
  // A default stands for no value: such a column always has one.
  if (absent.issues === undefined && absent.value === undefined) return { value: null }
  return result.issues === undefined
    ? { issues: [{ message: 'The column cannot be without a value' }] }
    : result
}

function withinColumn(column: string, { path, message }: InputError): InputError {
  return { path: [column, ...path], message }
}

/** The columns' schemas of zod (`shape`), valibot (`entries`) and arktype (`props`). */
function columnSchemas(schema: object): Map<string, ColumnSchema> | undefined {
  const { shape, entries, props } = asRecord(schema)
  const columns = new Map<string, ColumnSchema>()
  const add = (column: unknown, part: unknown, isOptional: boolean): void => {
    if (typeof column === 'string' && isStandard(part)) columns.set(column, { schema: part, isOptional })
  }
  if (Array.isArray(props))
    for (const prop of props.map(asRecord)) add(prop?.['key'], prop?.['value'], prop?.['kind'] === 'optional')
  for (const [column, part] of Object.entries(asRecord(shape) ?? asRecord(entries) ?? {}))
    add(column, part, isExactlyOptional(part))
  return columns.size > 0 ? columns : undefined
}

/** A column that may be left out, and may not be `undefined`: zod's and valibot's. */
function isExactlyOptional(part: unknown): boolean {
  const { type, _zod: zod } = asRecord(part) ?? {}
  const { optin, optout } = asRecord(zod) ?? {}
  return type === 'exact_optional' || (optin === 'optional' && optout === 'optional')
}

/** What a list or a set is of, in zod's and valibot's words. */
function elementSchema(schema: unknown): StandardSchemaV1 | undefined {
  let part = asRecord(schema)
  for (let depth = 0; depth < 8 && part !== undefined; depth++) {
    const { element, item, type, value, wrapped, def } = part
    const { innerType, valueType } = asRecord(def) ?? {}
    const found = element ?? item ?? valueType ?? (type === 'set' ? value : undefined)
    if (found !== undefined) return isStandard(found) ? found : undefined
    part = asRecord(innerType ?? wrapped)
  }
  return undefined
}

function isStandard(part: unknown): part is StandardSchemaV1 {
  const schema = asRecord(part)
  return (schema !== undefined || typeof part === 'function') && isSchema(new Object(part))
}
