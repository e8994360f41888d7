import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { InvalidDataError } from '../../errors.ts'

/** Attributes to send beside the body. Strings become `String`, numbers `Number`, bytes `Binary`. */
export type MessageAttributes = Readonly<Record<string, string | number | Uint8Array>>

/** What goes into a message beside the data itself. */
export interface MessageOptions {
  readonly groupId?: string | undefined
  readonly deduplicationId?: string | undefined
  readonly delaySeconds?: number | undefined
  readonly attributes?: MessageAttributes | undefined
}

/** A message that is ready but for its place in a request. */
export interface Message {
  readonly entry: Omit<SendMessageBatchRequestEntry, 'Id'>
  /** As SQS counts them: the UTF-8 bytes of the body, and of each attribute's name, type and value. */
  readonly bytes: number
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const maxBytes = 1_048_576

/**
 * Turns data into a message, and refuses here what the queue would refuse: what is no JSON, empty, or too large.
 *
 * @throws InvalidDataError
 */
export function toMessage(
  data: unknown,
  { groupId, deduplicationId, delaySeconds, attributes = {} }: MessageOptions,
  fifo: boolean,
): Message {
  const body = toBody(data)
  const wireAttributes = Object.entries(attributes).map(
    ([name, value]) => [name, toAttribute(value)] as const,
  )
  if (wireAttributes.length > 10)
    throw new InvalidDataError(`A message has at most 10 attributes, this one ${wireAttributes.length}`)
  if (fifo && groupId === undefined)
    throw new InvalidDataError('A FIFO queue needs a group id for each message: give the option groupId')
  if (fifo && delaySeconds !== undefined)
    throw new InvalidDataError('A FIFO queue delays no single message: leave out the option delaySeconds')
  const bytes =
    Buffer.byteLength(body) +
    wireAttributes.reduce((sum, [name, value]) => sum + attributeBytes(name, value), 0)
  if (bytes > maxBytes)
    throw new InvalidDataError(`The message is ${bytes} bytes, but SQS takes at most ${maxBytes}`)
  return {
    bytes,
    entry: {
      MessageBody: body,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
      ...(fifo && deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
      ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
      ...(wireAttributes.length > 0 && { MessageAttributes: Object.fromEntries(wireAttributes) }),
    },
  }
}

function toBody(data: unknown): string {
  const json = toJson(data)
  if (json === undefined) throw new InvalidDataError(`A ${typeof data} cannot be written as JSON`)
  // Two characters that JSON leaves as they are and SQS refuses.
  return /[\ufffe\uffff]/.test(json)
    ? json.replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff')
    : json
}

/** `undefined` for what has no form in JSON, as a function has none. */
function toJson(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    throw new InvalidDataError('The message cannot be written as JSON: it holds a cycle or a bigint', {
      cause,
    })
  }
}

function toAttribute(value: string | number | Uint8Array): MessageAttributeValue {
  if (value instanceof Uint8Array) return { DataType: 'Binary', BinaryValue: value }
  return typeof value === 'number'
    ? { DataType: 'Number', StringValue: String(value) }
    : { DataType: 'String', StringValue: value }
}

function attributeBytes(
  name: string,
  { DataType = '', StringValue = '', BinaryValue }: MessageAttributeValue,
): number {
  return (
    Buffer.byteLength(name) +
    Buffer.byteLength(DataType) +
    (BinaryValue?.byteLength ?? Buffer.byteLength(StringValue))
  )
}

/** Cuts messages, in order, into requests of at most ten and at most `limit` bytes. */
export function pack<T extends Pick<Message, 'bytes'>>(
  messages: readonly T[],
  limit: number = maxBytes,
): T[][] {
  const requests: T[][] = []
  let room = 0
  for (const message of messages) {
    const open = requests.at(-1)
    if (open === undefined || open.length === 10 || message.bytes > room) {
      requests.push([message])
      room = limit - message.bytes
    } else {
      open.push(message)
      room -= message.bytes
    }
  }
  return requests
}
