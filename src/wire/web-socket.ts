/**
 * The longest message of a WebSocket API, in bytes, either way.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
export const longestMessage = 131_072
