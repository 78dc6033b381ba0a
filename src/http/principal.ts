// Who a caller is, from what stands in for them: the header of App Service authentication, or the claims of a token.
import type { JWTPayload } from 'jose'
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { Role } from '../models/words.ts'

export interface Caller {
  /** For audit rows; from the identity, never from the body. */
  readonly name: string
  readonly role: Role
}

/** What App Service authentication puts into the header, in base64. */
const Principal = z.object({
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
  name_typ: z.string().optional(),
  role_typ: z.string().optional(),
})
const NAME_CLAIMS = [
  'preferred_username',
  'name',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier',
  'sub',
  'appid',
]

/** @returns undefined: the header is not there, or not one. @throws AppError `ROLE_MISSING` */
export function callerOfPrincipal(header: string | null): Caller | undefined {
  const principal = readPrincipal(header)
  if (!principal) return undefined
  const claim = (typ: string | undefined): string | undefined => principal.claims.find((c) => c.typ === typ)?.val
  const name = [principal.name_typ, ...NAME_CLAIMS].map(claim).find(Boolean)
  const words = principal.claims.filter((c) => c.typ === principal.role_typ || c.typ === 'roles').map((c) => c.val)
  return name ? withRole(name, words) : undefined
}

/**
 * Claims of a checked token: the roles of `roles`, else the scopes of `scp` (a delegated token), by their names.
 * @throws AppError `UNAUTHENTICATED` for a token of nobody, `ROLE_MISSING`
 */
export function callerOfClaims(claims: JWTPayload): Caller {
  const name = ['preferred_username', 'upn', 'name', 'azp', 'appid', 'sub'].map((c) => claims[c]).find(isText)
  if (name === undefined) throw new AppError('UNAUTHENTICATED', 'The token names nobody: it has neither a name nor a subject.')
  const { roles, scp } = claims as { roles?: unknown; scp?: unknown }
  const words = Array.isArray(roles) ? roles.filter(isText) : isText(scp) ? scp.split(' ') : []
  return withRole(name, words)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function withRole(name: string, words: readonly string[]): Caller {
  const held = words.flatMap((word) => Role.safeParse(word.toLowerCase()).data ?? [])
  const role = Role.options.toReversed().find((r) => held.includes(r))
  if (!role) throw new AppError('ROLE_MISSING', `${name} has none of the roles ${Role.options.join(', ')}.`)
  return { name: name.slice(0, 200), role }
}

function readPrincipal(header: string | null): z.infer<typeof Principal> | undefined {
  if (header === null || header.length > 64_000) return undefined
  try {
    return Principal.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8')))
  } catch {
    return undefined
  }
}
