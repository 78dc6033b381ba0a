import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareCatalogues, readCatalogue } from '../../src/db/catalogue.ts'
import { tableDdl } from '../../src/db/ddl.ts'
import { driftBetween, expectedShape, readShape } from '../../src/db/drift.ts'
import { readSignatures, type Signature } from '../../src/db/inspect.ts'
import { functionsSql, migrate } from '../../src/db/migrate.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { SqlFunction } from '../../src/db/sql-function.ts'
import { column } from '../../src/models/sql-meta.ts'
import * as z from 'zod'
import { createDatabase, type TestDatabase } from '../support/db.ts'

let database: TestDatabase
let db: Pool
beforeAll(async () => {
  database = await createDatabase()
  db = database.pool
})
afterAll(() => database.drop())

test('migrations and models lead to one schema', async () => {
  const desired = await createDatabase({ empty: true })
  try {
    await desired.pool.query(await readFile('sql/tables.gen.sql', 'utf8'))
    await desired.pool.query(await functionsSql('sql/functions'))
    expect(compareCatalogues(await readCatalogue(desired.pool), await readCatalogue(db))).toEqual([])
  } finally {
    await desired.drop()
  }
})

test('a migrated database has no drift from what the release expects; each difference is named', async () => {
  const expected = await expectedShape('sql/functions')
  expect(driftBetween(expected, await readShape(db))).toEqual([])
  const drifted = await createDatabase()
  try {
    await drifted.pool.query(`
      ALTER TABLE app.jobs DROP CONSTRAINT jobs_started;
      ALTER TABLE app.tasks ADD COLUMN surprise int;
      ALTER TABLE app.jobs ALTER COLUMN submitted_by TYPE varchar(10), ALTER COLUMN status DROP NOT NULL;
      DROP INDEX app.jobs_created;
      CREATE OR REPLACE FUNCTION app.has_open_tasks(p_stage_id int) RETURNS boolean LANGUAGE sql AS 'SELECT false'`)
    expect(driftBetween(expected, await readShape(drifted.pool))).toEqual([
      'missing: constraint jobs.jobs_started',
      'missing: index jobs_created',
      'not in this release: column tasks.surprise',
      'differs: column jobs.status: text instead of text not null',
      'differs: column jobs.submitted_by: character varying(10) instead of text',
      'differs: routine has_open_tasks',
    ])
  } finally {
    await drifted.drop()
  }
})

test('drift is named: a dropped constraint, an extra column, a changed function', async () => {
  const drifted = await createDatabase()
  try {
    await drifted.pool.query('ALTER TABLE app.jobs DROP CONSTRAINT jobs_started')
    await drifted.pool.query('ALTER TABLE app.tasks ADD COLUMN surprise int')
    await drifted.pool.query(
      `CREATE OR REPLACE FUNCTION app.has_open_tasks(p_stage_id int) RETURNS boolean LANGUAGE sql AS 'SELECT false'`,
    )
    const lines = compareCatalogues(await readCatalogue(db), await readCatalogue(drifted.pool))
    expect(lines.map((l) => l.split(':').slice(0, 2).join(':'))).toEqual([
      'missing: constraint jobs.jobs_started',
      'not in this release: column tasks.surprise',
      'differs: routine has_open_tasks',
    ])
  } finally {
    await drifted.drop()
  }
})

test('migrating twice, on a filled schema too, changes nothing', async () => {
  const filled = await createDatabase()
  try {
    await filled.pool.query(`SELECT app.add_event(NULL, 'admin.test', '{}')`)
    expect(await migrate(filled.url, 'sql')).toEqual({ migrations: [], functionsReplaced: false })
    await filled.pool.query(`COMMENT ON SCHEMA app IS 'older'`)
    expect(await migrate(filled.url, 'sql')).toEqual({ migrations: [], functionsReplaced: true })
    expect(await filled.pool.query('SELECT event FROM app.job_events')).toEqual([{ event: 'admin.test' }])
    expect(compareCatalogues(await readCatalogue(db), await readCatalogue(filled.pool))).toEqual([])
  } finally {
    await filled.drop()
  }
})

/** Every typed caller that a file of src/db exports. */
async function declaredCallers(): Promise<SqlFunction<never, object>[]> {
  const files = (await readdir('src/db')).filter((f) => f.endsWith('.ts'))
  const modules = await Promise.all(
    files.map((f) => import(/* @vite-ignore */ `../../src/db/${f}`) as Promise<Record<string, unknown>>),
  )
  return modules
    .flatMap((m) => Object.values(m))
    .filter((v): v is SqlFunction<never, object> => typeof v === 'function' && 'sqlName' in v)
}

const signatureOf = async (name: string): Promise<Signature | undefined> => (await readSignatures(db)).get(name)

const signatureHere = (fn: Pick<SqlFunction<never, object>, 'args' | 'returns'>): Signature => ({
  args: Object.fromEntries(Object.entries(fn.args).map(([k, v]) => [`p_${k}`, v])),
  returns: { ...fn.returns },
})

test('every caller declares the arguments and result columns that pg_proc knows, and no caller is missed', async () => {
  const callers = await declaredCallers()
  expect(callers.length).toBeGreaterThan(25)
  for (const fn of callers) expect([fn.sqlName, signatureHere(fn)]).toEqual([fn.sqlName, await signatureOf(fn.sqlName)])
})

test('a function without a caller is called by another function', async () => {
  const called = new Set((await declaredCallers()).map((fn) => fn.sqlName))
  const files = (await readdir('sql/functions')).map((f) => f.replace('.sql', ''))
  const texts = await Promise.all(files.map(async (f) => [f, await readFile(`sql/functions/${f}.sql`, 'utf8')] as const))
  const usedBy = (name: string) => texts.filter(([f, text]) => f !== name && text.includes(`app.${name}(`))
  // For callers outside this app: the header says so.
  const outside = new Set(['complete_task_and_check_stage'])
  expect(files.filter((f) => !called.has(f) && !outside.has(f) && usedBy(f).length === 0)).toEqual([])
})

test.each([
  ['an argument of another name', { args: { job: 'text', attempt: 'integer' } }],
  ['an argument of another type', { args: { job_id: 'text', attempt: 'text' } }],
  ['an argument too few', { args: { job_id: 'text' } }],
  ['a column of another name', { returns: { confirmed: 'boolean' } }],
  ['a column of another type', { returns: { confirm_start: 'text' } }],
  ['a column too many', { returns: { confirm_start: 'boolean', attempt: 'integer' } }],
] as const)('%s is found', async (_what, wrong) => {
  const right = { args: { job_id: 'text', attempt: 'integer' }, returns: { confirm_start: 'boolean' } } as const
  const known = await signatureOf('confirm_start')
  expect(signatureHere(right)).toEqual(known)
  expect(signatureHere({ ...right, ...wrong })).not.toEqual(known)
})

test('one function per file, at most 100 lines, with a header that says why', async () => {
  for (const file of await readdir('sql/functions')) {
    const text = await readFile(`sql/functions/${file}`, 'utf8')
    const name = file.replace('.sql', '')
    expect(text.split('\n').length, file).toBeLessThanOrEqual(100)
    expect(text, file).toMatch(new RegExp(`^-- ${name}: `))
    expect(
      [...text.matchAll(/^CREATE (?:FUNCTION|PROCEDURE) app\.(\w+)/gm)].map((m) => m[1]),
      file,
    ).toEqual([name])
  }
})

test('every function that can wait for a lock says for how long', async () => {
  // These two run inside callers that hold the job row, under the callers' own bound.
  const inner = new Set(['add_event.sql', 'start_attempt.sql'])
  for (const file of await readdir('sql/functions')) {
    const code = (await readFile(`sql/functions/${file}`, 'utf8')).replaceAll(/^ *--.*$/gm, '')
    if (inner.has(file) || !/\b(FOR (UPDATE|SHARE|KEY SHARE)|UPDATE app\.|INSERT INTO|DELETE FROM|pg_advisory)/.test(code))
      continue
    expect(code, file).toContain("SET lock_timeout = '5s'")
  }
})

test('nothing of the source but the SQL functions writes a status', async () => {
  for (const file of await readdir('src', { recursive: true })) {
    if (!file.endsWith('.ts')) continue
    expect(await readFile(`src/${file}`, 'utf8'), file).not.toMatch(/\b(UPDATE|INSERT INTO|DELETE FROM)\s+app\./i)
  }
})

describe('every rule of a zod model reaches the database', () => {
  const model = z.object({
    id: column(z.int().min(1), { identity: true, type: 'bigint' }),
    short: z.string().min(2).max(4),
    code: z.string().regex(/^[A-Z]{2}$/),
    kind: z.enum(['a', "b'c"]),
    whole: z.int().min(-5).max(10),
    exclusive: z.number().gt(0).lt(1),
    step: z.int().multipleOf(5),
    maybe: z.string().nullable(),
    flag: z.boolean().default(true),
    at: z.iso.datetime({ offset: true }).nullable(),
    list: z.array(z.int().min(0)).min(1).max(3),
    words: z.array(z.enum(['x', 'y'])).default(['x']),
    nested: z.strictObject({ name: z.string().min(1).max(5), size: z.int().min(0).optional(), tags: z.array(z.string()).max(2) }),
    id2: z.uuid(),
  })
  const good = {
    short: 'abc',
    code: 'AB',
    kind: "b'c",
    whole: 3,
    exclusive: 0.5,
    step: 10,
    maybe: null,
    at: '2026-01-01T00:00:00Z',
    list: [1, 2],
    nested: { name: 'n', tags: ['t'] },
    id2: '7b0c7e0a-9c39-4b3e-9df0-1f4d9c0f2b11',
  }
  const insert = (row: Record<string, unknown>): Promise<unknown> => {
    const keys = Object.keys(row)
    const value = (v: unknown): unknown => (typeof v === 'object' && v !== null ? JSON.stringify(v) : v)
    return db.query(
      `INSERT INTO app.planted (${keys.join(', ')}) VALUES (${keys.map((_, i) => `$${i + 1}`).join(', ')})`,
      keys.map((k) => value(row[k])),
    )
  }
  beforeAll(async () => {
    await db.query(tableDdl({ name: 'planted', comment: "it's planted", model, primaryKey: ['id'] }))
  })
  afterAll(() => db.query('DROP TABLE app.planted'))

  test('a row with required fields only, and one with all, are stored with defaults', async () => {
    await insert(good)
    await insert({ ...good, maybe: 'x', flag: false, words: ['y'] })
    expect(await db.query('SELECT flag, words, maybe FROM app.planted ORDER BY id')).toEqual([
      { flag: true, words: ['x'], maybe: null },
      { flag: false, words: ['y'], maybe: 'x' },
    ])
  })

  const broken: [string, object, string][] = [
    ['min length', { short: 'a' }, 'planted_short_min_length'],
    ['max length', { short: 'abcde' }, 'planted_short_max_length'],
    ['pattern', { code: 'ab' }, 'planted_code_pattern'],
    ['enum', { kind: 'z' }, 'planted_kind_enum'],
    ['min', { whole: -6 }, 'planted_whole_min'],
    ['max', { whole: 11 }, 'planted_whole_max'],
    ['exclusive min', { exclusive: 0 }, 'planted_exclusive_exclusive_min'],
    ['exclusive max', { exclusive: 1 }, 'planted_exclusive_exclusive_max'],
    ['multipleOf', { step: 7 }, 'planted_step_multiple_of'],
    ['not null', { code: null }, '23502'],
    ['array kind', { list: { a: 1 } }, 'planted_list_type'],
    ['array too short', { list: [] }, 'planted_list_shape'],
    ['array too long', { list: [1, 2, 3, 4] }, 'planted_list_shape'],
    ['array item below min', { list: [-1] }, 'planted_list_shape'],
    ['array item of the wrong kind', { list: ['1'] }, 'planted_list_shape'],
    ['array item not in enum', { words: ['z'] }, 'planted_words_shape'],
    ['nested missing key', { nested: { name: 'n' } }, 'planted_nested_shape'],
    ['nested unknown key', { nested: { name: 'n', tags: [], more: 1 } }, 'planted_nested_shape'],
    ['nested too long', { nested: { name: 'toolong', tags: [] } }, 'planted_nested_shape'],
    ['nested wrong kind', { nested: { name: 1, tags: [] } }, 'planted_nested_shape'],
    ['nested optional of the wrong kind', { nested: { name: 'n', size: 1.5, tags: [] } }, 'planted_nested_shape'],
    ['nested array too long', { nested: { name: 'n', tags: ['a', 'b', 'c'] } }, 'planted_nested_shape'],
  ]
  for (const [title, change, constraint] of broken) {
    test(`${title} → ${constraint}`, async () => {
      const error = await insert({ ...good, ...change }).then(
        () => undefined,
        (e: Error) => e,
      )
      const cause = error?.cause as { constraint?: string; code?: string } | undefined
      expect(cause?.constraint ?? cause?.code).toBe(constraint)
    })
  }

  test('comments reach the catalogue', async () => {
    const [row] = await db.query<{ c: string }>(`SELECT obj_description('app.planted'::regclass) AS c`)
    expect(row?.c).toBe("it's planted")
  })

  test('a pattern that PostgreSQL cannot say is refused while generating, never dropped', () => {
    expect(() =>
      tableDdl({ name: 't', comment: '', model: z.object({ a: z.string().regex(/\p{L}/u) }), primaryKey: ['a'] }),
    ).toThrow(/PostgreSQL lacks/)
  })
})
