import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startPostgres } from '../../local/postgres.ts'
import { temporaryFolder } from '../../local/temporary-folder.ts'

const folder = temporaryFolder('lamplighter-recovery-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  // The server is killed under this session on purpose.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

test('a start after kill -9 is ready only when crash recovery is over, not when the port answers', async () => {
  const first = await startPostgres({ folder, fsync: false })
  await query(first.url, 'CREATE TABLE written AS SELECT i FROM generate_series(1, 1000000) i')
  process.kill(Number(readFileSync(join(first.dataFolder, 'pgdata', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
  expect(await first.ended).toContain('SIGKILL')
  const second = await startPostgres({ folder, fsync: false })
  expect(await query(second.url, 'SELECT count(*)::int AS n FROM written')).toEqual([{ n: 1_000_000 }])
  await second.stop()
})
