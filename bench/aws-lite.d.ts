// The package has no types of its own.
declare module '@aws-lite/dynamodb' {
  const plugin: unknown
  export default plugin
}
