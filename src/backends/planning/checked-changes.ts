import { isNumeric } from '../../core/is-numeric.ts'
import { ConditionError, ValidationError } from '../../errors/index.ts'
import type { UnknownRecord } from '../../core/record.ts'
import type { Model } from '../model.ts'
import type { Changes, Path, Update } from './changes.ts'
import { type VersionColumn, versioned } from './versions.ts'
import type { Table } from './table.ts'

/** What {@link Model} checks an update with. */
type Checking = Pick<Model<never, never>, 'checkPatch' | 'checkElements' | 'kind' | 'has'>

/**
 * An update with everything that it writes into whole columns checked by their schemas. What it does inside of columns is
 * checked as far as the schema tells: numbers that are added, and elements of lists and sets.
 *
 * @throws ValidationError, ColumnError
 */
export async function checkedUpdate(
  model: Checking,
  { table, version }: { readonly table: Pick<Table, 'key'>; readonly version: string | undefined },
  { key, patch, changes }: Update,
): Promise<Update> {
  const exempt = [...table.key, ...(version === undefined ? [] : [version])]
  const check = (values: object): Promise<UnknownRecord> => model.checkPatch(values, exempt)
  const patched = await model.checkPatch(patch, exempt, true)
  if (!hasChanges(changes)) return { key, patch: patched, changes }
  const { ifNotExists, set, remove, add = {}, append, prepend, setAdd } = changes
  for (const [column, number] of Object.entries(add))
    if (isNumeric(number)) refuseSum(model.kind(column), column)
  const removed = (remove ?? []).flatMap((path) => wholeColumn(path) ?? [])
  await check(Object.fromEntries(removed.map((column) => [column, null])))
  return {
    key,
    patch: patched,
    changes: {
      ...changes,
      ...(ifNotExists && { ifNotExists: await check(ifNotExists) }),
      ...(set && { set: await Promise.all(set.map((place) => checkedPlace(place, check))) }),
      ...(append && { append: await checkedLists(model, append) }),
      ...(prepend && { prepend: await checkedLists(model, prepend) }),
      ...(setAdd && { setAdd: await checkedLists(model, setAdd) }),
    },
  }
}

const changeNames = [
  'add',
  'append',
  'prepend',
  'setAdd',
  'setDelete',
  'ifNotExists',
  'set',
  'remove',
] as const

function hasChanges(changes: Changes): boolean {
  return changeNames.some((name) => changes[name] !== undefined)
}

/** The column of a path that goes no further. */
function wholeColumn(path: Path): string | undefined {
  if (typeof path === 'string') return path
  const [column, ...others] = path
  return typeof column === 'string' && others.length === 0 ? column : undefined
}

async function checkedPlace(
  [path, value]: readonly [Path, unknown],
  check: (values: object) => Promise<UnknownRecord>,
): Promise<readonly [Path, unknown]> {
  const column = wholeColumn(path)
  if (column === undefined) return [path, value]
  const { [column]: checked } = await check({ [column]: value })
  return [path, checked]
}

async function checkedLists(
  model: Checking,
  lists: Readonly<Record<string, readonly unknown[]>>,
): Promise<Record<string, readonly unknown[]>> {
  const checked = Object.entries(lists).map(
    async ([column, elements]) => [column, await model.checkElements(column, elements)] as const,
  )
  return Object.fromEntries(await Promise.all(checked))
}

/** What is no number is refused where the request is written. */
function refuseSum(kind: string | undefined, column: string): void {
  if (kind === undefined || kind === 'number' || kind === 'bigint' || kind === 'decimal') return
  throw new ValidationError('The patch is not valid', {
    errors: [{ path: [column], message: 'The column holds no number to add to' }],
  })
}

/** The item that an update makes where there is none: what it sets, and what it adds to nothing. */
function candidateOf({ key, patch, changes }: Update, columns: Pick<Model, 'has'>): UnknownRecord {
  const { add = {}, append = {}, prepend = {}, setAdd = {}, ifNotExists = {}, set = [] } = changes
  const whole = set.flatMap(([path, value]) => {
    const column = wholeColumn(path)
    return column === undefined ? [] : [[column, value] as const]
  })
  const sets = Object.entries(setAdd).map(([column, members]) => [column, new Set(members)] as const)
  const all = {
    ...add,
    ...append,
    ...prepend,
    ...Object.fromEntries(sets),
    ...ifNotExists,
    ...Object.fromEntries(whole),
    ...patch,
    ...key,
  }
  return Object.fromEntries(
    Object.entries(all).filter(([column, value]) => value !== undefined && columns.has(column)),
  )
}

/** The item that an upsert makes where there is none, and whether the schema has filled something in. */
export async function freshItem(
  model: Pick<Model<never, never>, 'newItem' | 'has'>,
  version: VersionColumn | undefined,
  update: Update,
): Promise<{ readonly fresh: UnknownRecord; readonly isFilled: boolean }> {
  const candidate = versioned(candidateOf(update, model), version)
  const fresh = versioned(await model.newItem(candidate), version)
  const isFilled = Object.entries(fresh).some(
    ([column, value]) => value !== undefined && !Object.hasOwn(candidate, column),
  )
  return { fresh, isFilled }
}

/** A transaction has one write for an item that may be there or not, and defaults belong into a new one alone. */
export function unfilledUpsert(): ConditionError {
  return new ConditionError('An upsert of a transaction cannot fill in defaults: give them in the patch')
}
