import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'

test('a newcomer follows docs/adding-a-job.md: one file, and the job runs over HTTP', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lamplighter-newcomer-'))
  for (const name of ['src', 'scripts', 'sql', 'docs', 'infra', 'local', 'packages', 'README.md', 'host.json', 'package.json'])
    cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync('docs/adding-a-job.md', 'utf8'))?.[1] ?? ''
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

  writeFileSync(join(folder, 'src/jobs/misnamed.ts'), code)
  expect(() => run('scripts/gen.ts')).toThrow(/src\/jobs\/misnamed\.ts declares the job count_letters_of_text/)
  rmSync(join(folder, 'src/jobs/misnamed.ts'))

  writeFileSync(join(folder, 'src/jobs/count_letters_of_text.ts'), code)
  expect(() => run('scripts/gen.ts', '--check')).toThrow(/stale/)
  run('scripts/gen.ts')
  run('scripts/gen.ts', '--check')
  run('scripts/build.ts')
  const app = await startApp({ folder })
  try {
    // A build for deployment knows its release.
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect((await app.get('/api/health/live')).body).toMatchObject({ version })
    const { job_id } = await app.submit('count_letters_of_text', { text: 'turn out the lights' })
    expect(await app.waitForJob(job_id)).toMatchObject({
      status: 'completed',
      result: { total: 16 },
      stages: [{ expected: 4 }, { expected: 1 }],
    })
    // What the document's own test says.
    const second = await app.submit('count_letters_of_text', { text: 'one two three' })
    expect(await app.waitForJob(second.job_id)).toMatchObject({ status: 'completed', result: { total: 11 } })
    expect((await app.get('/api/job-types')).body.job_types.map((j: { name: string }) => j.name)).toContain(
      'count_letters_of_text',
    )
  } finally {
    await app.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
