import { InvalidDataError } from '../../errors/index.ts'

/**
 * How data becomes the body of a message: as JSON; as it is, where it is text; in base64, where it is bytes; or as a
 * function writes it.
 */
export type MessageBody<TItem = unknown> = 'json' | 'text' | 'base64' | ((data: TItem) => string)

/** Checks the option. */
export function isMessageBody(value: unknown): boolean {
  return value === 'json' || value === 'text' || value === 'base64' || typeof value === 'function'
}

/**
 * The characters that SQS takes.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function isSendable(text: string): boolean {
  return !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)
}

/** @throws InvalidDataError for what has no such form, and for what SQS would refuse */
export function toBody<TItem>(data: TItem, body: MessageBody<TItem>): string {
  if (body === 'json') return jsonOf(data)
  const text = typeof body === 'function' ? body(data) : plainText(data, body)
  if (typeof text !== 'string')
    throw new InvalidDataError(`The body of a message is text, and the function gave a ${typeof text}`)
  if (text === '') throw new InvalidDataError('The body of the message is empty, which SQS refuses')
  if (!isSendable(text)) throw new InvalidDataError('The body of the message has characters that SQS refuses')
  return text
}

function plainText(data: unknown, body: 'text' | 'base64'): string {
  if (body === 'text' && typeof data === 'string') return data
  if (body === 'base64' && data instanceof Uint8Array)
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
  throw new InvalidDataError(
    `The data is no ${body === 'text' ? 'text' : 'Uint8Array'}, as body: '${body}' needs it`,
  )
}

function jsonOf(data: unknown): string {
  if (data instanceof Uint8Array)
    throw new InvalidDataError("Bytes have no form in JSON: give the option body: 'base64'")
  const json = stringify(data)
  if (json === undefined) throw new InvalidDataError(`A ${typeof data} cannot be written as JSON`)
  // Two characters that JSON leaves as they are and SQS refuses.
  return /[\ufffe\uffff]/.test(json)
    ? json.replaceAll('\ufffe', '\\ufffe').replaceAll('\uffff', '\\uffff')
    : json
}

/** `undefined` for what has no form in JSON, as a function has none. */
function stringify(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch (cause) {
    throw new InvalidDataError(
      'The message cannot be written as JSON: it holds a cycle or a bigint, or a toJSON() threw',
      {
        cause,
      },
    )
  }
}
