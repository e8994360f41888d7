/** The key of what a value lacks before it can be an answer: a query without an end. */
export const unfinished: unique symbol = Symbol('unfinished')
