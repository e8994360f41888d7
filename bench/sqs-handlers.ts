// The same work by each contender: parse each record's body, and answer with the ids of the records that failed.
import {
  BatchProcessor,
  EventType,
  SqsFifoPartialProcessorAsync,
  processPartialResponse,
} from '@aws-lambda-powertools/batch'
import middy from '@middy/core'
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { eachRecord } from '../dist/normalizers/each-record.js'
import { sqs } from '../dist/normalizers/sqs.js'
import { type AnyHandler, sqsEvent } from '../dist/testing/index.js'

/** What is done with a record's data. */
export type Work = (data: Order) => void | Promise<void>

export interface Order {
  readonly id: number
  readonly customer: string
  readonly lines: readonly { readonly sku: string; readonly count: number }[]
  readonly note: string
}

/** About 170 bytes as JSON. */
export function order(id: number): Order {
  return {
    id,
    customer: 'Shevek',
    lines: [
      { sku: 'B-7021', count: 1 },
      { sku: 'B-1974', count: 2 },
    ],
    note: 'Leave it with the neighbours, who are at home until six',
  }
}

/** A batch of orders: on a FIFO queue in five groups. `broken` is a record whose body is no JSON. */
export function orders(count: number, { fifo = false, broken = -1 } = {}): SQSEvent {
  return sqsEvent(
    Array.from({ length: count }, (_, index) => ({
      messageId: `message-${index}`,
      body: index === broken ? '{' : order(index),
      ...(fifo && { groupId: `customer-${index % 5}` }),
    })),
    fifo ? { queueArn: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo' } : {},
  )
}

const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }

const parse = ({ body }: SQSRecord): Order => JSON.parse(body) as Order

export function bare(work: Work): AnyHandler {
  return (async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const results = await Promise.allSettled(Records.map(async (record) => work(parse(record))))
    return {
      batchItemFailures: Records.filter((_, index) => results[index]?.status === 'rejected').map(
        ({ messageId }) => ({ itemIdentifier: messageId }),
      ),
    }
  }) as AnyHandler
}

export function middyPartial(work: Work): AnyHandler {
  return middy()
    .use(sqsPartialBatchFailure({ logger: ignore }) as middy.MiddlewareObj)
    .handler((async ({ Records }: SQSEvent) =>
      Promise.allSettled(Records.map(async (record) => work(parse(record))))) as never) as AnyHandler
}

export function ours(work: Work): AnyHandler {
  return middy()
    .use(sqs({ logger: quiet }))
    .handler(eachRecord(async ({ data }) => work(data as Order), { logger: quiet })) as AnyHandler
}

export function powertools(work: Work): AnyHandler {
  const processor = new BatchProcessor(EventType.SQS)
  const handler = async (record: SQSRecord): Promise<void> => work(parse(record))
  return ((event: SQSEvent, context: never) =>
    processPartialResponse(event, handler, processor, { context, processInParallel: true })) as AnyHandler
}

export function powertoolsFifo(work: Work): AnyHandler {
  const processor = new SqsFifoPartialProcessorAsync()
  const handler = async (record: SQSRecord): Promise<void> => work(parse(record))
  return ((event: SQSEvent, context: never) =>
    processPartialResponse(event, handler, processor, { context, skipGroupOnError: true })) as AnyHandler
}

function ignore(): void {
  // A failure that is meant to happen.
}
