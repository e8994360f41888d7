import { ConditionError, InvalidDataError, type Operator, TypeMismatchError, model } from 'clearskies-middy'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { uniqueName } from '../../support/contract-models.ts'
import { rejection } from '../../support/rejection.ts'
import type { ContractCase, TableBackend } from './contract.ts'

const schema = z.object({
  id: z.string(),
  text: z.string().optional(),
  number: z.number().optional(),
  bigint: z.bigint().optional(),
  decimal: z.string().optional(),
  boolean: z.boolean().optional(),
  date: z.date().optional(),
  bytes: z.instanceof(Uint8Array).optional(),
  list: z.array(z.string()).optional(),
  object: z.object({ number: z.number().optional(), flag: z.boolean().optional() }).optional(),
})
type Item = z.output<typeof schema>

const loose = z.object({ id: z.string(), data: z.record(z.string(), z.any()).optional() })
type Loose = z.output<typeof loose>
type Kind = Exclude<keyof Item, 'id'>

const columns = {
  id: 'string',
  text: 'string',
  number: 'number',
  bigint: 'bigint',
  decimal: 'decimal',
  boolean: 'boolean',
  date: 'date',
  bytes: 'bytes',
  list: 'array',
  object: 'object',
} as const

const full: Item = {
  id: 'full',
  text: '12',
  number: 12,
  bigint: 12n,
  decimal: '12',
  boolean: true,
  date: new Date('2012-12-12T12:12:12.012Z'),
  bytes: Uint8Array.from([49, 50]),
  list: ['12', 'x'],
  object: { number: 12, flag: true },
}

/** A value of another type for each kind. */
const strangers: Readonly<Record<Kind, unknown>> = {
  text: 12,
  number: '12',
  bigint: '12',
  decimal: 'twelve',
  boolean: 1,
  date: '2012-12-12T12:12:12.012Z',
  bytes: '12',
  list: '12',
  object: '12',
}

const isRange = (operator: Operator): boolean => ['<', '<=', '>', '>=', 'between'].includes(operator)

/** Whether an operator has a meaning for a kind. */
function isMeant(operator: Operator, kind: Kind): boolean {
  if (isRange(operator)) return !['boolean', 'list', 'object'].includes(kind)
  if (operator === 'begins-with') return kind === 'text' || kind === 'bytes'
  if (operator === 'contains') return kind === 'text' || kind === 'list'
  return operator !== 'like' || kind === 'text'
}

const operators: readonly Operator[] = [
  ...(['=', '!=', 'in', 'not-in', 'is-null', 'is-not-null'] as const),
  ...(['<', '<=', '>', '>=', 'between', 'begins-with', 'contains', 'like'] as const),
]

function operandOf(operator: Operator, value: unknown): unknown {
  if (operator === 'in' || operator === 'not-in') return [value]
  return operator === 'between' ? [value, value] : value
}

/** Which operators and values have a meaning for which kinds of columns. */
export function kindContract({ open, flags }: ContractCase): void {
  describe('kinds of columns', () => {
    let items: TableBackend<Item, Item, Pick<Item, 'id'>>
    let anything: TableBackend<Loose, Loose, Pick<Loose, 'id'>>
    const asked = (column: string, operator: Operator, value: unknown) =>
      items.where(column as 'text', operator as '=', operandOf(operator, value) as string)
    beforeAll(async () => {
      items = await open(model({ name: uniqueName('kinds'), key: ['id'], schema, columns }), {
        scan: 'allow',
      })
      await items.createMany([full, { id: 'none' }])
      anything = await open(model({ name: uniqueName('loose'), key: ['id'], schema: loose }), {
        scan: 'allow',
      })
    })

    it.each(operators.flatMap((operator) => Object.keys(strangers).map((kind) => [operator, kind] as const)))(
      'M16: "%s" on a column of the kind %s has its meaning, or is refused before anything is sent',
      async (operator, name) => {
        const kind = name as Kind
        const value = operator === 'contains' && kind === 'list' ? 'x' : full[kind]
        if (!isMeant(operator, kind)) {
          for (const operand of [value, '1']) {
            const query = asked(kind, operator, operand)
            await rejection(query.count(), TypeMismatchError)
            await rejection(query.page(), TypeMismatchError)
            await rejection(
              Promise.resolve().then(() => query.explain()),
              TypeMismatchError,
            )
            const when = () => asked(kind, operator, operand)
            await rejection(items.update({ id: 'full' }, { text: '13' }, { when }), TypeMismatchError)
          }
          return
        }
        const isWhole = kind === 'list' || kind === 'object'
        if (!flags.comparesObjects && isWhole && ['=', '!=', 'in', 'not-in'].includes(operator)) return
        if (!flags.isWhole && operator === 'begins-with' && kind === 'bytes') return
        const found = await asked(kind, operator, value).all()
        const isFound = ['=', 'in', '<=', '>=', 'between', 'begins-with', 'contains', 'like', 'is-not-null']
        const expected = isFound.includes(operator) ? ['full'] : ['none']
        expect(found.map(({ id }) => id)).toEqual(['<', '>'].includes(operator) ? [] : expected)
      },
    )

    it.each(Object.keys(strangers))(
      'M16: a value of another type is refused for a column of the kind %s',
      async (kind) => {
        for (const operator of operators) {
          if (!isMeant(operator, kind as Kind) || /null|contains|like/.test(operator)) continue
          await rejection(asked(kind, operator, strangers[kind as Kind]).count(), TypeMismatchError)
        }
      },
    )

    it('M16: members of objects follow the same rules', async () => {
      for (const query of [
        asked('object.number', 'begins-with', '1'),
        asked('object.number', 'like', '1%'),
        asked('object.number', '=', '12'),
        asked('object.flag', '<=', true),
        asked('object.flag', 'contains', 't'),
      ])
        await rejection(query.count(), TypeMismatchError)
      expect(await asked('object.number', '<=', 12).count()).toBe(1)
    })

    it('M16: a whole object is equal whatever the order of its members, and a list is not', async () => {
      if (!flags.comparesObjects) return
      expect(await items.where('object', '=', { flag: true, number: 12 }).count()).toBe(1)
      expect(await items.where('object', '=', { number: 12 }).count()).toBe(0)
      expect(await items.where('list', 'in', [['x', '12'], ['12']]).count()).toBe(0)
      expect(await items.where('list', 'in', [['x'], ['12', 'x']]).count()).toBe(1)
      expect(await items.where('list', '!=', ['x', '12']).count()).toBe(2)
      expect(await items.where('list', 'not-in', [['12', 'x']]).count()).toBe(1)
    })

    it('M16: contains with what is no text is met by no text, or is refused', async () => {
      for (const value of [12, true, ['12']]) {
        const counted = asked('text', 'contains', value).count()
        if (flags.holdsSets) expect(await counted).toBe(0)
        else await rejection(counted, ConditionError)
      }
    })

    it('M16: bytes in order, and sets, are compared inside of an object, or refused', async () => {
      for (const [operator, value] of [
        ['<', new Uint8Array([1])],
        ['=', new Set(['x'])],
      ] as const) {
        const counted = anything.where('data.part', operator as '=', value).count()
        if (flags.holdsSets) expect(await counted).toBe(0)
        else await rejection(counted, ConditionError)
      }
    })

    it('M16: a fraction is refused where there are whole numbers', async () => {
      for (const query of [asked('bigint', '=', 1.5), asked('bigint', 'between', Infinity)])
        expect(await rejection(query.count(), ConditionError)).toMatchObject({ statusCode: 400 })
    })

    it('M36: half of a character is refused in conditions, keys and items', async () => {
      const half = 'a\ud800'
      for (const operator of ['=', '!=', '<', 'in', 'between', 'begins-with', 'contains', 'like'] as const)
        expect(await rejection(asked('text', operator, half).count(), ConditionError)).toMatchObject({
          statusCode: 400,
        })
      await expect(items.find({ id: half })).rejects.toThrow(/character/)
      await rejection(items.create({ id: 'half', text: half }), InvalidDataError)
      await rejection(items.create({ id: 'half', list: [half] }), InvalidDataError)
      await rejection(items.update({ id: 'full' }, { text: half }), InvalidDataError)
      expect(await items.find({ id: 'half' })).toBeUndefined()
    })

    it.runIf(!flags.holdsNul)('M36: NUL is refused in conditions, keys and items', async () => {
      const nul = 'a\0'
      for (const operator of ['=', '!=', '<', 'in', 'between', 'begins-with', 'contains', 'like'] as const)
        expect(await rejection(asked('text', operator, nul).count(), ConditionError)).toMatchObject({
          statusCode: 400,
        })
      for (const run of [
        () => items.find({ id: nul }),
        () => items.create({ id: nul }),
        () => items.put({ id: 'nul', text: nul }),
        () => items.update({ id: 'full' }, { text: nul }),
        () => asked('list', 'contains', nul).count(),
      ])
        expect(await rejection(run(), ConditionError)).toMatchObject({ statusCode: 400 })
      expect(await items.find({ id: 'nul' })).toBeUndefined()
    })

    it.runIf(flags.holdsNul)('M36: NUL is a character', async () => {
      await items.create({ id: 'nul\0', text: 'a\0b' })
      expect(await items.where('text', '=', 'a\0b').count()).toBe(1)
      expect(await items.where('text', 'begins-with', 'a\0').count()).toBe(1)
      expect(await items.delete({ id: 'nul\0' })).toEqual({ id: 'nul\0', text: 'a\0b' })
    })
  })
}
