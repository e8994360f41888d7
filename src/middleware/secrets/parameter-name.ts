import { SecretError } from '../../errors/index.ts'
import { pathEnd, referencePrefix } from './same-secret.ts'
import { secretName } from './secret-name.ts'
import type { SecretRef, SecretVersion } from './store.ts'

/** The store's name, for messages. */
export const parameterTitle = 'Parameter Store'

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html */
const longestName = 1011
const longestArn = 2048

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const namePattern =
  /^(?:\/?[\w.-]+(?:\/[\w.-]+)*|arn:[\w-]+:ssm:[\w-]*:\d*:parameter\/?[\w./-]+)(?::[\w.-]+)?$/

/** Names that begin so are reserved. AWS's own parameters begin with a slash. */
const reserved = /^(?:aws|ssm)(?:\/|$)/i

/** What is meant by a parameter's name, with a selector or without, or by a path that ends with `/*`. */
export function parameterRef(path: string, { version, label, stage }: SecretVersion): SecretRef {
  const selector = version ?? label
  const key = selector === undefined ? path : `${path}:${selector}`
  const isPath = path.startsWith('/') && path.endsWith(pathEnd)
  // With its selector: one that the service refuses would take down all that are read along with it.
  if (!isName(isPath ? key.slice(0, -pathEnd.length) || '/all' : key))
    throw new SecretError(path, `"${key}" is not a name that ${parameterTitle} can hold`)
  if (stage !== undefined)
    throw new SecretError(path, `${parameterTitle} knows versions and labels; stages are of Secrets Manager`)
  if (version !== undefined && label !== undefined)
    throw new SecretError(path, `"${path}" is asked for by a version and by a label; one is enough`)
  if (isPath) return { key, name: key, isPath }
  // Colons are also in ARNs, where the sixth is the selector's.
  const parts = key.split(':')
  const hasSelector = key.startsWith('arn:') ? parts.length > 6 : parts.length > 1
  return { key, name: hasSelector ? parts.slice(0, -1).join(':') : key }
}

function isName(name: string): boolean {
  if (name.length > (name.startsWith('arn:') ? longestArn : longestName)) return false
  // A secret has the names of Secrets Manager, whichever way it is read.
  if (name.startsWith(referencePrefix)) return secretName.test(name.slice(referencePrefix.length))
  return namePattern.test(name) && !reserved.test(name)
}
