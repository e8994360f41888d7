export const handler = async (event: unknown): Promise<object> =>
  Promise.resolve({ statusCode: 200, body: JSON.stringify(event) })
