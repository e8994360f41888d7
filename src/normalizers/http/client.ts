import { type UnknownRecord, asString } from '../../core/record.ts'
import { Deadline } from '../../invocation/deadline.ts'
import { clientAddress } from './client-address.ts'
import type { RequestOrigin } from './request-options.ts'

/** The client's address, as far as trusted proxies vouch for it. */
export function clientOf(
  origin: RequestOrigin,
  event: UnknownRecord,
  forwardedFor: string | undefined,
): string | undefined {
  return clientAddress(asString(origin.wire.sourceIp(event)), forwardedFor, trustedProxies(origin, event))
}

/** What the client speaks: as the source tells, or a trusted proxy. */
export function protocolOf(
  origin: RequestOrigin,
  event: UnknownRecord,
  header: (name: string) => string | undefined,
): 'http' | 'https' {
  const { protocol, protocolHeader } = origin.wire
  if (protocol === undefined)
    return protocolHeader !== undefined && header(protocolHeader) === 'http' ? 'http' : 'https'
  return protocol(event, trustedProxies(origin, event) > 0 ? header('x-forwarded-proto') : undefined)
}

function trustedProxies({ wire, options }: RequestOrigin, event: UnknownRecord): number {
  const ofSource = wire.protocolHeader === undefined ? 0 : 1
  return options.trustedProxies ?? wire.trustedProxies?.(event) ?? ofSource
}

/** Aborted when the time is nearly up, or when the client leaves, where the source tells. */
export function signalOf({ wire, lambdaContext }: RequestOrigin, raw: unknown): AbortSignal {
  const deadline = new Deadline(lambdaContext).signal('The time of the request is nearly up')
  const client = wire.signal?.(raw)
  return client === undefined ? deadline : AbortSignal.any([deadline, client])
}
