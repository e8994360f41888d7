import { ResponseTooLargeError, UnidentifiedRecordError } from '../../errors/index.ts'
import { asRecord, asString } from '../../core/record.ts'
import { lambdaResponseLimit } from '../../invocation/response-limit.ts'
import { logFailure } from './answers.ts'
import type { RecordAnswer } from './record-source.ts'

type Field = 'data' | 'kafkaRecordValue'
type TransformableRecord = Partial<Record<Field, string>>

/** One record of the answer that Firehose takes. */
interface TransformedRecord extends TransformableRecord {
  readonly recordId: string
  readonly result: 'Ok' | 'Dropped' | 'ProcessingFailed'
}

/** What an entry of the answer has beside its id and its data, at most. */
const entryBytes = 64

/**
 * The answer that has every record of the batch, once and in order, with what its function has made of it.
 *
 * @param fieldOf - Where a record has its data
 */
export function transformed<TRecord extends TransformableRecord>(
  fieldOf: (record: TRecord) => Field,
): RecordAnswer<TRecord> {
  return {
    isFinal: true,
    from(results, { Records, ids }, logger) {
      const entries = new Map<string, TransformedRecord>()
      let size = 0
      for (const [index, record] of Records.entries()) {
        const recordId = ids[index]
        if (!recordId) throw new UnidentifiedRecordError(index, { id: 'recordId' })
        const field = fieldOf(record)
        const { result, data = record[field] ?? '', reason } = transformedValue(results[index])
        if (result === 'ProcessingFailed') logFailure(logger, recordId, reason)
        entries.set(recordId, { recordId, result, [field]: data })
        size += entryBytes + recordId.length + data.length
      }
      if (size > lambdaResponseLimit) throw new ResponseTooLargeError(size, lambdaResponseLimit)
      return { records: [...entries.values()] }
    },
    isAnswer(response, { ids }) {
      const records = asRecord(response)?.['records']
      if (!Array.isArray(records) || records.length !== new Set(ids).size) return false
      const answered = new Set(records.map((record) => asRecord(record)?.['recordId']))
      return ids.every((id) => answered.has(id))
    },
    join: (answer) => answer,
  }
}

interface TransformedValue extends Pick<TransformedRecord, 'result'> {
  /** None where the record keeps what it had. */
  readonly data?: string
  readonly reason?: unknown
}

function transformedValue(settled: PromiseSettledResult<unknown> | undefined): TransformedValue {
  if (settled?.status !== 'fulfilled') return { result: 'ProcessingFailed', reason: settled?.reason }
  if (settled.value === undefined) return { result: 'Dropped' }
  try {
    return { result: 'Ok', data: Buffer.from(lineOrBytes(settled.value)).toString('base64') }
  } catch (reason) {
    return { result: 'ProcessingFailed', reason }
  }
}

/** Text and bytes are as they are; anything else is one line of JSON. */
function lineOrBytes(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  const json = asString(JSON.stringify(value))
  if (json === undefined) throw new TypeError(`A ${typeof value} is no data of a record`)
  return `${json}\n`
}
