// Session settings that break what this code relies on. They are looked at, not set: behind a pooler in transaction mode a SET would
// reach whoever comes next, and start-up options are refused by old poolers. The role is the place where they hold everywhere.
import type pg from 'pg'
import { AppError } from '../rules/errors.ts'

/** Setting → what it must be, the accepted values, and what breaks otherwise. */
const NEEDED: readonly (readonly [setting: string, wanted: string, accepted: RegExp, because: string])[] = [
  ['DateStyle', 'ISO', /^ISO\b/i, 'times would be read wrongly'],
  [
    'default_transaction_isolation',
    'read committed',
    /^read committed$/,
    'the last of many tasks would not see that it is the last',
  ],
  ['default_transaction_read_only', 'off', /^off$/, 'nothing could be written'],
]

const ASK = `SELECT current_user AS role, ${NEEDED.map(([name]) => `current_setting('${name}') AS "${name}"`).join(', ')}`

/** Asked once for each new connection. @throws AppError `DATABASE_SETTINGS` naming each setting and the statement that mends it */
export async function checkSession(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query<Record<string, string>>(ASK)
  const found = rows[0] ?? {}
  const wrong = NEEDED.filter(([name, , accepted]) => !accepted.test(found[name] ?? ''))
  if (wrong.length === 0) return
  const said = wrong.map(([name, wanted, , because]) => `${name} is "${found[name]}" and must be "${wanted}": ${because}.`)
  const remedies = wrong.map(([name, wanted]) => `ALTER ROLE ${found['role']} SET ${name} = '${wanted}';`)
  throw new AppError('DATABASE_SETTINGS', `${said.join(' ')} Run: ${remedies.join(' ')}`)
}
