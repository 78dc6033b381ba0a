// Which Postgres this is: one that is too old fails in the middle of a migration, or of a job.
import type pg from 'pg'

/** The oldest major version that has all that is used, and the newest that the tests run on. */
export const OLDEST = 15
export const NEWEST_TESTED = 18

/**
 * @returns what to tell about a version that is newer than the tests; undefined: nothing
 * @throws Error naming the version of a server that is too old
 */
export async function checkServerVersion(client: Pick<pg.ClientBase, 'query'>): Promise<string | undefined> {
  const { rows } = await client.query<{ number: number }>(`SELECT current_setting('server_version_num')::int AS number`)
  const number = rows[0]?.number ?? 0
  const major = Math.floor(number / 10_000)
  const name = `${major}.${major < 10 ? Math.floor(number / 100) % 100 : number % 10_000}`
  if (major < OLDEST)
    throw new Error(
      `This server is Postgres ${name}, and Lamplighter needs ${OLDEST} or newer. Upgrade the server, or name another one.`,
    )
  if (major <= NEWEST_TESTED) return undefined
  return `This server is Postgres ${name}; Lamplighter is tested up to ${NEWEST_TESTED}.`
}
