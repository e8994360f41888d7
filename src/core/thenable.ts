/** Whether a value is to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Goes on with a value, at once where nothing has to be waited for. */
export function whenReady<T, TResult>(
  value: T | PromiseLike<T>,
  next: (value: T) => TResult | PromiseLike<TResult>,
): TResult | PromiseLike<TResult> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value)
}
