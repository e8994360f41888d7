import { marshall } from '@aws-sdk/util-dynamodb'

/** An item of about 1 KB: 24 attributes, some nested. */
export interface Product {
  readonly id: string
  readonly sk: string
  readonly genre: string
  readonly price: number
}

export function product(index: number): Product {
  const all = {
    id: 'items-100',
    sk: String(index).padStart(8, '0'),
    title: `The book number ${index}`,
    author: 'Ursula K. Le Guin',
    genre: 'science fiction',
    price: 12.5,
    pages: 341,
    inStock: true,
    rating: 4.7,
    votes: 12_345,
    isbn: '978-0-06-112421-8',
    language: 'en',
    publisher: 'Harper & Row',
    year: 1974,
    tags: ['classic', 'utopia', 'award', 'physics'],
    dimensions: { width: 10.6, height: 17.3, depth: 2.4, unit: 'cm' },
    warehouse: { shelf: 'A-17', row: 4, bin: 'left', counted: '2026-01-01T00:00:00.000Z' },
    prices: [
      { currency: 'EUR', amount: 12.5 },
      { currency: 'USD', amount: 13.2 },
    ],
    description: 'x'.repeat(240),
    note: null,
    sold: 98_765,
    returned: 12,
    weight: 0.31,
    updated: '2026-11-01T12:00:00.000Z',
  }
  return all
}

export function toWire(item: Product): object {
  return marshall(item)
}
