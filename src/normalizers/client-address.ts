/**
 * The address that `hops` trusted proxies vouch for. Each proxy appends the peer it saw, so the list is read from the
 * right; what stands further left was written by the client and is never believed.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
 */
export function forwardedAddress(forwardedFor: string | undefined, hops: number): string | undefined {
  if (forwardedFor === undefined || hops === 0) return undefined
  const chain = addresses(forwardedFor)
  return chain[Math.max(0, chain.length - hops)]
}

/**
 * The same behind a gateway, which tells its peer itself (`sourceIp`). With no trusted proxy in front that peer is the
 * client; each trusted one moves a step to the left in what the peer reported.
 */
export function gatewayAddress(
  sourceIp: string | null | undefined,
  forwardedFor: string | undefined,
  hops: number,
): string | undefined {
  if (!sourceIp || hops === 0 || forwardedFor === undefined) return sourceIp ?? undefined
  const chain = addresses(forwardedFor)
  const self = chain.lastIndexOf(sourceIp)
  const before = self < 0 ? chain : chain.slice(0, self)
  return before[Math.max(0, before.length - hops)] ?? sourceIp
}

function addresses(list: string): string[] {
  return list
    .split(',')
    .map(withoutPort)
    .filter((address) => address !== '')
}

/** `1.2.3.4:5678` and `[2001:db8::1]:443` lose their port; a bare IPv6 address has several colons and keeps them. */
function withoutPort(entry: string): string {
  const address = entry.trim()
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']'))
  const colon = address.indexOf(':')
  return colon > 0 && colon === address.lastIndexOf(':') ? address.slice(0, colon) : address
}
