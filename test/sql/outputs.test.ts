// Files that jobs publish: one per name, whoever comes first or late, and none is forgotten in storage.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputRecords, outputsToRemove, removeOutput } from '../../src/db/output-functions.ts'
import type { Pool } from '../../src/db/pool.ts'
import type { OutputRecords } from '../../src/models/raster-output.ts'
import { codeOf, createDatabase, newJobId, openStage, type TestDatabase } from '../support/db.ts'
import { session, waits } from '../support/sessions.ts'

let database: TestDatabase
let db: Pool
let records: OutputRecords
beforeAll(async () => {
  database = await createDatabase({ max: 5 })
  db = database.pool
  records = outputRecords(db)
})
afterAll(() => database.drop())

let names = 0
const newName = (): string => `name-${++names}`
const FACTS = { bytes: 10, etag: 'e', facts: { levels: 3 } }

async function committed(targetName: string, blob: string, jobId = newJobId()): Promise<string> {
  await records.stage({ container: 'silver', blob, jobId, plan: 1, targetName, provenance: { source: 'a.tif' } })
  await records.commit('silver', blob, FACTS)
  return jobId
}
const publish = (blob: string, overwrite = false) => records.publish('silver', blob, { overwrite })
const stateOf = async (blob: string): Promise<string> =>
  (await db.query<{ state: string }>('SELECT state FROM app.raster_outputs WHERE blob = $1', [blob]))[0]?.state as string

describe('one published file per name', () => {
  test('the first has it; another job is told who, unless it may replace it; repeated, nothing changes', async () => {
    const name = newName()
    const first = await committed(name, `${name}/1.tif`)
    expect(await publish(`${name}/1.tif`)).toEqual({ outcome: 'published', holder: null })
    expect(await publish(`${name}/1.tif`)).toEqual({ outcome: 'published', holder: null })
    await committed(name, `${name}/2.tif`)
    expect(await publish(`${name}/2.tif`)).toEqual({ outcome: 'taken', holder: first })
    expect(await stateOf(`${name}/1.tif`)).toBe('published')
    expect(await publish(`${name}/2.tif`, true)).toEqual({ outcome: 'published', holder: null })
    expect([await stateOf(`${name}/1.tif`), await stateOf(`${name}/2.tif`)]).toEqual(['superseded', 'published'])
  })

  test('a late repetition never turns the name back', async () => {
    const name = newName()
    await committed(name, `${name}/1.tif`)
    await publish(`${name}/1.tif`)
    const second = await committed(name, `${name}/2.tif`)
    await publish(`${name}/2.tif`, true)
    expect(await publish(`${name}/1.tif`, true)).toEqual({ outcome: 'superseded', holder: second })
    expect(await records.holder('silver', name)).toBe(second)
  })

  test('a rerun of the same job replaces its own file without asking', async () => {
    const name = newName()
    const job = await committed(name, `${name}/1.tif`)
    await publish(`${name}/1.tif`)
    await committed(name, `${name}/2.tif`, job)
    expect(await publish(`${name}/2.tif`)).toEqual({ outcome: 'published', holder: null })
  })

  test('two jobs publish at the same moment: one has it, the other is told, none fails', async () => {
    const name = newName()
    const first = await committed(name, `${name}/1.tif`)
    await committed(name, `${name}/2.tif`)
    const [one, other] = [await session(database.url), await session(database.url)]
    try {
      expect(await outputRecords(one.pool).publish('silver', `${name}/1.tif`, { overwrite: false })).toMatchObject({
        outcome: 'published',
      })
      const waiting = outputRecords(other.pool).publish('silver', `${name}/2.tif`, { overwrite: false })
      expect(await waits(db, other.client, waiting)).toBe(true)
      await one.client.query('COMMIT')
      expect(await waiting).toEqual({ outcome: 'taken', holder: first })
    } finally {
      await Promise.all([one, other].map((s) => s.client.end()))
    }
  })

  test('what is not committed, or not there, cannot be published', async () => {
    const name = newName()
    await records.stage({
      container: 'silver',
      blob: `${name}/1.tif`,
      jobId: newJobId(),
      plan: 1,
      targetName: name,
      provenance: {},
    })
    expect(await codeOf(publish(`${name}/1.tif`))).toBe('ILLEGAL_STATE')
    expect(await codeOf(publish(`${name}/none.tif`))).toBe('ILLEGAL_STATE')
  })
})

test('a commit joins its facts once, and a second one changes nothing', async () => {
  const name = newName()
  await committed(name, `${name}/1.tif`)
  await records.commit('silver', `${name}/1.tif`, { bytes: 99, etag: 'other', facts: { levels: 9 } })
  expect(
    await db.query('SELECT bytes::int, etag, provenance FROM app.raster_outputs WHERE blob = $1', [`${name}/1.tif`]),
  ).toEqual([{ bytes: 10, etag: 'e', provenance: { source: 'a.tif', levels: 3 } }])
})

test('superseded files go after a day, those of dead jobs when they are old enough, published and running ones never', async () => {
  await db.query('DELETE FROM app.raster_outputs')
  const [running] = [await openStage(db, { tasks: 1 })]
  const rows = [
    ['published', 'published', null, '30 days', false],
    ['superseded', 'superseded', null, '25 hours', true],
    ['fresh', 'superseded', null, '23 hours', false],
    ['orphan', 'staged', null, '2 days', true],
    ['running', 'staged', running.job_id, '30 days', false],
  ] as const
  for (const [blob, state, job, age] of rows)
    await db.query(
      `INSERT INTO app.raster_outputs (container, blob, job_id, plan, target_name, state, changed_at, provenance)
       VALUES ('silver', $1, $2, 1, $1, $3, now() - $4::interval, '{}')`,
      [blob, job ?? newJobId(), state, age],
    )
  const found = await outputsToRemove(db, { limit: 10 })
  expect(found.map((r) => r.blob).sort()).toEqual(
    rows
      .filter((r) => r[4])
      .map((r) => r[0])
      .sort(),
  )
  expect(await removeOutput(db, { container: 'silver', blob: 'orphan' })).toEqual([{ remove_output: true }])
  expect(await removeOutput(db, { container: 'silver', blob: 'published' })).toEqual([{ remove_output: false }])
  expect((await outputsToRemove(db, { limit: 10 })).map((r) => r.blob)).toEqual(['superseded'])
})
