import { PayloadPointerError } from '../../errors/index.ts'

/** Where a payload is that was too large for the queue. */
export interface PayloadPointer {
  readonly bucket: string
  readonly key: string
}

const pointerClass =
  /^\[\s*"(?:software\.amazon\.payloadoffloading\.PayloadS3Pointer|com\.amazon\.sqs\.javamessaging\.MessageS3Pointer)"/

/** The pointer that the extended client libraries put in a body's place. */
export function payloadPointer(body: string): PayloadPointer | undefined {
  // Every body is looked at, and hardly any is a list.
  if (body[0] !== '[' || !pointerClass.test(body)) return undefined
  try {
    const [, pointer] = JSON.parse(body) as [string, { s3BucketName?: unknown; s3Key?: unknown }]
    return { bucket: String(pointer.s3BucketName), key: String(pointer.s3Key) }
  } catch {
    throw new PayloadPointerError('', '')
  }
}
