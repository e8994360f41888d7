import { ConditionError, InvalidTokenError, type Query } from 'clearskies-middy'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Product, productModel, recordModel } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const list = Array.from({ length: 9 }, (_, index): Product => ({
  author: index < 7 ? 'Le Guin' : 'Lem',
  title: 'GACEBDFHI'.charAt(index),
  genre: index % 2 === 0 ? 'sf' : 'fantasy',
  price: index % 3,
}))

const titles = (items: readonly { title: string }[]): string => items.map(({ title }) => title).join('')

const sortedLetters = (pages: readonly string[]): string => pages.join('').split('').sort().join('')

/** All texts that differ from a token in one letter. */
function changedLetters(token: string): string[] {
  return Array.from(
    { length: token.length },
    (_, at) => token.slice(0, at) + (token.charAt(at) === 'A' ? 'B' : 'A') + token.slice(at + 1),
  )
}

/** In which order and in which portions items come. */
export function pageContract({ open, flags }: ContractCase): void {
  let products: TableBackend<Product, Product, Pick<Product, 'author' | 'title'>>
  beforeAll(async () => {
    products = await open(productModel(), {})
    await products.createMany(list)
  })
  const leGuin = (): Query<Product> => products.where('author', '=', 'Le Guin')

  async function chain(query: Query<Product, { title: string }>, limit: number): Promise<string[]> {
    const pages: string[] = []
    let after: string | undefined
    do {
      const page = await query.limit(limit).after(after).page()
      expect(page.items.length).toBeLessThanOrEqual(limit)
      expect(page.complete).toBeUndefined()
      pages.push(titles(page.items))
      after = page.next
    } while (after !== undefined)
    return pages
  }

  describe('the order', () => {
    it('is the one that is asked for', async () => {
      expect(titles(await leGuin().sortBy('title').all())).toBe('ABCDEFG')
      expect(titles(await leGuin().sortBy('title', 'desc').all())).toBe('GFEDCBA')
      const byPrice = await products.where('genre', '=', 'sf').using('byGenre').sortBy('price', 'desc').all()
      expect(byPrice.map(({ price }) => price)).toEqual([2, 2, 1, 0, 0])
    })

    it('is of numbers by size', async () => {
      const records = await open(recordModel(), {})
      const sizes = [10, 9, -1, 0, 1.5, -10, 100]
      await records.createMany(sizes.map((at) => ({ id: 'a', at })))
      const sorted = await records.where('id', '=', 'a').sortBy('at').all()
      expect(sorted.map(({ at }) => at)).toEqual([-10, -1, 0, 1.5, 9, 10, 100])
      expect(await records.where('id', '=', 'a').where('at', '>', 9).count()).toBe(2)
    })

    it.runIf(flags.keepsKeyOrder)('is the one of the key where none is asked for', async () => {
      expect(titles(await leGuin().all())).toBe('ABCDEFG')
    })

    it.runIf(flags.keepsKeyOrder)('is of text by its bytes', async () => {
      const author = 'Any'
      const texts = ['a', 'Z', 'é', 'z', '\uffee', '😀', '10', '9']
      await products.createMany(texts.map((title) => ({ author, title })))
      const found = await products.where('author', '=', author).sortBy('title').all()
      expect(found.map(({ title }) => title)).toEqual(['10', '9', 'Z', 'a', 'z', 'é', '\uffee', '😀'])
    })
  })

  describe('select', () => {
    it('gives these columns, where items have them', async () => {
      const query = leGuin().sortBy('title').select('title', 'price', 'stock')
      expect(await query.first()).toStrictEqual({ title: 'A', price: 1 })
      expect(titles(await query.all())).toBe('ABCDEFG')
    })

    it('leaves pages, conditions and the order as they are, though it has none of their columns', async () => {
      const query = leGuin().where('genre', '=', 'sf').sortBy('title', 'desc').select('price')
      const prices = [query.limit(2), query.limit(9)].map(async (one) => {
        const seen: unknown[] = []
        let after: string | undefined
        do {
          const { items, next }: { items: { price?: number | undefined }[]; next?: string } = await one
            .after(after)
            .page()
          seen.push(...items)
          after = next
        } while (after !== undefined)
        return seen
      })
      expect(await Promise.all(prices)).toEqual([
        [{ price: 0 }, { price: 0 }, { price: 2 }, { price: 1 }],
        [{ price: 0 }, { price: 0 }, { price: 2 }, { price: 1 }],
      ])
    })
  })

  describe('pages', () => {
    it.each([1, 2, 3, 4, 5, 6, 7, 8])('of %i give every item once', async (limit) => {
      expect((await chain(leGuin().sortBy('title'), limit)).join('')).toBe('ABCDEFG')
      expect((await chain(leGuin().sortBy('title', 'desc'), limit)).join('')).toBe('GFEDCBA')
      expect((await chain(leGuin().where('genre', '=', 'sf').sortBy('title'), limit)).join('')).toBe('BCFG')
      const byPrice = await chain(products.where('genre', '=', 'sf').using('byGenre').sortBy('price'), limit)
      expect(sortedLetters(byPrice)).toBe('BCFGI')
      const parts = await chain(products.where('author', 'in', ['Lem', 'Le Guin']), limit)
      expect(sortedLetters(parts)).toBe('ABCDEFGHI')
      const priced = products.where('genre', '=', 'sf').where('price', 'is-not-null')
      const either = await chain(products.query().or({ author: 'Lem' }, priced), limit)
      expect(sortedLetters(either)).toBe('BCFGHI')
    })

    it('are full as long as there is enough, whatever is filtered out', async () => {
      expect(await chain(leGuin().where('genre', '=', 'sf').sortBy('title'), 3)).toEqual(['BCF', 'G'])
    })

    it('have no next one behind a full last one', async () => {
      const page = await leGuin().limit(7).page()
      expect(page.items).toHaveLength(7)
      expect(page).not.toHaveProperty('next')
      expect(await leGuin().page()).not.toHaveProperty('next')
    })

    it('go on where the item of the token is gone', async () => {
      const more = await open(productModel(), {})
      await more.createMany(list)
      const query = more.where('author', '=', 'Le Guin').sortBy('title').limit(2)
      const { next } = await query.page()
      await more.delete({ author: 'Le Guin', title: 'B' })
      await more.delete({ author: 'Le Guin', title: 'C' })
      expect(titles((await query.after(next).page()).items)).toBe('DE')
    })

    it('can be given another size on the way', async () => {
      const query = leGuin().sortBy('title')
      const { next } = await query.limit(2).page()
      expect(titles((await query.limit(4).after(next).page()).items)).toBe('CDEF')
      expect(titles((await query.after(next).page()).items)).toBe('CDEFG')
    })

    it('begin at the beginning without a token', async () => {
      for (const none of [undefined, null])
        expect(titles((await leGuin().sortBy('title').limit(2).after(none).page()).items)).toBe('AB')
    })
  })

  describe('a token', () => {
    const page = (): Query<Product> => leGuin().sortBy('title').limit(2)

    it('is refused in any other form, with an error that does not show it', async () => {
      const { next = '' } = await page().page()
      const middle = Math.floor(next.length / 2)
      const changed = changedLetters(next)
      const forged = [
        '',
        ' ',
        'x',
        '.',
        '..',
        `A${next}`,
        `${next}A`,
        `${next}=`,
        `${next} `,
        ` ${next}`,
        next.slice(1),
        next.slice(0, -1),
        next.slice(0, middle),
        next.replace('.', ''),
        next.toUpperCase(),
        `${next}.${next}`,
        Buffer.from('null').toString('base64url'),
        Buffer.from('[]').toString('base64url'),
        Buffer.from(JSON.stringify({ author: 'Lem' })).toString('base64url'),
        '😀',
        'a'.repeat(100_000),
        ...changed,
      ]
      for (const token of forged) {
        const error = await rejection(page().after(token).page(), InvalidTokenError)
        expect(error).toMatchObject({ statusCode: 400, expose: true })
        if (token.length > 3) expect(error.message).not.toContain(token)
      }
      for (const other of [5, {}, [next], true])
        await rejection(
          page()
            .after(other as never)
            .page(),
          InvalidTokenError,
        )
    })

    it('is refused by another query', async () => {
      const { next } = await page().page()
      for (const other of [
        products.where('author', '=', 'Lem').sortBy('title'),
        leGuin().where('genre', '=', 'sf').sortBy('title'),
        leGuin().sortBy('title', 'desc'),
        leGuin().or({ genre: 'sf' }, { genre: 'fantasy' }).sortBy('title'),
        products.where('genre', '=', 'sf').using('byGenre').sortBy('price'),
      ])
        await rejection(other.after(next).page(), InvalidTokenError)
    })

    it('is refused by another table, and with another secret', async () => {
      const model = productModel()
      const [one, same, other, foreign] = await Promise.all([
        open(model, { tokenSecret: 'one of tokens and more' }),
        open(model, { tokenSecret: 'one of tokens and more' }),
        open(model, { tokenSecret: 'other of tokens and more' }),
        open(productModel(), { tokenSecret: 'one of tokens and more' }),
      ])
      for (const backend of [one, same, other, foreign]) for (const book of list) await backend.put(book)
      const query = (backend: typeof one): Query<Product> =>
        backend.where('author', '=', 'Le Guin').sortBy('title').limit(2)
      const { next } = await query(one).page()
      expect(titles((await query(same).after(next).page()).items)).toBe('CD')
      await rejection(query(other).after(next).page(), InvalidTokenError)
      await rejection(query(foreign).after(next).page(), InvalidTokenError)
    })

    it.runIf(flags.encryptsTokens)('hides the key that it holds, if it is encrypted', async () => {
      const secret = { tokenSecret: 'one of tokens and more', encryptTokens: true }
      const model = productModel()
      const hidden = await open(model, secret)
      await hidden.createMany(list)
      const query = hidden.where('author', '=', 'Le Guin').sortBy('title').limit(2)
      const { next = '' } = await query.page()
      for (const part of [next, ...next.split('.')]) {
        expect(Buffer.from(part, 'base64url').toString('latin1')).not.toContain('Guin')
      }
      expect(titles((await query.after(next).page()).items)).toBe('CD')
      expect((await query.page()).next).not.toBe(next)
      const open2 = await open(model, { tokenSecret: 'other of tokens and more', encryptTokens: true })
      await rejection(
        open2.where('author', '=', 'Le Guin').sortBy('title').after(next).page(),
        InvalidTokenError,
      )
      await rejection(query.sortBy('title', 'desc').after(next).page(), InvalidTokenError)
      const changed = changedLetters(next)
      for (const token of [
        '',
        'x',
        `${next}A`,
        `${next}=`,
        next.slice(0, 20),
        'a'.repeat(100_000),
        ...changed,
      ])
        await rejection(query.after(token).page(), InvalidTokenError)
    })
  })

  describe('the ends of a query', () => {
    it('give the first, the count, and whether there is any', async () => {
      const sf = leGuin().where('genre', '=', 'sf').sortBy('title')
      expect(await sf.first()).toMatchObject({ title: 'B' })
      expect([await sf.count(), await sf.limit(3).count(), await sf.exists()]).toEqual([4, 3, true])
      const none = products.where('author', '=', 'None')
      expect([await none.first(), await none.count(), await none.exists()]).toEqual([undefined, 0, false])
      expect(await none.all()).toEqual([])
      expect(await none.page()).toEqual({ items: [] })
    })

    it('give all, and no more than is allowed', async () => {
      expect(await leGuin().all({ max: 7 })).toHaveLength(7)
      expect(await leGuin().limit(3).all({ max: 3 })).toHaveLength(3)
      const error = await rejection(leGuin().all({ max: 6 }), ConditionError)
      expect(error.message).toContain('6')
    })

    it('give one after the other, up to the limit or until it is enough', async () => {
      const seen: string[] = []
      for await (const { title } of leGuin().sortBy('title').limit(3)) seen.push(title)
      expect(seen.join('')).toBe('ABC')
      for await (const { title } of leGuin().sortBy('title')) {
        seen.push(title)
        if (title === 'B') break
      }
      expect(seen.join('')).toBe('ABCAB')
    })

    it('go on behind a token', async () => {
      const query = leGuin().sortBy('title')
      const { next } = await query.limit(5).page()
      expect(titles(await query.after(next).all())).toBe('FG')
      expect((await query.after(next).first())?.title).toBe('F')
    })

    it('are of values: narrowing one down leaves it as it was', async () => {
      const all = leGuin()
      all.where('title', '=', 'A').or({ price: 1 }).limit(1).sortBy('title', 'desc').select('price')
      expect(await all.count()).toBe(7)
      const where = products.where
      expect(await where('author', '=', 'Lem').count()).toBe(2)
    })

    it('end where their signal says so', async () => {
      const reason = new Error('enough')
      await expect(leGuin().page({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await expect(leGuin().count({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    })
  })
}
