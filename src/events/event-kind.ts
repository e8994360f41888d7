import { asRecord } from '../core/record.ts'
import { type EventSource, type SourceKind, absent, eventSources } from './event-sources.ts'

/**
 * What a Lambda event is: a source of the table, another source of records by its own name (`aws:kinesis`), a payload that
 * a caller made up (`direct`), or the type of a payload that is not an object.
 */
export type EventKind = SourceKind | `${string}:${string}` | 'direct' | 'null' | TypeOfValue

type TypeOfValue = 'string' | 'number' | 'bigint' | 'boolean' | 'symbol' | 'undefined' | 'object' | 'function'

const sourceRows = Object.entries(eventSources) as [SourceKind, EventSource][]

export function eventKind(payload: unknown): EventKind {
  const event = asRecord(payload)
  if (event === undefined) return payload === null ? 'null' : typeof payload
  const context = asRecord(event['requestContext']) ?? absent
  // EventBridge Pipes sends the bare list of records.
  const records = Array.isArray(payload) ? payload : event['Records']
  const record = (Array.isArray(records) && asRecord(records[0])) || absent
  for (const [kind, { is }] of sourceRows) if (is(event, context, record)) return kind
  const source = record['eventSource'] ?? record['EventSource']
  return isRecordKind(source) ? source : 'direct'
}

function isRecordKind(source: unknown): source is `${string}:${string}` {
  return typeof source === 'string' && source.includes(':')
}
