/**
 * The bytes that Lambda delivers as a response, as its own error has it: 6 MB and some room.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const lambdaResponseLimit = 6_291_556
