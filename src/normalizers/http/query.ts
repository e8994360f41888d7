import { type UnknownRecord, asRecord } from '../../core/record.ts'
import type { Wire } from './http-source.ts'

/** The query as one text, where it is still encoded. */
export function encodedQuery(event: UnknownRecord, { encoded }: Wire): string | undefined {
  const whole = event['rawQueryString']
  if (typeof whole === 'string') return whole
  if (encoded !== 'query') return undefined
  let query = ''
  eachParameter(event, (name, value) => {
    query += `${query && '&'}${name}=${value}`
  })
  return query
}

/** The query, decoded once; repeated names keep their order. */
export function readQuery(event: UnknownRecord, encoded: string | undefined): URLSearchParams {
  const query = new URLSearchParams(encoded)
  if (encoded === undefined)
    eachParameter(event, (name, value) => {
      query.append(name, value)
    })
  return query
}

/** The parameters of a query that comes in one map or the other; the one with lists has every value. */
function eachParameter(event: UnknownRecord, visit: (name: string, value: string) => void): void {
  const map = asRecord(event['multiValueQueryStringParameters']) ?? asRecord(event['queryStringParameters'])
  for (const name in map) {
    const values = map[name]
    if (typeof values === 'string') visit(name, values)
    else if (Array.isArray(values))
      for (const value of values) if (typeof value === 'string') visit(name, value)
  }
}
