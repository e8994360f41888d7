import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { InvalidDataError } from '../../errors/index.ts'

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
  readonly groupId: string | undefined
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const maxBytes = 1_048_576

/**
 * Turns data into a message, and refuses here what the queue would refuse.
 *
 * @throws InvalidDataError
 */
export function toMessage(data: unknown, options: MessageOptions, fifo: boolean): Message {
  const { groupId, deduplicationId, delaySeconds, attributes = {} } = options
  const body = toBody(data)
  const wireAttributes = toAttributes(attributes)
  checkIds(options, fifo)
  if (
    delaySeconds !== undefined &&
    !(Number.isInteger(delaySeconds) && delaySeconds >= 0 && delaySeconds <= 900)
  ) {
    throw new InvalidDataError(`A message is delayed by 0 to 900 whole seconds, not ${delaySeconds}`)
  }
  const bytes =
    Buffer.byteLength(body) +
    wireAttributes.reduce((sum, [name, value]) => sum + attributeBytes(name, value), 0)
  if (bytes > maxBytes)
    throw new InvalidDataError(`The message is ${bytes} bytes, and SQS takes at most ${maxBytes}`)
  return {
    bytes,
    groupId,
    entry: {
      MessageBody: body,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
      ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
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

function checkIds({ groupId, deduplicationId, delaySeconds }: MessageOptions, fifo: boolean): void {
  if (fifo && groupId === undefined)
    throw new InvalidDataError('A FIFO queue needs a group id for each message: give the option groupId')
  if (fifo && delaySeconds !== undefined)
    throw new InvalidDataError('A FIFO queue delays no single message: leave out the option delaySeconds')
  for (const [name, id] of [
    ['group', groupId],
    ['deduplication', deduplicationId],
  ] as const) {
    if (id !== undefined && !/^[!-~]{1,128}$/.test(id)) {
      throw new InvalidDataError(`A ${name} id has 1 to 128 letters, digits and punctuation marks`)
    }
  }
}

function toAttributes(attributes: MessageAttributes): [string, MessageAttributeValue][] {
  const entries = Object.entries(attributes)
  if (entries.length > 10)
    throw new InvalidDataError(`A message has at most 10 attributes, this one ${entries.length}`)
  return entries.map(([name, value]) => {
    if (!/^(?!\.)(?!.*\.\.)(?!aws\.|amazon\.)[\w.-]{1,256}(?<!\.)$/i.test(name))
      throw new InvalidDataError(`"${name.slice(0, 300)}" is no name for a message attribute`)
    const attribute = toAttribute(value)
    if (attribute === undefined)
      throw new InvalidDataError(`The message attribute "${name}" is no text, finite number or bytes`)
    if (attribute.StringValue === '' || attribute.BinaryValue?.length === 0)
      throw new InvalidDataError(`The message attribute "${name}" is empty, which SQS refuses`)
    return [name, attribute]
  })
}

function toAttribute(value: unknown): MessageAttributeValue | undefined {
  if (value instanceof Uint8Array) return { DataType: 'Binary', BinaryValue: value }
  if (typeof value === 'string') return { DataType: 'String', StringValue: value }
  return Number.isFinite(value) ? { DataType: 'Number', StringValue: String(value) } : undefined
}

/** The bytes that an attribute counts for. */
export function attributeBytes(
  name: string,
  { DataType = '', StringValue = '', BinaryValue }: MessageAttributeValue,
): number {
  return (
    Buffer.byteLength(name) +
    Buffer.byteLength(DataType) +
    (BinaryValue?.byteLength ?? Buffer.byteLength(StringValue))
  )
}
