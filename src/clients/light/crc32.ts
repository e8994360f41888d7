import type * as zlib from 'node:zlib'

let table: Uint32Array | undefined
let crc32: typeof zlib.crc32 | undefined

/** From this size on, loading `node:zlib`, which takes some 3 ms, pays soon. */
const large = 65_536

/** The checksum of bytes, as DynamoDB computes it for its answers. */
export function checksumOf(bytes: Uint8Array): number {
  if (crc32 === undefined && bytes.length < large) return checksumByTable(bytes)
  crc32 ??= process.getBuiltinModule('node:zlib').crc32
  return crc32(bytes)
}

function checksumByTable(bytes: Uint8Array): number {
  const remainders = (table ??= Uint32Array.from({ length: 256 }, (_, index) => remainderOf(index)))
  let checksum = 0xffff_ffff
  for (const byte of bytes) checksum = (remainders[(checksum ^ byte) & 0xff] ?? 0) ^ (checksum >>> 8)
  return ~checksum >>> 0
}

function remainderOf(byte: number): number {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder & 1 ? 0xedb8_8320 : 0) ^ (remainder >>> 1)
  return remainder
}
