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

/** How a secret is written. */
export interface WriteSecretOptions {
  /** The KMS key to encrypt with. @default the account's own key for the store */
  readonly kmsKeyId?: string
  /** The type of a new parameter (Parameter Store). @default 'SecureString' */
  readonly type?: 'SecureString' | 'String' | 'StringList'
}

/** How a secret is deleted. */
export interface DeleteSecretOptions {
  /** Deletes at once, with no time to restore it (Secrets Manager, which waits 30 days by default). */
  readonly force?: boolean
}

/** What a read needs to know beside the names. */
export interface ReadOptions {
  /** Aborted when the time for the read is up. */
  readonly signal: AbortSignal
  /** Whether the newest value is wanted, past any cache in between. */
  readonly isRefresh: boolean
}

/** The value of a secret, or why there is none. */
export type Outcome = SecretValue | Error

/** What differs between stores. Everything else, caching above all, is done once, for all of them. */
export interface SecretStore {
  /** For messages. */
  readonly title: string
  /** The scheme that chooses this store in an environment variable: `ssm://…`. */
  readonly scheme: 'ssm' | 'secretsmanager'
  /** @throws SecretError for a name that the store could not hold */
  ref(name: string, version: SecretVersion): SecretRef
  /** How an environment variable's `secret://name` is written in this store. */
  nameFromUri(name: string): string
  /** Which secrets can be read in one call. */
  batches(refs: readonly SecretRef[]): SecretRef[][]
  /** Reads one batch; each outcome is of that one secret. */
  read(batch: readonly SecretRef[], options: ReadOptions): Promise<Outcome[]>
  /** Reads what a handler declares with `fetch`, at cold start. */
  readDeclared(refs: readonly SecretRef[], options: ReadOptions): Promise<Outcome[]>
  create(name: string, value: SecretValue, options: WriteSecretOptions): Promise<void>
  update(name: string, value: SecretValue, options: WriteSecretOptions): Promise<void>
  upsert(name: string, value: SecretValue, options: WriteSecretOptions): Promise<void>
  /** Gives whether there was one. */
  delete(name: string, options: DeleteSecretOptions): Promise<boolean>
  /** All names below a path (Parameter Store) or with a beginning (Secrets Manager). */
  list(prefix: string, signal: AbortSignal | undefined): AsyncIterable<string>
}

/** Cuts a list into pieces of a size. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}
