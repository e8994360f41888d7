import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engines, startEngines } from '../../../examples/shop/local/engines.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { startPostgres } from './postgres.ts'

/** The shop's engines in this process, and the environment in which a function finds them. */
export interface ShopEngines {
  readonly engines: Engines
  readonly postgres: Awaited<ReturnType<typeof startPostgres>>
  readonly env: Readonly<Record<string, string | undefined>>
  stop(): Promise<void>
}

export async function startShopEngines(): Promise<ShopEngines> {
  const directory = mkdtempSync(join(tmpdir(), 'shop-engines-'))
  const certificate = makeCertificate(directory, 'localhost', 'DNS:localhost')
  const [engines, postgres] = await Promise.all([startEngines(), startPostgres(certificate, 'test')])
  const names = ['DYNAMODB', 'SQS', 'SSM', 'EVENTBRIDGE'].map((service) => `AWS_ENDPOINT_URL_${service}`)
  return {
    engines,
    postgres,
    env: {
      ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
      ORDERS_QUEUE_URL: engines.queueUrl,
      db_endpoint: 'localhost',
      db_port: String(postgres.server.port),
      db_username: 'shop',
      db_database: 'shop',
      ssl_ca_bundle_filename: certificate.certFile,
    },
    async stop() {
      await Promise.all([engines.stop(), postgres.stop()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
