import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { findPostgres, usablePostgres } from '../../local/postgres-binaries.ts'
import { MOVED_FROM, movedFolder, startPostgres } from '../../local/postgres.ts'
import { dataHome, reset } from '../../local/data-home.ts'
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
  const logFile = join(folder, 'postgres.log')
  const first = await startPostgres({ folder, fsync: false, logFile })
  await query(first.url, 'CREATE TABLE written AS SELECT i FROM generate_series(1, 1000000) i')
  process.kill(Number(readFileSync(join(first.dataFolder, 'pgdata', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
  // No line of the server says why: an old one would mislead.
  expect(await first.ended).toBe(`Postgres ended with SIGKILL. Its log: ${logFile}`)
  expect(readFileSync(logFile, 'utf8')).toContain('database system is ready to accept connections')
  const second = await startPostgres({ folder, fsync: false })
  expect(await query(second.url, 'SELECT count(*)::int AS n FROM written')).toEqual([{ n: 1_000_000 }])
  await second.stop()
})

test('an install script that was blocked left out the library links: they are made before the first use', async () => {
  const { folder: installed } = await findPostgres()
  const copy = temporaryFolder('lamplighter-binaries-')
  cpSync(installed, join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(join(copy, 'native', 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { target } of links) rmSync(join(copy, target), { force: true })
  const initdb = join(copy, 'native', 'bin', 'initdb')
  expect(() => execFileSync(initdb, ['--version'], { stdio: 'pipe' })).toThrow(/shared librar/)
  const { folder: usable } = await usablePostgres({ folder: join(copy, 'native'), version: 'test' }, undefined)
  expect(usable).toBe(join(copy, 'native'))
  for (const { source, target } of links) expect(readlinkSync(join(copy, target))).toBe(source.split('/').at(-1))
  expect(execFileSync(initdb, ['--version'], { encoding: 'utf8' })).toContain('PostgreSQL) 18')
  unlinkSync(initdb)
  rmSync(copy, { recursive: true })
})

test('a data folder of another major version is named with the way out', async () => {
  const old = temporaryFolder('lamplighter-old-')
  mkdirSync(join(old, 'pgdata'))
  writeFileSync(join(old, 'pgdata', 'PG_VERSION'), '16\n')
  await expect(startPostgres({ folder: old })).rejects.toThrow(
    'was made by Postgres 16, this is Postgres 18. Run npm run reset (it deletes the local data).',
  )
  rmSync(old, { recursive: true })
})

const asRoot = test.runIf(process.getuid?.() === 0)

asRoot('a data folder of another user is refused', async () => {
  const foreign = temporaryFolder('lamplighter-foreign-')
  chownSync(foreign, 12_345, 12_345)
  await expect(startPostgres({ folder: foreign })).rejects.toThrow('belongs to another user (uid 12345).')
  rmSync(foreign, { recursive: true })
})

asRoot(
  'a link, a file or an open folder planted under the name that data is moved to is refused, and what a link points to stays',
  async () => {
    const closed = mkdtempSync(join(tmpdir(), 'lamplighter-closed-'))
    const wanted = join(closed, 'postgres')
    const planted = movedFolder(wanted)
    const victim = temporaryFolder('lamplighter-victim-')
    writeFileSync(join(victim, 'precious'), 'x')
    const before = statSync(victim)
    try {
      symlinkSync(victim, planted)
      await expect(startPostgres({ folder: wanted })).rejects.toThrow(`${planted} is a link that somebody placed there`)
      rmSync(planted)
      writeFileSync(planted, 'x')
      await expect(startPostgres({ folder: wanted })).rejects.toThrow(`${planted} is not a folder`)
      rmSync(planted)
      mkdirSync(planted)
      chmodSync(planted, 0o777)
      await expect(startPostgres({ folder: wanted })).rejects.toThrow(`${planted} can be written by others (mode 777)`)
      chmodSync(planted, 0o711)
      symlinkSync(victim, join(planted, 'postgres'))
      await expect(startPostgres({ folder: wanted })).rejects.toThrow('is a link that somebody placed there')
      rmSync(join(planted, 'postgres'))
      // A link in the place of the password file is not followed either.
      mkdirSync(join(planted, 'postgres'))
      symlinkSync(join(victim, 'new'), join(planted, 'postgres', 'password'))
      await expect(startPostgres({ folder: wanted })).rejects.toThrow('EEXIST')
      expect([statSync(victim).uid, statSync(victim).mode, readdirSync(victim)]).toEqual([before.uid, before.mode, ['precious']])
    } finally {
      for (const path of [planted, closed, victim]) rmSync(path, { recursive: true, force: true })
    }
  },
)

test('reset removes a moved data folder only when it says whose data it holds', () => {
  const home = mkdtempSync(join(tmpdir(), 'lamplighter-home-'))
  const moved = movedFolder(join(home, 'postgres'))
  dataHome({ LAMPLIGHTER_HOME: home })
  mkdirSync(moved)
  writeFileSync(join(moved, MOVED_FROM), '/somewhere/else')
  // What older releases read, and anybody could write.
  mkdirSync(join(home, 'postgres'))
  writeFileSync(join(home, 'postgres', 'moved-to'), tmpdir())
  reset({ LAMPLIGHTER_HOME: home })
  expect([existsSync(home), existsSync(moved), existsSync(tmpdir())]).toEqual([false, true, true])
  dataHome({ LAMPLIGHTER_HOME: home })
  expect(statSync(home).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700)
  writeFileSync(join(moved, MOVED_FROM), join(home, 'postgres'))
  reset({ LAMPLIGHTER_HOME: home })
  expect([existsSync(home), existsSync(moved)]).toEqual([false, false])
})
