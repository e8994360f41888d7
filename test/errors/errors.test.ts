import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as root from 'clearskies-middy'
import * as errors from 'clearskies-middy/errors'
import { ClearskiesError } from 'clearskies-middy/errors'

type Cause = { cause?: unknown }

/** Every class that takes a cause, as its users and the library make it. */
const withCause: Record<string, (details?: Cause) => ClearskiesError> = {
  ClearskiesError: (details) => new errors.ClearskiesError('It failed', details),
  BastionError: (details) => new errors.BastionError('The session is refused', details),
  UnavailableError: (details) => new errors.UnavailableError('The database does not answer', details),
  StoredDataError: (details) =>
    new errors.StoredDataError({ key: { id: '7' }, errors: [] }, 'The stored item does not fit', details),
  TransactionError: (details) =>
    new errors.TransactionError([{ index: 1, code: 'TransactionConflict' }], details),
  ThrottledError: (details) => new errors.ThrottledError('Too many requests', details),
  PartialBatchError: (details) => new errors.PartialBatchError([0], [1], details),
  InvalidDataError: (details) => new errors.InvalidDataError('The item holds a cycle', details),
  InvalidEnvironmentError: (details) => new errors.InvalidEnvironmentError('It does not fit', details),
  HttpError: (details) => new errors.HttpError(418, 'Short and stout', details),
  BadRequestError: (details) => new errors.BadRequestError('Which author?', details),
  ValidationError: (details) => new errors.ValidationError('The data is not valid', details),
  NotFoundError: (details) => new errors.NotFoundError('There is no such product', details),
  ConflictError: (details) => new errors.ConflictError('It exists', details),
  DeadlineError: (details) => new errors.DeadlineError('The time is up', details),
  InvalidResponseError: (details) => new errors.InvalidResponseError('It cannot be sent', details),
  ConditionError: (details) => new errors.ConditionError('There is no such operator', details),
  NoIndexError: (details) => new errors.NoIndexError('No index serves the query', details),
  SortError: (details) => new errors.SortError('No index gives the order', details),
  InvalidTokenError: (details) => new errors.InvalidTokenError(details),
  RetryLaterError: (details) => new errors.RetryLaterError({ delaySeconds: 60, ...details }),
  PermanentFailureError: (details) => new errors.PermanentFailureError(undefined, details),
  UnidentifiedRecordError: (details) => new errors.UnidentifiedRecordError(3, details),
  SecretError: (details) => new errors.SecretError('/shop/key', 'It cannot be read', details),
  SecretNotFoundError: (details) => new errors.SecretNotFoundError('/shop/key', 'The store', details),
  SecretAlreadyExistsError: (details) =>
    new errors.SecretAlreadyExistsError('/shop/key', 'The store', details),
  SecretPendingDeletionError: (details) =>
    new errors.SecretPendingDeletionError('/shop/key', 'The store', details),
  SecretTimeoutError: (details) =>
    new errors.SecretTimeoutError('/shop/key', 'The store', { seconds: 2, ...details }),
  GoneError: (details) => new errors.GoneError('Lk4_dcVnDoECFXQ=', details),
  SqsSendError: (details) => new errors.SqsSendError('AccessDenied', 'SQS did not take it', details),
  ConfigurationError: (details) => new errors.ConfigurationError('There is no normalizer', details),
  MissingDependencyError: (details) => new errors.MissingDependencyError('kysely', details),
}

/** Every class that has no cause, because the library itself sees what is wrong. */
const withoutCause: Record<string, () => ClearskiesError> = {
  ConnectionTimeoutError: () => new errors.ConnectionTimeoutError(500, 2),
  StatementTimeoutError: () => new errors.StatementTimeoutError(500),
  ItemTooLargeError: () => new errors.ItemTooLargeError(410_000, 409_600),
  DotenvError: () => new errors.DotenvError('.env', 3),
  MissingVariableError: () => new errors.MissingVariableError('PORT', '.env'),
  InvalidVariableError: () => new errors.InvalidVariableError('PORT', 'a whole number'),
  MalformedJsonError: () => new errors.MalformedJsonError('The request body', 7),
  ResponseTooLargeError: () => new errors.ResponseTooLargeError(1_000_001, 1_000_000),
  ColumnError: () => new errors.ColumnError('author'),
  TypeMismatchError: () => new errors.TypeMismatchError('pages', 'a number', 'a string'),
  KeyChangeError: () => new errors.KeyChangeError('id'),
  SkippedRecordError: () => new errors.SkippedRecordError('message-1'),
  FailedRecordError: () => new errors.FailedRecordError(503),
  PayloadPointerError: () => new errors.PayloadPointerError('bucket', 'key'),
  SqsFlushTimeoutError: () => new errors.SqsFlushTimeoutError(4, 2),
  InvalidEventError: () => new errors.InvalidEventError('ALB', ['aws:sqs'], 'Use alb()'),
}

const makers = { ...withCause, ...withoutCause }
const classes = new Map<string, unknown>(Object.entries(errors))

it('this suite makes an error of every class that the package exports', () => {
  expect(Object.keys(makers).sort()).toEqual([...classes.keys()].sort())
})

it('the root of the package exports the same error classes as its subpath errors', () => {
  expect(root).toMatchObject(errors)
})

describe.each(Object.entries(makers))('%s', (name, make) => {
  it('is an instance of ClearskiesError, of Error and of the class that is exported under its name', () => {
    const error = make()
    expect(error).toBeInstanceOf(ClearskiesError)
    expect(error).toBeInstanceOf(Error)
    expect(error.constructor).toBe(classes.get(name))
  })

  it('has the name of its class, and a message', () => {
    const error = make()
    expect(error.name).toBe(name)
    expect(error.message).toMatch(/\w/)
    expect(error.message).not.toMatch(/undefined|\[object/)
    expect(inspect(error)).toContain(`${name}: ${error.message}`)
  })

  it('has no property "cause" without a cause', () => {
    expect('cause' in make()).toBe(false)
  })
})

describe.each(Object.entries(withCause))('%s', (_, make) => {
  it.each([new TypeError('First'), 'a text', null, 0])(
    'keeps the cause %s, and does not list it',
    (cause) => {
      const error = make({ cause })
      expect(error.cause).toBe(cause)
      expect(Object.keys(error)).not.toContain('cause')
    },
  )

  it('takes an undefined cause for none', () => {
    expect('cause' in make({ cause: undefined })).toBe(false)
  })

  it('has the same message with and without a cause', () => {
    expect(make({ cause: new Error('secret') }).message).toBe(make().message)
  })
})

it.each([
  ['BadRequestError', 'HttpError'],
  ['NotFoundError', 'HttpError'],
  ['ConflictError', 'HttpError'],
  ['ThrottledError', 'HttpError'],
  ['PartialBatchError', 'HttpError'],
  ['DeadlineError', 'HttpError'],
  ['MalformedJsonError', 'BadRequestError'],
  ['ValidationError', 'BadRequestError'],
  ['InvalidTokenError', 'BadRequestError'],
  ['InvalidEnvironmentError', 'ValidationError'],
  ['TransactionError', 'ConflictError'],
  ['ColumnError', 'ConditionError'],
  ['TypeMismatchError', 'ConditionError'],
  ['KeyChangeError', 'ConditionError'],
  ['NoIndexError', 'ConditionError'],
  ['SortError', 'ConditionError'],
  ['ItemTooLargeError', 'InvalidDataError'],
  ['ResponseTooLargeError', 'InvalidResponseError'],
  ['SecretNotFoundError', 'SecretError'],
  ['SecretAlreadyExistsError', 'SecretError'],
  ['SecretPendingDeletionError', 'SecretError'],
  ['SecretTimeoutError', 'SecretError'],
  ['MissingDependencyError', 'ConfigurationError'],
])('%s is a %s', (special, base) => {
  expect(makers[special]?.()).toBeInstanceOf(classes.get(base))
})

it.each([
  ['BadRequestError', 400, true],
  ['ValidationError', 400, true],
  ['InvalidTokenError', 400, true],
  ['NotFoundError', 404, true],
  ['ConflictError', 409, true],
  ['KeyChangeError', 409, true],
  ['ItemTooLargeError', 413, true],
  ['ThrottledError', 429, true],
  ['InvalidEnvironmentError', 500, false],
  ['InvalidResponseError', 500, false],
  ['PartialBatchError', 503, false],
  ['DeadlineError', 504, false],
])('%s has the status %i, and expose is %s', (name, statusCode, expose) => {
  expect(makers[name]?.()).toMatchObject({ statusCode, expose })
})

it('ConflictError: the stored item is readable and not enumerable, so that a log does not show it', () => {
  const error = new errors.ConflictError('It exists', { current: { iban: 'DE00' } })
  expect(error.current).toEqual({ iban: 'DE00' })
  expect(inspect(error)).not.toContain('DE00')
  expect(JSON.stringify(error)).not.toContain('DE00')
})

it('SecretTimeoutError: the message says what the store did not do, in how many seconds', () => {
  const error = new errors.SecretTimeoutError('/shop', 'The store', { seconds: 1.2345, deed: 'list' })
  expect(error).toMatchObject({ path: '/shop', seconds: 1.2345 })
  expect(error.message).toBe('The store did not list "/shop" within 1.2 seconds')
})
