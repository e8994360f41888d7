/**
 * At least as many bytes as a text has inside JSON, without its quotes. Exact for what `JSON.stringify` has made; of a
 * control character it counts the longest escape. Some five times as fast as to write the text once more.
 */
export function jsonSizeAtMost(text: string): number {
  const size = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafeSlow(size + (size % 2))
  // Of ASCII alone, a copy is enough. What fills up the last pair needs no escape.
  bytes.write(text, size === text.length ? 'latin1' : 'utf8')
  if (size % 2 === 1) bytes.write(' ', size)
  pairs ??= pairTable()
  const words = new Uint16Array(bytes.buffer)
  let escapes = 0
  for (let at = 0; at < words.length; at++) escapes += pairs[words[at] ?? 0] ?? 0
  // Half of a pair of surrogates is three bytes in UTF-8, and an escape of six in JSON.
  return text.isWellFormed() ? size + escapes : size * 2 + escapes
}

/** What escapes add to each pair of bytes. Made for the first large text. */
let pairs: Uint8Array | undefined

function pairTable(): Uint8Array {
  const single = (byte: number): number => (byte === 0x22 || byte === 0x5c ? 1 : byte < 0x20 ? 5 : 0)
  return Uint8Array.from({ length: 65_536 }, (_, pair) => single(pair & 255) + single(pair >> 8))
}
