// Tokens as issuers and attackers make them, checked against a server that publishes real keys.
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTokenCheck, type TokenCheck } from '../../src/platform/tokens.ts'
import { callerOfClaims } from '../../src/http/principal.ts'
import { AUDIENCE, type Issuer, startIssuer } from '../support/issuer.ts'

let issuer: Issuer
let check: TokenCheck
const [foreign, pss] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('PS256')])
beforeAll(async () => {
  issuer = await startIssuer()
  check = openTokenCheck({ issuer: issuer.url, audience: AUDIENCE })
})
afterAll(() => issuer.stop())

const now = (): number => Math.floor(Date.now() / 1000)
const failure = async (token: string): Promise<string> =>
  check(token).then(
    () => 'taken',
    (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`,
  )

describe('a token that is good', () => {
  test('RS256 and ES256, an audience among others, up to a minute late or early', async () => {
    for (const token of [
      await issuer.token(),
      await issuer.token({}, { alg: 'ES256', kid: 'ec', key: issuer.ec }),
      await issuer.token({ aud: ['other', AUDIENCE] }),
      await issuer.token({ exp: now() - 30 }),
      await issuer.token({ nbf: now() + 30 }),
    ])
      expect((await check(token)).sub).toBe('ada')
  })
  test('the issuer is asked once, whatever the number of tokens', async () => {
    issuer.asked = []
    const fresh = openTokenCheck({ issuer: issuer.url, audience: AUDIENCE })
    const token = await issuer.token()
    await Promise.all(Array.from({ length: 20 }, () => fresh(token)))
    expect(issuer.asked.toSorted()).toEqual(['/.well-known/openid-configuration', '/keys'])
  })
})

describe('a token that is not good is UNAUTHENTICATED, and says why', () => {
  const changed = (token: string): string => {
    const [head, , signature] = token.split('.')
    return [
      head,
      Buffer.from(JSON.stringify({ iss: issuer.url, aud: AUDIENCE, exp: now() + 600, roles: ['admin'] })).toString('base64url'),
      signature,
    ].join('.')
  }
  const cases: [string, () => Promise<string> | string, RegExp][] = [
    ['expired', () => issuer.token({ exp: now() - 120 }), /is expired/],
    ['not valid yet', () => issuer.token({ nbf: now() + 120 }), /not valid yet/],
    ['without an end', () => issuer.token({ exp: undefined }), /has no end/],
    ['another audience', () => issuer.token({ aud: 'api://other' }), /another audience/],
    ['another issuer', () => issuer.token({ iss: 'https://evil.example' }), /another issuer/],
    ['a foreign key under a known id', () => issuer.token({}, { key: foreign.privateKey }), /not one that this app/],
    ['an unknown key id', () => issuer.token({}, { kid: 'nobody', key: foreign.privateKey }), /does not publish/],
    ['alg none', () => new UnsecuredJWT({ iss: issuer.url, aud: AUDIENCE, exp: now() + 600 }).encode(), /not one that this app/],
    [
      'HS256 with the public key as its secret',
      async () =>
        new SignJWT({ iss: issuer.url, aud: AUDIENCE, exp: now() + 600 })
          .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
          .sign(new TextEncoder().encode(JSON.stringify(issuer.keys[0]))),
      /not one that this app/,
    ],
    ['PS256', () => issuer.token({}, { alg: 'PS256', key: pss.privateKey }), /not one that this app/],
    ['claims changed after signing', async () => changed(await issuer.token()), /not one that this app/],
    ['no token at all', () => 'x', /not one that this app/],
    ['three empty parts', () => '..', /not one that this app/],
    ['a megabyte', () => `a.${'b'.repeat(1_000_000)}.c`, /too long/],
  ]
  test.each(cases)('%s', async (_, token, why) => {
    const told = await failure(await token())
    expect(told).toMatch(/^UNAUTHENTICATED: The token /)
    expect(told).toMatch(why)
  })
})

test('keys that cannot be read are AUTH_UNAVAILABLE, not a refusal; the next caller asks again', async () => {
  issuer.isUp = false
  check = openTokenCheck({ issuer: issuer.url, audience: AUDIENCE })
  const token = await issuer.token()
  expect(await failure(token)).toMatch(/^AUTH_UNAVAILABLE/)
  const byAddress = openTokenCheck({ issuer: issuer.url, audience: AUDIENCE, jwksUrl: `${issuer.url}/keys` })
  await expect(byAddress(token)).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE', retryable: true })
  issuer.isUp = true
  expect(await failure(token)).toBe('taken')
})

test('an issuer whose configuration speaks of another one is not believed', async () => {
  const other = openTokenCheck({ issuer: `${issuer.url}/tenant`, audience: AUDIENCE })
  await expect(other(await issuer.token())).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
})

describe('who the claims speak of', () => {
  test.each([
    [
      { sub: 's', preferred_username: 'ada@example.org', roles: ['reader', 'Operator'] },
      { name: 'ada@example.org', role: 'operator' },
    ],
    [
      { sub: 's', azp: 'pipeline', scp: 'openid submitter' },
      { name: 'pipeline', role: 'submitter' },
    ],
    [
      { sub: 's', roles: ['reader'], scp: 'admin' },
      { name: 's', role: 'reader' },
    ],
  ])('%j', (given, expected) => expect(callerOfClaims(given)).toEqual(expected))
  test('without a role or a name', () => {
    expect(() => callerOfClaims({ sub: 's', roles: 'admin' })).toThrow(/none of the roles/)
    expect(() => callerOfClaims({ sub: 's', roles: ['root', 3] })).toThrow(/none of the roles/)
    expect(() => callerOfClaims({ roles: ['admin'] })).toThrow(/names nobody/)
  })
})
