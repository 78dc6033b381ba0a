// `npm run migrate`: brings the database to this release, as the owner of the schema. `-- --print-grants` prints what administrators run before.
import { grantScript } from '../src/db/grants.ts'
import { migrate } from '../src/db/migrate.ts'
import { grantees, migrationDatabase } from '../src/platform/migration.ts'

try {
  if (process.argv.includes('--print-grants')) printGrants()
  else await run()
} catch (error) {
  // A sentence for whoever deploys; what lies behind it for whoever has to find out more.
  console.error(error instanceof Error ? error.message : error)
  if (error instanceof Error && error.cause !== undefined && process.env['LOG_LEVEL'] === 'debug') console.error(error.cause)
  process.exitCode = 1
}

async function run(): Promise<void> {
  const { connectionString, password } = migrationDatabase(process.env)
  const warn = (sentence: string): void => console.error(sentence)
  const { migrations, functionsReplaced } = await migrate(connectionString, 'sql', { warn, ...(password ? { password } : {}) })
  console.log(
    migrations.length === 0 && !functionsReplaced
      ? 'Up to date.'
      : `Applied ${migrations.length} migrations${functionsReplaced ? ', replaced the functions' : ''}.`,
  )
}

function printGrants(): void {
  const { database, run, migrator } = grantees(process.env)
  console.log(grantScript(database, run, migrator))
  const missing = [run, migrator].filter(({ name }) => name.startsWith('<')).map(({ name }) => name.slice(1, -1))
  if (missing.length > 0) console.error(`Set ${missing.join(' and ')} to have the names of the identities filled in.`)
}
