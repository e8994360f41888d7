// S3 event notifications: s3() with eachRecord(), cases E18 to E23.
import middy from '@middy/core'
import { InvalidEventError, type S3Request, eachRecord, s3, validate } from 'clearskies-middy'
import { type DescribedObject, invoke, s3Event, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { failureOf } from '../support/failure-of.ts'

/** What the functions of the records have got. */
async function requestsOf(event: unknown): Promise<S3Request[]> {
  const requests: S3Request[] = []
  const handler = middy()
    .use(s3())
    .handler(eachRecord((request) => requests.push(request)))
  expect(await invoke(handler, event)).toBeNull() // As Lambda writes undefined.
  return requests
}

/** The request of an object whose key stands in the event as it is here. */
async function requestOf(key: string, described: Partial<DescribedObject> = {}): Promise<S3Request> {
  const event = s3Event([{ key: 'x', ...described }])
  Object.assign(event.Records[0]?.s3.object ?? {}, { key })
  const before = structuredClone(event)
  const [request] = await requestsOf(event)
  expect(event).toEqual(before)
  if (request === undefined) throw new Error('There was no call')
  return request
}

describe('s3(): an object as a request', () => {
  it.each([
    ['letters/to+you%2Bme.txt', 'letters/to you+me.txt'],
    ['a%20b', 'a b'],
    ['100%25+sure', '100% sure'],
    ['%2525', '%25'],
    ['caf%C3%A9/%E2%82%AC/%F0%9F%98%80', 'café/€/😀'],
    ['plain/key.txt', 'plain/key.txt'],
  ])('E18: the key %s is decoded once, and raw keeps what came', async (key, decoded) => {
    const request = await requestOf(key)
    expect([request.key, request.data.key, request.raw.s3.object.key]).toEqual([decoded, decoded, key])
  })

  it.each([
    ['100%', '100%'],
    ['50%+off', '50% off'],
    ['%zz%41', '%zzA'],
    ['%E0%A4%A', '%E0%A4%A'],
    ['%41%E0%A4%42', 'A%E0%A4B'],
    ['%C0%AF%20', '%C0%AF '],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%', '%'],
  ])('E19: of the key %s what is no encoding stays, and nothing throws', async (key, decoded) => {
    expect((await requestOf(key)).key).toBe(decoded)
  })

  it.each([
    { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'uploads' },
    { Service: 'Amazon S3', Event: 's3:TestEvent', Records: null },
    {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-03-10T00:00:00.000Z',
      Bucket: 'uploads',
      RequestId: 'r',
      HostId: 'h',
    },
  ])('E20: the test message %j is done without a call', async (event) => {
    expect(await requestsOf(event)).toEqual([])
  })

  it('E21: an object that was removed has neither size nor eTag, also where they are null', async () => {
    const removed = await requestOf('a', { eventName: 'ObjectRemoved:Delete' })
    expect([removed.size, removed.eTag, removed.versionId]).toEqual([undefined, undefined, undefined])
    expect(Object.keys(removed.data)).toEqual(['bucket', 'key'])
    const event = s3Event([{ key: 'a' }])
    Object.assign(event.Records[0]?.s3.object ?? {}, { size: null, eTag: null, versionId: null })
    const [empty] = await requestsOf(event)
    expect(empty?.data).toStrictEqual({ bucket: 'uploads', key: 'a' })
  })

  it('E21: an object of no bytes has a size of 0', async () => {
    const request = await requestOf('a', { size: 0, versionId: 'v1' })
    expect(request.size).toBe(0)
    expect(request.data).toStrictEqual({
      bucket: 'uploads',
      key: 'a',
      size: 0,
      eTag: '5d41402abc4b2a76b9719d911017c592',
      versionId: 'v1',
    })
  })

  it('E22: the id is the bucket, the decoded key and the sequencer', async () => {
    const request = await requestOf('a%2Fb+c', { bucket: 'b', sequencer: '00A1' })
    expect([request.id, request.sequencer]).toEqual(['b/a/b c/00A1', '00A1'])
    const event = s3Event([{ key: 'a' }])
    Object.assign(event.Records[0]?.s3.object ?? {}, { sequencer: null })
    expect((await requestsOf(event))[0]?.id).toBeUndefined()
  })

  it('has what happened, where and when', async () => {
    const request = await requestOf('a', { eventName: 'ObjectCreated:CompleteMultipartUpload' })
    expect([request.kind, request.source, request.bucket, request.eventName]).toEqual([
      's3',
      's3',
      'uploads',
      'ObjectCreated:CompleteMultipartUpload',
    ])
    expect(request.occurredAt).toEqual(new Date(1_773_100_000_000))
  })
})

describe('s3(): the answer', () => {
  it('E23: two records run, and the one that fails fails the invocation', async () => {
    const seen: string[] = []
    const handler = middy()
      .use(s3())
      .handler(
        eachRecord(({ key }) => {
          seen.push(key)
          if (key === 'a') throw new Error('no a')
        }),
      )
    expect(await failureOf(invoke(handler, s3Event([{ key: 'a' }, { key: 'b' }])))).toEqual(new Error('no a'))
    expect(seen).toEqual(['a', 'b'])
  })

  it('a record that is none fails the invocation, after the others have run', async () => {
    const seen: string[] = []
    const handler = middy()
      .use(s3())
      .handler(eachRecord(({ key }) => seen.push(key)))
    const { Records } = s3Event([{ key: 'a' }, { key: 'b' }])
    for (const none of [null, { eventSource: 'aws:s3' }, { eventSource: 'aws:s3', s3: null }]) {
      expect(await failureOf(invoke(handler, { Records: [Records[0], none, Records[1]] }))).toBeInstanceOf(
        Error,
      )
    }
    expect(seen).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
  })

  it('a schema for the data of a record narrows it', async () => {
    const sizes: number[] = []
    const record = middy<S3Request>()
      .use(validate({ data: z.object({ key: z.string().endsWith('.txt'), size: z.number() }) }))
      .handler(({ data, bucket }) => sizes.push(data.size, bucket.length))
    const handler = middy().use(s3()).handler(eachRecord(record))
    await invoke(handler, s3Event([{ key: 'a.txt', size: 7 }]))
    expect(sizes).toEqual([7, 7])
    expect(await failureOf(invoke(handler, s3Event([{ key: 'a.png' }])))).toHaveProperty(
      'name',
      'ValidationError',
    )
  })

  it('an event of another source is refused with the name of its normalizer', async () => {
    const handler = middy()
      .use(s3())
      .handler(eachRecord(() => undefined))
    const failure = await failureOf(invoke(handler, sqsEvent([{ body: 1 }])))
    expect(failure).toBeInstanceOf(InvalidEventError)
    expect(String(failure)).toContain('sqs()')
  })
})
