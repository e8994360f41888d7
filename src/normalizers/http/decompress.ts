import type * as Zlib from 'node:zlib'
import { isCount } from '../../core/options.ts'
import { asRecord } from '../../core/record.ts'
import { BadRequestError, HttpError } from '../../errors/index.ts'

/** What the option `decompress` takes. */
export type Decompress = boolean | { readonly maxBytes?: number }

/** Checks the option. */
export function isDecompress(value: unknown): boolean {
  if (typeof value === 'boolean') return true
  if (Array.isArray(value)) return false
  const { maxBytes = 1, ...others } = asRecord(value) ?? { maxBytes: 0 }
  return isCount(maxBytes) && maxBytes !== 0 && Object.keys(others).length === 0
}

/** The most bytes that a body may unpack to; 0 where bodies stay packed. */
export function unpackedLimit(option: Decompress = true): number {
  if (option === false) return 0
  return (option === true ? undefined : option.maxBytes) ?? 10_485_760
}

/** Gives at most so many bytes, and throws a `RangeError` as soon as there are more. */
type Decode = (zlib: typeof Zlib, bytes: Buffer, limit: { readonly maxOutputLength: number }) => Buffer

const gunzip: Decode = (zlib, bytes, limit) => zlib.gunzipSync(bytes, limit)

/** By the standard with a header (RFC 9110, 8.4.1.2), by some senders without. */
const inflate: Decode = (zlib, bytes, limit) => {
  const hasHeader = bytes.length > 1 && (bytes.readUInt8(0) & 15) === 8 && bytes.readUInt16BE(0) % 31 === 0
  return hasHeader ? zlib.inflateSync(bytes, limit) : zlib.inflateRawSync(bytes, limit)
}

const decoders: ReadonlyMap<string, Decode> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', (zlib, bytes, limit) => zlib.brotliDecompressSync(bytes, limit)],
])

/** Each coding costs up to the limit in work. Nobody needs more of them. */
const mostCodings = 5

/**
 * The codings of a header `content-encoding`, in the order in which they were put on. `undefined` where one is unknown, or
 * where there are too many: then the body stays as it is.
 */
export function contentCodings(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return []
  const codings = header
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  return codings.length <= mostCodings && codings.every((coding) => decoders.has(coding))
    ? codings
    : undefined
}

/**
 * Takes codings off, the last first.
 *
 * @throws HttpError (413) as soon as more than `maxBytes` come out
 * @throws BadRequestError for what is not in its coding
 */
export function unpack(bytes: Buffer, codings: readonly string[], maxBytes: number): Buffer {
  return codings.reduceRight((packed, coding) => {
    try {
      // Loaded with the first packed body, because most functions never get one.
      const zlib = process.getBuiltinModule('node:zlib')
      return decoders.get(coding)?.(zlib, packed, { maxOutputLength: maxBytes }) ?? packed
    } catch (error) {
      if (error instanceof RangeError)
        throw new HttpError(413, `The request body is larger than ${maxBytes} bytes when it is unpacked`)
      throw new BadRequestError(`The request body is not valid ${coding}`)
    }
  }, bytes)
}
