import { asRecord } from '../../core/record.ts'
import { InvalidEventError } from '../../errors/index.ts'

/** What the mapping of a stream sends. Only one with a tumbling window has `window`, and wants the window's state back. */
interface StreamEvent<TRecord> {
  readonly Records: readonly TRecord[]
  readonly window?: unknown
}

/** @throws InvalidEventError for the event of a tumbling window */
export function streamRecords<TRecord>(
  factory: string,
  { Records, window }: StreamEvent<TRecord>,
): readonly TRecord[] {
  if (asRecord(window) === undefined) return Records
  throw new InvalidEventError(
    'tumbling window',
    ['records without a window'],
    `${factory}() takes no event of a tumbling window, whose answer is the window's state: take the window off the mapping, or leave the normalizer out`,
  )
}
