// Who this process is, among all that share the database.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

export interface ProcessIdentity {
  /** 16 hexadecimal digits that begin the uuid of each of its claims. */
  readonly id: string
  /** Where it runs: the process that is started there next follows it. */
  readonly name: string
}

/** Of this start of the process. WEBSITE_INSTANCE_ID is the instance on Azure, WEBSITE_HOSTNAME the address of a local host. */
export function processIdentity(env: Readonly<Record<string, string | undefined>>): ProcessIdentity {
  const place = env['WEBSITE_INSTANCE_ID'] || `${hostname()} ${env['WEBSITE_HOSTNAME'] ?? ''}`
  return { id: randomBytes(8).toString('hex'), name: place.trim().slice(0, 200) }
}
