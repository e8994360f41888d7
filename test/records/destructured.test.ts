// `const { text, data } = request`: what is taken off a record's request works without it.
import middy from '@middy/core'
import { eachRecord, firehose, kafka, kinesis, logs, sns, sqs } from 'clearskies-middy'
import {
  firehoseEvent,
  invoke,
  kafkaEvent,
  kinesisEvent,
  logsEvent,
  snsEvent,
  sqsEvent,
} from 'clearskies-middy/testing'
import { expect, it } from 'vitest'

const methods = ['text', 'bytes', 'keyBytes', 'headerValues'] as const

type Methods = Readonly<Record<(typeof methods)[number], (name: string) => unknown>>

it.each<[string, unknown, object, readonly string[]]>([
  ['sqs()', sqs, sqsEvent([{ body: { n: 1 } }]), ['text', 'bytes']],
  ['kinesis()', kinesis, kinesisEvent([{ data: { n: 1 } }]), ['text', 'bytes']],
  ['kafka()', kafka, kafkaEvent([{ value: { n: 1 }, key: 'k' }]), methods],
  ['sns()', sns, snsEvent([{ message: { n: 1 } }]), ['text', 'bytes']],
  ['firehose()', firehose, firehoseEvent([{ data: { n: 1 } }]), ['text', 'bytes']],
  ['logs()', logs, logsEvent([{ message: '{"n":1}' }]), ['text', 'bytes']],
])('%s: what is taken off a request gives what the request gives', async (_, source, event, has) => {
  const seen: unknown[] = []
  const handler = middy()
    .use((source as typeof sqs)())
    .handler(
      eachRecord((request) => {
        const { data } = request
        const there = methods.filter((name) => name in request)
        for (const name of there) {
          const { [name]: method } = request as unknown as Methods
          expect(method('k')).toEqual((request as unknown as Methods)[name]('k'))
        }
        seen.push([data, there])
      }),
    )
  await invoke(handler, event)
  expect(seen).toEqual([[{ n: 1 }, has]])
})
