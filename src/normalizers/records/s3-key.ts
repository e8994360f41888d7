import { asRecord, asString } from '../../core/record.ts'

/** One character in the percent encoding of UTF-8. */
const encodedCharacter =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/gi

/** The key of an object, which S3's notifications encode as a form does. What is no encoding stays as it is. */
export function decodeKey(key: string): string {
  return key.replaceAll('+', ' ').replace(encodedCharacter, decodeCharacter)
}

function decodeCharacter(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What stays the same of an object's event when it comes again: bucket, decoded key and sequencer. */
export function objectIdOf({ s3 }: Readonly<{ s3?: unknown }>): string | undefined {
  const { bucket, object } = asRecord(s3) ?? {}
  const { key, sequencer } = asRecord(object) ?? {}
  const parts = [asString(asRecord(bucket)?.['name']), decodeKey(asString(key) ?? ''), asString(sequencer)]
  return parts.every(Boolean) ? parts.join('/') : undefined
}
