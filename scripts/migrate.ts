// `npm run migrate`: brings the database of DATABASE_URL to this release. Use a direct connection, not a pooler.
import { migrate } from '../src/db/migrate.ts'

const url = process.env['DATABASE_URL']
if (!url) {
  console.error('DATABASE_URL is not set. Set it to a direct connection (port 5432) of the owner role.')
  process.exit(1)
}
const { migrations, functionsReplaced } = await migrate(url, 'sql')
console.log(
  migrations.length === 0 && !functionsReplaced
    ? 'Up to date.'
    : `Applied ${migrations.length} migrations${functionsReplaced ? ', replaced the functions' : ''}.`,
)
