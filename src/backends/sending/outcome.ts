import { asRecord } from '../../core/record.ts'
import { ConfigurationError, type SqsSendDetails, SqsSendError } from '../../errors/index.ts'

/**
 * What is known about a message that SQS did not take, or may not have taken: `retry` for what passes, `reject` for what
 * will not, `unknown` where it may have arrived, `sent` where it has.
 */
export type Verdict = 'retry' | 'reject' | 'unknown' | 'too-long' | 'sent'

/** A message that was not acknowledged. */
export interface Failure {
  readonly verdict: Verdict
  readonly error: Error
}

interface EntryFailure {
  readonly Code?: string | undefined
  readonly SenderFault?: boolean | undefined
}

const passing = /thrott|^OverLimit$|^InternalError$|^InternalFailure$|^ServiceUnavailable|^RequestTimeout/i

/**
 * About one entry that a reply does not list as taken, and perhaps lists as failed. `SenderFault` alone does not tell:
 * throttling is put down to the sender.
 */
export function entryFailure(entry: EntryFailure | undefined, queueUrl: string): Failure {
  if (entry === undefined) return { verdict: 'unknown', error: sendError('unknown', '', { queueUrl }) }
  const { SenderFault, Code = '' } = entry
  const verdict = SenderFault !== true || passing.test(Code) ? 'retry' : 'reject'
  return { verdict, error: sendError(verdict, Code, { queueUrl }) }
}

/** About all messages of a call that failed as a whole. */
export function callFailure(cause: unknown, queueUrl: string): Failure {
  const { name, code, message, $fault: fault, $metadata: metadata } = new Object(cause) as Partial<SdkError>
  // The name is that of the older query protocol where the client has no class for the error.
  const named = textOrEmpty(name).replace('AWS.SimpleQueueService.', '')
  const facts = { name: named, code: textOrEmpty(code), message: textOrEmpty(message) }
  const verdict = callVerdict({ ...facts, fault, status: metadata?.httpStatusCode })
  // What keeps anything from being sent at all, as a missing package does, is told as it is.
  if (cause instanceof ConfigurationError) return { verdict, error: cause }
  const known = facts.code || (named === 'Error' ? '' : named)
  const told = verdict === 'sent' ? 'InvalidChecksum' : known
  return { verdict, error: sendError(verdict, told, { queueUrl, cause }) }
}

/** Whatever may be thrown: a client is anything with `send`. */
interface SdkError {
  readonly name: unknown
  readonly code: unknown
  readonly message: unknown
  readonly $fault: 'client' | 'server'
  readonly $metadata: { readonly httpStatusCode?: number }
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

interface CallFacts {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly fault: 'client' | 'server' | undefined
  readonly status: number | undefined
}

function callVerdict({ name, code, message, fault, status }: CallFacts): Verdict {
  if (name === 'BatchRequestTooLong') return 'too-long'
  if (message.includes('Invalid MD5 checksum')) return 'sent'
  if (passing.test(name) || fault === 'server' || (status !== undefined && (status >= 500 || status === 429)))
    return 'retry'
  // An answer that cannot be read, though it says that all went well.
  if (status !== undefined) return status < 300 ? 'unknown' : 'reject'
  const isNetwork =
    /^(?:E(?!RR_)[A-Z_]+|UND_ERR_\w+)$/.test(code) ||
    /timeout|socket|network|aborted/i.test(`${name} ${message}`)
  return isNetwork ? 'unknown' : 'reject'
}

const saying: Readonly<Partial<Record<Verdict, string>>> = {
  sent: 'SQS has the message, but its checksum differs from the one computed here',
  unknown: 'SQS may have the message or not',
}

function sendError(verdict: Verdict, named: string, details: SqsSendDetails): SqsSendError {
  const { cause, queueUrl } = details
  const code = named === '' ? 'Unknown' : named
  // Names who may not do what: exactly what has to be put right.
  const reason =
    code.startsWith('AccessDenied') && cause instanceof Error ? `${code} (${cause.message})` : code
  const happened = saying[verdict] ?? 'SQS did not take the message'
  return new SqsSendError(code, `${happened}: ${reason}; queue ${queueUrl}`, details)
}

/** For a message that has to stay behind one that was not taken. */
export function groupStopped(cause: Error, queueUrl: string): SqsSendError {
  return new SqsSendError(
    'GroupStopped',
    'Given up, to keep the order: a message of its group in front of it failed',
    { cause, queueUrl },
  )
}

/** The limit that a queue's own error tells: its maximum message size may be set lower than SQS's. */
export function learnedLimit(error: unknown): number | undefined {
  const limit = /(\d[\d,]*) bytes/.exec(String(asRecord(error)?.['message']))?.[1]
  return limit === undefined ? undefined : Number(limit.replaceAll(',', ''))
}
