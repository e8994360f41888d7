import { ConfigurationError, DotenvError } from '../errors/index.ts'

const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/
const quoted = /^(["'`])((?:\\[^]|(?!\1)[^\\])*)\1[ \t]*(?:#[^\n]*)?(?:\n|$)/

/**
 * Reads the text of a `.env` file, in the same way on every version of Node. It knows single, double and back quotes,
 * values of several lines inside quotes, `export` and comments. `\n` is a line break inside double quotes only. A `#`
 * begins a comment only after white space, because `secret://path#field` is a value.
 *
 * @throws DotenvError for any other line
 */
export function parseDotenv(text: string, file: string): Map<string, string> {
  const variables = new Map<string, string>()
  let rest = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n')
  let line = 1
  const skip = (length: number): void => {
    line += rest.slice(0, length).split('\n').length - 1
    rest = rest.slice(length)
  }
  while (rest !== '') {
    const blank = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(rest)
    if (blank !== null) {
      skip(blank[0].length)
      continue
    }
    const start = assignment.exec(rest)
    if (start === null) throw new DotenvError(file, line)
    const name = start[1] as string
    const at = line
    skip(start[0].length)
    const quote = quoted.exec(rest)
    if (quote !== null) {
      const [whole, mark, value = ''] = quote
      variables.set(name, mark === '"' ? unescape(value) : value)
      skip(whole.length)
    } else {
      if (/^["'`]/.test(rest)) throw new DotenvError(file, at)
      const [whole, value = ''] = /^([^\n]*?)(?:[ \t]+#[^\n]*|[ \t]*)(?:\n|$)/.exec(rest) ?? [rest]
      const isComment = value.startsWith('#') && !start[0].endsWith('=')
      variables.set(name, isComment ? '' : value)
      skip(whole.length)
    }
  }
  return variables
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

function unescape(value: string): string {
  return value.replace(/\\([nrt"\\])/g, (_, char: string) => escapes[char] as string)
}

/**
 * The variables of a file. There are none if the file does not exist.
 *
 * @throws DotenvError; ConfigurationError for a file that exists and cannot be read
 */
export function readDotenv(file: string): Map<string, string> {
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
  return parseDotenv(text, file)
}
