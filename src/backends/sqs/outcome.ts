/**
 * What is known about a message that SQS did not take, or may not have taken: `retry` for what passes, `reject` for what
 * will not, `unknown` where it may have arrived, `sent` where it has.
 */
export type Verdict = 'retry' | 'reject' | 'unknown' | 'too-long' | 'sent'

const passing = /thrott|^OverLimit$|^InternalError$|^InternalFailure$|^ServiceUnavailable|^RequestTimeout/i

/**
 * About one entry that a reply does not list as taken, and perhaps lists as failed. `SenderFault` alone does not tell:
 * throttling is put down to the sender.
 */
export function entryVerdict(
  failure: { readonly Code?: string | undefined; readonly SenderFault?: boolean | undefined } | undefined,
): Verdict {
  if (failure === undefined) return 'unknown'
  return failure.SenderFault !== true || passing.test(failure.Code ?? '') ? 'retry' : 'reject'
}

/** About all messages of a call that failed as a whole. */
export function callVerdict(error: unknown): Verdict {
  const { name = '', code, message = '', $fault: fault, $metadata: metadata } = error as Partial<SdkError>
  if (name === 'BatchRequestTooLong' || name === 'AWS.SimpleQueueService.BatchRequestTooLong')
    return 'too-long'
  if (message.includes('Invalid MD5 checksum')) return 'sent'
  if (passing.test(name) || fault === 'server' || (metadata?.httpStatusCode ?? 0) >= 500) return 'retry'
  const isNetwork =
    /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(code ?? '') ||
    /timeout|socket|network|aborted/i.test(`${name} ${message}`)
  return metadata?.httpStatusCode === undefined && isNetwork ? 'unknown' : 'reject'
}

interface SdkError {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly $fault: 'client' | 'server'
  readonly $metadata: { readonly httpStatusCode?: number }
}

/** The limit that a queue's own error tells: its maximum message size may be set lower than SQS's. */
export function learnedLimit(error: unknown): number | undefined {
  const limit = /(\d[\d,]*) bytes/.exec(String((error as { message?: unknown }).message))?.[1]
  return limit === undefined ? undefined : Number(limit.replaceAll(',', ''))
}
