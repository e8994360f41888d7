import type { TokenPlace } from '../../clients/light/database-token.ts'
import { ConfigurationError } from '../../errors/index.ts'
import { atRunTime, optionalImport } from '../../core/optional-import.ts'
import { regionPlaces } from '../../invocation/region.ts'
import { type DatabaseSettings, isDsql } from './settings.ts'

/**
 * Makes a function that gives a new token. Making one takes no request; it is good for 15 minutes, or as long as the
 * function's own credentials are, and only for beginning a connection.
 *
 * @throws ConfigurationError if no region is known
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export async function tokenSource(
  settings: DatabaseSettings,
  signer: 'sdk' | 'light' = 'sdk',
): Promise<() => Promise<string>> {
  const { endpoint: hostname, port, username, region } = settings
  if (region === undefined)
    throw new ConfigurationError(`iamDbAuth(): no AWS region is set: give AWS_REGION in ${regionPlaces()}`)
  if (signer === 'light') {
    const { tokenMaker } = await import('../../clients/light/database-token.ts')
    return tokenMaker(tokenPlace(settings, region))
  }
  if (isDsql(hostname)) {
    const { DsqlSigner } = await optionalImport('@aws-sdk/dsql-signer', () =>
      import('@aws-sdk/dsql-signer').catch(atRunTime),
    )
    const dsql = new DsqlSigner({ hostname, region })
    return () => (username === 'admin' ? dsql.getDbConnectAdminAuthToken() : dsql.getDbConnectAuthToken())
  }
  const { Signer } = await optionalImport('@aws-sdk/rds-signer', () =>
    import('@aws-sdk/rds-signer').catch(atRunTime),
  )
  const rds = new Signer({ hostname, port, username, region })
  return () => rds.getAuthToken()
}

/** What the token of a database is signed for. */
function tokenPlace({ endpoint, port, username }: DatabaseSettings, region: string): TokenPlace {
  if (!isDsql(endpoint))
    return {
      host: `${endpoint}:${port}`,
      region,
      service: 'rds-db',
      query: { Action: 'connect', DBUser: username },
    }
  const Action = username === 'admin' ? 'DbConnectAdmin' : 'DbConnect'
  return { host: endpoint, region, service: 'dsql', query: { Action } }
}
