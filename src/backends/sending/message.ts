import type { SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { InvalidDataError } from '../../errors/index.ts'
import { type MessageAttributes, attributeBytes, encodeAttributes } from './attributes.ts'

/** What goes into a message beside its body. */
export interface MessageOptions {
  readonly groupId?: string | undefined
  readonly deduplicationId?: string | undefined
  readonly delaySeconds?: number | undefined
  readonly attributes?: MessageAttributes | undefined
  /** The X-Ray trace that the message belongs to. */
  readonly traceHeader?: string | undefined
}

type BatchEntry = Omit<SendMessageBatchRequestEntry, 'Id'>

/** A message that is ready but for its place in a request. */
export interface Message {
  readonly entry: BatchEntry
  /** As SQS counts them: the UTF-8 bytes of the body, and of each attribute's name, type and value. */
  readonly bytes: number
  readonly groupId: string | undefined
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const maxMessageBytes = 1_048_576

/**
 * Makes a message, and refuses here what the queue would refuse.
 *
 * @throws InvalidDataError
 */
export function toMessage(body: string, options: MessageOptions, fifo: boolean): Message {
  const { groupId, deduplicationId, delaySeconds, attributes = {}, traceHeader } = options
  const wireAttributes = encodeAttributes(attributes)
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
  if (bytes > maxMessageBytes)
    throw new InvalidDataError(`The message is ${bytes} bytes, and SQS takes at most ${maxMessageBytes}`)
  return {
    bytes,
    groupId,
    entry: {
      MessageBody: body,
      ...(groupId !== undefined && { MessageGroupId: groupId }),
      ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
      ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
      ...(wireAttributes.length > 0 && { MessageAttributes: Object.fromEntries(wireAttributes) }),
      ...traced(traceHeader),
    },
  }
}

/** The system attribute that carries a trace. It does not count towards a message's size. */
export function traced(
  traceHeader: string | undefined,
): Pick<BatchEntry, 'MessageSystemAttributes'> | undefined {
  return traceHeader === undefined
    ? undefined
    : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }
}

function checkIds({ groupId, deduplicationId, delaySeconds }: MessageOptions, fifo: boolean): void {
  if (fifo && groupId === undefined)
    throw new InvalidDataError('A FIFO queue needs a group id for each message: give the option groupId')
  if (fifo && delaySeconds !== undefined)
    throw new InvalidDataError('A FIFO queue delays no single message: leave out the option delaySeconds')
  if (!fifo && deduplicationId !== undefined)
    throw new InvalidDataError(
      'A standard queue takes no deduplication id: leave out the option deduplicationId',
    )
  for (const [name, id] of [
    ['group', groupId],
    ['deduplication', deduplicationId],
  ] as const) {
    if (id !== undefined && !/^[!-~]{1,128}$/.test(id)) {
      throw new InvalidDataError(`A ${name} id has 1 to 128 letters, digits and punctuation marks`)
    }
  }
}
