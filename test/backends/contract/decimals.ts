import { InvalidTokenError, model } from 'clearskies-middy'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase } from './contract.ts'

const schema = z.object({ shop: z.string(), price: z.string(), old: z.string().optional() })

/** By size. As texts they would stand in another order, and as JavaScript's numbers some would be equal. */
const prices = ['-10.5', '-9', '0', '0.00001', '1', '2', '9', '10', '10.000000000000000001', '100']

/** Decimals are numbers, whatever their digits are, and text only in JavaScript. */
export function decimalContract({ open }: ContractCase): void {
  describe('decimals', () => {
    const opened = async () => {
      const definition = model({
        name: uniqueName('decimals'),
        key: ['shop', 'price'],
        schema,
        columns: { shop: 'string', price: 'decimal', old: 'decimal' },
      })
      const backend = await open(definition, { scan: 'allow' })
      const mixed = [...prices.slice(5), ...prices.slice(0, 5)]
      await backend.createMany(mixed.map((price) => ({ shop: 'a', price, old: price })))
      return backend
    }

    it('M19: decimals are compared as numbers', async () => {
      const backend = await opened()
      const of = (found: readonly { readonly price: string }[]) =>
        found.map(({ price }) => price).toSorted((a, b) => prices.indexOf(a) - prices.indexOf(b))
      for (const column of ['price', 'old'] as const) {
        const shop = () => backend.where('shop', '=', 'a')
        expect(of(await shop().where(column, '<', '9.0').all())).toEqual(prices.slice(0, 6))
        expect(of(await shop().where(column, '<=', '1e1').all())).toEqual(prices.slice(0, 8))
        expect(of(await shop().where(column, '>', '10').all())).toEqual(prices.slice(8))
        expect(of(await shop().where(column, '>=', '-9.00').all())).toEqual(prices.slice(1))
        expect(of(await shop().where(column, 'between', ['1.0', '10']).all())).toEqual(prices.slice(4, 8))
        expect(of(await shop().where(column, '=', '2.00').all())).toEqual(['2'])
        expect(of(await shop().where(column, 'in', ['+9', '1e2', '7']).all())).toEqual(['9', '100'])
        expect(of(await shop().where(column, '!=', '-0.0').all())).toEqual(prices.toSpliced(2, 1))
        const others = await shop().where(column, 'not-in', ['1.0', '2.0', '9.0']).all()
        expect(of(others)).toEqual(prices.toSpliced(4, 3))
      }
    })

    it('M19: decimals are sorted as numbers, in pages of any size, in both directions', async () => {
      const backend = await opened()
      for (const direction of ['asc', 'desc'] as const)
        for (const limit of [1, 3, 20]) {
          const found: string[] = []
          let after: string | undefined
          do {
            const query = backend.where('shop', '=', 'a').sortBy('price', direction)
            const page = await query.limit(limit).after(after).page()
            found.push(...page.items.map(({ price }) => price))
            after = page.next
          } while (after !== undefined)
          expect(found).toEqual(direction === 'asc' ? prices : prices.toReversed())
        }
    })

    it('M19: a decimal in a key is one number in all of its spellings', async () => {
      const backend = await opened()
      expect(await backend.find({ shop: 'a', price: '2.00' })).toEqual({ shop: 'a', price: '2', old: '2' })
      expect(await backend.findMany([{ shop: 'a', price: '1e2' }])).toMatchObject([{ price: '100' }])
      await backend.put({ shop: 'a', price: '9.0', old: '1.10' })
      expect(
        await backend.update({ shop: 'a', price: '9.00' }, { price: '9.0', old: '2.50' } as never),
      ).toEqual({
        shop: 'a',
        price: '9',
        old: '2.5',
      })
      expect(await backend.where('shop', '=', 'a').count()).toBe(prices.length)
      const when = (query: ReturnType<typeof backend.query>) => query.where('old', '=', '2.500')
      expect(await backend.delete({ shop: 'a', price: '9.0' }, { when })).toMatchObject({ old: '2.5' })
    })

    it('M42: a token of a page over decimals is taken for its own query alone', async () => {
      const backend = await opened()
      const { next } = await backend.where('shop', '=', 'a').sortBy('price').limit(2).page()
      await rejection(backend.where('shop', '=', 'b').sortBy('price').after(next).page(), InvalidTokenError)
    })
  })
}
