import type { HttpRequest } from 'clearskies-middy'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import {
  albEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  lambdaContext,
  restApiEvent,
  vpcLatticeEvent,
} from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

const authorizerOf = (event: object): HttpRequest['authorizer'] =>
  anyHttpRequest(event, lambdaContext()).authorizer

describe("the context of a REST API's function", () => {
  it.each([
    [{ principalId: 'u', scopes: 'read write', claims: '{"sub":"1"}', tenant: 't' }],
    [{ principalId: 'u', jwt: 'a.b.c', lambda: 'x', iam: 'y' }],
    [{ principalId: 'u', scopes: 7, claims: false, kind: 'x' }],
    [{ claims: 'x' }],
  ])('H19: has every key that the function gave: %j', (given) => {
    const { principalId, ...context } = given as Record<string, unknown>
    expect(authorizerOf(restApiEvent({ authorizer: { ...given, integrationLatency: 7 } }))).toEqual({
      kind: 'lambda',
      context,
      ...(principalId !== undefined && { principalId }),
    })
  })

  it('H19: objects are what the gateways send: claims of Cognito, a token of 1.0', () => {
    expect(authorizerOf(restApiEvent({ authorizer: { claims: { sub: 'u' } } })).kind).toBe('cognito')
    expect(authorizerOf(httpApiV1Event({ authorizer: { claims: { sub: 'u' }, scopes: null } }))).toEqual({
      kind: 'jwt',
      claims: { sub: 'u' },
      scopes: [],
    })
  })
})

describe('empty values', () => {
  const empty = [null, undefined, '', {}, [], { claims: null, scopes: null }, { claims: {}, scopes: [] }]
  const iam = { userArn: '', accountId: '', accessKey: '', callerId: '', cognitoIdentity: { amr: null } }

  it.each(empty)('H20: %j in any place is nobody', (value) => {
    for (const make of [restApiEvent, httpApiEvent, httpApiV1Event, functionUrlEvent]) {
      expect(authorizerOf(make({ authorizer: value as never })).kind).toBe('none')
      for (const name of ['jwt', 'lambda', 'iam', 'claims', 'scopes', 'principalId', 'tenant']) {
        const authorizer = { [name]: value }
        expect([name, authorizerOf(make({ authorizer })).kind]).toEqual([name, 'none'])
      }
    }
  })

  it('H20: zero values of all kinds at once are nobody, and hide nobody', () => {
    const authorizer = { jwt: { claims: null, scopes: null }, lambda: null, iam }
    expect(authorizerOf(httpApiEvent({ authorizer })).kind).toBe('none')
    expect(authorizerOf(httpApiEvent({ authorizer: { ...authorizer, lambda: { tenant: 't' } } }))).toEqual({
      kind: 'lambda',
      context: { tenant: 't' },
    })
    expect(
      authorizerOf(httpApiEvent({ authorizer: { ...authorizer, iam: { ...iam, userArn: 'arn' } } })),
    ).toEqual({ kind: 'iam', userArn: 'arn' })
    expect(authorizerOf(httpApiEvent({ authorizer: { jwt: { claims: {}, scopes: ['a'] }, iam } }))).toEqual({
      kind: 'jwt',
      claims: {},
      scopes: ['a'],
    })
  })

  it('H20: an empty identity is nobody behind REST API, VPC Lattice and load balancer', () => {
    expect(authorizerOf(restApiEvent({ identity: { userArn: '', accountId: '1' } })).kind).toBe('none')
    expect(authorizerOf(vpcLatticeEvent({ identity: { type: 'AWS_IAM', principal: '' } })).kind).toBe('none')
    expect(authorizerOf(albEvent({ headers: { 'x-amzn-oidc-data': '' } })).kind).toBe('none')
  })

  it('H20: false and 0 are values', () => {
    expect(authorizerOf(httpApiEvent({ authorizer: { lambda: { admin: false, level: 0 } } }))).toEqual({
      kind: 'lambda',
      context: { admin: false, level: 0 },
    })
  })
})

describe('a caller of IAM', () => {
  const guest = { identityId: 'eu-central-1:1', identityPoolId: 'eu-central-1:2', amr: ['unauthenticated'] }

  it('H20: that is a guest of a Cognito identity pool is told as one (2.0)', () => {
    const iam = { userArn: 'arn', principalOrgId: 'o-1', cognitoIdentity: guest }
    expect(authorizerOf(httpApiEvent({ authorizer: { iam } }))).toEqual({ kind: 'iam', ...iam })
  })

  it('H20: that is a guest of a Cognito identity pool is told as one (REST)', () => {
    const identity = {
      userArn: 'arn',
      cognitoIdentityId: guest.identityId,
      cognitoIdentityPoolId: guest.identityPoolId,
      cognitoAuthenticationType: 'unauthenticated',
      cognitoAuthenticationProvider: null,
      principalOrgId: 'o-1',
    }
    expect(authorizerOf(restApiEvent({ identity }))).toEqual({
      kind: 'iam',
      userArn: 'arn',
      principalOrgId: 'o-1',
      cognitoIdentity: guest,
    })
  })

  it('has its organization behind VPC Lattice', () => {
    const identity = { type: 'AWS_IAM', principal: 'arn', principalOrgID: 'o-1' }
    expect(authorizerOf(vpcLatticeEvent({ identity }))).toEqual({
      kind: 'iam',
      userArn: 'arn',
      principalOrgId: 'o-1',
    })
  })
})
