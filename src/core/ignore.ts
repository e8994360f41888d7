/** Takes a rejection that somebody else hears of. */
export function ignore(): void {
  // Nothing to do.
}

/** Tells a listener something. What it throws, at once or later, changes nothing. */
export function tell<T>(listener: (value: T) => unknown, value: T): void {
  new Promise((resolve) => resolve(listener(value))).catch(ignore)
}
