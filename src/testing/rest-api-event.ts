import type { APIGatewayProxyEvent } from 'aws-lambda'
import { grouped, withForwarding } from './alb-event.ts'
import {
  type DescribedRequest,
  type DescribedParts,
  accountId,
  decodedPairs,
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
export function restApiEvent(options: RestApiEventOptions = {}): APIGatewayProxyEvent {
  const { basePath = '', binaryMediaTypes = [] } = options
  const request = parseRequest(options)
  const resource = options.resource ?? (request.path === '/' ? '/' : '/{proxy+}')
  const parameters = matchTemplate(request.path, resource)
  if (parameters === undefined)
    throw new TypeError(`The path ${request.path} does not fit the resource ${resource}`)
  const type = headerOf(request, 'content-type') ?? ''
  const isBinary = binaryMediaTypes.some((pattern) => mediaTypeMatches(pattern, type))
  const lines = withForwarding(request.lines, request.clientIp, request.protocol).filter(
    ([name]) => name.toLowerCase() !== 'content-length',
  )
  const pairs = decodedPairs(request)
  return {
    resource,
    path: `${basePath}${request.path}`,
    httpMethod: request.method,
    headers: Object.fromEntries(lines),
    multiValueHeaders: grouped(lines),
    queryStringParameters: pairs.length === 0 ? null : Object.fromEntries(pairs),
    multiValueQueryStringParameters: pairs.length === 0 ? null : grouped(pairs),
    pathParameters: Object.keys(parameters).length === 0 ? null : parameters,
    stageVariables: null,
    requestContext: requestContext(request, { ...options, resource }),
    body: request.body.length === 0 ? null : request.body.toString(isBinary ? 'base64' : 'utf8'),
    isBase64Encoded: isBinary && request.body.length > 0,
  }
}

/** What API Gateway tells of the route, the stage and the caller. */
function requestContext(
  request: DescribedParts,
  { resource = '/', stage = 'prod', basePath = '', authorizer, identity }: RestApiEventOptions,
): APIGatewayProxyEvent['requestContext'] {
  const domainName = basePath === '' ? `a1b2c3d4e5.execute-api.${region}.amazonaws.com` : 'api.example.com'
  return {
    resourceId: '2gxmpl',
    resourcePath: resource,
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
