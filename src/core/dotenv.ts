import { ConfigurationError, DotenvError } from '../errors/index.ts'
import { type Logger, defaultLogger, logSafely } from './logger.ts'

const start = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*/
const blank = /^[ \t]*(?:#|$)/
const lineEnd = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y

/** A variable of the file, and where the text goes on behind it. */
interface Assignment {
  readonly name: string
  readonly value: string
  readonly end: number
}

/**
 * Reads the text of a `.env` file, in the same way on every version of Node. It knows single, double and back quotes,
 * values of several lines inside quotes, `export` and comments. `\n` is a line break inside double quotes only. A `#`
 * begins a comment only after white space, because `secret://path#field` is a value. What Node and the package dotenv
 * read alike is read so. Any other line is skipped, with a warning that names it.
 */
export function parseDotenv(text: string, file: string, logger: Logger = defaultLogger): Map<string, string> {
  const variables = new Map<string, string>()
  const lines = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n')
  let number = 1
  for (let at = 0; at < lines.length;) {
    const line = lineAt(lines, at)
    const assignment = assignmentAt(lines, at)
    const end = assignment?.end ?? at + line.length + 1
    if (assignment !== undefined) variables.set(assignment.name, assignment.value)
    else if (!blank.test(line)) {
      const message = `${file}:${number} is skipped, because it is no variable: write NAME=value`
      logSafely(logger, 'warn', message, new DotenvError(file, number))
    }
    number += lines.slice(at, end).split('\n').length - 1
    at = end
  }
  return variables
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf('\n', at)
  return text.slice(at, end < 0 ? undefined : end)
}

function assignmentAt(text: string, at: number): Assignment | undefined {
  const line = lineAt(text, at)
  const [head, name] = start.exec(line) ?? []
  if (head === undefined || name === undefined) return undefined
  const from = at + head.length
  if (!/["'`]/.test(text.charAt(from))) {
    const value = plainValue(line.slice(head.length), !head.endsWith('='))
    return { name, value, end: at + line.length + 1 }
  }
  const quoted = quotedValue(text, from)
  if (quoted !== undefined) return { name, ...quoted }
  // Where nothing closes it, the quote is a part of the value. Else others read the line in different ways.
  if (text.includes(text.charAt(from), from + 1)) return undefined
  return { name, value: plainValue(line.slice(head.length), false), end: at + line.length + 1 }
}

/** The value between quotes. A backslash before the closing quote keeps it from closing, unless nothing else does. */
function quotedValue(text: string, from: number): Omit<Assignment, 'name'> | undefined {
  const quote = text.charAt(from)
  for (const close of [unescapedIndex(text, quote, from + 1), text.indexOf(quote, from + 1)]) {
    lineEnd.lastIndex = close + 1
    if (close < 0 || !lineEnd.test(text)) continue
    const value = text.slice(from + 1, close)
    return { value: quote === '"' ? unescape(value) : value, end: lineEnd.lastIndex }
  }
  return undefined
}

function unescapedIndex(text: string, quote: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === quote) return at
    if (text[at] === '\\') at++
  }
  return -1
}

/** The value without quotes: to the end of the line, or to a comment. */
function plainValue(text: string, isSpaceBefore: boolean): string {
  const isSpace = (at: number): boolean => (at < 0 ? isSpaceBefore : /[ \t]/.test(text.charAt(at)))
  let end = text.indexOf('#')
  while (end >= 0 && !isSpace(end - 1)) end = text.indexOf('#', end + 1)
  if (end < 0) end = text.length
  while (end > 0 && isSpace(end - 1)) end--
  return text.slice(0, end)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unescape(value: string): string {
  return value.replace(/\\([nrt"\\])/g, (_, char: string) => escapes[char] ?? char)
}

/**
 * The variables of a file. There are none if the file does not exist.
 *
 * @throws ConfigurationError for a file that exists and cannot be read
 */
export function readDotenv(file: string, logger?: Logger): Map<string, string> {
  let text: string
  try {
    // An `import` of node:fs takes 3 ms to load, and on Lambda there is mostly no such file.
    text = process.getBuiltinModule('node:fs').readFileSync(file, 'utf8')
  } catch (cause) {
    const { code = 'Error' } = cause as { code?: string }
    if (code === 'ENOENT') return new Map()
    // Some of the system's messages do not name the file.
    throw new ConfigurationError(`The file ${file} cannot be read: ${code}`, { cause })
  }
  return parseDotenv(text, file, logger)
}
