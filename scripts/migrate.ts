// `npm run migrate`: brings the database to this release. MIGRATE_DATABASE_URL, when set, is the direct connection of the owner role
// beside DATABASE_URL of the app's own, which may go through a pooler.
import { migrate } from '../src/db/migrate.ts'

const url = process.env['MIGRATE_DATABASE_URL'] ?? process.env['DATABASE_URL']
if (!url) {
  console.error(
    'Neither MIGRATE_DATABASE_URL nor DATABASE_URL is set. Set the first to a direct connection (port 5432) of the owner role.',
  )
  process.exit(1)
}
const { migrations, functionsReplaced } = await migrate(url, 'sql')
console.log(
  migrations.length === 0 && !functionsReplaced
    ? 'Up to date.'
    : `Applied ${migrations.length} migrations${functionsReplaced ? ', replaced the functions' : ''}.`,
)
