import { type UnknownRecord, asRecord, asStrings, listsByName } from '../../core/record.ts'
import type { Wire } from './http-source.ts'

/** A request's query. What a middleware writes into one of its views stays there. */
export class RequestQuery {
  readonly #event: UnknownRecord
  readonly #wire: Pick<Wire, 'encoded'>
  #parameters: URLSearchParams | undefined
  /** The last value of each name, for Middy's own middlewares. */
  #single: Record<string, string> | undefined
  /** Every value of each name, for Middy's own middlewares. */
  #lists: Record<string, string[]> | undefined

  constructor(event: UnknownRecord, wire: Pick<Wire, 'encoded'> = {}) {
    this.#event = event
    this.#wire = wire
  }

  /** As sent, without `?`; rebuilt where the source sends it taken apart. */
  get raw(): string {
    return this.#encoded?.replace(/^\?/, '') ?? this.parameters.toString()
  }

  /** The query as one text, where it is still encoded. */
  get #encoded(): string | undefined {
    const whole = this.#event['rawQueryString']
    if (typeof whole === 'string') return whole
    if (this.#wire.encoded !== 'query') return undefined
    let query = ''
    eachParameter(this.#event, (name, value) => {
      query += `${query && '&'}${name}=${value}`
    })
    return query
  }

  /** Decoded once; repeated names keep their order. */
  get parameters(): URLSearchParams {
    if (this.#parameters !== undefined) return this.#parameters
    const encoded = this.#encoded
    const parameters = new URLSearchParams(encoded)
    if (encoded === undefined)
      eachParameter(this.#event, (name, value) => {
        parameters.append(name, value)
      })
    return (this.#parameters = parameters)
  }
  set parameters(value: URLSearchParams) {
    this.#parameters = value
    this.#single = undefined
    this.#lists = undefined
  }

  get single(): Record<string, string> {
    return (this.#single ??= Object.fromEntries(this.parameters))
  }
  set single(value: Record<string, string>) {
    this.#single = value
  }

  get lists(): Record<string, string[]> {
    return (this.#lists ??= listsByName(this.parameters))
  }
  set lists(value: Record<string, string[]>) {
    this.#lists = value
  }
}

/** The parameters of a query that comes in two maps. Of a name that both have, the list has every value. */
function eachParameter(event: UnknownRecord, visit: (name: string, value: string) => void): void {
  const lists = asRecord(event['multiValueQueryStringParameters'])
  const single = asRecord(event['queryStringParameters'])
  for (const name in lists) for (const value of asStrings(lists[name])) visit(name, value)
  for (const name in single) {
    if (asStrings(lists?.[name]).length === 0) for (const value of asStrings(single[name])) visit(name, value)
  }
}
