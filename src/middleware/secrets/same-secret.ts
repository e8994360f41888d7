/** Where Parameter Store gives the secrets of Secrets Manager. */
export const referencePrefix = '/aws/reference/secretsmanager/'

/** The end of the name of values by path. */
export const pathEnd = '/*'

/**
 * Whether two names may be of one secret: an ARN and the name in it, with or without the six characters that Secrets
 * Manager adds; Parameter Store's way to a secret; values by path, and a name below the path. Of two secrets that only
 * look alike this may be true as well.
 */
export function mayBeSame(name: string, other: string): boolean {
  const [a, b] = [plainName(name), plainName(other)]
  return a === b || isLonger(a, b) || isLonger(b, a) || isBelowPath(a, b) || isBelowPath(b, a)
}

/** Without what a parameter, a secret and an ARN write in front of a name. */
function plainName(name: string): string {
  const resource = name.startsWith('arn:') ? name.split(':').slice(5).join(':') : name
  const path = resource.replace(/^(?:secret:|parameter(?=\/))/, '')
  return (path.startsWith(referencePrefix) ? path.slice(referencePrefix.length) : path).replace(/^\//, '')
}

function isLonger(name: string, start: string): boolean {
  return name.length === start.length + 7 && name.startsWith(`${start}-`)
}

function isBelowPath(name: string, path: string): boolean {
  return path.endsWith(pathEnd) && name.startsWith(path.slice(0, -1))
}
