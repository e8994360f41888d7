import { MalformedJsonError, SecretError } from '../../errors/index.ts'
import { parseJson } from '../../core/json.ts'
import type { SecretRef, SecretStore, SecretValue, SecretVersion } from './store.ts'

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

/** Splits `name#field`. Names hold no `#` in either store. */
export function locate(store: SecretStore, path: string, version: SecretVersion = {}): LocatedSecret {
  const hash = path.indexOf('#')
  return hash < 0
    ? { ref: store.ref(path, version), field: undefined }
    : { ref: store.ref(path.slice(0, hash), version), field: path.slice(hash + 1) }
}

/** The part of a value that is meant, in the form that is wanted. Errors never hold a value. */
export function pick(
  value: SecretValue,
  path: string,
  field: string | undefined,
  { json = false, list = false }: SecretForm = {},
): unknown {
  if (field === undefined && !json) {
    // A copy, because whoever is done with bytes may overwrite them.
    if (typeof value !== 'string') return new Uint8Array(value)
    return list ? value.split(',') : value
  }
  const parsed = parsedSecret(value, path)
  if (field === undefined) return parsed
  if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, field))
    throw new SecretError(path, `The secret "${path}" has no such field`)
  const found = (parsed as Record<string, unknown>)[field]
  if (json) return found
  if (list && Array.isArray(found)) return found.map((item: unknown) => textOf(item))
  return list ? textOf(found).split(',') : textOf(found)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function parsedSecret(value: SecretValue, path: string): unknown {
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
