// Chains that stream, for function URLs and REST APIs.
import { Readable } from 'node:stream'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/executionModeStreamifyResponse'
import { type HttpRequest, NotFoundError, httpApi, respond, restApi } from 'clearskies-middy'

/** The second piece is made when the address in the query has answered: so a test knows which came first. */
async function* twoPieces({ query }: HttpRequest) {
  yield Buffer.from([0, 255, 10])
  await fetch(String(query.get('gate')))
  yield 'the second'
}

async function* broken() {
  yield 'the first'
  await Promise.reject(new RangeError('The password is hunter2'))
}

function answer(request: HttpRequest) {
  if (request.path === '/pieces') return respond.stream(twoPieces(request), { status: 201, cookies: ['a=1'] })
  if (request.path === '/empty')
    return respond.stream(Readable.from([]), { status: 202, headers: { 'x-empty': 'yes' } })
  if (request.path === '/broken') return respond.stream(broken())
  throw new NotFoundError('There is no such page')
}

const streamed = () => middy({ executionMode: executionModeStreamifyResponse })

export const functionUrl = streamed()
  .use(httpApi({ streaming: true }))
  .handler(answer)

export const restApiHandler = streamed()
  .use(restApi({ streaming: true }))
  .handler(answer)
