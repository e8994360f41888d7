/** What can be read piece by piece. */
export type ByteSource = AsyncIterable<unknown> | Iterable<unknown>

/** Reads a source, and closes it at once, even while a piece is awaited. */
export interface Reader {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>
  close(): unknown
}

/** The iterators of web and Node streams, when they are closed, wait for the piece that is under way. */
export function readerOf(source: ByteSource): Reader {
  if ('getReader' in source && typeof source.getReader === 'function') {
    const reader = (source as ReadableStream<unknown>).getReader()
    return { next: () => reader.read() as Promise<IteratorResult<unknown>>, close: () => reader.cancel() }
  }
  const iterator: AsyncIterator<unknown> | Iterator<unknown> =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const { destroy } = source as { destroy?: unknown }
  return {
    next: () => iterator.next(),
    close: () => (typeof destroy === 'function' ? (destroy.call(source) as unknown) : iterator.return?.()),
  }
}
