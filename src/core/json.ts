import { MalformedJsonError } from '../errors/index.ts'

/**
 * Parses JSON. A byte order mark is skipped, `__proto__` becomes an ordinary own property (as `JSON.parse` does it).
 * The error says where the text breaks and never quotes it, because V8's own message does.
 *
 * @param what - Named in the error, for instance `The request body`.
 */
export function parseJson(text: string, what: string): unknown {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0
  try {
    return JSON.parse(text.slice(start))
  } catch {
    throw new MalformedJsonError(what, breakingPoint(text, start))
  }
}

const space = /[ \t\n\r]*/y
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?)(?![\w.+-])|/y
const value = '[{"0' // How values begin; 0 stands for numbers and words.

/** Where text stops being JSON: the offset of the first token that cannot stand there. Reads each character once. */
function breakingPoint(text: string, at: number): number {
  const closing: string[] = [] // What the open brackets end with.
  let allowed = value // How the next token may begin.
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
      allowed = ':' // It was a key.
    } else {
      if (first === '}' || first === ']') closing.pop()
      allowed = closing.length > 0 ? `,${closing.at(-1)}` : ''
    }
  }
}

/** Behind a string's closing quote; where the string begins, if it never ends. */
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
