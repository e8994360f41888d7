/**
 * The client's address, as far as trusted proxies vouch for it. Each proxy appends the peer that it saw, so the list is
 * read from the right; what stands further left was written by the client and is never believed.
 *
 * A gateway tells its peer itself (`sourceIp`), and that is the client unless trusted proxies stand in front.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
 */
export function clientAddress(
  sourceIp: string | undefined,
  forwardedFor: string | undefined,
  trustedProxies: number,
): string | undefined {
  if (forwardedFor === undefined) return sourceIp
  const chain = forwardedFor.split(',').map(withoutPort).filter(Boolean)
  // A gateway appends the peer that it tells. In the middle of the list the same address is what a client wrote; in front
  // of it nobody is.
  const self = chain.lastIndexOf(sourceIp ?? '')
  const seen = self === 0 || self === chain.length - 1 ? chain.slice(0, Math.max(self, 0)) : chain
  const index = seen.length - trustedProxies
  if (index >= 0) return seen[index] ?? sourceIp
  // No proxy wrote the first of fewer entries: it is what the client wrote, which may be anything.
  return /^[\da-f.:]+$/i.test(seen[0] ?? '') ? seen[0] : sourceIp
}

/** `1.2.3.4:5678` and `[2001:db8::1]:443` lose their port; a bare IPv6 address has several colons and keeps them. */
function withoutPort(entry: string): string {
  return entry.trim().replace(/^\[(.*)\].*$|^([^:]+):\d+$/, '$1$2')
}
