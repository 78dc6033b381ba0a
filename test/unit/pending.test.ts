import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pendingMigrations, statementsOf } from '../../src/db/pending.ts'

test('what is pending comes with its statements, in order', async () => {
  const all = await pendingMigrations('sql', [])
  expect(all.map((m) => m.name)).toEqual((await readdir('sql/migrations')).map((f) => f.replace('.sql', '')).sort())
  expect(all[0]?.statements[0]).toBe('CREATE SCHEMA IF NOT EXISTS app')
  expect(
    await pendingMigrations(
      'sql',
      all.map((m) => m.name),
    ),
  ).toEqual([])
})

test.each([
  'DROP TABLE app.jobs',
  'ALTER TABLE app.jobs DROP COLUMN x',
  'ALTER TABLE app.jobs RENAME COLUMN a TO b',
  'ALTER TABLE app.jobs ALTER COLUMN a TYPE int',
  'ALTER TABLE app.jobs ALTER COLUMN a SET NOT NULL',
  'ALTER TABLE app.jobs ADD COLUMN a text NOT NULL',
  'ALTER TABLE app.jobs DROP CONSTRAINT c',
  'DELETE FROM app.jobs',
  'truncate app.jobs',
])('%s takes something away', async (statement) => {
  expect(await contracting(statement)).toHaveLength(1)
})
test.each([
  'ALTER TABLE app.jobs ADD COLUMN a text',
  `ALTER TABLE app.jobs ADD COLUMN a text NOT NULL DEFAULT 'x'`,
  'CREATE INDEX i ON app.jobs (a)',
  '-- DROP TABLE app.jobs\nSELECT 1',
])('%s does not', async (statement) => expect(await contracting(statement)).toEqual([]))

async function contracting(statement: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lamplighter-pending-'))
  await mkdir(join(folder, 'migrations'))
  await writeFile(join(folder, 'migrations', '0001_x.sql'), `${statement};\n`)
  const [migration] = await pendingMigrations(folder, [])
  await rm(folder, { recursive: true })
  return migration?.contracting ?? []
}

test('none of ours is without statements', async () => {
  for (const file of await readdir('sql/migrations'))
    expect(statementsOf(await readFile(`sql/migrations/${file}`, 'utf8')).length).toBeGreaterThan(0)
})
