// A secret that is rotated while a function is warm: `withFresh()`.
import { SecretError } from 'clearskies-middy'
import type { WithFreshOptions } from 'clearskies-middy/middleware/secrets'
import { beforeEach, describe, expect, it } from 'vitest'
import { AwsError } from '../../examples/shop/local/aws-stand-in.ts'
import { forbid, openSecrets, outcomes, putVersion, useSecretStores } from '../support/secret-stores.ts'

const { aws, stores } = useSecretStores()
const [, secretsOfManager] = stores as [(typeof stores)[0], (typeof stores)[0]]

/** A service that accepts some passwords, and remembers which were shown to it. */
class Service {
  readonly shown: string[] = []
  accepted: readonly string[]
  readonly #refuse: () => unknown

  constructor(
    accepted: readonly string[],
    refuse: () => unknown = () =>
      Object.assign(new Error('password authentication failed'), { code: '28P01' }),
  ) {
    this.accepted = accepted
    this.#refuse = refuse
  }

  readonly logIn = async (password: string): Promise<string> => {
    this.shown.push(password)
    if (!this.accepted.includes(password)) throw this.#refuse()
    return `in with ${password}`
  }
}

describe.each(stores)('$name', (store) => {
  const { put } = store
  const open = () => openSecrets(store)

  it('uses an accepted value once, and holds it', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    const service = new Service(['one'])
    expect(await secrets.withFresh('/shop/db', service.logIn)).toBe('in with one')
    expect(await secrets.withFresh('/shop/db', service.logIn)).toBe('in with one')
    expect(service.shown).toEqual(['one', 'one'])
    expect(aws.server.calls).toHaveLength(1)
  })

  it('uses the refreshed value when the one that is held is refused, and then holds that', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    const service = new Service(['one'])
    await secrets.withFresh('/shop/db', service.logIn)
    put('/shop/db', 'two')
    service.accepted = ['two']
    service.shown.length = 0
    expect(await secrets.withFresh('/shop/db', service.logIn)).toBe('in with two')
    expect(await secrets.withFresh('/shop/db', service.logIn)).toBe('in with two')
    expect(service.shown).toEqual(['one', 'two', 'two'])
  })

  it('uses no value twice, and throws what the last use threw', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    const service = new Service([])
    await expect(secrets.withFresh('/shop/db', service.logIn)).rejects.toMatchObject({ code: '28P01' })
    expect(service.shown).toEqual(['one'])
  })

  it('tries nothing again after another error', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    const service = new Service([], () => Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' }))
    await secrets.get('/shop/db')
    put('/shop/db', 'two')
    await expect(secrets.withFresh('/shop/db', service.logIn)).rejects.toThrow('no route')
    expect(service.shown).toEqual(['one'])
  })

  it('throws what the use threw if no other value can be read', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    await secrets.get('/shop/db')
    store.remove('/shop/db')
    await expect(secrets.withFresh('/shop/db', new Service([]).logIn)).rejects.toMatchObject({
      code: '28P01',
    })
  })

  it('throws what the store said if there is no value at all', async () => {
    const service = new Service(['one'])
    forbid(aws.server, '/shop/db')
    await expect((await open()).withFresh('/shop/db', service.logIn)).rejects.toThrow(SecretError)
    expect(service.shown).toEqual([])
  })

  it('takes a field, which may stay the same while others change', async () => {
    put('/shop/db', '{"user":"ann","password":"one"}')
    const secrets = await open()
    await secrets.get('/shop/db')
    put('/shop/db', '{"user":"ann","password":"two"}')
    const service = new Service(['two'])
    expect(await secrets.withFresh('/shop/db#password', service.logIn)).toBe('in with two')
    expect(service.shown).toEqual(['one', 'two'])
    const user = new Service([])
    await outcomes([secrets.withFresh('/shop/db#user', user.logIn)])
    expect(user.shown, 'the same text is not shown again').toEqual(['ann'])
  })

  it('takes the whole as JSON', async () => {
    put('/shop/db', '{"user":"ann"}')
    const secrets = await open()
    expect(await secrets.withFresh('/shop/db', (value) => value, { json: true })).toEqual({ user: 'ann' })
  })

  it('has its own idea of what a refusal is, if it is given one', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    await secrets.get('/shop/db')
    put('/shop/db', 'two')
    const options: WithFreshOptions = { isAuthError: (error) => String(error).includes('who are you') }
    const service = new Service(['two'], () => new Error('who are you'))
    expect(await secrets.withFresh('/shop/db', service.logIn, options)).toBe('in with two')
    await secrets.refresh('/shop/db')
    const other = new Service([])
    await expect(secrets.withFresh('/shop/db', other.logIn, options)).rejects.toMatchObject({ code: '28P01' })
    expect(other.shown, 'the default is not asked').toEqual(['two'])
  })

  it('shares the refresh among all whose value is refused at once', async () => {
    put('/shop/db', 'one')
    const secrets = await open()
    await secrets.get('/shop/db')
    put('/shop/db', 'two')
    const service = new Service(['two'])
    aws.server.calls.length = 0
    await Promise.all(Array.from({ length: 20 }, () => secrets.withFresh('/shop/db', service.logIn)))
    expect(aws.server.calls).toHaveLength(1)
  })

  it.each<[string, unknown]>([
    ['PostgreSQL, 28P01', Object.assign(new Error('password authentication failed'), { code: '28P01' })],
    ['PostgreSQL, 28000', Object.assign(new Error('PAM authentication failed'), { code: '28000' })],
    ['mysql2', Object.assign(new Error('Access denied'), { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 })],
    ['an errno alone', Object.assign(new Error('Access denied'), { errno: 1045 })],
    ['fetch', Object.assign(new Error('No stock'), { status: 401 })],
    ['http-errors', Object.assign(new Error('Forbidden'), { statusCode: 403 })],
    ['axios', Object.assign(new Error('Request failed'), { response: { status: 401 } })],
    ['got', Object.assign(new Error('Response code 401'), { response: { statusCode: 401 } })],
    ['a response that is thrown', new Response(null, { status: 401 })],
    ['a cause', new Error('No connection', { cause: Object.assign(new Error('x'), { code: '28P01' }) })],
  ])('knows a refusal by %s', async (_, refusal) => {
    put('/shop/db', 'one')
    const secrets = await open()
    await secrets.get('/shop/db')
    put('/shop/db', 'two')
    const service = new Service(['two'], () => refusal)
    expect(await secrets.withFresh('/shop/db', service.logIn)).toBe('in with two')
  })

  it.each<[string, unknown]>([
    ['a status of 500', { status: 500 }],
    ['another code', { code: '57P03' }],
    ['nothing', undefined],
    ['null', null],
    ['text', '401'],
    ['a circle of causes', Object.assign(new Error('x'), { cause: undefined })],
  ])('takes %s for no refusal', async (_, thrown) => {
    if (thrown instanceof Error) thrown.cause = thrown
    put('/shop/db', 'one')
    const service = new Service([], () => thrown)
    const [error] = await outcomes([(await open()).withFresh('/shop/db', service.logIn)])
    expect(error).toBe(thrown)
    expect(service.shown).toEqual(['one'])
  })
})

describe('while Secrets Manager rotates', () => {
  beforeEach(() => {
    putVersion(aws.server, 'shop/db', { string: 'old' }, 'AWSPREVIOUS')
    putVersion(aws.server, 'shop/db', { string: 'current' })
    putVersion(aws.server, 'shop/db', { string: 'pending' }, 'AWSPENDING')
  })

  it('uses the value to come when neither the held nor the current one is accepted', async () => {
    const secrets = await openSecrets(secretsOfManager)
    putVersion(aws.server, 'shop/db', { string: 'before' })
    await secrets.get('shop/db')
    putVersion(aws.server, 'shop/db', { string: 'current' })
    const service = new Service(['pending'])
    expect(await secrets.withFresh('shop/db', service.logIn)).toBe('in with pending')
    expect(service.shown).toEqual(['before', 'current', 'pending'])
    expect(await secrets.get('shop/db'), 'which is not the current one yet').toBe('current')
  })

  it('uses at most three values, and throws what the last use threw', async () => {
    const secrets = await openSecrets(secretsOfManager)
    putVersion(aws.server, 'shop/db', { string: 'before' })
    await secrets.get('shop/db')
    putVersion(aws.server, 'shop/db', { string: 'current' })
    let uses = 0
    const service = new Service([], () => Object.assign(new Error(`refusal ${++uses}`), { status: 401 }))
    await expect(secrets.withFresh('shop/db', service.logIn)).rejects.toThrow('refusal 3')
    expect(service.shown).toEqual(['before', 'current', 'pending'])
  })

  it('uses no value twice when the value to come has become the current one', async () => {
    const secret = aws.server.secrets.get('shop/db')!
    secret.stages.set('AWSCURRENT', secret.stages.get('AWSPENDING')!)
    const service = new Service([])
    await outcomes([(await openSecrets(secretsOfManager)).withFresh('shop/db', service.logIn)])
    expect(service.shown).toEqual(['pending'])
  })

  it.each(['none is there', 'it may not be read'])(
    'throws the refusal where of the value to come %s',
    async (why) => {
      if (why === 'none is there') aws.server.secrets.get('shop/db')!.stages.delete('AWSPENDING')
      else
        aws.server.intercept = (_, { VersionStage }) => {
          if (VersionStage === 'AWSPENDING') throw new AwsError('AccessDeniedException')
          return undefined
        }
      const service = new Service([])
      await expect(
        (await openSecrets(secretsOfManager)).withFresh('shop/db', service.logIn),
      ).rejects.toMatchObject({ code: '28P01' })
      expect(service.shown).toEqual(['current'])
    },
  )

  it('takes a field of the value to come', async () => {
    putVersion(aws.server, 'shop/json', { string: '{"password":"one"}' })
    putVersion(aws.server, 'shop/json', { string: '{"password":"two"}' }, 'AWSPENDING')
    const service = new Service(['two'])
    const secrets = await openSecrets(secretsOfManager)
    expect(await secrets.withFresh('shop/json#password', service.logIn)).toBe('in with two')
  })
})
