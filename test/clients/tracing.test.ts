import { createRequire } from 'node:module'
import { SpanKind } from '@opentelemetry/api'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { Tracer } from '@aws-lambda-powertools/tracer'
import type { LightCall } from 'clearskies-middy/clients/light'
import { afterAll, expect, it, vi } from 'vitest'
import { inTurn, json, useLightServer, withoutWaits } from '../support/light-server.ts'

/** What the tracer stands on. */
const { Segment, getNamespace } = createRequire(
  createRequire(import.meta.url).resolve('@aws-lambda-powertools/tracer'),
)('aws-xray-sdk-core') as {
  readonly Segment: new (name: string) => NonNullable<ReturnType<Tracer['getSegment']>>
  readonly getNamespace: () => { runPromise(run: () => Promise<void>): Promise<void> }
}

const server = useLightServer()
const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const instrumentation = new HttpInstrumentation()
afterAll(async () => {
  instrumentation.disable()
  await provider.shutdown()
})

it('T43: a span of OpenTelemetry that onCall makes is a call with its attempts', async () => {
  withoutWaits()
  const tracer = provider.getTracer('aws')
  const onCall = ({ service, operation, attempts, milliseconds, status = 0 }: LightCall): void => {
    const end = Date.now()
    const span = tracer.startSpan(`${service}.${operation}`, { startTime: end - milliseconds })
    span.setAttributes({ 'http.response.status_code': status, 'aws.attempts': attempts })
    span.end(end)
  }
  server.respond = inTurn(json(500, {}), json(200, {}))
  await server.client({ onCall }).call('dynamodb', 'GetItem')
  expect(exporter.getFinishedSpans()).toMatchObject([
    { name: 'dynamodb.GetItem', attributes: { 'http.response.status_code': 200, 'aws.attempts': 2 } },
  ])
  exporter.reset()
})

it("T42: OpenTelemetry's instrumentation of node:http sees each request of a call", async () => {
  instrumentation.setTracerProvider(provider)
  instrumentation.enable()
  createRequire(import.meta.url)('node:http')
  const tracer = provider.getTracer('test')
  await tracer.startActiveSpan('handler', async (span) => {
    await server.client().call('sqs', 'ListQueues')
    span.end()
  })
  const spans = exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CLIENT)
  expect(spans).toMatchObject([{ name: 'POST' }])
  expect(server.requests).toHaveLength(1)
})

it("T43: with Powertools' tracer, onCall adds each call to the segment that it belongs to", async () => {
  vi.stubEnv('AWS_EXECUTION_ENV', 'AWS_Lambda_nodejs24.x')
  vi.stubEnv('POWERTOOLS_TRACE_ENABLED', 'true')
  const tracer = new Tracer({ serviceName: 'shop' })
  const segment = new Segment('shop')
  const onCall = ({ service, operation, attempts, status = 0, requestId = '' }: LightCall): void => {
    tracer.getSegment()?.addMetadata(requestId, { service, operation, attempts, status }, 'aws')
  }
  const client = server.client({ onCall })
  server.respond = json(200, {}, { 'x-amzn-requestid': 'id-1' })
  await getNamespace().runPromise(async () => {
    tracer.setSegment(segment)
    await client.call('dynamodb', 'GetItem')
  })
  expect(segment).toMatchObject({
    metadata: { aws: { 'id-1': { service: 'dynamodb', operation: 'GetItem', attempts: 1, status: 200 } } },
  })
})
