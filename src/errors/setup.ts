import { ClearskiesError, type ErrorDetails } from './clearskies-error.ts'

/** The setup lacks something: a normalizer, a provider of secrets, an `eachRecord`, a region. The message says what. */
export class ConfigurationError extends ClearskiesError {
  override name = 'ConfigurationError'
}

/** An optional peer dependency is needed, and is not installed. Install the package that `dependency` names. */
export class MissingDependencyError extends ConfigurationError {
  override name = 'MissingDependencyError'
  readonly dependency: string

  constructor(dependency: string, details?: ErrorDetails) {
    super(
      `This needs the package ${dependency}, which is not installed: run "npm install ${dependency}"`,
      details,
    )
    this.dependency = dependency
  }
}

/** The event comes from another source than the normalizer's. No response follows: the invocation fails. */
export class InvalidEventError extends ClearskiesError {
  override name = 'InvalidEventError'
  /** What the event looks like: `ALB`, `aws:sqs`, `WebSocket API`, `direct` (anything that a caller made up), … */
  readonly seen: string
  /** What the normalizer takes. */
  readonly expected: readonly string[]

  constructor(seen: string, expected: readonly string[], message: string) {
    super(message)
    this.seen = seen
    this.expected = expected
  }
}
