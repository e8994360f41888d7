import { tell } from '../../core/ignore.ts'
import { InvalidDataError, TransactionError } from '../../errors/index.ts'
import { located } from '../planning/located.ts'
import { foreignPart } from '../planning/transact.ts'
import type { Input, Output, TableCall } from './connection.ts'
import { clientFailure } from './failure.ts'
import type { TableAccess } from './table-access.ts'

/** What is asked for together with others, and the table that it is of. */
export interface TransactPart<T> {
  readonly access: Pick<TableAccess, 'connection' | 'options'>
  readonly build: () => Promise<T>
}

/** What the sent form of a part has in any case. */
export interface BuiltPart {
  readonly table: string
  /** Tells the item from every other. */
  readonly id: string
}

/** A part in its sent form, and which one it is. */
export type PlacedPart<T> = T & { readonly position: number }

/** The parts of one request, of one table or of several. */
export class Parts<T extends BuiltPart> {
  readonly #parts: TransactPart<T>[] = []

  /** Adds a part, and gives its position. */
  add(part: TransactPart<T>): number {
    return this.#parts.push(part) - 1
  }

  /** The parts in their sent form. @throws ConditionError for those of several clients */
  async built(): Promise<PlacedPart<T>[]> {
    const clients = await Promise.all(this.#parts.map(({ access }) => access.connection.client()))
    if (new Set(clients).size > 1) throw foreignPart()
    return Promise.all(this.#parts.map(async ({ build }, position) => ({ ...(await build()), position })))
  }

  /**
   * Sends some parts. Each backend is told what its own table consumes.
   *
   * @throws TransactionError, InvalidDataError
   */
  async call<TOperation extends 'TransactWriteItems' | 'TransactGetItems'>(
    operation: TOperation,
    input: Input<TOperation>,
    { parts, ...call }: TableCall & { readonly parts: readonly PlacedPart<BuiltPart>[] },
  ): Promise<Output<TOperation> | undefined> {
    const accesses = this.#parts.map(({ access }) => access)
    const listeners = parts.flatMap(({ table, position }) => {
      const { onCapacity } = accesses[position]?.options ?? {}
      return onCapacity === undefined ? [] : [{ table, onCapacity }]
    })
    const asked = { ...input, ...(listeners.length > 0 && { ReturnConsumedCapacity: 'INDEXES' as const }) }
    try {
      return await accesses[0]?.connection.call(operation, asked, {
        ...call,
        tables: [...new Set(parts.map(({ table }) => table))],
        onCapacity(consumed) {
          const told = listeners.filter(({ table }) => table === consumed.TableName)
          for (const listener of new Set(told.map(({ onCapacity }) => onCapacity))) tell(listener, consumed)
        },
      })
    } catch (cause) {
      throw explained(cause, parts)
    }
  }
}

/** Why a transaction was cancelled, by the places of its parts. */
function explained(cause: unknown, parts: readonly PlacedPart<BuiltPart>[]): unknown {
  const { name, message = '', CancellationReasons: reasons = [] } = clientFailure(cause)
  if (name === 'ValidationException' && message.includes('too large'))
    return new InvalidDataError(
      'The items of the transaction are more together than DynamoDB gives at once',
      { cause },
    )
  if (name !== 'TransactionCanceledException') return cause
  const found = reasons.flatMap(({ Code: code = 'None' }, index) =>
    code === 'None' ? [] : [{ index: parts[index]?.position ?? index, code }],
  )
  const codes = new Set(found.map(({ code }) => code))
  if (codes.has('ValidationError') && !codes.has('ConditionalCheckFailed'))
    return new InvalidDataError('DynamoDB refuses a part of the transaction as it stands', { cause })
  return located(new TransactionError(found, { cause }), clientFailure(cause))
}
