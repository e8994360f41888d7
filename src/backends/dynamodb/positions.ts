import { asRecord, asString } from '../../core/record.ts'
import { InvalidTokenError } from '../../errors/index.ts'
import type { SingleRead } from '../planning/reads.ts'
import type { Table } from '../planning/table.ts'
import { fromText, tokenText } from '../planning/token-values.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { SourceState } from './paging.ts'

/** Where the reads of a page stand, as JSON. */
export function toPositions(states: readonly SourceState[]): unknown[] {
  return states.map((state) =>
    typeof state === 'object' && state !== null
      ? // Keys are strings, numbers and bytes; only bytes need another form in JSON.
        Object.entries(state).map(([column, value]) => [
          column,
          value.B === undefined ? value : { B: tokenText(value.B) },
        ])
      : state,
  )
}

/**
 * Where reads stand, from a token. Without a secret anybody can write one, so that nothing of it is trusted.
 *
 * @throws InvalidTokenError for whatever is no place of these reads
 */
export function fromPositions(token: unknown, reads: readonly SingleRead[], table: Table): SourceState[] {
  if (!Array.isArray(token) || token.length !== reads.length) throw new InvalidTokenError()
  return reads.map((read, index) => stateOf(token[index], read, table))
}

function stateOf(state: unknown, read: SingleRead, table: Table): SourceState {
  if (state === null || state === 'end') return state
  if (!('keys' in read)) return startOf(state, read.order, table)
  const isPlace =
    typeof state === 'number' && Number.isInteger(state) && state > 0 && state < read.keys.length
  if (!isPlace) throw new InvalidTokenError()
  return state
}

/** The key of an item in the table, and in the index that is read. */
function startOf(state: unknown, order: readonly string[], table: Table): AttributeItem {
  const columns = new Set([...table.key, ...order])
  if (!Array.isArray(state) || state.length !== columns.size) throw new InvalidTokenError()
  const start: AttributeItem = {}
  for (const entry of state) {
    const pair: readonly unknown[] = Array.isArray(entry) ? entry : []
    const [column, value] = pair
    if (typeof column !== 'string' || !columns.delete(column)) throw new InvalidTokenError()
    start[column] = attributeOf(value, table.typeOf(column))
  }
  return start
}

const decimalPattern = /^-?\d*\.?\d+(?:e[+-]?\d{1,3})?$/i

function attributeOf(value: unknown, expected: string | undefined): AttributeItem[string] {
  const [[type, content] = [], ...others] = Object.entries(asRecord(value) ?? {})
  const text = asString(content)
  if (!text || others.length > 0 || (expected !== undefined && type !== expected))
    throw new InvalidTokenError()
  if (type === 'S') return { S: text }
  if (type === 'B') return { B: fromText(text) }
  if (type === 'N' && decimalPattern.test(text)) return { N: text }
  throw new InvalidTokenError()
}
