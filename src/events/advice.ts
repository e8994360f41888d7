import { InvalidEventError } from '../errors/index.ts'
import { asRecord, asString } from '../core/record.ts'
import { eventKind } from './event-kind.ts'
import { type EventSource, eventSources } from './event-sources.ts'

/** A kind's name and normalizer, for messages. */
function sourceOf(kind: string): Pick<EventSource, 'name' | 'normalizer'> {
  if (kind === 'direct') return { name: kind, normalizer: 'invocation' }
  return new Map<string, EventSource>(Object.entries(eventSources)).get(kind) ?? { name: kind }
}

/** What to do if a normalizer does not take an event. */
function adviceFor(kind: string): string {
  if (kind === 'normalized') return 'a normalizer stands in front of it already, and one is enough'
  const { normalizer } = sourceOf(kind)
  return normalizer === undefined
    ? 'use the normalizer of that source, and only one'
    : `use the normalizer of that source, ${normalizer}(), and only one`
}

/** What an event or a request is, for the message of a middleware that needs something else. */
export function seenEvent(event: unknown): string {
  const { kind, source } = asRecord(event) ?? {}
  const of = asString(kind) === undefined ? undefined : asString(source)
  return of === undefined ? `a raw "${sourceOf(eventKind(event)).name}" event` : `a request of "${of}"`
}

/** The same for a middleware that takes requests of any source. Names the normalizer that is missing. */
export function missingNormalizer(event: unknown): string {
  const { normalizer } = sourceOf(eventKind(event))
  return normalizer === undefined
    ? `got ${seenEvent(event)}`
    : `got ${seenEvent(event)}: put .use(${normalizer}()) in front`
}

/** The error of a normalizer that does not take the event. Calls the kinds of the table by their names. */
export function invalidEvent(factory: string, expected: readonly string[], seen: string): InvalidEventError {
  const { name } = sourceOf(seen)
  const names = expected.map((kind) => sourceOf(kind).name)
  const message = `${factory}() takes ${names.join(', ')} and got "${name}": ${adviceFor(seen)}`
  return new InvalidEventError(name, names, message)
}
