/** A secret's value: text, or bytes where the store holds bytes. */
export type SecretValue = string | Uint8Array

/** Which secret is meant, and which version of it. */
export interface SecretRef {
  /** Tells one version of one secret from every other; the key of the cache. */
  readonly key: string
  /** The name without a selector. */
  readonly name: string
  readonly version?: string | number
  readonly label?: string
  readonly stage?: string
}

/** What may be asked for beside the name. */
export interface SecretVersion {
  /** A version of the value: its number in Parameter Store, its id in Secrets Manager. */
  readonly version?: string | number
  /** A label (Parameter Store). */
  readonly label?: string
  /** A staging label such as `AWSPREVIOUS` (Secrets Manager). */
  readonly stage?: string
}

/** What differs between stores. Everything else, caching above all, is done once, in `Secrets`. */
export interface SecretStore {
  /** For messages. */
  readonly title: string
  /** The scheme that chooses this store in an environment variable: `ssm://…`. */
  readonly scheme: 'ssm' | 'secretsmanager'
  /** @throws SecretError for a name that the store could not hold */
  ref(name: string, version: SecretVersion): SecretRef
  /** How an environment variable's `secret://name` is written in this store. */
  nameFromUri(name: string): string
  /** Reads any number of secrets; each result is a value or the error of that one. */
  read(refs: readonly SecretRef[]): Promise<(SecretValue | Error)[]>
  /** Reads what a handler declares with `fetch`, at cold start. */
  readDeclared(refs: readonly SecretRef[]): Promise<(SecretValue | Error)[]>
}
