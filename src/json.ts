import { MalformedJsonError } from './errors.ts'

/**
 * Parses JSON. A byte order mark is skipped, `__proto__` becomes an ordinary own property (as `JSON.parse` does it).
 * The error says where the text breaks and never quotes it, because V8's own message does.
 *
 * @param what - Named in the error, for instance `The request body`.
 */
export function parseJson(text: string, what: string): unknown {
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  try {
    return JSON.parse(json)
  } catch {
    throw new MalformedJsonError(what, breakingPoint(json) + (text.length - json.length))
  }
}

const space = /[ \t\n\r]*/y
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** Where text stops being JSON: the offset of the first token that cannot stand there. */
function breakingPoint(text: string): number {
  const open: string[] = []
  let expected: 'value' | 'item' | 'key' | 'colon' | 'comma' = 'value'
  let first = false // Just behind an opening bracket, where the closing one may follow.
  let at = 0
  for (;;) {
    at = match(space, text, at)
    const char = text.charAt(at)
    const takesValue = expected === 'value' || expected === 'item'
    let end = at
    if ((char === '{' || char === '[') && takesValue) {
      open.push(char === '{' ? '}' : ']')
      expected = char === '{' ? 'key' : 'item'
      first = true
      at += 1
      continue
    } else if (char !== '' && char === open.at(-1) && (expected === 'comma' || first)) {
      open.pop()
      expected = 'comma'
      end = at + 1
    } else if (char === ':' && expected === 'colon') {
      expected = 'value'
      end = at + 1
    } else if (char === ',' && expected === 'comma' && open.length > 0) {
      expected = open.at(-1) === '}' ? 'key' : 'value'
      end = at + 1
    } else if (char === '"' && (takesValue || expected === 'key')) {
      end = stringEnd(text, at)
      expected = expected === 'key' ? 'colon' : 'comma'
    } else if (takesValue) {
      end = match(scalar, text, at)
      expected = 'comma'
    }
    if (end === at) return at
    first = false
    at = end
  }
}

/** Behind the closing quote, or `at` itself where the string breaks. */
function stringEnd(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x22) return index + 1
    if (code < 0x20) return at
    if (code === 0x5c) {
      const end = match(escape, text, index)
      if (end === index) return at
      index = end - 1
    }
  }
  return at
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
