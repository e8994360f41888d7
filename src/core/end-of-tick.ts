/**
 * Runs a function when everything that is ready to run has run: the current code and all promise callbacks that follow
 * from it. What is asked for until then can share one call.
 *
 * `nextTick` alone would come before promise callbacks, `setImmediate` after other requests' I/O.
 */
export function atEndOfTick(run: () => void): void {
  queueMicrotask(() => {
    process.nextTick(run)
  })
}
