// What queries say, and what answers them: the insides that `Query` and the backends share.

/** An operator, and what stands behind it. */
export type Operation =
  | { readonly operator: ValueOperator; readonly value: unknown }
  | { readonly operator: 'in' | 'not-in'; readonly value: readonly unknown[] }
  | { readonly operator: 'between'; readonly value: readonly [low: unknown, high: unknown] }
  | { readonly operator: 'is-null' | 'is-not-null'; readonly value: undefined }
  | { readonly operator: 'like'; readonly value: string }

/** The operators that take one value. */
export type ValueOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'begins-with' | 'contains'

/** The operators of a condition. */
export type Operator = Operation['operator']

/** Whether an operator asks whether values are the same. */
export function isEquality(operator: Operator): boolean {
  return operator === '=' || operator === '!=' || operator === 'in' || operator === 'not-in'
}

/** One condition on one column. */
export type Comparison = {
  /** As it was named; with dots where there is a path. */
  readonly column: string
  /** The column and the members inside of it, for a place that is no whole column. */
  readonly path?: readonly string[]
} & Operation

/** Groups of conditions of which one must hold as a whole. */
export interface Choice {
  readonly or: readonly (readonly Condition[])[]
}

/** A comparison, or a choice, which is told by its "or". */
export type Condition = Comparison | Choice

/** Everything that a query says. */
export interface QueryState {
  readonly conditions: readonly Condition[]
  readonly sort?: { readonly column: string; readonly direction: 'asc' | 'desc' }
  readonly limit?: number
  readonly select?: readonly string[]
  /** What is selected, where that is not whole columns alone. None is inside of another. */
  readonly places?: readonly (readonly string[])[]
  readonly index?: string
  readonly consistent?: boolean
  readonly after?: string
  /** In how many parts a scan is read at once. */
  readonly segments?: number
}

/** How far one `page()` may go. Where that ends it early, it has `complete: false` and the token to go on with. */
export interface PageOptions {
  /** Requests to the database. */
  readonly maxPages?: number
  /** Items looked at, whether or not they meet the conditions. */
  readonly maxScanned?: number
  readonly signal?: AbortSignal
}

/** A count is whole, or an error: it has no token to go on with. */
export type CountOptions = Pick<PageOptions, 'signal'>

/** A page of items, and the token of the one that follows, if there may be one. */
export interface Page<TItem> {
  readonly items: TItem[]
  readonly next?: string
  /** Given where the page ends before its limit, for lack of time or because `maxPages` or `maxScanned` was reached. */
  readonly complete?: false
}

/** What `explain()` tells. */
export interface Explanation {
  readonly plan: {
    /** `GetItem`, `Query`, `Scan`, …; `None` where no item can meet the conditions. */
    readonly operation: string
    /** The index that is read; `undefined` for the table itself. */
    readonly index?: string | undefined
    /** The reason for this way. */
    readonly why: string
  }
  /** What would be sent, in the form of the database. */
  readonly requests: readonly object[]
}

/** What a backend does for its queries. */
export interface QueryRunner {
  /** The column that a text names, and the members inside of it. @throws ColumnError if the model does not have it */
  placeOf(column: string): readonly string[]
  /**
   * A page of what a query asks for.
   *
   * @param isLast - Whether nobody will ask for the next page, so that it need not be known whether there is one
   */
  page(state: QueryState, options: PageOptions, isLast?: boolean): Promise<Page<unknown>>
  /** How many items there are, at most the query's limit. */
  count(state: QueryState, options: CountOptions): Promise<number>
  /** What would be sent. */
  explain(state: QueryState): Explanation | Promise<Explanation>
}
