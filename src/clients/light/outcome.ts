import { checksumOf } from './crc32.ts'
import { parsedFailure } from './failure.ts'
import type { LightMetadata } from './light-error.ts'
import type { Answer } from './http.ts'
import type { RetryKind } from './retry.ts'
import type { ServiceWire } from './services.ts'
import { damagedMessages } from './sqs-checksums.ts'

/** What came of one attempt: an output, or an error, and whether there may be another attempt. */
export interface CallOutcome {
  readonly output?: Record<string, unknown>
  readonly error?: Error
  readonly kind?: RetryKind | undefined
  /** How long the service wants to be left alone, in milliseconds. */
  readonly told?: number
}

interface OutputCall {
  readonly wire: ServiceWire
  readonly operation: string
  readonly input: object | undefined
  readonly metadata: LightMetadata
}

/** The first of the headers that hold an id, and the first where it stands twice. */
export function answerRequestId({ header }: Answer): string | undefined {
  const id = header('x-amzn-requestid') ?? header('x-amzn-request-id') ?? header('x-amz-request-id')
  return id?.split(',')[0]
}

/** Whether an answer of DynamoDB differs from what its checksum tells. */
export function isDamaged({ name }: ServiceWire, { header, body }: Answer): boolean {
  const checksum = name === 'dynamodb' ? header('x-amz-crc32') : undefined
  return checksum !== undefined && Number(checksum) !== checksumOf(body)
}

/** The output of an answer that says that all went well. What was asked has been done, so it is not asked again. */
export function outputOf({ wire, operation, input, metadata }: OutputCall, answer: Answer): CallOutcome {
  let output: Record<string, unknown>
  try {
    output = answer.body.length === 0 ? {} : parsedFailure(wire.name, answer)
  } catch {
    // What the parser says of the answer quotes it, with what is secret in it.
    const error = new Error(`The answer of ${wire.name} could not be understood`)
    return { error: Object.assign(error, { name: 'UnreadableAnswerError' }) }
  }
  metadata.lost = false
  const damaged = wire.name === 'sqs' ? damagedMessages(operation, input, output) : []
  if (damaged.length === 0) return { output }
  return { error: new Error(`Invalid MD5 checksum on messages: ${damaged.join(', ')}`) }
}
