import { ConfigurationError, SecretError } from '../../errors/index.ts'
import { Secrets } from '../secrets.ts'
import { ofVariable } from '../secrets/variable-error.ts'

const uri = /^(secret|ssm|secretsmanager):\/\/(.*)$/s

/** The address of a secret, as a variable's value. */
export interface SecretAddress {
  readonly variable: string
  readonly scheme: 'secret' | 'ssm' | 'secretsmanager'
  /** The name, with or without a `#field`. */
  readonly path: string
}

/** The address that a value is; `undefined` for any other value. @throws ConfigurationError if it names no secret */
export function addressIn(variable: string, value: string): SecretAddress | undefined {
  const [, word, address] = uri.exec(value) ?? []
  if (word === undefined || address === undefined) return undefined
  const path = address.replace(/\?key=/, '#')
  if (path === '' || path.startsWith('#'))
    throw new ConfigurationError(`The variable "${variable}" names no secret behind ${word}://`)
  const scheme = word === 'ssm' || word === 'secretsmanager' ? word : 'secret'
  return { variable, scheme, path }
}

/**
 * Uses the first of the stores that an address means.
 *
 * @throws ConfigurationError if there is none; the store's error, which also names the variable
 */
export async function followAddress<T>(
  { variable, scheme, path }: SecretAddress,
  stores: readonly Secrets[],
  read: (secrets: Secrets, path: string) => Promise<T>,
): Promise<T> {
  const wanted = scheme === 'secret' ? undefined : scheme
  for (const store of stores) {
    const secrets = Secrets.ofScheme(store, wanted)
    if (secrets === undefined) continue
    try {
      return await read(secrets, Secrets.nameFromUri(secrets, path))
    } catch (error) {
      throw error instanceof SecretError ? ofVariable(variable, Secrets.title(secrets), error) : error
    }
  }
  const middleware = wanted === 'secretsmanager' ? 'secretsManager()' : 'parameterStore()'
  throw new ConfigurationError(
    `The variable "${variable}" is a secret (${scheme}://), which needs ${middleware} in front of environment()`,
  )
}
