import { MalformedJsonError } from '../errors/index.ts'

/**
 * Parses JSON. Skips a byte order mark. `__proto__` becomes an ordinary own property, as with `JSON.parse`.
 *
 * @param what - What the text is, for the error's message: `The request body`.
 * @throws MalformedJsonError, which says where the text breaks. V8's own error would quote the text.
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return parseMarked(text, what)
  }
}

/** Only few texts begin with a mark, which `JSON.parse` refuses. */
function parseMarked(text: string, what: string): unknown {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0
  try {
    return JSON.parse(text.slice(start))
  } catch {
    throw new MalformedJsonError(what, breakingPoint(text, start))
  }
}

/** JSON where the text is JSON, else the text. */
export function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A copy of a JSON value: what is changed in it is not changed in the original. What is not JSON is shared. */
export function cloneJson(value: unknown): unknown {
  const copies = new Map<unknown, unknown>()
  const left: object[] = []
  const copyOf = (original: unknown): unknown => {
    if (typeof original !== 'object' || original === null) return original
    if (copies.has(original)) return copies.get(original)
    const copy = shallowCopy(original)
    copies.set(original, copy)
    if (copy !== original) left.push(copy)
    return copy
  }
  const copy = copyOf(value)
  // A stack of its own: a payload may be nested more deeply than functions can call each other.
  for (let node = left.pop(); node !== undefined; node = left.pop())
    for (const [key, child] of Object.entries(node)) Reflect.set(node, key, copyOf(child))
  return copy
}

function shallowCopy(value: object): object {
  if (Array.isArray(value)) return Array.from<unknown>(value)
  return Object.getPrototypeOf(value) === Object.prototype ? { ...value } : value
}

const space = /[ \t\n\r]*/y
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?)(?![\w.+-])|/y
const value = '[{"0' // The first characters of values. 0 stands for numbers and words.

/** The offset of the first token that is not allowed where it stands. Reads each character once. */
function breakingPoint(text: string, at: number): number {
  const closing: string[] = [] // The closing brackets that are still to come.
  let allowed = value // The first characters that the next token may have.
  for (;;) {
    at = matchEnd(space, text, at)
    const char = text.charAt(at)
    const first = /[[\]{},:"]/.test(char) ? char : '0'
    const end = first === '0' ? matchEnd(scalar, text, at) : first === '"' ? stringEnd(text, at) : at + 1
    if (end === at || !allowed.includes(first)) return at
    at = end
    if (first === '{' || first === '[') {
      closing.push(first === '{' ? '}' : ']')
      allowed = first === '{' ? '"}' : `${value}]`
    } else if (first === ',') {
      allowed = closing.at(-1) === '}' ? '"' : value
    } else if (first === ':') {
      allowed = value
    } else if (first === '"' && !allowed.includes('0')) {
      allowed = ':' // The string was a key.
    } else {
      if (first === '}' || first === ']') closing.pop()
      allowed = closing.length > 0 ? `,${closing.at(-1)}` : ''
    }
  }
}

/** The offset behind a string's closing quote, or `start` if the string has no end. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; text.charCodeAt(at) >= 0x20; at++) {
    const char = text.charAt(at)
    if (char === '"') return at + 1
    if (
      char === '\\' &&
      !/["\\/bfnrt]/.test(text.charAt(++at)) &&
      !/^u[\dA-Fa-f]{4}/.test(text.slice(at, at + 5))
    )
      break
  }
  return start
}

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  pattern.test(text)
  return pattern.lastIndex
}
