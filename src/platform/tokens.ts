// AUTH_MODE jwt: tokens of an OpenID Connect issuer (RFC 7519, RFC 9068), checked with its published keys.
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'

export interface TokenRules {
  /** `iss` of every token; its OpenID configuration names the keys. */
  readonly issuer: string
  readonly audience: string
  /** Of the keys, where the issuer publishes no configuration. */
  readonly jwksUrl?: string | undefined
}

/**
 * Claims of a token that is signed by the issuer, meant for this app, and valid now.
 * @throws AppError `UNAUTHENTICATED` with what is wrong with the token, `AUTH_UNAVAILABLE` while the keys cannot be read
 */
export type TokenCheck = (token: string) => Promise<JWTPayload>

/** Only signatures whose key the issuer publishes; HMAC and `none` would make a token out of anything. */
const ALGORITHMS = ['RS256', 'ES256']
const LEEWAY_SECONDS = 60
const KEYS_MS = 600_000
const ASK_MS = 5000
/** An access token of a platform is below 8 KB; the rest is not worth the hashing. */
const MAX_CHARACTERS = 16_384

/** Nothing is loaded or asked before the first token; keys are kept for 10 minutes, and asked again at once for one that is not among them. */
export function openTokenCheck(rules: TokenRules): TokenCheck {
  let keys: Promise<JWTVerifyGetKey> | undefined
  return async (token) => {
    if (token.length > MAX_CHARACTERS) throw refused('is too long')
    const { jwtVerify, errors } = await import('jose')
    // A failed look is not kept: the next caller looks again.
    keys ??= openKeys(rules).catch((error: unknown) => {
      keys = undefined
      throw error
    })
    const key = await keys
    try {
      const { issuer, audience } = rules
      const checks = { issuer, audience, algorithms: ALGORITHMS, clockTolerance: LEEWAY_SECONDS, requiredClaims: ['exp'] }
      return (await jwtVerify(token, key, checks)).payload
    } catch (error) {
      throw error instanceof errors.JOSEError && !isKeyTrouble(error.code) ? refused(reasonOf(error)) : unavailable(error)
    }
  }
}

const isKeyTrouble = (code: string): boolean =>
  code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JWKS_INVALID' || code === 'ERR_JOSE_GENERIC'

async function openKeys({ issuer, jwksUrl }: TokenRules): Promise<JWTVerifyGetKey> {
  const { createRemoteJWKSet } = await import('jose')
  const options = { cacheMaxAge: KEYS_MS, timeoutDuration: ASK_MS, cooldownDuration: 30_000 }
  return createRemoteJWKSet(new URL(jwksUrl ?? (await publishedKeys(issuer))), options)
}

const Configuration = z.object({ issuer: z.string(), jwks_uri: z.url() })

/** OpenID Connect Discovery 1.0 §4: the document must speak of the issuer that it was asked for. */
async function publishedKeys(issuer: string): Promise<string> {
  try {
    const at = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const answer = await fetch(at, { signal: AbortSignal.timeout(ASK_MS), redirect: 'error' })
    if (!answer.ok) throw new Error(`${at} answers ${answer.status}`)
    const found = Configuration.parse(await answer.json())
    if (found.issuer !== issuer) throw new Error(`${at} speaks of another issuer`)
    return found.jwks_uri
  } catch (error) {
    throw unavailable(error)
  }
}

const unavailable = (cause: unknown): AppError =>
  new AppError('AUTH_UNAVAILABLE', 'The keys that tokens are checked with cannot be read from the issuer now.', { cause })

const refused = (why: string): AppError => new AppError('UNAUTHENTICATED', `The token ${why}.`)

/** In words that tell whoever holds the token what to do, and nobody else anything. */
function reasonOf(error: { readonly code: string; readonly claim?: unknown }): string {
  if (error.code === 'ERR_JWT_EXPIRED') return 'is expired'
  if (error.code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return REASONS[String(error.claim)] ?? 'lacks a claim or has a wrong one'
  if (error.code === 'ERR_JWKS_NO_MATCHING_KEY') return 'is signed by a key that the issuer does not publish'
  return 'is not one that this app takes: RS256 or ES256, signed by its issuer'
}
const REASONS: Readonly<Record<string, string>> = {
  aud: 'is meant for another audience',
  iss: 'comes from another issuer',
  nbf: 'is not valid yet',
  exp: 'has no end',
}
