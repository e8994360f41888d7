import { MalformedJsonError, SecretError } from '../../errors/index.ts'
import { parseJson } from '../../core/json.ts'
import { asRecord } from '../../core/record.ts'
import type { HeldValue, SecretRef, SecretStore, SecretVersion } from './store.ts'

/** In which form a value is wanted. */
export interface SecretForm {
  /** Parses the value as JSON. */
  readonly json?: boolean
  /** Splits the value at its commas, as a `StringList` is written. */
  readonly list?: boolean
}

/** A secret, and the field of it that is meant. */
export interface LocatedSecret {
  readonly ref: SecretRef
  readonly field: string | undefined
}

/**
 * Splits `name#field`. Names hold no `#` in either store.
 *
 * @throws SecretError for a name that the store could not hold
 */
export function locate(store: SecretStore, path: string, version: SecretVersion = {}): LocatedSecret {
  checkName(path)
  const hash = path.indexOf('#')
  return hash < 0
    ? { ref: store.ref(path, version), field: undefined }
    : { ref: store.ref(path.slice(0, hash), version), field: path.slice(hash + 1) }
}

/** From JavaScript a name may be anything. */
function checkName(path: unknown): void {
  if (typeof path === 'string') return
  const kind = path === null ? 'null' : typeof path
  throw new SecretError(kind, `A secret is asked for by its name, and not by what is ${kind}`)
}

/** The part of a value that is meant, in the form that is wanted. Errors never hold a value. */
export function pick(
  value: HeldValue,
  path: string,
  field: string | undefined,
  { json = false, list = false }: SecretForm = {},
): unknown {
  if (field === undefined && !json) {
    if (typeof value === 'string') return list ? value.split(',') : value
    // A copy, because whoever is done with bytes may overwrite them.
    return value instanceof Uint8Array ? new Uint8Array(value) : Object.fromEntries(value)
  }
  const parsed = parsedSecret(value, path)
  if (field === undefined) return parsed
  const found = fieldOf(parsed, field)
  if (found === undefined) throw new SecretError(path, `The secret "${path}" has no such field`)
  if (json) return found
  if (list && Array.isArray(found)) return found.map((item: unknown) => secretText(item))
  return list ? secretText(found).split(',') : secretText(found)
}

/** The field of that name, or else the one that its dots lead to. */
function fieldOf(value: unknown, field: string): unknown {
  const fields = asRecord(value)
  if (fields === undefined || Object.hasOwn(fields, field)) return fields?.[field]
  for (let dot = field.lastIndexOf('.'); dot >= 0; dot = field.lastIndexOf('.', dot - 1)) {
    const name = field.slice(0, dot)
    if (Object.hasOwn(fields, name)) return fieldOf(fields[name], field.slice(dot + 1))
    if (dot === 0) break
  }
  return undefined
}

function secretText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function parsedSecret(value: HeldValue, path: string): unknown {
  if (typeof value !== 'string')
    throw new SecretError(path, `The secret "${path}" is binary and cannot be read as JSON`)
  try {
    return parseJson(value, `The secret "${path}"`)
  } catch (error) {
    // Not the caller's input, and so no 400.
    if (error instanceof MalformedJsonError) throw new SecretError(path, error.message)
    throw error
  }
}
