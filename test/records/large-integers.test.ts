import middy from '@middy/core'
import { eachRecord, sqs } from 'clearskies-middy'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { expect, it } from 'vitest'

/** As docs/sqs.md has it. */
function exactly(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const digits = context?.source ?? ''
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(digits)
    ? BigInt(digits)
    : value
}

it('R28: the documented body function keeps integers above 2^53, and nothing else changes', async () => {
  const read: unknown[] = []
  const handler = middy()
    .use(sqs({ body: (text) => JSON.parse(text, exactly) as unknown }))
    .handler(eachRecord(({ data }) => void read.push(data)))
  const body =
    '{"id":9007199254740993,"low":[-12345678901234567890],"n":7,"f":0.5,"e":1e21,"text":"9007199254740993"}'
  expect(await invoke(handler, sqsEvent([{ body }]))).toEqual({ batchItemFailures: [] })
  expect(read).toEqual([
    { id: 9007199254740993n, low: [-12345678901234567890n], n: 7, f: 0.5, e: 1e21, text: '9007199254740993' },
  ])
})
