/** All functions of the shop, for Lambda, whose runtime serves streams. */
export * from './app.ts'
export { streamHandler } from './streaming.ts'
