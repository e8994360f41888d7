import { parseIfJson } from '../core/json.ts'
import {
  type GatewaySource,
  albEvent,
  dynamodbStreamEvent,
  eventBridgeEvent,
  firehoseEvent,
  functionUrlEvent,
  httpApiEvent,
  httpApiV1Event,
  kafkaEvent,
  kinesisEvent,
  logsEvent,
  restApiEvent,
  s3Event,
  scheduledEvent,
  snsEvent,
  sqsEvent,
  vpcLatticeEvent,
  webSocketEvent,
} from '../testing/index.ts'
import { type CliCommand, type Typed, UsageError } from './command.ts'

/** What an event is made of. */
interface Described {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string[]>>
  readonly data?: unknown
}

/** A request as a client of an HTTP source sends it. */
const http = ({ data, ...request }: Described): object => ({
  ...request,
  ...(data !== undefined && { body: data }),
})

const item = (data: unknown): Record<string, unknown> =>
  typeof data === 'object' && data !== null ? { ...data } : { id: '7' }

type EventBuilder = (described: Described) => unknown

/** The sources of events, each with what makes one. */
const builders: Readonly<Record<GatewaySource, EventBuilder> & Record<string, EventBuilder>> = {
  alb: (described) => albEvent(http(described)),
  'alb-multi-value': (described) => albEvent({ ...http(described), multiValue: true }),
  'rest-api': (described) => restApiEvent(http(described)),
  'http-api': (described) => httpApiEvent(http(described)),
  'http-api-1.0': (described) => httpApiV1Event(http(described)),
  'function-url': (described) => functionUrlEvent(http(described)),
  'vpc-lattice': (described) => vpcLatticeEvent(http(described)),
  'web-socket': ({ data }) => webSocketEvent({ body: data ?? {} }),
  sqs: ({ data = {} }) => sqsEvent([{ body: data }]),
  sns: ({ data = {} }) => snsEvent([{ message: data }]),
  s3: ({ data }) => s3Event([{ key: typeof data === 'string' ? data : 'photo.jpg' }]),
  kinesis: ({ data = {} }) => kinesisEvent([{ data }]),
  'dynamodb-stream': ({ data }) => {
    const newItem = item(data)
    return dynamodbStreamEvent([{ keys: Object.fromEntries(Object.entries(newItem).slice(0, 1)), newItem }])
  },
  kafka: ({ data = {} }) => kafkaEvent([{ value: data }]),
  'event-bridge': ({ data = {} }) => eventBridgeEvent({ detailType: 'order.placed', detail: data }),
  scheduled: () => scheduledEvent(),
  firehose: ({ data = {} }) => firehoseEvent([{ data }]),
  logs: ({ data = 'a line' }) => logsEvent([{ message: data }]),
  invocation: ({ data = null }) => data,
}

export const sourceNames: readonly string[] = Object.keys(builders)

/** What describes an event on the command line. */
export const eventOptions: CliCommand['options'] = {
  method: { type: 'string', value: 'METHOD', help: 'of a request (default GET, POST with --data)' },
  path: { type: 'string', value: 'PATH', help: 'of a request, with its query (default /)' },
  data: { type: 'string', value: 'JSON', help: 'the body, message or payload; what is no JSON is text' },
}

/** The event that AWS would send. @throws UsageError */
export function describedEvent(source: string, typed: Typed): unknown {
  const build = Object.hasOwn(builders, source) ? builders[source] : undefined
  if (build === undefined)
    throw new UsageError(`There is no source "${source}"; there are ${sourceNames.join(', ')}`)
  const [method, path, text] = [typed.text('method'), typed.text('path'), typed.text('data')]
  if (method !== undefined && !/^[\w!#$%&'*+.^`|~-]+$/.test(method))
    throw new UsageError(`--method takes a method as GET, and not "${method}"`)
  const data = text === undefined ? undefined : parseIfJson(text)
  return build({
    ...(method !== undefined && { method: method.toUpperCase() }),
    ...(path !== undefined && { path }),
    ...(data !== undefined && { data }),
    ...(data !== undefined && data !== text && { headers: { 'content-type': ['application/json'] } }),
  })
}
