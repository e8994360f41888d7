/** A secret's value: text, or bytes where the store holds bytes. */
export type SecretValue = string | Uint8Array

/** Values by path: names below the path, and their values. */
export type SecretTree = ReadonlyMap<string, string>

/** What is held for a reference. */
export type HeldValue = SecretValue | SecretTree

/** Which secret is meant, and which version of it. */
export interface SecretRef {
  /** Tells one version of one secret from every other; the key of the cache. */
  readonly key: string
  /** The name without a selector. */
  readonly name: string
  /** Whether all values below the name are meant. */
  readonly isPath?: boolean
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
  /** The tier of a parameter (Parameter Store). More than 4 KB need `'Advanced'`. @default the account's own, `'Standard'` */
  readonly tier?: 'Standard' | 'Advanced' | 'Intelligent-Tiering'
}

/** How a new secret is written. */
export interface CreateSecretOptions extends WriteSecretOptions {
  /** Tags of the new secret, at most 50. `upsert()` gives them to a secret that did not exist. */
  readonly tags?: Readonly<Record<string, string>>
}

/** How a secret is deleted. */
export interface DeleteSecretOptions {
  /**
   * Deletes at once, with no time to restore it (Secrets Manager, which waits 30 days by default, and which does not say
   * of a deletion by force whether there was a secret).
   */
  readonly force?: boolean
}

/** What a read needs to know beside the names. */
export interface ReadOptions {
  /** Aborted when the time for the read is up. */
  readonly signal: AbortSignal
  /** How much time that is. */
  readonly milliseconds: number
  /** Whether the newest value is wanted, past any cache in between. */
  readonly isRefresh: boolean
}

/** The value of a secret, or why there is none. */
export type Outcome = HeldValue | Error

/** One outcome per secret. Those that take longer than the call for all are still to come. */
export type Outcomes = readonly (Outcome | Promise<Outcome>)[]

/** One secret on its way into the store. */
export interface SecretWrite<TOptions = WriteSecretOptions> {
  readonly name: string
  readonly value: SecretValue
  readonly options: TOptions
  /** Aborted when the time for the write is up. */
  readonly signal: AbortSignal
}

/** Runs one call to the store within its time. */
export type Timed = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>

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
  read(batch: readonly SecretRef[], options: ReadOptions): Promise<Outcomes>
  /** Reads what a handler declares with `fetch`, at cold start. */
  readDeclared(refs: readonly SecretRef[], options: ReadOptions): Promise<Outcomes>
  /** Names of the options for writing that mean something in this store. */
  readonly writeOptions: readonly (keyof CreateSecretOptions)[]
  create(write: SecretWrite<CreateSecretOptions>): Promise<void>
  update(write: SecretWrite): Promise<void>
  upsert(write: SecretWrite<CreateSecretOptions>): Promise<void>
  /** Gives whether there was one. */
  delete(name: string, options: DeleteSecretOptions, signal: AbortSignal): Promise<boolean>
  /** All names below a path (Parameter Store) or with a beginning (Secrets Manager). Each page is a call of its own. */
  list(prefix: string, timed: Timed): AsyncIterable<string>
}
