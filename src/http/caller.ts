// Who calls, and what they may do. Never open: a caller that cannot be told is anonymous, and anonymous callers may only probe health.
import * as z from 'zod'
import { AppError } from '../rules/errors.ts'
import { includesRole, Role } from '../models/words.ts'
import type { Config } from '../platform/config.ts'

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

/**
 * @param adminKey the route is guarded by an admin key, so that whoever comes through holds one
 * @returns undefined: anonymous
 */
export function callerOf(headers: Pick<Headers, 'get'>, config: Config, adminKey: boolean): Caller | undefined {
  // A key is a shared secret, checked by the host before the request arrives; whose it is cannot be seen.
  if (config.AUTH_MODE === 'key') return { name: 'key', role: adminKey ? 'admin' : 'operator' }
  // Without the platform's own check anybody could send the header.
  if (config.AUTH_MODE !== 'easyauth' || config.WEBSITE_AUTH_ENABLED?.toLowerCase() !== 'true') return undefined
  const principal = readPrincipal(headers.get('x-ms-client-principal'))
  if (!principal) return undefined
  const claim = (typ: string | undefined): string | undefined => principal.claims.find((c) => c.typ === typ)?.val
  const name = [principal.name_typ, ...NAME_CLAIMS].map(claim).find(Boolean)
  const held = principal.claims
    .filter((c) => c.typ === principal.role_typ || c.typ === 'roles')
    .flatMap((c) => Role.safeParse(c.val.toLowerCase()).data ?? [])
  const role = Role.options.toReversed().find((r) => held.includes(r))
  if (!name) return undefined
  if (!role) throw new AppError('ROLE_MISSING', `${name} has none of the roles ${Role.options.join(', ')}.`)
  return { name: name.slice(0, 200), role }
}

/** @throws AppError `UNAUTHENTICATED`, `ROLE_MISSING` */
export function requireRole(caller: Caller | undefined, needed: Role): Caller {
  if (!caller) throw new AppError('UNAUTHENTICATED', 'This resource needs a signed-in caller.')
  if (!includesRole(caller.role, needed))
    throw new AppError('ROLE_MISSING', `This needs the role ${needed}; ${caller.name} has the role ${caller.role}.`)
  return caller
}

function readPrincipal(header: string | null): z.infer<typeof Principal> | undefined {
  if (header === null || header.length > 64_000) return undefined
  try {
    return Principal.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8')))
  } catch {
    return undefined
  }
}
