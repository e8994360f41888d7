/** Credentials of AWS. */
export interface LightCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials, as every function has them. */
  readonly sessionToken?: string | undefined
  /** When they end: a date, its text, or milliseconds since 1970. @default never */
  readonly expiration?: Date | string | number | undefined
}

/** Credentials, or a function that gives them. */
export type CredentialsOption = LightCredentials | (() => LightCredentials | Promise<LightCredentials>)
