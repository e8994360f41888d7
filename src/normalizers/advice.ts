import { eventKind } from './event-kind.ts'
import { fields, text } from './wire.ts'

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
export function adviceFor(kind: string): string {
  if (kind === 'normalized') return 'a normalizer stands in front of it already, and one is enough'
  const normalizer = normalizers[kind]
  return normalizer === undefined
    ? 'use the normalizer of that source, and only one'
    : `use the normalizer of that source, ${normalizer}, and only one`
}

/** For who needs a request, and got something else: what that is, and what to do. */
export function insteadOfRequest(event: unknown): string {
  const { kind, source } = fields(event) ?? {}
  if (text(kind) !== undefined && text(source) !== undefined) return `got a request of "${text(source)}"`
  const seen = eventKind(event)
  const normalizer = normalizers[seen]
  const advice = normalizer === undefined ? '' : `: put .use(${normalizer}) in front`
  return `got a raw "${seen}" event${advice}`
}
