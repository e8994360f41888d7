/** Takes a rejection that somebody else hears of. */
export function ignore(): void {
  // Nothing to do.
}
