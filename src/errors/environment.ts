import { ClearskiesError } from './clearskies-error.ts'
import { ValidationError } from './http.ts'

/**
 * The environment does not fit its schema: 500, and the caller does not see the message. `errors` names the variables
 * and nothing of what the schema says, because that may quote a value.
 */
export class InvalidEnvironmentError extends ValidationError {
  override name = 'InvalidEnvironmentError'
  override readonly statusCode = 500
  override readonly expose = false
}

/** A line of a `.env` file cannot be read. The message says where the line is, and never quotes it. */
export class DotenvError extends ClearskiesError {
  override name = 'DotenvError'
  readonly file: string
  /** The line's number, from 1. */
  readonly line: number

  constructor(file: string, line: number) {
    super(`${file}:${line} is not a variable: write NAME=value`)
    this.file = file
    this.line = line
  }
}

/** A variable that must be set is not set. */
export class MissingVariableError extends ClearskiesError {
  override name = 'MissingVariableError'
  readonly variable: string

  constructor(variable: string, where: string) {
    super(`The environment variable "${variable}" is set neither in process.env nor in ${where}`)
    this.variable = variable
  }
}

/** A variable has another kind of value than it must have. The value is not shown, because it may be a secret. */
export class InvalidVariableError extends ClearskiesError {
  override name = 'InvalidVariableError'
  readonly variable: string

  constructor(variable: string, expected: string) {
    super(`The environment variable "${variable}" is not ${expected}`)
    this.variable = variable
  }
}
