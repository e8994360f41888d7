import type { MessageAttributeValue } from '@aws-sdk/client-sqs'
import { InvalidDataError } from '../../errors/index.ts'
import { isSendable } from './body.ts'

/** The value of an attribute. A number with more digits than JavaScript holds is a bigint, or a typed text. */
export type PlainAttribute = string | number | bigint | Uint8Array

/** A value with a type of its own, such as `Number.int` or `String.json`: what stands behind the dot is yours. */
export interface TypedAttribute {
  /** `String`, `Number` or `Binary`, and a label behind a dot. */
  readonly type: string
  /** Text for `String`, a number or its text for `Number`, bytes for `Binary`. */
  readonly value: PlainAttribute
}

/**
 * Attributes to send beside the body. Strings become `String`, numbers and bigints `Number`, bytes `Binary`, and a value
 * with a type is sent as that.
 */
export type MessageAttributes = Readonly<Record<string, PlainAttribute | TypedAttribute>>

const isAttributeName = /^(?!\.)(?!.*\.\.)(?!aws\.|amazon\.)[\w.-]{1,256}(?<!\.)$/i
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
const isType = /^(?:String|Number|Binary)(?:\.[\w.-]+)?$/
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/**
 * Gives attributes as SQS takes them.
 *
 * @throws InvalidDataError for what SQS would refuse
 */
export function encodeAttributes(attributes: MessageAttributes): [string, MessageAttributeValue][] {
  const entries = Object.entries(attributes)
  if (entries.length > 10)
    throw new InvalidDataError(`A message has at most 10 attributes, this one ${entries.length}`)
  return entries.map(([name, value]) => [name, toAttribute(name, value)])
}

function toAttribute(name: string, given: PlainAttribute | TypedAttribute): MessageAttributeValue {
  if (!isAttributeName.test(name))
    throw new InvalidDataError(`"${name.slice(0, 300)}" is no name for a message attribute`)
  const { type, value } = isTyped(given) ? given : { type: attributeType(given), value: given }
  if (typeof type !== 'string' || type.length > 256 || !isType.test(type))
    throw new InvalidDataError(
      isTyped(given)
        ? `The message attribute "${name}" has a type that is no String, Number or Binary`
        : `The message attribute "${name}" is no text, finite number or bytes`,
    )
  const attribute = encode(type, value)
  if (attribute === undefined)
    throw new InvalidDataError(`The message attribute "${name}" has a value that is no ${type}`)
  if (attribute.StringValue === '' || attribute.BinaryValue?.length === 0)
    throw new InvalidDataError(`The message attribute "${name}" is empty, which SQS refuses`)
  if (attribute.StringValue !== undefined && !isSendable(attribute.StringValue))
    throw new InvalidDataError(`The message attribute "${name}" has characters that SQS refuses`)
  return attribute
}

function isTyped(given: PlainAttribute | TypedAttribute | null): given is TypedAttribute {
  return typeof given === 'object' && given !== null && !(given instanceof Uint8Array)
}

function attributeType(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return 'Binary'
  if (typeof value === 'string') return 'String'
  return typeof value === 'bigint' || Number.isFinite(value) ? 'Number' : undefined
}

function encode(DataType: string, value: PlainAttribute): MessageAttributeValue | undefined {
  if (DataType.startsWith('Binary'))
    return value instanceof Uint8Array ? { DataType, BinaryValue: value } : undefined
  if (value instanceof Uint8Array) return undefined
  const StringValue = String(value)
  const fits = DataType.startsWith('Number') ? numberPattern.test(StringValue) : typeof value === 'string'
  return fits ? { DataType, StringValue } : undefined
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
