/**
 * Milliseconds since a moment of `Date.now()`. `Infinity` where the clock was set back: nobody knows how long it is, and
 * what is too old does more harm than what is read once more.
 */
export function elapsedSince(moment: number): number {
  const milliseconds = Date.now() - moment
  return milliseconds < 0 ? Infinity : milliseconds
}
