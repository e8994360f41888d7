// The record and the invocation on every line of a logger, while several run beside each other.
import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { Logger } from '@aws-lambda-powertools/logger'
import middy from '@middy/core'
import { currentInvocation, eachRecord, sqs } from 'clearskies-middy'
import { invoke, lambdaContext, sqsEvent } from 'clearskies-middy/testing'
import pino from 'pino'
import { describe, expect, it, vi } from 'vitest'

interface Line {
  readonly body: number
  readonly messageId?: string
  readonly requestId?: string
}

/** Works two batches beside each other, and logs for each record before and after others have had their turn. */
async function logged(log: (body: number, message: string) => void): Promise<void> {
  const handler = middy()
    .use(sqs())
    .handler(
      eachRecord(async ({ data }) => {
        log(Number(data), 'begin')
        for (let count = Number(data) % 4; count >= 0; count--) await turn()
        log(Number(data), 'end')
      }),
    )
  const batchOf = (from: number) =>
    sqsEvent(
      Array.from({ length: 10 }, (_, index) => ({ body: from + index, messageId: `m${from + index}` })),
    )
  await Promise.all([
    invoke(handler, batchOf(0), lambdaContext({ awsRequestId: 'first' })),
    invoke(handler, batchOf(10), lambdaContext({ awsRequestId: 'second' })),
  ])
}

function expectOwnLines(lines: readonly Line[]): void {
  expect(lines).toHaveLength(40)
  for (const { body, messageId, requestId } of lines)
    expect([messageId, requestId]).toEqual([`m${body}`, body < 10 ? 'first' : 'second'])
}

describe('currentInvocation() on every line', () => {
  it('R21: of pino, by a mixin', async () => {
    const lines: Line[] = []
    const out = new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(JSON.parse(chunk.toString()) as Line)
        done()
      },
    })
    const logger = pino(
      {
        mixin() {
          const { requestId, record } = currentInvocation() ?? {}
          return { requestId, messageId: record?.id }
        },
      },
      out,
    )
    await logged((body, message) => {
      logger.info({ body }, message)
    })
    expectOwnLines(lines)
    logger.info('outside')
    expect(Object.keys(lines.at(-1) ?? {})).not.toContain('messageId')
  })

  it('R21: of the logger of Powertools, by a replacer', async () => {
    const lines: Line[] = []
    vi.stubEnv('POWERTOOLS_DEV', 'true') // Writes to the console that a test can see.
    const logger = new Logger({
      serviceName: 'shop',
      jsonReplacerFn: (key: string, value: unknown) => {
        if (key !== '') return value
        const { requestId, record } = currentInvocation() ?? {}
        return { ...(value as object), requestId, messageId: record?.id }
      },
    })
    const write = vi.spyOn(console, 'info').mockImplementation((text: string) => {
      lines.push(JSON.parse(text) as Line)
    })
    await logged((body, message) => {
      logger.info(message, { body })
    })
    vi.unstubAllEnvs()
    write.mockRestore()
    expectOwnLines(lines)
  })
})
