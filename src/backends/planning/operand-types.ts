type Ordered = string | number | bigint | Uint8Array | Date

/** The operators that make sense for a column of a type. */
export type OperatorFor<TValue> =
  | '='
  | '!='
  | 'in'
  | 'not-in'
  | 'is-null'
  | 'is-not-null'
  | (TValue extends Ordered ? '<' | '<=' | '>' | '>=' | 'between' : never)
  | (TValue extends string | Uint8Array ? 'begins-with' : never)
  | (TValue extends string | readonly unknown[] | ReadonlySet<unknown> ? 'contains' : never)
  | (TValue extends string ? 'like' : never)

/** What stands behind an operator: nothing, a list, a pair, an element, or a value of the column's type. */
export type OperandFor<TValue, TOperator> = TOperator extends 'is-null' | 'is-not-null'
  ? []
  : TOperator extends 'in' | 'not-in'
    ? [values: readonly TValue[]]
    : TOperator extends 'between'
      ? [range: readonly [low: TValue, high: TValue]]
      : TOperator extends 'contains'
        ? [
            element: TValue extends readonly (infer TElement)[]
              ? TElement
              : TValue extends ReadonlySet<infer TElement>
                ? TElement
                : TValue,
          ]
        : [value: TValue]
