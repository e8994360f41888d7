import { InvalidEventError } from '../errors/index.ts'
import { asRecord, asString } from '../core/record.ts'
import { eventKind } from './event-kind.ts'

/** The normalizer of each kind of event that there is one for. */
const normalizers: Readonly<Record<string, string>> = {
  ALB: 'alb()',
  'REST API': 'restApi()',
  'HTTP API': 'httpApi()',
  'HTTP API 1.0': 'httpApi()',
  'function URL': 'httpApi()',
  'aws:sqs': 'sqs()',
  direct: 'invocation()',
}

/** What to do about an event that a normalizer does not take. */
function adviceFor(kind: string): string {
  if (kind === 'normalized') return 'a normalizer stands in front of it already, and one is enough'
  const normalizer = normalizers[kind]
  return normalizer === undefined
    ? 'use the normalizer of that source, and only one'
    : `use the normalizer of that source, ${normalizer}, and only one`
}

/** What somebody got who needs another event, or a request, for messages. */
export function seenEvent(event: unknown): string {
  const { kind, source } = asRecord(event) ?? {}
  const of = asString(kind) === undefined ? undefined : asString(source)
  return of === undefined ? `a raw "${eventKind(event)}" event` : `a request of "${of}"`
}

/** The same for who takes requests of any source, with the normalizer that is missing. */
export function missingNormalizer(event: unknown): string {
  const normalizer = normalizers[eventKind(event)]
  return normalizer === undefined
    ? `got ${seenEvent(event)}`
    : `got ${seenEvent(event)}: put .use(${normalizer}) in front`
}

/** The error of a normalizer that got another event than it takes. */
export function invalidEvent(factory: string, expected: readonly string[], seen: string): InvalidEventError {
  const message = `${factory}() takes ${expected.join(', ')} and got "${seen}": ${adviceFor(seen)}`
  return new InvalidEventError(seen, expected, message)
}
