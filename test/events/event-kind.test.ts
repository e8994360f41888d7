import { InvalidEventError } from 'clearskies-middy/errors'
import { albRequest } from 'clearskies-middy/normalizers/alb'
import { anyHttpRequest } from 'clearskies-middy/normalizers/any-http'
import { httpApiEvent, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'

/** What a normalizer of no such source says that it has got. */
function seen(event: unknown): string {
  try {
    return `taken as ${albRequest(event, lambdaContext()).source}`
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidEventError)
    return (error as InvalidEventError).seen
  }
}

const lattice = { requestContext: { serviceArn: 'arn:aws:vpc-lattice:eu-central-1:1:service/x' } }
const methodArn = 'arn:aws:execute-api:eu-central-1:1:x/prod/GET/'

describe('an event is told by fields that only its source sends together', () => {
  it.each([
    ['VPC Lattice', lattice],
    [
      'VPC Lattice',
      { requestContext: { serviceNetworkArn: 'arn:aws:vpc-lattice:eu-central-1:1:network/x' } },
    ],
    ['VPC Lattice', { raw_path: '/', method: 'GET' }],
    ['WebSocket API', { requestContext: { connectionId: 'x', eventType: 'CONNECT' } }],
    ['EventBridge', { 'detail-type': 'x', source: 'aws.s3' }],
    ['authorizer', { type: 'TOKEN', methodArn }],
    ['authorizer', { type: 'REQUEST', routeArn: methodArn, requestContext: { http: { method: 'GET' } } }],
    ['authorizer', { type: 'REQUEST', methodArn, requestContext: {}, httpMethod: 'GET' }],
    ['aws:sqs', { Records: [] }],
    ['aws:sns', { Records: [{ EventSource: 'aws:sns' }] }],
    ['Lambda@Edge', { Records: [{ cf: {}, eventSource: 'x' }] }],
    ['normalized', { lambdaContext: {}, raw: null }],
  ])('%s: %j', (kind, event) => {
    expect(seen(event)).toBe(kind)
  })

  it.each([
    [{ requestContext: {} }],
    [{ requestContext: { connectionId: 'x' } }],
    [{ requestContext: { eventType: 'CONNECT' } }],
    [{ requestContext: {}, httpMethod: 7 }],
    [{ raw_path: '/' }],
    [{ method: 'GET' }],
    [{ 'detail-type': 'x' }],
    [{ source: 'aws.s3' }],
    [{ type: 'TOKEN' }],
    [{ type: 'x', methodArn }],
    [{ methodArn }],
    [{ Records: ['x'] }],
    [{ Records: [{}] }],
    [{ Records: [{ eventSource: 7 }] }],
    [{ Records: 'x' }],
    [{ lambdaContext: {} }],
    [{ raw: {} }],
    [{ httpMethod: 'GET' }],
    [{ version: '1.0', detail: {} }],
  ])('a part of that is what some caller made up: %j', (event) => {
    expect(seen(event)).toBe('direct')
  })

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [7, 'number'],
  ])('what is no object is told by its type: %j', (event, kind) => {
    expect(seen(event)).toBe(kind)
  })

  it('an HTTP API whose domain is missing or odd is still one', () => {
    for (const domainName of [undefined, null, 7, 'example.com']) {
      const event = httpApiEvent({ path: '/a' })
      const raw = { ...event, requestContext: { ...event.requestContext, domainName } }
      expect(anyHttpRequest(raw, lambdaContext()).source).toBe('http-api')
    }
  })

  it('what names no source is never half read', () => {
    expect(() => anyHttpRequest(sqsEvent([{ body: 1 }]), lambdaContext())).toThrow(
      'anyHttp() takes ALB, REST API, HTTP API, HTTP API 1.0, function URL, VPC Lattice, Node\'s HTTP server and got "aws:sqs": use the normalizer of that source, sqs(), and only one',
    )
    expect(() => albRequest(lattice, lambdaContext())).toThrow(
      'got "VPC Lattice": use the normalizer of that source, vpcLattice(), and only one',
    )
    expect(() => anyHttpRequest({ lambdaContext: {}, raw: 1 }, lambdaContext())).toThrow(
      'got "normalized": a normalizer stands in front of it already, and one is enough',
    )
  })
})
