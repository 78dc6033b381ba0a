// Who calls, and what they may do. Never open: a caller that cannot be told is anonymous, and anonymous callers may only probe health.
import { AppError } from '../rules/errors.ts'
import { includesRole, type Role } from '../models/words.ts'
import type { Resources } from '../platform/resources.ts'
import { type Caller, callerOfClaims, callerOfPrincipal } from './principal.ts'

export type { Caller }

/**
 * @param adminKey the route is guarded by an admin key, so that whoever comes through holds one
 * @returns undefined: anonymous
 * @throws AppError `UNAUTHENTICATED` for a token that is not good, `ROLE_MISSING`, `AUTH_UNAVAILABLE`
 */
export async function callerOf(
  headers: Pick<Headers, 'get'>,
  { config, checkToken }: Pick<Resources, 'config' | 'checkToken'>,
  adminKey: boolean,
): Promise<Caller | undefined> {
  // A key is a shared secret, checked by the host before the request arrives; whose it is cannot be seen.
  if (config.AUTH_MODE === 'key') return { name: 'key', role: adminKey ? 'admin' : 'operator' }
  if (config.AUTH_MODE === 'easyauth')
    // Without the platform's own check anybody could send the header.
    return isPrincipalTrusted(config) ? callerOfPrincipal(headers.get('x-ms-client-principal')) : undefined
  const token = /^Bearer +(\S+)$/i.exec(headers.get('authorization')?.trim() ?? '')?.[1]
  return token === undefined ? undefined : callerOfClaims(await checkToken(token))
}

/** Whether App Service authentication stands before the app, and removes what callers send in its name. */
export const isPrincipalTrusted = ({ WEBSITE_AUTH_ENABLED }: Pick<Resources['config'], 'WEBSITE_AUTH_ENABLED'>): boolean =>
  WEBSITE_AUTH_ENABLED?.toLowerCase() === 'true'

/** @throws AppError `UNAUTHENTICATED`, `ROLE_MISSING` */
export function requireRole(caller: Caller | undefined, needed: Role): Caller {
  if (!caller) throw new AppError('UNAUTHENTICATED', 'This resource needs a signed-in caller.')
  if (!includesRole(caller.role, needed))
    throw new AppError('ROLE_MISSING', `This needs the role ${needed}; ${caller.name} has the role ${caller.role}.`)
  return caller
}
