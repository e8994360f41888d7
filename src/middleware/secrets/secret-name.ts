import { SecretError } from '../../errors/index.ts'
import type { SecretRef, SecretVersion } from './store.ts'

/** The store's name, for messages. */
export const secretTitle = 'Secrets Manager'

/**
 * The names that are read. New ones may have fewer characters; the names of secrets that an AWS service manages have a `!`
 * (`rds!cluster-…`), and nobody can choose them.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
 */
export const secretName: RegExp = /^[\w/+=.@!-]{1,512}$/

/** An ARN may be given without the six characters that Secrets Manager adds to a name. */
const arnPattern = /^arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:([\w/+=.@!-]+)$/

/** How task definitions of ECS name a field: `arn:…:secret:name-AbCdEf:field:stage:version`. */
const ecsPattern = /^(arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:[^:]+):([^:]*):[^:]*:[^:]*$/

/** What is meant by a secret's name or ARN. */
export function secretRef(path: string, { version, stage, label }: SecretVersion): SecretRef {
  if (!secretName.test(path) && !(arnPattern.test(path) && path.length <= 2048)) {
    const [, arn, field] = ecsPattern.exec(path) ?? []
    const hint = arn === undefined ? '' : `: write "${arn}${field ? `#${field}` : ''}"`
    throw new SecretError(path, `"${path}" is not a name that ${secretTitle} can hold${hint}`)
  }
  if (label !== undefined)
    throw new SecretError(path, `${secretTitle} knows versions and stages; labels are of Parameter Store`)
  const key = version === undefined && stage === undefined ? path : `${path} ${version ?? ''} ${stage ?? ''}`
  return {
    key,
    name: path,
    ...(version !== undefined && { version }),
    ...(stage !== undefined && { stage }),
  }
}
