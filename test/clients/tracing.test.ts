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

it('T42: invocations at once, over one connection, each pass their own traces on', async () => {
  const { InvokeStore } = await import('@aws/lambda-invoke-store')
  const store = await InvokeStore.getInstanceAsync(true)
  vi.stubGlobal('awslambda', { InvokeStore: store })
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop')
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-nobody')
  const client = server.client({ maxSockets: 1 })
  const names = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(4))
  const context = (name: string): Record<symbol, string> => ({
    [Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')]: `Root=1-${name}`,
    [Symbol.for('_AWS_LAMBDA_TRACEPARENT')]: `00-${name}-1-01`,
    [Symbol.for('_AWS_LAMBDA_TRACESTATE')]: `s=${name}`,
    [Symbol.for('_AWS_LAMBDA_BAGGAGE')]: `b=${name}`,
  })
  await Promise.all(
    names.map((name) =>
      store.run(context(name), () => client.call('ssm', 'GetParameters', { Names: [name] })),
    ),
  )
  const seen = server.requests.map(({ body, headers }) => ({
    name: (JSON.parse(body) as { Names: string[] }).Names[0],
    headers: [headers['x-amzn-trace-id'], headers['traceparent'], headers['tracestate'], headers['baggage']],
  }))
  expect(seen.toSorted((a, b) => String(a.name).localeCompare(String(b.name)))).toEqual(
    names.map((name) => ({ name, headers: [`Root=1-${name}`, `00-${name}-1-01`, `s=${name}`, `b=${name}`] })),
  )
})

it('T42: the name that AWS_SDK_UA_APP_ID gives the application goes along, without what a header cannot hold', async () => {
  vi.stubEnv('AWS_SDK_UA_APP_ID', 'shop 1\r\nx: y')
  await server.client().call('ssm', 'GetParameters')
  expect(server.requests[0]?.headers['user-agent']).toMatch(/ app\/shop-1--x--y$/)
})
