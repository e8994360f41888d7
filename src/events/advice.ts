import { InvalidEventError } from '../errors/index.ts'
import { asRecord, asString } from '../core/record.ts'
import { eventKind } from './event-kind.ts'
import { type EventSource, eventSources } from './event-sources.ts'
import { tasks } from './tasks.ts'

/** A kind's name and normalizer, for messages. `invocation()` takes what has no normalizer of its own. */
function sourceOf(kind: string): {
  readonly name: string
  readonly normalizer: string
  readonly isOwn: boolean
  readonly isEmulated: boolean
} {
  const source = new Map<string, EventSource>(Object.entries(eventSources)).get(kind)
  const { name = kind, normalizer, isEmulated = false } = source ?? {}
  return { name, normalizer: normalizer ?? 'invocation', isOwn: normalizer !== undefined, isEmulated }
}

const taskOf: ReadonlyMap<string, string> = new Map(Object.entries(tasks))

/** What to do if a normalizer does not take an event. */
function adviceFor(kind: string): string {
  if (kind === 'normalized') return 'a normalizer stands in front of it already, and one is enough'
  const { normalizer, isOwn } = sourceOf(kind)
  if (isOwn) return `use the normalizer of that source, ${normalizer}(), and only one`
  const task = taskOf.get(kind)
  if (task === undefined && !kind.includes(':'))
    return 'use invocation(), which takes any event and returns what the handler returns'
  return `no normalizer is for it: use none, and ${task ?? 'do as the page of that source says'}`
}

/** What an event or a request is, for the message of a middleware that needs something else. */
export function seenEvent(event: unknown): string {
  const { kind, source } = asRecord(event) ?? {}
  const of = asString(kind) === undefined ? undefined : asString(source)
  return of === undefined ? `a raw "${sourceOf(eventKind(event)).name}" event` : `a request of "${of}"`
}

/** The same for a middleware that takes requests of any source. Names the normalizer that is missing. */
export function missingNormalizer(event: unknown): string {
  return `got ${seenEvent(event)}: put .use(${sourceOf(eventKind(event)).normalizer}()) in front`
}

/** The error of a normalizer that does not take the event. Calls the kinds of the table by their names. */
export function invalidEvent(factory: string, expected: readonly string[], seen: string): InvalidEventError {
  const { name } = sourceOf(seen)
  const names = expected.map(sourceOf).flatMap((source) => (source.isEmulated ? [] : source.name))
  const message = `${factory}() takes ${names.join(', ')} and got "${name}": ${adviceFor(seen)}`
  return new InvalidEventError(name, names, message)
}
