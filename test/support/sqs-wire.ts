import type { ServerResponse } from 'node:http'

/** An entry of any of SQS's batch requests, as far as it is looked at. */
export interface WireEntry {
  readonly Id: string
  readonly MessageBody?: string
  readonly MessageGroupId?: string
  readonly MessageDeduplicationId?: string
  readonly ReceiptHandle?: string
  readonly MessageAttributes?: Readonly<
    Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>
  >
}

/** The answer to a batch request. */
export interface BatchAnswer {
  Successful: { Id: string; MD5OfMessageBody?: string; SequenceNumber?: string }[]
  Failed: { Id: string; Code: string; SenderFault: boolean; Message?: string }[]
}

/** An answer on its way back. */
export interface Answer {
  readonly status: number
  readonly body: string
}

export function parse(text: string): object {
  return JSON.parse(text) as object
}

export function failure(code: string, status: number, message = code): Answer {
  return { status, body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }) }
}

export function respond(response: ServerResponse, { status, body }: Answer, garbled = false): void {
  const text = garbled ? body.slice(0, body.length >> 1) : body
  const code = /#(\w+)"/.exec(status < 400 ? '' : body)?.[1]
  response
    .writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      ...(code !== undefined && { 'x-amzn-query-error': `AWS.SimpleQueueService.${code};Sender` }),
    })
    .end(text)
}

/** As SQS counts: the UTF-8 bytes of the body, and of each attribute's name, type and value. */
export function size({ MessageBody = '', MessageAttributes = {} }: WireEntry): number {
  return Object.entries(MessageAttributes).reduce(
    (sum, [name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + Buffer.from(BinaryValue, 'base64').length,
    Buffer.byteLength(MessageBody),
  )
}
