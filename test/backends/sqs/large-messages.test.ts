// A message above SQS's limit: its body in a store, and a pointer in the queue, as docs/sqs-backend.md has it.
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { eachRecord, model, sqs as sqsSource } from 'clearskies-middy'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { useSqs } from '../../support/engines.ts'

const sqs = useSqs()
const pointerClass = 'software.amazon.payloadoffloading.PayloadS3Pointer'

it('R24: a body of three megabytes goes through a store, and its consumer reads it', async () => {
  const url = sqs.createQueue('large')
  const orders = new SqsBackend(model({ name: url, schema: z.string() }), {
    body: 'text',
    client: sqs.client,
  })
  const stored = new Map<string, string>()

  async function sendOrder(order: object): Promise<unknown> {
    const body = JSON.stringify(order)
    const size = Buffer.byteLength(body)
    if (size <= 1_000_000) return orders.create(body)
    const pointer = { s3BucketName: 'shop-orders', s3Key: crypto.randomUUID() }
    await Promise.resolve(stored.set(pointer.s3Key, body))
    return orders.create(JSON.stringify([pointerClass, pointer]), {
      attributes: { ExtendedPayloadSize: size },
    })
  }

  const large = { id: 'large', note: 'ü'.repeat(1_500_000) }
  await expect(orders.create(JSON.stringify(large))).rejects.toThrow('SQS takes at most 1048576')
  await sendOrder(large)
  await sendOrder({ id: 'small' })
  expect(stored.size).toBe(1)

  const receive = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    MessageAttributeNames: ['All'],
  })
  const { Messages = [] } = await sqs.client.send(receive)
  const sizes = Messages.map(({ MessageAttributes }) => MessageAttributes?.['ExtendedPayloadSize'])
  expect(sizes.filter((size) => size !== undefined)).toMatchObject([
    { DataType: 'Number', StringValue: String(Buffer.byteLength(JSON.stringify(large))) },
  ])
  const read: unknown[] = []
  const handler = middy()
    .use(
      sqsSource({ resolvePayload: ({ bucket, key }) => (bucket === 'shop-orders' && stored.get(key)) || '' }),
    )
    .handler(eachRecord(({ data }) => void read.push(data)))
  const event = sqsEvent(Messages.map(({ Body }) => ({ body: Body })))
  expect(await invoke(handler, event)).toEqual({ batchItemFailures: [] })
  expect(read).toHaveLength(2)
  expect(read).toEqual(expect.arrayContaining([large, { id: 'small' }]))
})
