import { SecretError } from '../errors.ts'
import { parseJson } from '../json.ts'
import type { SecretRef, SecretStore, SecretValue, SecretVersion } from './secret-store.ts'

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
  if (field === undefined && !json) return list && typeof value === 'string' ? value.split(',') : value
  if (typeof value !== 'string')
    throw new SecretError(`The secret "${path}" is binary and cannot be read as JSON`, { path })
  const parsed = parseJson(value, `The secret "${path}"`)
  if (field === undefined) return parsed
  if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, field))
    throw new SecretError(`The secret "${path}" has no such field`, { path })
  const found = (parsed as Record<string, unknown>)[field]
  return typeof found === 'string' || json ? found : JSON.stringify(found)
}
