// An OpenID Connect issuer on loopback: publishes real keys, and signs whatever a test says.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export const AUDIENCE = 'api://lamplighter'

export interface Issuer {
  readonly url: string
  /** Paths that were asked for, in order. */
  asked: string[]
  /** False: every question is answered with 500. */
  isUp: boolean
  readonly keys: readonly Record<string, unknown>[]
  /** A good token of `ada` but for what the claims say; undefined leaves a claim out. */
  token(claims?: Record<string, unknown>, signing?: { alg?: string; kid?: string; key?: CryptoKey }): Promise<string>
  readonly rsa: CryptoKey
  readonly ec: CryptoKey
  stop(): void
}

export async function startIssuer(): Promise<Issuer> {
  const [rsa, ec] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('ES256')])
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
    { ...(await exportJWK(ec.publicKey)), kid: 'ec', alg: 'ES256', use: 'sig' },
  ]
  const server = createServer((request, response) => {
    issuer.asked.push(request.url ?? '')
    response.statusCode = issuer.isUp ? 200 : 500
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/keys' ? { keys } : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer: Issuer = {
    url,
    asked: [],
    isUp: true,
    keys,
    rsa: rsa.privateKey,
    ec: ec.privateKey,
    token(claims = {}, { alg = 'RS256', kid = 'rsa', key = rsa.privateKey } = {}) {
      const exp = Math.floor(Date.now() / 1000) + 600
      const all = { iss: url, aud: AUDIENCE, exp, sub: 'ada', ...claims }
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWTPayload
      return new SignJWT(given).setProtectedHeader({ alg, kid }).sign(key)
    },
    stop: () => server.close(),
  }
  return issuer
}
