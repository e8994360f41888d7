import { changesIn } from '../planning/changes.ts'
import { checkedUpdate, freshItem, unfilledUpsert } from '../planning/checked-changes.ts'
import { checkOptions } from '../../core/options.ts'
import type { Patch, DeleteOptions, WriteConditions } from '../capabilities.ts'
import { keyId } from '../planning/key-id.ts'
import { keyOf } from '../planning/keys.ts'
import {
  type Precondition,
  conditionChecks,
  deleteChecks,
  preconditionOf,
  updatePrecondition,
  versionedPut,
} from '../planning/preconditions.ts'
import {
  type DynamoDbUpdateOptions,
  type PreparedWrites,
  updateOptionChecks,
} from '../planning/prepared-writes.ts'
import { versioned } from '../planning/versions.ts'
import type { TableAccess } from './table-access.ts'
import type { BuiltPart } from './parts.ts'
import { DynamoDbTransaction, type PreparedWrite } from './transact.ts'
import { DynamoDbSnapshot, type PreparedRead } from './transact-find.ts'
import type { TransactWrite } from '../planning/transact.ts'
import type { PreparedReads, TransactRead } from '../planning/transact-find.ts'
import type { AttributeItem } from '../../wire/attribute-value.ts'
import type { WriteTarget } from './write-target.ts'
import { deleteInput, putInput, updateInput } from './writes.ts'

type Write = PreparedWrite['item']

/** The writes and reads of one table, each for a `TransactWriteItems` or a `TransactGetItems`. */
export class DynamoDbPrepare<TItem extends object, TInput, TKey extends object>
  implements PreparedWrites<TItem, TInput, TKey>, PreparedReads<TItem, TKey>
{
  readonly #access: TableAccess<TItem, TInput>

  constructor(access: TableAccess<TItem, TInput>) {
    this.#access = access
  }

  create(data: TInput): TransactWrite {
    return this.#prepared(async (target) => {
      const item = versioned(await this.#access.checks.validate(data), this.#access.version)
      const Put = putInput(target, item, { item: 'new' })
      return [{ Put }, Put.Item]
    })
  }

  put(data: TInput, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.put', options, conditionChecks)
    return this.#prepared(async (target) => {
      const valid = await this.#access.checks.validate(data)
      const { item, precondition } = versionedPut(valid, options, this.#access.version)
      const Put = putInput(target, item, precondition)
      return [{ Put }, Put.Item]
    })
  }

  update(
    key: TKey,
    patch: Patch<TItem, keyof TKey & string>,
    options: DynamoDbUpdateOptions<TItem> = {},
  ): TransactWrite {
    checkOptions('prepare.update', options, updateOptionChecks)
    return this.#prepared(async (target) => {
      const { checks, version } = this.#access
      const precondition = updatePrecondition(patch, options, target.version)
      const asked = { key, patch, changes: changesIn(options) }
      const update = await checkedUpdate(checks, target, asked)
      if (options.upsert === true && (await freshItem(checks, version, asked)).isFilled)
        throw unfilledUpsert()
      const input = updateInput(target, update, precondition)
      if (input === undefined) return conditionCheck(target, key, precondition)
      const { ReturnValues: _, UpdateExpression = '', ...rest } = input
      return [{ Update: { ...rest, UpdateExpression } }, rest.Key]
    })
  }

  delete(key: TKey, options: DeleteOptions<TItem> = {}): TransactWrite {
    checkOptions('prepare.delete', options, deleteChecks)
    return this.#prepared((target) => {
      const { ReturnValues: _, ...Delete } = deleteInput(target, key, preconditionOf(options, target.version))
      return [{ Delete }, Delete.Key]
    })
  }

  check(key: TKey, options: WriteConditions<TItem> = {}): TransactWrite {
    checkOptions('prepare.check', options, conditionChecks)
    return this.#prepared((target) =>
      conditionCheck(target, key, { ...preconditionOf(options, target.version), item: 'existing' }),
    )
  }

  find(key: TKey): TransactRead<TItem> {
    const access = this.#access
    const build = async (): Promise<PreparedRead> => {
      const target = await access.target()
      const wire = keyOf(target, key)
      return { key: wire, ...builtPart(target, wire) }
    }
    return {
      'a read that is not sent yet: use backend.prepare.find': {
        join(before) {
          const snapshot = DynamoDbSnapshot.of(before)
          const found = snapshot.add({ access, build })
          return { snapshot, item: () => access.present(found()) }
        },
      },
    }
  }

  #prepared(
    make: (target: WriteTarget) => [Write, AttributeItem] | Promise<[Write, AttributeItem]>,
  ): TransactWrite {
    const access = this.#access
    const build = async (): Promise<PreparedWrite> => {
      const target = await access.target()
      const [item, wire] = await make(target)
      return { item, wire, ...builtPart(target, wire) }
    }
    return {
      'a write that is not sent yet: use backend.prepare': {
        join: (transaction) => DynamoDbTransaction.with(transaction, { access, build }),
      },
    }
  }
}

function builtPart({ name: table, table: { key } }: WriteTarget, wire: AttributeItem): BuiltPart {
  return { table, id: `${table} ${keyId(wire, key)}` }
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
