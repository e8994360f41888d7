import { ConditionError } from '../../errors/index.ts'
import { checkedUpdate, freshItem } from './checked-changes.ts'
import { checkOptions } from '../../core/options.ts'
import type { Patch, DeleteOptions, WriteConditions } from '../capabilities.ts'
import { keyId } from './key-id.ts'
import {
  type Precondition,
  conditionChecks,
  deleteChecks,
  preconditionOf,
  updatePrecondition,
  versionedPut,
} from '../planning/preconditions.ts'
import { type DynamoDbUpdateOptions, updateOptionChecks } from './options.ts'
import { versioned } from '../planning/versions.ts'
import type { TableAccess } from './table-access.ts'
import type { PreparedWrite, TransactWrite } from './transact.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { WriteTarget } from './write-target.ts'
import { deleteInput, putInput, updateInput } from './writes.ts'

type Write = PreparedWrite['item']

/**
 * The writes of one table that `transact()` makes together with others. Nothing is sent before.
 *
 * @example
 * ```ts
 * import { DynamoDbBackend, type PreparedWrites, transact } from 'clearskies-middy/backends/dynamodb'
 * import { model } from 'clearskies-middy/backends/model'
 * import * as z from 'zod'
 *
 * const orders = new DynamoDbBackend(model({ name: 'orders', key: ['id'], schema: z.object({ id: z.string() }) }))
 * const writes: PreparedWrites<{ id: string }, { id: string }, { id: string }> = orders.prepare
 * await transact([writes.create({ id: '7' }), writes.delete({ id: '6' })])
 * ```
 */
export class PreparedWrites<TItem extends object, TInput, TKey extends object> {
  readonly #access: TableAccess<TItem, TInput>

  private constructor(access: TableAccess<TItem, TInput>) {
    this.#access = access
  }

  /** @internal */
  static of<TItem extends object, TInput, TKey extends object>(
    access: TableAccess<TItem, TInput>,
  ): PreparedWrites<TItem, TInput, TKey> {
    return new PreparedWrites(access)
  }

  /** Stores a new item. */
  create(data: TInput): TransactWrite {
    return this.#prepared(async (target) => {
      const item = versioned(await this.#access.checks.validate(data), this.#access.version)
      const Put = putInput(target, item, { item: 'new' })
      return [{ Put }, Put.Item]
    })
  }

  /** Stores an item whether or not there is one of its key. */
  put(data: TInput, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.put', options, conditionChecks)
    return this.#prepared(async (target) => {
      const valid = await this.#access.checks.validate(data)
      const { item, precondition } = versionedPut(valid, options, this.#access.version)
      const Put = putInput(target, item, precondition)
      return [{ Put }, Put.Item]
    })
  }

  /** Changes an existing item. */
  update(
    key: TKey,
    patch: Patch<TItem, keyof TKey & string>,
    options: DynamoDbUpdateOptions<TItem> = {},
  ): TransactWrite {
    checkOptions('prepare.update', options, updateOptionChecks)
    return this.#prepared(async (target) => {
      const { checks, version } = this.#access
      const precondition = updatePrecondition(patch, options, target.version)
      const asked = { key, patch, changes: options }
      const update = await checkedUpdate(checks, target, asked)
      if (options.upsert === true && (await freshItem(checks, version, asked)).isFilled)
        throw new ConditionError('An upsert of a transaction cannot fill in defaults: give them in the patch')
      const input = updateInput(target, update, precondition)
      if (input === undefined) return conditionCheck(target, key, precondition)
      const { ReturnValues: _, UpdateExpression = '', ...rest } = input
      return [{ Update: { ...rest, UpdateExpression } }, rest.Key]
    })
  }

  /** Removes an item. */
  delete(key: TKey, options: DeleteOptions<TItem> = {}): TransactWrite {
    checkOptions('prepare.delete', options, deleteChecks)
    return this.#prepared((target) => {
      const { ReturnValues: _, ...Delete } = deleteInput(target, key, preconditionOf(options, target.version))
      return [{ Delete }, Delete.Key]
    })
  }

  /** Writes nothing: the item must be there, and meet the conditions. */
  check(key: TKey, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.check', options, conditionChecks)
    return this.#prepared((target) =>
      conditionCheck(target, key, { ...preconditionOf(options, target.version), item: 'existing' }),
    )
  }

  #prepared(
    make: (target: WriteTarget) => [Write, AttributeItem] | Promise<[Write, AttributeItem]>,
  ): TransactWrite {
    const access = this.#access
    return {
      'a write that is not sent yet: use backend.prepare': {
        connection: access.connection,
        async build() {
          const target = await access.target()
          const [item, wire] = await make(target)
          return { item, wire, id: `${target.name} ${keyId(wire, target.table.key)}` }
        },
      },
    }
  }
}

function conditionCheck(
  target: WriteTarget,
  key: object,
  precondition: Precondition,
): [Write, AttributeItem] {
  const {
    ReturnValues: _,
    ConditionExpression = '',
    ...rest
  } = deleteInput(target, key, { ...precondition, item: 'existing' })
  return [{ ConditionCheck: { ...rest, ConditionExpression } }, rest.Key]
}
