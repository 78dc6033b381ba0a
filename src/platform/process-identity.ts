// Who this process is, among all that share the database.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { ProcessIdentity } from '../engine/deps.ts'

/** Of this start of the process. WEBSITE_INSTANCE_ID is the instance on Azure, WEBSITE_HOSTNAME the address of a local host. */
export function processIdentity(env: Readonly<Record<string, string | undefined>>): ProcessIdentity {
  const place = env['WEBSITE_INSTANCE_ID'] || `${hostname()} ${env['WEBSITE_HOSTNAME'] ?? ''}`
  return { id: randomBytes(8).toString('hex'), name: place.trim().slice(0, 200) }
}
