import { asRecord } from '../../core/record.ts'
import type { UnknownRecord } from '../../core/record.ts'
import type { ValueShape } from '../../wire/value-shape.ts'

/** What a column holds, where that makes a difference to a database. */
export type ColumnKind =
  | 'string'
  | 'number'
  | 'bigint'
  | 'decimal'
  | 'boolean'
  | 'date'
  | 'bytes'
  | 'array'
  | 'set'
  | 'object'
  | 'json'
  | 'null'
  | 'undefined'

/** What a schema tells of a value. There is no standard for it yet: zod's and valibot's own members are read. */
export interface SchemaShape extends ValueShape {
  readonly kind: ColumnKind | undefined
  readonly members?: ReadonlyMap<string, SchemaShape> | undefined
  readonly element?: SchemaShape | undefined
  readonly items?: readonly SchemaShape[] | undefined
  /** Whether `null` is a value. */
  readonly isNullable: boolean
  /** Whether it may be left out of what is given. */
  readonly isOptional: boolean
  /** Whether an item may be without a value here: a default fills it in. */
  readonly mayLack: boolean
  /** Whether an object may have members that are not named. */
  readonly isLoose?: boolean
  /** Whether it is a date or a bigint, or else something of another kind. */
  readonly isAmbiguous?: boolean
  /** Whether it is one of several words: a database may have a type for those, with an order of its own. */
  readonly isChoice?: boolean
}

/** Of which nothing is known. */
export const unknownShape: SchemaShape = {
  kind: undefined,
  isNullable: false,
  isOptional: false,
  mayLack: false,
}

/** Deeper than any stored value that a schema describes by hand; a schema may contain itself. */
const maxSchemaDepth = 7

const columnKinds: Readonly<Record<string, ColumnKind>> = {
  string: 'string',
  template_literal: 'string',
  to_string: 'string',
  number: 'number',
  int: 'number',
  to_number: 'number',
  bigint: 'bigint',
  to_bigint: 'bigint',
  boolean: 'boolean',
  to_boolean: 'boolean',
  date: 'date',
  to_date: 'date',
}

/** Schemas of some words, or of one. */
const choices: ReadonlySet<string> = new Set(['literal', 'enum', 'picklist'])

/** The shape of a schema. */
export function shapeOf(schema: unknown, depth = 0): SchemaShape {
  const part = asRecord(schema)
  if (part === undefined || depth > maxSchemaDepth) return unknownShape
  // zod's are in `def`; valibot's are the schema's own.
  const def = asRecord(part['def']) ?? part
  const type = String(part['type'] ?? def['type'])
  const inner = def['innerType'] ?? def['wrapped']
  if (inner !== undefined) return wrappedShape(type, shapeOf(inner, depth), hasDefault(part))
  if (Array.isArray(part['pipe'])) return pipedShape(part['pipe'], { ...part, pipe: undefined }, depth)
  if (type === 'pipe')
    return schemaType(def['out']) === 'transform' ? unknownShape : shapeOf(def['out'], depth)
  if (type === 'lazy') return lazyShape(def['getter'], depth)
  if (type === 'intersection' || type === 'intersect') return intersectedShape(partsOfSchema(def), depth)
  if (type === 'union' || type === 'variant')
    return unionOf(partsOfSchema(def).map((each) => shapeOf(each, depth)))
  const shape = structureOf(type, def, depth)
  if (shape !== undefined) return shape
  return { ...unknownShape, kind: scalarKind(type, part, def), isChoice: choices.has(type) }
}

function schemaType(schema: unknown): string {
  const part = asRecord(schema)
  return String(part?.['type'] ?? asRecord(part?.['def'])?.['type'])
}

/** valibot's wrappers have a default of their own; zod's methods have the same name. */
function hasDefault(part: UnknownRecord): boolean {
  return part['kind'] === 'schema' && part['default'] !== undefined
}

function wrappedShape(type: string, inner: SchemaShape, isFilled: boolean): SchemaShape {
  switch (type) {
    case 'nullable':
      return { ...inner, isNullable: true, mayLack: isFilled ? inner.mayLack : true }
    case 'nullish':
      return { ...inner, isNullable: true, isOptional: true, mayLack: isFilled ? inner.mayLack : true }
    case 'optional':
    case 'exact_optional':
    case 'undefinedable':
      return { ...inner, isOptional: true, mayLack: isFilled ? inner.mayLack : true }
    case 'default':
    case 'prefault':
      return { ...inner, isOptional: true, mayLack: inner.isNullable }
    case 'nonoptional':
    case 'non_optional':
      return { ...inner, isOptional: false, mayLack: inner.isNullable }
    case 'non_nullable':
      return { ...inner, isNullable: false, mayLack: inner.isOptional }
    case 'non_nullish':
      return { ...inner, isNullable: false, isOptional: false, mayLack: false }
    case 'promise':
      return unknownShape
    default:
      return inner
  }
}

/** A schema and what follows it: a transformation ends what is known, and a schema behind it begins anew. */
function pipedShape(pipe: readonly unknown[], own: UnknownRecord, depth: number): SchemaShape {
  let shape = shapeOf(own, depth)
  for (const step of pipe.slice(1)) {
    const { kind, type } = asRecord(step) ?? {}
    if (kind === 'schema') shape = shapeOf(step, depth)
    if (kind !== 'transformation') continue
    if (typeof type === 'string' && Object.hasOwn(columnKinds, type))
      shape = { ...unknownShape, kind: columnKinds[type] }
    else if (type === 'transform' || type === 'raw_transform' || String(type).startsWith('parse'))
      shape = unknownShape
  }
  return shape
}

function lazyShape(getter: unknown, depth: number): SchemaShape {
  return typeof getter === 'function'
    ? shapeOf(Reflect.apply(getter, undefined, []), depth + 1)
    : unknownShape
}

function partsOfSchema({ left, right, options }: UnknownRecord): readonly unknown[] {
  return Array.isArray(options) ? options : [left, right]
}

function intersectedShape(parts: readonly unknown[], depth: number): SchemaShape {
  const shapes = parts.map((part) => shapeOf(part, depth))
  if (shapes.some(({ members }) => members === undefined)) return unknownShape
  const members = new Map<string, SchemaShape>()
  for (const shape of shapes) for (const [name, member] of shape.members ?? []) members.set(name, member)
  return { ...unknownShape, kind: 'object', members, isLoose: shapes.some(({ isLoose }) => isLoose === true) }
}

/** What one of several shapes is: what they agree in. */
function unionOf(all: readonly SchemaShape[]): SchemaShape {
  const shapes = all.filter(({ kind }) => kind !== 'null' && kind !== 'undefined')
  const flags = {
    isNullable: all.some(({ kind, isNullable }) => isNullable || kind === 'null'),
    isOptional: all.some(({ kind, isOptional }) => isOptional || kind === 'undefined'),
    mayLack: all.length > shapes.length || all.some(({ mayLack }) => mayLack),
  }
  const [first = unknownShape, ...others] = shapes
  if (others.length === 0) return { ...first, ...flags }
  const found = new Set(shapes.map(({ kind }) => kind))
  if (found.size > 1) {
    const isAmbiguous = found.has('date') || found.has('bigint') || shapes.some((shape) => shape.isAmbiguous)
    return { ...unknownShape, ...flags, isAmbiguous }
  }
  return { ...mergedShape(shapes), ...flags }
}

/** Several shapes of one kind. */
function mergedShape(shapes: readonly SchemaShape[]): SchemaShape {
  const [first = unknownShape] = shapes
  const elements = shapes.flatMap(({ element, items = [] }) => [element ?? [], items].flat())
  const names = new Set(shapes.flatMap(({ members }) => [...(members?.keys() ?? [])]))
  const members = new Map<string, SchemaShape>()
  for (const name of names) {
    const named = shapes.flatMap((shape) => shape.members?.get(name) ?? [])
    const merged = unionOf(named)
    members.set(name, named.length < shapes.length ? { ...merged, isOptional: true, mayLack: true } : merged)
  }
  return {
    ...unknownShape,
    kind: first.kind,
    ...(names.size > 0 && { members }),
    ...(elements.length > 0 && { element: unionOf(elements) }),
    isLoose: shapes.some(({ isLoose }) => isLoose === true),
    isAmbiguous: shapes.some(({ isAmbiguous }) => isAmbiguous === true),
    isChoice: shapes.every(({ isChoice }) => isChoice === true),
  }
}

function structureOf(type: string, def: UnknownRecord, depth: number): SchemaShape | undefined {
  const inside = (schema: unknown): SchemaShape => shapeOf(schema, depth + 1)
  const parts = asRecord(def['shape'] ?? def['entries'])
  if (/^(?:(?:strict|loose)_)?object(?:_with_rest)?$/.test(type)) {
    const members = new Map(Object.entries(parts ?? {}).map(([name, part]) => [name, inside(part)]))
    const { rest, catchall } = def
    const isLoose =
      type === 'loose_object' ||
      rest !== undefined ||
      (catchall !== undefined && schemaType(catchall) !== 'never')
    return { ...unknownShape, kind: 'object', members, isLoose }
  }
  if (type === 'array')
    return { ...unknownShape, kind: 'array', element: inside(def['element'] ?? def['item']) }
  if (/^(?:(?:strict|loose)_)?tuple(?:_with_rest)?$/.test(type)) {
    const { items, rest } = def
    const list = Array.isArray(items) ? items.map(inside) : []
    return { ...unknownShape, kind: 'array', items: list, element: inside(rest) }
  }
  const value = inside(def['valueType'] ?? def['value'])
  if (type === 'record') return { ...unknownShape, kind: 'object', element: value, isLoose: true }
  return type === 'set' ? { ...unknownShape, kind: 'set', element: value } : undefined
}

function scalarKind(type: string, part: UnknownRecord, def: UnknownRecord): ColumnKind | undefined {
  const { bag } = asRecord(part['_zod']) ?? {}
  if ((part['class'] ?? asRecord(bag)?.['Class']) === Uint8Array) return 'bytes'
  if (type === 'null' || type === 'undefined') return type
  if (Object.hasOwn(columnKinds, type)) return columnKinds[type]
  return choices.has(type) ? kindOfAll(wordsOf(part, def)) : undefined
}

function wordsOf(part: UnknownRecord, def: UnknownRecord): readonly unknown[] {
  if ('literal' in def) return [def['literal']]
  const words = part['options'] ?? def['values']
  return Array.isArray(words) ? words : []
}

/** The kind of values that are all of one. */
function kindOfAll(values: readonly unknown[]): ColumnKind | undefined {
  const [type, ...others] = new Set(values.map((value) => typeof value))
  return type !== undefined && others.length === 0 ? columnKinds[type] : undefined
}
