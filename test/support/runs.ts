/**
 * How many seeds or random inputs a test takes: a tenth, so that `npm test` stays quick, and all of them with `WHOLE=1`,
 * as `.ci/run` has it.
 */
export function runs(whole: number): number {
  return process.env['WHOLE'] === '1' ? whole : Math.ceil(whole / 10)
}
