import { ConfigurationError } from '../../errors/index.ts'
import type { Model } from '../model.ts'
import type { Connection } from './connection.ts'
import { type Table, tableFrom, tableOf } from '../planning/table.ts'

/**
 * What is known of a model's table: from the model where it has a key, else from one `DescribeTable` that all share. A
 * failure is not kept.
 */
export function describedTable(model: Model, connection: Connection): () => Table | Promise<Table> {
  if (model.key.length > 0) {
    const table = tableOf(model)
    return () => table
  }
  let table: Table | undefined
  let describing: Promise<Table> | undefined

  async function describe(): Promise<Table> {
    try {
      const output = await connection.call('DescribeTable', { TableName: model.name })
      table = tableFrom(output.Table ?? {}, model)
      return table
    } catch (cause) {
      throw new ConfigurationError(
        `The key of the table "${model.name}" is not known: give model() its key and indexes, or the function the permission dynamodb:DescribeTable`,
        { cause },
      )
    } finally {
      describing = undefined
    }
  }
  return () => table ?? (describing ??= describe())
}
