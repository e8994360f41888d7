/**
 * Who the source says the caller is. `none` means that nobody has checked.
 *
 * `alb-oidc` carries the headers that a load balancer's authentication adds. They prove nothing unless `data`, a JWT,
 * is verified: whoever reaches the function around that listener can write them.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export type Authorizer =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt'
      readonly claims: Readonly<Record<string, unknown>>
      readonly scopes: readonly string[]
    }
  | {
      readonly kind: 'lambda'
      readonly context: Readonly<Record<string, unknown>>
      readonly principalId?: string
    }
  | {
      readonly kind: 'iam'
      readonly userArn?: string
      readonly accountId?: string
      readonly accessKey?: string
      readonly callerId?: string
    }
  | { readonly kind: 'cognito'; readonly claims: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'alb-oidc'
      readonly data: string
      readonly identity: string | undefined
      readonly accessToken: string | undefined
    }

/** What all gateways may say: payload 2.0 has one object per kind, 1.0 one for all; REST APIs have IAM's `identity`. */
export function readAuthorizer({ authorizer, identity }: UnknownRecord): Authorizer {
  const given = asRecord(authorizer) ?? {}
  const { principalId, integrationLatency: _, jwt, lambda, iam, claims, scopes, ...others } = given
  const token = asRecord(jwt) ?? (asRecord(claims) && given)
  if (token && (jwt || scopes !== undefined)) {
    const { claims: claimed, scopes: granted } = token
    return {
      kind: 'jwt',
      claims: asRecord(claimed) ?? {},
      scopes: Array.isArray(granted) ? granted.map(String) : [],
    }
  }
  if (token) return { kind: 'cognito', claims: claims as UnknownRecord }
  const context = asRecord(lambda) ?? others
  const principal = asString(principalId)
  if (principal !== undefined || Object.values(context).some((value) => value != null)) {
    return { kind: 'lambda', context, ...(principal !== undefined && { principalId: principal }) }
  }
  const {
    userArn,
    accountId,
    accessKey,
    caller,
    callerId = caller,
  } = asRecord(iam) ?? asRecord(identity) ?? {}
  if (typeof userArn !== 'string') return { kind: 'none' }
  const facts = Object.entries({ userArn, accountId, accessKey, callerId })
  return { kind: 'iam', ...Object.fromEntries(facts.filter(([, fact]) => typeof fact === 'string')) }
}
import { type UnknownRecord, asRecord, asString } from '../../core/record.ts'
