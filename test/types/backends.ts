// Compiled and never run: what models, queries and backends take and give, and what must not compile.
import type { Query } from 'clearskies-middy'
import {
  type InputOf,
  type ItemOf,
  MemoryBackend,
  type Page,
  type TransactionReason,
  model,
} from 'clearskies-middy'
import { DynamoDbBackend, transact, transactFind } from 'clearskies-middy/backends/dynamodb'
import { SqsBackend } from 'clearskies-middy/backends/sqs'
import * as v from 'valibot'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<T extends true>(..._: T extends true ? [] : [never]): void {}

const Book = model({
  name: 'books',
  key: ['author', 'title'],
  indexes: { byGenre: { partition: 'genre', sort: 'price' } },
  schema: z.object({
    author: z.string(),
    title: z.string(),
    price: z.number(),
    sold: z.bigint(),
    published: z.date(),
    available: z.boolean(),
    cover: z.instanceof(Uint8Array),
    tags: z.array(z.string()),
    labels: z.set(z.number()),
    genre: z.enum(['sf', 'essay']).optional(),
    rating: z.number().nullable(),
    state: z.string().default('new'),
    details: z.object({ pages: z.number() }),
  }),
})
type BookItem = ItemOf<typeof Book>

const Track = model({
  name: 'tracks',
  key: ['id'],
  schema: v.object({
    id: v.string(),
    length: v.optional(v.number(), 0),
    plays: v.bigint(),
    artists: v.array(v.string()),
    note: v.nullish(v.string()),
  }),
})

const books = new DynamoDbBackend(Book)
const tracks = new MemoryBackend(Track)
const id = { author: 'Butler', title: 'Kindred' }

// Models give the types of their schemas: what is stored, and what defaults let be left out.
same<Equal<BookItem['state'], string>>()
same<Equal<InputOf<typeof Book>['state'], string | undefined>>()
same<Equal<ItemOf<typeof Track>['length'], number>>()
same<Equal<InputOf<typeof Track>['length'], number | undefined>>()
same<Equal<typeof Book.key, readonly ('author' | 'title')[]>>()
same<Equal<typeof Track.key, readonly 'id'[]>>()
// @ts-expect-error a key column that the schema does not have
model({ name: 'x', key: ['isbn'], schema: Book.schema })
// @ts-expect-error an index over a column that the schema does not have
model({ name: 'x', key: ['id'], schema: Track.schema, indexes: { byIsbn: { partition: 'isbn' } } })
const partial = { partition: 'note', project: ['isbn'] } as const
// @ts-expect-error an index that holds a column that the schema does not have
model({ name: 'x', key: ['id'], schema: Track.schema, indexes: { partial } })
// @ts-expect-error a table without a name
model({ key: ['id'], schema: Track.schema })
// @ts-expect-error no schema at all
model({ name: 'x', key: ['id'], schema: { id: 'string' } })
// @ts-expect-error an option that there is not
model({ name: 'x', key: ['id'], schema: Track.schema, table: 'x' })

// Operators are those of the column's type.
books.where('title', 'begins-with', 'K').where('title', 'contains', 'in').where('title', 'like', 'K%')
books.where('price', '<', 5).where('price', 'between', [1, 2]).where('published', '>=', new Date())
books.where('cover', 'begins-with', new Uint8Array()).where('sold', '>', 5n).where('available', '!=', true)
books.where('tags', 'contains', 'new').where('labels', 'contains', 5).where('genre', 'in', ['sf'])
books.where('rating', 'is-null').where('rating', '>', 3)
tracks.where('artists', 'contains', 'Nina').where('plays', 'in', [1n, 2n]).where('note', 'like', '%a%')
// @ts-expect-error a beginning of a number
books.where('price', 'begins-with', 5)
// @ts-expect-error a pattern for a number
books.where('price', 'like', '5%')
// @ts-expect-error a part of a number
books.where('price', 'contains', 5)
// @ts-expect-error an order of booleans
books.where('available', '<', true)
// @ts-expect-error an order of lists
books.where('tags', '>', ['a'])
// @ts-expect-error a range of objects
books.where('details', 'between', [{ pages: 1 }, { pages: 2 }])
// @ts-expect-error a pattern for bytes
books.where('cover', 'like', 'a%')
// @ts-expect-error a beginning of a date
books.where('published', 'begins-with', new Date())
// @ts-expect-error an operator that there is not
books.where('title', '==', 'a')
// @ts-expect-error an operator that there is not, with valibot
tracks.where('note', 'is', 'a')
// @ts-expect-error a beginning of a number, with valibot
tracks.where('length', 'begins-with', 5)

// Values are those of the column's type.
// @ts-expect-error a number for a text
books.where('title', '=', 5)
// @ts-expect-error a text for a number
books.where('price', '<', '5')
// @ts-expect-error a number for a bigint
books.where('sold', '=', 5)
// @ts-expect-error numbers for bigints
books.where('sold', 'in', [5])
// @ts-expect-error a number for a bigint, with valibot
tracks.where('plays', '>', 5)
// @ts-expect-error a bigint for a number
books.where('price', '=', 5n)
// @ts-expect-error a text for a date
books.where('published', '>', '2020-01-01')
// @ts-expect-error a list where one value is meant
books.where('title', '=', ['a'])
// @ts-expect-error one value where a list is meant
books.where('title', 'in', 'a')
// @ts-expect-error one end of a range
books.where('price', 'between', [1])
// @ts-expect-error three ends of a range
books.where('price', 'between', [1, 2, 3])
// @ts-expect-error an element of another type
books.where('tags', 'contains', 5)
// @ts-expect-error a member of another type
books.where('labels', 'contains', '5')
// @ts-expect-error none of the values that there are
books.where('genre', '=', 'poem')
// @ts-expect-error a value where there is none
books.where('rating', 'is-null', 5)
// @ts-expect-error no value where there is one
books.where('rating', '=')
// @ts-expect-error undefined is no value
books.where('title', '=', undefined)
// @ts-expect-error null has no order
books.where('rating', '<', null)
// @ts-expect-error null in a list
books.where('rating', 'in', [null])

// Columns are those of the schema.
// @ts-expect-error no such column
books.where('isbn', '=', 'a')
// @ts-expect-error no such column in an object
books.where({ isbn: 'a' })
// @ts-expect-error a value of another type in an object
books.where({ sold: 5 })
// @ts-expect-error an order by no column
books.query().sortBy('isbn')
// @ts-expect-error a direction that there is not
books.query().sortBy('title', 'down')
// @ts-expect-error no such column, with valibot
tracks.where('title', '=', 'a')

// Alternatives are objects, queries, and functions of a query.
books.query().or({ title: 'a' }, (query) => query.where('rating', 'is-null'), books.where('price', '<', 5))
// @ts-expect-error null: a column without a value is asked for with is-null
books.where('rating', '=', null)
// @ts-expect-error null in a list
books.where('rating', 'in', [1, null])
// @ts-expect-error null in an object
books.where({ rating: null })
// @ts-expect-error null in an alternative
books.query().or({ rating: null })
books.query().or((query) => query.where('price', '<', 5).or({ genre: 'sf' }), { title: 'a', price: 5 })
tracks.query().or((query) => query.where('plays', '>', 5n))
// @ts-expect-error no such column
books.query().or({ isbn: 'a' })
// @ts-expect-error a value of another type
books.query().or({ title: 'a' }, { price: '5' })
// @ts-expect-error another item's query
books.query().or(tracks.where('id', '=', 'a'))
// @ts-expect-error a function that gives no query
books.query().or(() => true)
// @ts-expect-error a wrong operator in a function
books.query().or((query) => query.where('price', 'like', 'a'))
// @ts-expect-error a condition by itself
books.query().or('title', '=', 'a')

async function reads(): Promise<void> {
  const found = await books.find(id)
  same<Equal<typeof found, BookItem | undefined>>()
  same<Equal<Awaited<ReturnType<typeof books.findMany>>, (BookItem | undefined)[]>>()
  await tracks.findMany([{ id: 'a' }, { id: 'b' }])
  // @ts-expect-error no sort column
  await books.find({ author: 'Butler' })
  // @ts-expect-error no sort column in one of them
  await books.findMany([id, { author: 'Butler' }])
  // @ts-expect-error a key column of another type
  await books.find({ author: 'Butler', title: 5 })
  // @ts-expect-error a text where a key is meant
  await tracks.find('a')

  // What is selected is what is given.
  const query = books.where('author', '=', 'Butler').select('title', 'rating')
  type Selected = Pick<BookItem, 'title' | 'rating'>
  same<Equal<typeof query, Query<BookItem, Selected>>>()
  same<Equal<Awaited<ReturnType<typeof query.page>>, Page<Selected>>>()
  const first = await query.first()
  same<Equal<typeof first, Selected | undefined>>()
  const all = await query.sortBy('title').limit(5).all({ max: 5 })
  same<Equal<typeof all, Selected[]>>()
  for await (const item of query.where('price', '<', 5)) {
    same<Equal<typeof item, Selected>>()
    // @ts-expect-error a column that was not selected
    item.price
  }
  for await (const item of tracks.query()) same<Equal<typeof item.plays, bigint>>()
  // @ts-expect-error a selected column that there is not
  query.select('isbn')
  // @ts-expect-error a token is a text
  query.after(5)
  // @ts-expect-error an option that there is not
  await query.page({ maxItems: 5 })
  // @ts-expect-error a signal is no number
  await query.count({ signal: 5 })
  same<Equal<Awaited<ReturnType<typeof query.count>>, number>>()
  same<Equal<Awaited<ReturnType<typeof query.exists>>, boolean>>()
}
void reads

async function writes(): Promise<void> {
  const track = await tracks.create({ id: 'a', plays: 1n, artists: [] })
  same<Equal<typeof track, ItemOf<typeof Track>>>()
  // @ts-expect-error a column that is missing
  await tracks.create({ id: 'a', artists: [] })
  // @ts-expect-error a number for a bigint
  await tracks.create({ id: 'a', plays: 1, artists: [] })
  // @ts-expect-error one of several is wrong
  await tracks.createMany([{ id: 'a', plays: 1n, artists: [] }, { id: 'b' }])
  // @ts-expect-error an element of another type
  await tracks.put({ id: 'a', plays: 1n, artists: [5] })

  // A patch has some columns; null removes, undefined leaves.
  const updated = await books.update(id, { price: 5, rating: null, genre: undefined })
  same<Equal<typeof updated, BookItem>>()
  await books.update(id, {}, { upsert: true, when: (query) => query.where('price', '>', 5), expect: 1 })
  // @ts-expect-error no such column
  await books.update(id, { isbn: 'a' })
  // @ts-expect-error Y10: null in a required column
  await books.update(id, { tags: null })
  // @ts-expect-error Y10: null in a column with a default
  await books.update(id, { state: null })
  // @ts-expect-error Y10: a column of the key
  await books.update(id, { title: 'b' })
  // @ts-expect-error a value of another type
  await books.update(id, { price: '5' })
  // @ts-expect-error a number for a bigint
  await books.update(id, { sold: 5 })
  // @ts-expect-error no sort column
  await books.update({ author: 'Butler' }, { price: 5 })
  // @ts-expect-error a condition on no column
  await books.update(id, {}, { when: (query) => query.where('isbn', '=', 'a') })
  // @ts-expect-error a version is a number
  await books.update(id, {}, { expect: '1' })
  // @ts-expect-error an option of delete
  await books.update(id, {}, { mustExist: true })
  await tracks.update({ id: 'a' }, {}, { add: { length: 1 } })

  const deleted = await books.delete(id, { mustExist: true, when: (query) => query.where('price', '=', 5) })
  same<Equal<typeof deleted, BookItem | undefined>>()
  // @ts-expect-error no sort column
  await books.delete({ author: 'Butler' })
  // @ts-expect-error an option of update
  await books.delete(id, { upsert: true })

  await books.update(id, {}, { add: { price: 1, sold: 1n }, append: { tags: ['a'] }, remove: ['genre'] })
  await books.update(
    id,
    {},
    { setAdd: { labels: [1] }, ifNotExists: { state: 'a' }, set: [[['details', 'pages'], 5]] },
  )
  // @ts-expect-error a number is what is added
  await books.update(id, {}, { add: { price: '1' } })
  // @ts-expect-error a list is what is appended
  await books.update(id, {}, { append: { tags: 'a' } })
  await books.batch({ delete: [id] })
  // @ts-expect-error no sort column in a batch
  await books.batch({ delete: [{ author: 'Butler' }] })
  await transact([books.prepare.update(id, { price: 5 }), books.prepare.check(id), books.prepare.delete(id)])
  // @ts-expect-error a write that is made at once
  await transact([books.update(id, { price: 5 })])
  // @ts-expect-error no sort column in a transaction
  books.prepare.delete({ author: 'Butler' })

  // A snapshot gives an item, or none, for each read, of its own model.
  const [book, hit, again] = await transactFind([
    books.prepare.find(id),
    tracks.prepare.find({ id: 'a' }),
    books.prepare.find(id),
  ])
  same<Equal<typeof book, BookItem | undefined>>()
  same<Equal<typeof hit, ItemOf<typeof Track> | undefined>>()
  same<Equal<typeof again, BookItem | undefined>>()
  const reads = ['a', 'b'].map((each) => tracks.prepare.find({ id: each }))
  same<
    Equal<
      Awaited<ReturnType<typeof transactFind<ItemOf<typeof Track>[]>>>,
      (ItemOf<typeof Track> | undefined)[]
    >
  >()
  const listed = await transactFind(reads, { signal: new AbortController().signal })
  same<Equal<typeof listed, (ItemOf<typeof Track> | undefined)[]>>()
  const frozen = await transactFind([books.prepare.find(id), tracks.prepare.find({ id: 'a' })] as const)
  same<Equal<typeof frozen, [BookItem | undefined, ItemOf<typeof Track> | undefined]>>()
  const mixed = await transactFind([...reads, books.prepare.find(id)])
  same<Equal<(typeof mixed)[number], BookItem | ItemOf<typeof Track> | undefined>>()
  same<Equal<Awaited<ReturnType<typeof transactFind<[]>>>, []>>()
  // @ts-expect-error no sort column in a snapshot
  books.prepare.find({ author: 'Butler' })
  // @ts-expect-error the key of another model
  books.prepare.find({ id: 'a' })
  // @ts-expect-error a key column of another type
  tracks.prepare.find({ id: 7 })
  // @ts-expect-error an item that may not be there
  book.title
  // @ts-expect-error a read that is on its way already
  await transactFind([books.find(id)])
  // @ts-expect-error a write is no read
  await transactFind([books.prepare.delete(id)])
  // @ts-expect-error a read is no write
  await transact([books.prepare.find(id)])
  // @ts-expect-error an option of transact
  await transactFind([books.prepare.find(id)], { token: 'a' })
  const reason = {} as TransactionReason
  same<Equal<typeof reason.index, number>>()
}
void writes

// Options are those of each backend.
new DynamoDbBackend(Book, {
  scan: 'allow',
  tokenSecret: 'a secret of tokens',
  encryptTokens: true,
  version: 'price',
  ttl: 'price',
})
new DynamoDbBackend(Book, {
  numbers: 'bigint',
  dates: 'seconds',
  consistent: true,
  hydrate: true,
  validate: 'both',
})
new DynamoDbBackend(Book, { client: { send: async () => ({}) } })
new MemoryBackend(Track, {
  scan: 'error',
  tokenSecret: 'a secret of tokens',
  version: 'length',
  ttl: 'length',
})
// @ts-expect-error an option that there is not
new DynamoDbBackend(Book, { table: 'books' })
// @ts-expect-error a word that there is not
new DynamoDbBackend(Book, { scan: 'yes' })
// @ts-expect-error another word that there is not
new DynamoDbBackend(Book, { numbers: 'exact' })
// @ts-expect-error a region is no client
new DynamoDbBackend(Book, { client: 'eu-central-1' })
new MemoryBackend(Track, { consistent: true })
// @ts-expect-error a database that it does not stand for
new MemoryBackend(Track, { like: 'redis' })
// @ts-expect-error SQL has no prepared writes
new MemoryBackend(Track, { like: 'sql' }).prepare.create({ id: 'a' })
// @ts-expect-error SQL has no prepared reads
new MemoryBackend(Track, { like: 'sql' }).prepare.find({ id: 'a' })
// @ts-expect-error DynamoDB has no transactions with a function
void new MemoryBackend(Track).transaction(async () => 1)
// @ts-expect-error a secret is a text
new MemoryBackend(Track, { tokenSecret: 5 })

// A queue creates, and does nothing else.
const Order = model({ name: 'https://queue', schema: z.object({ id: z.string(), count: z.number() }) })
const orders = new SqsBackend(Order, {
  groupId: ({ id: group }) => group,
  delaySeconds: ({ count }) => count,
})
void orders.create({ id: 'a', count: 1 })
// @ts-expect-error a column that is missing
void orders.create({ id: 'a' })
// @ts-expect-error a queue finds nothing
orders.find({ id: 'a' })
// @ts-expect-error a queue has no queries
orders.where('id', '=', 'a')
// @ts-expect-error a queue has no key
new SqsBackend(Track)
// @ts-expect-error a group is a text
new SqsBackend(Order, { groupId: ({ count }) => count })
// @ts-expect-error an option of a table
new SqsBackend(Order, { scan: 'allow' })
