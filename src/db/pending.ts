// What a migration would do, before it is done.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { releasedMigrations } from './sql-folder.ts'

export interface PendingMigration {
  readonly name: string
  /** Without comments, in order. */
  readonly statements: readonly string[]
  /** Those that take something away: a release that still runs may use it. */
  readonly contracting: readonly string[]
}

const CONTRACTS =
  /^\s*(DROP (TABLE|SCHEMA|FUNCTION|PROCEDURE|TYPE|VIEW)|TRUNCATE|DELETE FROM|ALTER TABLE[\s\S]*\b(DROP (COLUMN|CONSTRAINT)|RENAME|ALTER COLUMN \w+ (TYPE|SET NOT NULL|SET DATA TYPE)|ADD COLUMN \w+ [^,;]*NOT NULL(?![\s\S]*DEFAULT)))/i

/** Migrations of this release that the database has not. @param applied their names */
export async function pendingMigrations(sqlFolder: string, applied: readonly string[]): Promise<PendingMigration[]> {
  const names = (await releasedMigrations(sqlFolder)).filter((name) => !applied.includes(name))
  return Promise.all(
    names.map(async (name) => {
      const statements = statementsOf(await readFile(join(sqlFolder, 'migrations', `${name}.sql`), 'utf8'))
      return { name, statements, contracting: statements.filter((text) => CONTRACTS.test(text)) }
    }),
  )
}

/** Our migrations have no quoted semicolons outside of function bodies, which are no part of them. */
export const statementsOf = (sql: string): string[] =>
  sql
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((text) => text.trim())
    .filter(Boolean)
