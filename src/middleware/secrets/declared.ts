import { redacted } from '../../core/redacted.ts'
import { SecretError } from '../../errors/index.ts'
import type { HeldValue, SecretRef, SecretStore } from './store.ts'
import { type LocatedSecret, locate, pick } from './value.ts'

/** What `fetch` declares for a key: a name, or a path that ends with `/*`; with or without a word that it may be missing. */
export type Fetch =
  | string
  | {
      readonly path: string
      /** Gives `undefined` for a secret that does not exist, instead of an error. */
      readonly optional?: boolean
    }

type PathOf<T> = T extends { readonly path: infer P } ? P : T

/** What a key of `values` holds. */
export type FetchedValue<T> =
  | (PathOf<T> extends `${string}/*` ? Readonly<Record<string, string>> : string)
  | (T extends { readonly optional: infer O } ? (true extends O ? undefined : never) : never)

/** The keys of `fetch` where each is a secret's name, as with `Secrets<'key'>`; else what each of them holds. */
export type Fetched<TFetch> =
  TFetch extends Readonly<Record<string, string>>
    ? `${string}/*` extends infer TPath
      ? Extract<TFetch[keyof TFetch], TPath> extends never
        ? keyof TFetch & string
        : { readonly [K in keyof TFetch]: FetchedValue<TFetch[K]> }
      : never
    : { readonly [K in keyof TFetch]: FetchedValue<TFetch[K]> }

/** A secret that a handler declares. */
export interface DeclaredSecret extends LocatedSecret {
  /** The key in `values`. */
  readonly key: string
  readonly path: string
  readonly isOptional: boolean
}

/** What `fetch` declares. @throws SecretError for a name that the store could not hold */
export function declaredSecrets(
  store: SecretStore,
  fetch: Readonly<Record<string, Fetch>>,
): DeclaredSecret[] {
  return Object.entries(fetch).map(([key, wanted]) => {
    const { path, optional = false } = typeof wanted === 'string' ? { path: wanted } : wanted
    const located = locate(store, path)
    if (located.ref.isPath && located.field !== undefined)
      throw new SecretError(path, `"${path}" are several values, which have no field`)
    return { key, path, isOptional: optional, ...located }
  })
}

/** Whether a value is what the option `fetch` takes. */
export function isFetch(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((wanted: unknown) => {
    if (typeof wanted === 'string') return true
    const { path, optional, ...others } = (wanted ?? {}) as Record<string, unknown>
    const isSwitch = optional === undefined || typeof optional === 'boolean'
    return typeof path === 'string' && isSwitch && Object.keys(others).length === 0
  })
}

/** The declared values of one invocation. They stay as they were loaded. */
export class LoadedSecrets {
  readonly declared: readonly DeclaredSecret[]
  readonly #values = new Map<string, HeldValue>()

  constructor(declared: readonly DeclaredSecret[]) {
    this.declared = declared
  }

  set({ key }: SecretRef, value: HeldValue): void {
    this.#values.set(key, value)
  }

  get({ path, ref, field }: DeclaredSecret): unknown {
    const value = this.#values.get(ref.key)
    return value === undefined ? undefined : pick(value, path, field)
  }
}

/** An object that has the declared values as properties and shows none of them. Later ones come before earlier ones. */
export function shownValues(loaded: readonly LoadedSecrets[], hidden: string): object {
  const getters: Record<string, () => unknown> = {}
  for (const secrets of [...loaded].reverse())
    for (const declared of secrets.declared) getters[declared.key] = () => secrets.get(declared)
  return redacted(getters, hidden)
}
