// The table of chains.test.ts, for the middlewares that read the request: parsers of bodies, the validator, the router.
import { transpileSchema } from '@middy/validator/transpile'
import type { DescribedRequest } from 'clearskies-middy/testing'
import { describe, expect, it } from 'vitest'
import { bodyOf, expectOutcome, headerOf, outcomes, replyOf } from '../support/chain-outcomes.ts'
import { type MiddyPackages, majors } from '../support/middy-majors.ts'
import { sources } from '../support/sources.ts'

interface ReadingChain {
  readonly middlewares: (packages: MiddyPackages) => readonly object[]
  /** A request that the middlewares take. */
  readonly request: DescribedRequest
  /** What the handler finds as `data`. */
  readonly data: unknown
  /** One that they refuse, and how. */
  readonly refused: DescribedRequest & { readonly status: number }
}

const jsonRequest = { method: 'POST', headers: { 'content-type': 'application/json' }, body: { a: 1 } }
const form = ['--b', 'content-disposition: form-data; name="title"', '', 'Solaris', '--b--', ''].join('\r\n')
const eventSchema = transpileSchema({
  type: 'object',
  required: ['body'],
  properties: { body: { type: 'object', required: ['a'], properties: { a: { type: 'number' } } } },
})

const chains: Readonly<Record<string, ReadingChain>> = {
  validator: {
    middlewares: ({ httpCors, validator }) => [
      httpCors({ origin: '*' }),
      // A parser of any major gives the validator its object.
      {
        before: ({ event }: { event: { body: unknown; json(): unknown } }) =>
          void (event.body = event.json()),
      },
      validator({ eventSchema }),
    ],
    request: jsonRequest,
    data: { a: 1 },
    refused: { ...jsonRequest, body: { a: 'x' }, status: 400 },
  },
  'urlencode-body-parser': {
    middlewares: ({ httpCors, httpUrlencodeBodyParser }) => [
      httpCors({ origin: '*' }),
      httpUrlencodeBodyParser(),
    ],
    request: {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a=x+y&b=1&b=2',
    },
    data: { a: 'x y', b: ['1', '2'] },
    refused: { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a', status: 415 },
  },
  'multipart-body-parser': {
    middlewares: ({ httpCors, httpMultipartBodyParser }) => [
      httpCors({ origin: '*' }),
      httpMultipartBodyParser(),
    ],
    request: { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: form },
    data: { title: 'Solaris' },
    refused: { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a', status: 415 },
  },
}

const cors = { 'access-control-allow-origin': '*' }

describe.each(majors)('on Middy %s', (_, packages) => {
  const { middy: core } = packages

  describe.each(sources)('behind $name', (source) => {
    describe.each(Object.entries(chains))('with %s', (__, { middlewares, request, data, refused }) => {
      it.each(Object.entries(outcomes))('H12, H13, H14, H15: %s', async (___, outcome) => {
        const chain = { core, source, middlewares: middlewares(packages), request }
        expectOutcome(await replyOf(chain, outcome), outcome, cors)
      })

      it('H12: what is parsed is data, and what is refused is a problem document with the headers of CORS', async () => {
        const chain = { core, source, middlewares: middlewares(packages) }
        const taken = await replyOf({ ...chain, request }, { handler: (event) => event.data })
        expect(JSON.parse(bodyOf(taken).toString())).toEqual(data)
        const { status, ...wrong } = refused
        const answer = await replyOf({ ...chain, request: wrong }, { handler: () => 'never' })
        expect([answer.status, headerOf(answer, 'content-type')]).toEqual([
          status,
          'application/problem+json',
        ])
        expect(headerOf(answer, 'access-control-allow-origin')).toBe('*')
      })
    })

    describe('with router', () => {
      const middlewares = [packages.httpCors({ origin: '*' })]
      const routed = (handler: unknown, path = '/products/{id}'): never =>
        packages.httpRouter([{ method: 'ANY', path, handler } as never]) as never

      it.each(Object.entries(outcomes))('H12, H13, H14, H15: %s', async (___, outcome) => {
        const chain = { core, source, middlewares, request: { path: '/products/7' } }
        expectOutcome(await replyOf(chain, { ...outcome, handler: routed(outcome.handler) }), outcome, cors)
      })

      it('H12: a path without a route is a 404 with the headers of CORS', async () => {
        const answer = await replyOf(
          { core, source, middlewares, request: { path: '/none' } },
          { handler: routed(() => 1) },
        )
        expect([answer.status, headerOf(answer, 'content-type')]).toEqual([404, 'application/problem+json'])
        expect(headerOf(answer, 'access-control-allow-origin')).toBe('*')
      })
    })
  })
})
