import { isList, isRecord } from './record.ts'

/**
 * Writes an input as JSON: bytes as base64, a `Date` as seconds, and no member that is `null` or `undefined`, as the SDK
 * does. An input of texts and numbers takes a walk and no copy: a replacer would make `JSON.stringify` several times as
 * slow.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function inputText(input: object | undefined): string {
  return JSON.stringify(inputValue(input, '', 0) ?? {})
}

/** Deeper than any input that a service takes: what is nested so deep has a cycle, which `JSON.stringify` reports. */
const maxDepth = 200

/** The same value, or a copy where its parts are written as something else. `member` is of the input, for messages. */
function inputValue(value: unknown, member: string, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === undefined) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : refuse(String(value), member)
  if (typeof value !== 'object') return refuse(`a ${typeof value}`, member)
  if (value === null) return undefined
  // By what it is and not by its class: bytes of another realm are bytes, too.
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64')
  if (depth > maxDepth) return value
  if (isList(value)) return inputList(value, member, depth + 1)
  const tag = tagOf(value)
  if (tag === '[object Date]') return secondsOf(value, member)
  if (isEmptyInJson.has(tag)) return refuse(`a ${tag.slice(8, -1)}`, member)
  return isRecord(value) ? inputRecord(value, member, depth + 1) : value
}

/** What has no members, so that JSON would be `{}`. */
const isEmptyInJson: ReadonlySet<string> = new Set(['[object Map]', '[object Set]', '[object Promise]'])

/** What kind of object it is, in whatever realm it was made. */
function tagOf(value: object): string {
  return Object.getPrototypeOf(value) === Object.prototype ? '' : Object.prototype.toString.call(value)
}

/** All timestamps of these services are seconds since 1970, with a fraction. */
function secondsOf(date: object, member: string): number {
  const seconds = Number(date) / 1000
  return Number.isNaN(seconds) ? refuse('a Date without a time', member) : seconds
}

/** `JSON.stringify` would leave it out or write `null`, so that the service does something else than it was asked. */
function refuse(what: string, member: string): never {
  throw new TypeError(`The input has ${what} in "${member}", which JSON cannot hold`)
}

function inputList(list: readonly unknown[], member: string, depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const text = inputValue(list[index], member, depth)
    if (text === undefined) refuse('a list with an element that is null or undefined', member)
    if (text !== list[index]) (copy ??= [...list])[index] = text
  }
  return copy ?? list
}

function inputRecord(record: Readonly<Record<string, unknown>>, member: string, depth: number): object {
  let texts: Map<string, unknown> | undefined
  for (const name of Object.keys(record)) {
    const text = inputValue(record[name], depth === 1 ? name : member, depth)
    if (text !== record[name]) (texts ??= new Map<string, unknown>()).set(name, text)
  }
  if (texts === undefined) return record
  // A column may be called `__proto__`, which entries keep as a name.
  return Object.fromEntries(
    Object.keys(record).map((name) => [name, texts.has(name) ? texts.get(name) : record[name]]),
  )
}
