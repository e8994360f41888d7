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
      readonly identity: string | undefined
      readonly data: string
      readonly accessToken: string | undefined
    }

type Fields = Readonly<Record<string, unknown>>

const none: Authorizer = { kind: 'none' }

/** Payload 2.0 and function URLs: one object per kind, each of which may be null. */
export function gatewayV2Authorizer(authorizer: Fields | null | undefined): Authorizer {
  if (isFields(authorizer?.['jwt'])) return jwt(authorizer['jwt'])
  if (isFields(authorizer?.['lambda'])) return { kind: 'lambda', context: authorizer['lambda'] }
  if (isFields(authorizer?.['iam']))
    return iam(authorizer['iam'], 'userArn', 'accountId', 'accessKey', 'callerId')
  return none
}

/** Payload 1.0. A REST API puts IAM identities beside the client's address. */
export function gatewayV1Authorizer(
  authorizer: Fields | null | undefined,
  identity: Fields | null | undefined,
): Authorizer {
  if (isFields(authorizer?.['claims']))
    return 'scopes' in authorizer ? jwt(authorizer) : { kind: 'cognito', claims: authorizer['claims'] }
  if (
    isFields(authorizer) &&
    Object.keys(authorizer).some((key) => authorizer[key] != null && key !== 'integrationLatency')
  ) {
    const { principalId, ...context } = authorizer
    return { kind: 'lambda', context, ...(typeof principalId === 'string' && { principalId }) }
  }
  if (isFields(identity) && typeof identity['userArn'] === 'string')
    return iam(identity, 'userArn', 'accountId', 'accessKey', 'caller')
  return none
}

/** ALB: three headers, trustworthy only after the JWT among them is verified. */
export function loadBalancerAuthorizer(header: (name: string) => string | undefined): Authorizer {
  const data = header('x-amzn-oidc-data')
  if (data === undefined) return none
  return {
    kind: 'alb-oidc',
    data,
    identity: header('x-amzn-oidc-identity'),
    accessToken: header('x-amzn-oidc-accesstoken'),
  }
}

function jwt(authorizer: Fields): Authorizer {
  const { claims, scopes } = authorizer
  return {
    kind: 'jwt',
    claims: isFields(claims) ? claims : {},
    scopes: Array.isArray(scopes) ? scopes.map(String) : [],
  }
}

function iam(
  identity: Fields,
  userArn: string,
  accountId: string,
  accessKey: string,
  callerId: string,
): Authorizer {
  const fields = {
    userArn: identity[userArn],
    accountId: identity[accountId],
    accessKey: identity[accessKey],
    callerId: identity[callerId],
  }
  return {
    kind: 'iam',
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'string')),
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
