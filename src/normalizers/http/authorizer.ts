import { type UnknownRecord, asRecord, asString, asStrings } from '../../core/record.ts'

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
      /** The organization of the caller's account. */
      readonly principalOrgId?: string
      /** Of credentials that an identity pool of Cognito gave out. It gives them to guests, too: look at `amr`. */
      readonly cognitoIdentity?: CognitoIdentity
    }
  | { readonly kind: 'cognito'; readonly claims: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'alb-oidc'
      readonly data: string
      readonly identity: string | undefined
      readonly accessToken: string | undefined
    }

/** An identity of a Cognito identity pool. */
export interface CognitoIdentity {
  readonly identityId: string
  readonly identityPoolId?: string
  /** `authenticated` or `unauthenticated`, and by which provider. */
  readonly amr: readonly string[]
}

/** What all gateways may say: payload 2.0 has one object per kind, 1.0 one for all; REST APIs have IAM's `identity`. */
export function readAuthorizer({ authorizer, identity }: UnknownRecord): Authorizer {
  const given = asRecord(authorizer) ?? {}
  const { jwt, lambda, iam } = given
  return (
    readClaims(asRecord(jwt) ?? given, asRecord(jwt) !== undefined) ??
    readContext(asRecord(lambda), given) ??
    readIam(asRecord(iam) ?? asRecord(identity) ?? {}) ?? { kind: 'none' }
  )
}

/** The claims of a token. HTTP APIs have the list of its scopes beside them, REST APIs (Cognito) have not. */
function readClaims({ claims, scopes }: UnknownRecord, isJwt: boolean): Authorizer | undefined {
  const known = asRecord(claims)
  const isToken = isJwt || (known !== undefined && scopes !== undefined)
  if (isToken && !(isNothing(claims) && isNothing(scopes)))
    return { kind: 'jwt', claims: known ?? {}, scopes: Array.isArray(scopes) ? scopes.map(String) : [] }
  return known === undefined || isNothing(known) ? undefined : { kind: 'cognito', claims: known }
}

/** What an authorizer's function gave: in an object of its own, or, under names that it chose, beside the gateway's own. */
function readContext(lambda: UnknownRecord | undefined, given: UnknownRecord): Authorizer | undefined {
  const principal = asString(given['principalId']) || undefined
  const context = isNothing(lambda) ? Object.fromEntries(Object.entries(given).filter(isChosen)) : lambda
  if (context === undefined || (principal === undefined && isNothing(context))) return undefined
  return { kind: 'lambda', context, ...(principal !== undefined && { principalId: principal }) }
}

/** A function of a REST API may choose the gateway's names, too, but gives texts, numbers and booleans alone. */
function isChosen([name, value]: [string, unknown]): boolean {
  if (typeof value === 'object') return !/^(?:jwt|lambda|iam|claims|scopes)$/.test(name)
  return name !== 'principalId' && name !== 'integrationLatency'
}

function readIam(iam: UnknownRecord): Authorizer | undefined {
  const { userArn, accountId, accessKey, caller, callerId = caller, principalOrgId } = iam
  const cognitoIdentity = readCognitoIdentity(iam)
  const facts = Object.entries({ userArn, accountId, accessKey, callerId, principalOrgId })
  return asString(userArn)
    ? {
        kind: 'iam',
        ...Object.fromEntries(facts.filter(([, fact]) => asString(fact))),
        ...(cognitoIdentity && { cognitoIdentity }),
      }
    : undefined
}

/** Payload 2.0 has an object, 1.0 has fields of the identity. */
function readCognitoIdentity(iam: UnknownRecord): CognitoIdentity | undefined {
  const { identityId, identityPoolId, amr } = asRecord(iam['cognitoIdentity']) ?? {
    identityId: iam['cognitoIdentityId'],
    identityPoolId: iam['cognitoIdentityPoolId'],
    amr: [iam['cognitoAuthenticationType'], iam['cognitoAuthenticationProvider']],
  }
  const [id, pool] = [asString(identityId), asString(identityPoolId)]
  if (!id) return undefined
  return { identityId: id, ...(pool && { identityPoolId: pool }), amr: asStrings(amr).filter(Boolean) }
}

/** AWS sends null for nothing; proxies and emulators send empty texts, lists and objects, or objects of those. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.values(value).every(isNothing)
}
