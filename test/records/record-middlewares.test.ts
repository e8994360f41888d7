// Secrets and databases in the chain of each record, in front of the real SDK clients and drivers.
import middy from '@middy/core'
import type { Secrets } from 'clearskies-middy/middleware/parameter-store'
import { eachRecord } from 'clearskies-middy/normalizers/each-record'
import { sqs } from 'clearskies-middy/normalizers/sqs'
import { invoke, sqsEvent } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { noCertificates } from '../support/certificates.ts'
import { cores } from '../support/gated-queue.ts'
import { type AnyPool, useIamDatabases } from '../support/iam-databases.ts'
import { RecordingLogger } from '../support/recording-logger.ts'
import { useSecretStores } from '../support/secret-stores.ts'
import { listed, turns } from '../support/sqs-work.ts'

interface TenantRequest {
  readonly id: string
  readonly data: { readonly tenant: string; readonly waits: number }
}

const tenants = ['a', 'b', 'c', 'd']
const event = sqsEvent(
  tenants.map((tenant, index) => ({ messageId: tenant, body: { tenant, waits: 9 - 2 * index } })),
)

describe.each(cores)('on %s', (_, core) => {
  /** Works the batch with middlewares of each record and of the batch; gives what is listed. */
  async function worked(fn: unknown, { own, shared }: { own?: object; shared?: object }): Promise<string[]> {
    const logger = new RecordingLogger()
    const work = core(fn as never)
    if (own !== undefined) work.use(own as never)
    const handler = core().use(sqs({ logger }))
    if (shared !== undefined) handler.use(shared as never)
    return listed(await invoke(handler.handler(eachRecord(work as never, { logger }) as never), event))
  }

  describe.each(useSecretStores().stores)('$name', ({ make, client, put }) => {
    const logger = new RecordingLogger()

    it('R4: in the chain of a record, each record reads the secret of its own tenant', async () => {
      for (const tenant of tenants) put(`/shop/${tenant}`, `key of ${tenant}`)
      put('/shop/all', 'shared')
      const seen = new Map<string, unknown>()
      const secrets = make({ client: client(), logger, fetch: { shared: '/shop/all' } })
      const work = async (
        { data: { tenant, waits } }: TenantRequest,
        context: { secrets: Secrets<'shared'> },
      ): Promise<void> => {
        await turns(waits)
        seen.set(tenant, [await context.secrets.get(`/shop/${tenant}`), context.secrets.values.shared])
        if (tenant === 'b') throw new Error('b fails')
      }
      const failed = await worked(work, { own: secrets })
      expect(failed).toEqual(['b'])
      expect(Object.fromEntries(seen)).toEqual(
        Object.fromEntries(tenants.map((tenant) => [tenant, [`key of ${tenant}`, 'shared']])),
      )
    })

    it('R4: of the batch and of a record stack, and a secret that is missing fails its record alone', async () => {
      for (const tenant of tenants) if (tenant !== 'c') put(`/shop/${tenant}`, tenant)
      put('/shop/all', 'shared')
      const seen: unknown[] = []
      const work = async (
        { data: { tenant } }: TenantRequest,
        { secrets, own }: { secrets: Secrets<'shared'>; own: Secrets },
      ): Promise<void> => {
        seen.push([await own.get(`/shop/${tenant}`), secrets.values.shared])
      }
      const failed = await worked(work, {
        own: make({ client: client(), logger, as: 'own' }),
        shared: make({ client: client(), logger, fetch: { shared: '/shop/all' } }),
      })
      expect(failed).toEqual(['c'])
      expect(seen.toSorted()).toEqual(['a', 'b', 'd'].map((tenant) => [tenant, 'shared']))
    })
  })

  describe.skipIf(noCertificates() !== undefined)('iamDbAuth()', () => {
    const { databases, make } = useIamDatabases()

    describe.each(databases)('$engine', (tested) => {
      const { server, connection } = tested

      it.each(['each record', 'the batch'])(
        'R4: in the chain of %s, a record that fails gives back its own connection and no other',
        async (place) => {
          const database = make(tested, { max: 4 })
          const begun = Promise.withResolvers<undefined>()
          const isClosed = Promise.withResolvers<undefined>()
          let open = 0
          const work = async (
            { data: { tenant } }: TenantRequest,
            { db }: { db: AnyPool },
          ): Promise<unknown> => {
            const client = await connection(db)
            await client.query(`select 'begin ${tenant}'`)
            if (++open === tenants.length) begun.resolve(undefined)
            await begun.promise
            // This one keeps its connection, and ends first.
            if (tenant === 'b') {
              isClosed.resolve(undefined)
              throw new Error('b fails')
            }
            await isClosed.promise
            await turns(20)
            await client.query(`select 'end ${tenant}'`)
            client.release()
            return tenant
          }
          const failed = await worked(
            work,
            place === 'each record' ? { own: database } : { shared: database },
          )
          expect(failed).toEqual(['b'])
          expect(server.queries.toSorted()).toEqual(
            [
              ...tenants.map((tenant) => `select 'begin ${tenant}'`),
              ...['a', 'c', 'd'].map((tenant) => `select 'end ${tenant}'`),
            ].toSorted(),
          )
        },
      )

      it('R4: a pool of one connection serves the records one after the other', async () => {
        const database = make(tested, { max: 1 })
        const work = ({ data: { tenant } }: TenantRequest, { db }: { db: AnyPool }): Promise<unknown> =>
          db.query(`select '${tenant}'`).then(() => undefined)
        const failed = await worked(work, { own: database })
        expect(failed).toEqual([])
        expect(server.queries.toSorted()).toEqual(tenants.map((tenant) => `select '${tenant}'`))
        expect(server.logins).toHaveLength(1)
      })
    })
  })
})

it('R4: secrets that a record put into its context are gone with the record', async () => {
  const seen: unknown[] = []
  const handler = middy()
    .use(sqs())
    .handler(
      eachRecord(
        ((_request: TenantRequest, context: Record<string, unknown>) => {
          seen.push(context['secrets'])
          context['secrets'] = 'mine'
        }) as never,
        { concurrency: 1 },
      ) as never,
    )
  await invoke(handler, event)
  expect(seen).toEqual(tenants.map(() => undefined))
})
