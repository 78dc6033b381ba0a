// Signs of life of this process while it runs tasks, and what is done for the tasks of processes that give none.
import { randomBytes } from 'node:crypto'
import { hostAlive, releaseDead } from '../db/task-functions.ts'
import { only } from '../db/sql-function.ts'
import type { Deps } from './deps.ts'

/** Between two signs. */
const BEAT_MS = 2000
/** Silent for this long: dead. Much longer than an event loop stands still, shorter than a lease. */
const SILENT_MS = 30_000
/** The same, when the process that asks was started in its place. */
const FOLLOWED_MS = 6000

const lastBeat = new WeakMap<Deps['process'], number>()

/** The id of a worker of this process. */
export const workerId = (deps: Deps): string => `${deps.process.id}${randomBytes(8).toString('hex')}`

/** Tells that this process lives, unless it did so just now. */
export async function showLife(deps: Deps): Promise<void> {
  const now = deps.now().getTime()
  if (now - (lastBeat.get(deps.process) ?? Number.NEGATIVE_INFINITY) < BEAT_MS) return
  lastBeat.set(deps.process, now)
  await hostAlive(deps.db, { host_id: deps.process.id, name: deps.process.name })
}

/** Ends the leases of dead processes; answers with their number. Safe to ask at any time, by anyone. */
export async function releaseClaimsOfTheDead(deps: Deps): Promise<number> {
  const { id: host_id, name } = deps.process
  const { release_dead: leases } = only(await releaseDead(deps.db, { host_id, name, silent: SILENT_MS, followed: FOLLOWED_MS }))
  if (leases > 0) deps.log.warn('hosts.released', { leases })
  return leases
}
