import type { APIGatewayProxyEvent } from 'aws-lambda'
import { grouped, withForwarding } from './alb-event.ts'
import {
  type DescribedRequest,
  accountId,
  decodePart,
  headerOf,
  matchTemplate,
  parseRequest,
  region,
} from './described-request.ts'

/** Options of {@link restApiEvent}. */
export interface RestApiEventOptions extends DescribedRequest {
  /** The resource's template, for instance `/products/{id}`. @default '/{proxy+}' */
  readonly resource?: string
  /** @default 'prod' */
  readonly stage?: string
  /** The base path mapping of a custom domain, which then stands in front of the path. */
  readonly basePath?: string
  /** Content types that the API hands over as base64; `*` stands for anything. @default [] */
  readonly binaryMediaTypes?: readonly string[]
  readonly authorizer?: Readonly<Record<string, unknown>>
  readonly identity?: Readonly<Record<string, unknown>>
}

/**
 * The event that a REST API sends for a request: path and path parameters encoded, the query decoded, header names as
 * the client spelled them, maps that would be empty `null`.
 *
 * @throws TypeError if the path does not fit the resource
 * @example
 * ```ts
 * import { restApiEvent } from 'clearskies-middy/testing'
 *
 * export const event = restApiEvent({ path: '/products/7', resource: '/products/{id}' })
 * ```
 */
export function restApiEvent({
  resource,
  stage = 'prod',
  basePath = '',
  binaryMediaTypes = [],
  authorizer,
  identity,
  ...described
}: RestApiEventOptions = {}): APIGatewayProxyEvent {
  const request = parseRequest(described)
  const template = resource ?? (request.path === '/' ? '/' : '/{proxy+}')
  const parameters = matchTemplate(request.path, template)
  if (parameters === undefined)
    throw new TypeError(`The path ${request.path} does not fit the resource ${template}`)
  const binary = binaryMediaTypes.some((type) =>
    mediaTypeMatches(type, headerOf(request, 'content-type') ?? ''),
  )
  const lines = withForwarding(request.lines, request.clientIp, request.protocol).filter(
    ([name]) => name.toLowerCase() !== 'content-length',
  )
  const pairs = request.rawPairs.map(([name, value]) => [decodePart(name), decodePart(value)] as const)
  const domainName = basePath === '' ? `a1b2c3d4e5.execute-api.${region}.amazonaws.com` : 'api.example.com'
  return {
    resource: template,
    path: `${basePath}${request.path}`,
    httpMethod: request.method,
    headers: Object.fromEntries(lines),
    multiValueHeaders: grouped(lines),
    queryStringParameters: pairs.length === 0 ? null : Object.fromEntries(pairs),
    multiValueQueryStringParameters: pairs.length === 0 ? null : grouped(pairs),
    pathParameters: Object.keys(parameters).length === 0 ? null : parameters,
    stageVariables: null,
    requestContext: {
      resourceId: '2gxmpl',
      resourcePath: template,
      httpMethod: request.method,
      extendedRequestId: 'JJbxmplHYosFVYQ=',
      requestTime: '10/Mar/2026:00:03:59 +0000',
      path: basePath === '' ? `/${stage}${request.path}` : `${basePath}${request.path}`,
      accountId,
      protocol: 'HTTP/1.1',
      stage,
      domainPrefix: domainName.split('.', 1)[0],
      requestTimeEpoch: 1_773_100_000_000,
      requestId: 'e6f2fcf4-4a9c-4d39-8c2e-0d4a8d9fd2a1',
      identity: {
        sourceIp: request.clientIp,
        userAgent: headerOf(request, 'user-agent') ?? null,
        ...noIdentity,
        ...identity,
      },
      domainName,
      apiId: 'a1b2c3d4e5',
      authorizer: authorizer ?? null,
    },
    body: request.body.length === 0 ? null : request.body.toString(binary ? 'base64' : 'utf8'),
    isBase64Encoded: binary && request.body.length > 0,
  }
}

const noIdentity = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
}

/** Whether a content type is among an API's binary media types, which may have wildcards. */
export function mediaTypeMatches(pattern: string, type: string): boolean {
  const [bare = ''] = type.split(';')
  return (
    pattern === '*/*' ||
    pattern === bare.trim().toLowerCase() ||
    (pattern.endsWith('/*') && bare.trim().toLowerCase().startsWith(pattern.slice(0, -1)))
  )
}
