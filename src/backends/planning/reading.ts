import type { ReadingOptions } from '../../wire/unmarshall.ts'
import { type ValueShape, hasKind } from '../../wire/value-shape.ts'
import type { Model } from '../model.ts'

const typedKinds: ReadonlySet<string | undefined> = new Set(['bigint', 'date', 'decimal'])

/** The columns that are read, and those of which the stored form does not tell all. A version is compared, whatever other numbers become. */
export function shapesOf(
  model: Model,
  version: string | undefined,
): Pick<ReadingOptions, 'shapes' | 'columns'> {
  const columns = model.columns ?? []
  const shapes = new Map<string, ValueShape>()
  if (version !== undefined) shapes.set(version, { kind: 'version' })
  for (const column of columns) {
    const shape = model.shape(column)
    if (shape !== undefined && hasKind(shape, typedKinds)) shapes.set(column, shape)
  }
  return { ...(shapes.size > 0 && { shapes }), ...(!model.isLoose && { columns: new Set(columns) }) }
}
