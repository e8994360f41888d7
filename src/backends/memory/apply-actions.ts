import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type AttributeItem, setOwn } from '../../wire/attribute-value.ts'
import { numberId } from '../../wire/number-text.ts'
import { sumOf } from '../../wire/number-sum.ts'
import { type Action, missingPlace, unfitPlace } from '../planning/actions.ts'

/** A copy of an item with everything that an update does. All of it is done on what was there before. */
export function withActions(item: AttributeItem, actions: readonly Action[], title: string): AttributeItem {
  const next = structuredClone(item)
  // The last places first, for what is behind a removed element moves up.
  const removed = actions
    .filter(({ kind }) => kind === 'remove')
    .toSorted((a, b) => lastIndex(b) - lastIndex(a))
  for (const action of [...actions.filter(({ kind }) => kind !== 'remove'), ...removed]) {
    const place = actionPlace(next, action, title)
    const value = action.kind === 'remove' ? undefined : valueOf(action, place.value, title)
    place.put(value === undefined ? undefined : structuredClone(value))
  }
  return next
}

function lastIndex({ path }: Action): number {
  const last = typeof path === 'string' ? undefined : path.at(-1)
  return typeof last === 'number' ? last : 0
}

interface ActionPlace {
  readonly value: AttributeValue | undefined
  /** @param value - `undefined` takes away what is there */
  put(value: AttributeValue | undefined): void
}

function actionPlace(item: AttributeItem, { path }: Action, title: string): ActionPlace {
  const parts = typeof path === 'string' ? [path] : path
  let around: AttributeValue | undefined = { M: item }
  for (const part of parts.slice(0, -1)) around = partOf(around, part)
  const last = parts.at(-1)
  if (typeof last === 'number' && around?.L !== undefined) return elementOf(around.L, last)
  if (typeof last === 'string' && around?.M !== undefined) return memberOf(around.M, last)
  throw missingPlace(title)
}

function partOf(around: AttributeValue | undefined, part: string | number): AttributeValue | undefined {
  if (typeof part === 'number') return around?.L?.[part]
  const map = around?.M
  return map !== undefined && Object.hasOwn(map, part) ? map[part] : undefined
}

function memberOf(map: AttributeItem, name: string): ActionPlace {
  return {
    value: Object.hasOwn(map, name) ? map[name] : undefined,
    put: (value) => {
      if (value === undefined) Reflect.deleteProperty(map, name)
      else setOwn(map, name, value)
    },
  }
}

/** What is set behind the end of a list becomes its last element. */
function elementOf(list: AttributeValue[], index: number): ActionPlace {
  return {
    value: list[index],
    put: (value) => {
      if (value !== undefined) list[Math.min(index, list.length)] = value
      else if (index < list.length) list.splice(index, 1)
    },
  }
}

function valueOf(
  { kind, value }: Exclude<Action, { kind: 'remove' }>,
  old: AttributeValue | undefined,
  title: string,
): AttributeValue | undefined {
  if (kind === 'set') return value
  if (kind === 'fill') return old ?? value
  if (old === undefined) return kind === 'leave' ? undefined : value
  if (kind === 'add' && old.N !== undefined && value.N !== undefined) return { N: sumOf(old.N, value.N) }
  if (kind === 'join' || kind === 'leave') {
    if (old.SS !== undefined && value.SS !== undefined)
      return setValue(membersOf(kind, [old.SS, value.SS], String), (SS) => ({ SS }))
    if (old.NS !== undefined && value.NS !== undefined)
      return setValue(membersOf(kind, [old.NS, value.NS], numberId), (NS) => ({ NS }))
    if (old.BS !== undefined && value.BS !== undefined)
      return setValue(membersOf(kind, [old.BS, value.BS], base64), (BS) => ({ BS }))
  }
  if (old.L !== undefined && value.L !== undefined) {
    if (kind === 'append') return { L: [...old.L, ...value.L] }
    if (kind === 'prepend') return { L: [...value.L, ...old.L] }
  }
  throw unfitPlace(title)
}

function membersOf<T>(
  kind: 'join' | 'leave',
  [old, given]: readonly [readonly T[], readonly T[]],
  idOf: (member: T) => string,
): T[] {
  const members = new Map(old.map((member) => [idOf(member), member]))
  for (const member of given) {
    if (kind === 'leave') members.delete(idOf(member))
    else if (!members.has(idOf(member))) members.set(idOf(member), member)
  }
  return [...members.values()]
}

/** DynamoDB has no empty sets. */
function setValue<T>(members: T[], make: (members: T[]) => AttributeValue): AttributeValue | undefined {
  return members.length > 0 ? make(members) : undefined
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
