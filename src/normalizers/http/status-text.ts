let texts: Readonly<Record<number, string | undefined>> | undefined

/**
 * The reason phrase of a status, from Node's own table. `getBuiltinModule` gives the module that the Lambda runtime
 * has loaded already; importing `node:http` would build its ES module facade, some 20 ms of every cold start.
 */
export function statusText(status: number): string {
  texts ??= process.getBuiltinModule('node:http').STATUS_CODES
  return texts[status] ?? 'Unknown'
}
