/**
 * Runs a function after the current code and all promise callbacks that follow from it. Requests made until then can
 * share one call.
 *
 * `nextTick` alone runs before the promise callbacks. `setImmediate` runs after the I/O of other requests.
 */
export function atEndOfTick(run: () => void): void {
  queueMicrotask(() => {
    process.nextTick(run)
  })
}
