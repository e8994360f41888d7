import { BadRequestError } from '../../errors/index.ts'

const hostPattern = /^(?:[a-z\d_](?:[a-z\d_.-]*[a-z\d_.])?|\[[\da-f:.]+\])(?::\d{1,5})?$/i

/** Whether a text is a host and can stand in an address. */
export function isHost(host: unknown): host is string {
  return typeof host === 'string' && hostPattern.test(host) && URL.canParse(`http://${host}`)
}

/** What the option `allowedHosts` takes. */
export type AllowedHosts = readonly (string | RegExp)[]

/** Checks the option. A text that can be no host would refuse every request. */
export function isHostList(value: unknown): boolean {
  return Array.isArray(value) && value.every((host) => host instanceof RegExp || isHost(host))
}

/**
 * Whether a host is in a list. A text without a port matches the name whatever the port is. Names have no case (RFC 9110,
 * 4.2.3).
 */
function isAllowedHost(host: string, allowed: AllowedHosts | undefined): boolean {
  if (allowed === undefined) return true
  const whole = host.toLowerCase()
  const name = whole.replace(/:\d+$/, '')
  return allowed.some((entry) => {
    // `search` begins at the front whatever a pattern's flags are.
    if (typeof entry !== 'string') return host.search(entry) >= 0
    const text = entry.toLowerCase()
    return text === whole || text === name
  })
}

/** The host that a client sent, if it is one and is allowed; else the gateway's own name, where it has one. */
export function believedHost(sent: unknown, own: unknown, allowed?: AllowedHosts): string | undefined {
  if (isHost(sent) && isAllowedHost(sent, allowed)) return sent
  return isHost(own) ? own : undefined
}

/** @throws BadRequestError for a host that is not in the list. No host at all passes, as in health checks. */
export function refuseForeignHost(host: string | undefined, allowed: AllowedHosts): void {
  if (host && !isAllowedHost(host, allowed))
    throw new BadRequestError('The request is for a host that is not served here')
}
