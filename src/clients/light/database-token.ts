import { CredentialsSource } from './credentials.ts'
import type { LightCredentials } from './light-credentials.ts'
import { Interruption } from './interruption.ts'
import { RequestSigner, scopeText, signingDate, uriEncoded } from './sign.ts'

/** What a token for a database is for. */
export interface TokenPlace {
  /** The database's name, with its port where the service signs that. */
  readonly host: string
  readonly region: string
  /** `rds-db` for RDS, `dsql` for Aurora DSQL. */
  readonly service: 'rds-db' | 'dsql'
  /** The parameters of the signed request. */
  readonly query: Readonly<Record<string, string>>
}

const signer = new RequestSigner()

/**
 * Makes a token that a database takes as a password: a signed address, good for 15 minutes.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export function databaseToken(
  { host, region, service, query }: TokenPlace,
  credentials: LightCredentials,
): string {
  const scope = { region, service, date: signingDate(Date.now()) }
  const { sessionToken } = credentials
  const parameters = Object.entries({
    ...query,
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': scope.date,
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': 'host',
  })
  const pairs = parameters.map(([name, value]) => `${uriEncoded(name)}=${uriEncoded(value)}`)
  const request = { method: 'GET', path: '/', query: pairs.toSorted().join('&'), headers: { host }, body: '' }
  const signature = signer.signature(request, credentials, scope)
  return `${host}/?${[...pairs, `X-Amz-Signature=${signature}`].toSorted().join('&')}`
}

/** Makes a function that gives a new token, for the credentials of the moment. */
export function tokenMaker(place: TokenPlace): () => Promise<string> {
  const source = new CredentialsSource(undefined)
  const interruption = new Interruption(undefined, { attempts: 0, totalRetryDelay: 0, lost: false })
  return async () => databaseToken(place, await source.get(interruption))
}
