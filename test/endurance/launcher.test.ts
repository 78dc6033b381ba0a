import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../local/temporary-folder.ts'
import { until } from 'functions-host/testing'

const home = temporaryFolder('lamplighter-launcher-')
const env = {
  ...process.env,
  LAMPLIGHTER_HOME: home,
  LEASE_SECONDS: '3',
  LOG_LEVEL: 'error',
  AzureFunctionsJobHost__logging__logLevel__Function: 'Warning',
  DATABASE_URL: '',
  AzureWebJobsStorage: '',
}
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Run {
  readonly child: ChildProcess
  readonly text: () => string
  readonly url: string
  readonly ended: Promise<number | null>
}

/** `npm start` as a process; resolves when it has printed its address. */
function start(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = spawn(process.execPath, ['local/main.ts', 'start', '--port', '0', ...args], {
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  let text = ''
  return new Promise((resolve, reject) => {
    const read = (data: Buffer): void => {
      text += data.toString()
      const url = /(?:"event":"cloud.started","url":"|job types +)(http:\/\/localhost:\d+)/.exec(text)?.[1]
      if (url) resolve({ child, url, ended, text: () => text })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((code) => reject(new Error(`ended with ${code}: ${text}`)))
  })
}

const command = (...args: string[]) => spawnSync(process.execPath, ['local/main.ts', ...args], { env, encoding: 'utf8' })
const processes = (): { name: string; pid: number }[] =>
  (JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as { processes: { name: string; pid: number }[] }).processes
const alive = (pid: number): boolean =>
  spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .replace(/^Z.*/, '') !== ''
/** Resolves when none of the processes lives any more. */
async function allGone(pids: readonly number[]): Promise<void> {
  await until('none of the processes lives', () => !pids.some(alive) || undefined)
}

async function submit(url: string, name: string): Promise<string> {
  const answer = await fetch(`${url}/api/jobs/submit/hello_world`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ n: 5000, name }),
  })
  return ((await answer.json()) as { job_id: string }).job_id
}
async function waitFor(
  url: string,
  id: string,
  done: (job: { status: string; progress: { done: number } }) => boolean,
): Promise<{ status: string; result: unknown }> {
  return until(`the job ${id} is where the test wants it`, async () => {
    const answer = await fetch(`${url}/api/jobs/${id}`)
    const job = answer.ok ? ((await answer.json()) as { status: string; result: unknown; progress: { done: number } }) : undefined
    return job && done(job) ? job : undefined
  })
}

/** Worker and host alone: death-and-return.test.ts. All by flag: VICTIMS=launcher,azurite,postgres,host */
const VICTIMS = (process.env['VICTIMS'] ?? 'launcher,postgres').split(',')

test('kill -9 of any process and a new start finish every open job', async () => {
  let run = await start([])
  for (const victim of VICTIMS) {
    const id = await submit(run.url, victim)
    await waitFor(run.url, id, (job) => job.progress.done > 500)
    const all = processes()
    process.kill(all.find((p) => p.name === victim)?.pid ?? 0, 'SIGKILL')
    // What the others meet: the launcher ends with 1, and nothing survives it.
    if (victim !== 'launcher') {
      expect(await run.ended).toBe(1)
      expect(run.text()).toContain('Nothing is lost: jobs go on where they stood after the next npm start.')
    }
    await allGone(all.map((p) => p.pid))
    run = await start([])
    const job = await waitFor(run.url, id, (j) => j.status === 'completed')
    expect(job.result, victim).toEqual({ greetings: 5000, replies: 5000 })
  }
  const last = processes()
  run.child.kill('SIGINT')
  expect(await run.ended).toBe(0)
  await allGone(last.map((p) => p.pid))
}, 300_000)

test('a second start says where the first one runs; reset refuses meanwhile; a taken port is named with the way out', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  await expect(start(['--port', String(port)])).rejects.toThrow(
    `Port ${port} is unavailable. Close the process using that port, or specify another port using --port [-p].`,
  )
  taken.close()
  const run = await start([])
  expect(
    run
      .text()
      .trim()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line)).slice(0, 2)),
  ).toEqual([['at', 'level']])
  expect(command('start')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(`^Lamplighter is already running at ${run.url} \\(pid ${run.child.pid}\\)\n$`),
  })
  expect(command('reset')).toMatchObject({ status: 1, stderr: expect.stringContaining('Stop it first') })
  expect(command('doctor').stdout).toMatch(new RegExp(`^ok +app +${run.url}, version`, 'm'))
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
})

test('a database that cannot be reached is one line with host and cause, exit 1', () => {
  const { status, stderr } = spawnSync(process.execPath, ['local/main.ts', 'start', '--port', '0'], {
    env: { ...env, DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' },
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr.trim()).toMatch(/^The Postgres of DATABASE_URL at 127\.0\.0\.1:1 cannot be used: .+$/)
})

test('reset removes only a folder that carries the marker', () => {
  const foreign = temporaryFolder('not-ours-')
  const refused = spawnSync(process.execPath, ['local/main.ts', 'reset'], {
    env: { ...env, LAMPLIGHTER_HOME: foreign },
    encoding: 'utf8',
  })
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('is not a data folder of Lamplighter') })
  rmSync(foreign, { recursive: true })
  expect(command('reset')).toMatchObject({ status: 0 })
})

test('at a terminal: one readable line per event, keys when asked for; own files keep their names', async () => {
  const folder = temporaryFolder('own-files-')
  const inner = join(folder, 'my ünïcode', 'a b')
  mkdirSync(inner, { recursive: true })
  writeFileSync(join(inner, "it's #1.txt"), 'x')
  writeFileSync(join(folder, 'bad\u0001name'), 'x')
  const quiet = { LOG_LEVEL: 'info', AzureFunctionsJobHost__logging__logLevel__Function: 'Information' }
  expect(command('upload', folder)).toMatchObject({ status: 1, stderr: 'Nothing is running here. Start it first: npm start\n' })
  const run = await start(['--log', 'text', '--enable-auth'], quiet)
  const key = /default +(\S+)/.exec(run.text())?.[1] ?? ''
  expect((await fetch(`${run.url}/api/jobs`)).status).toBe(401)
  expect((await fetch(`${run.url}/api/jobs?code=${key}`)).status).toBe(200)

  const uploaded = command('upload', folder, 'bronze/mine')
  expect([uploaded.status, uploaded.stdout]).toEqual([1, expect.stringContaining('Uploaded 1 files (1 bytes) to bronze/mine/')])
  expect(uploaded.stdout).toContain('not uploaded: "mine/bad\\u0001name"')
  const listed = await fetch(`${run.url}/api/containers/bronze/blobs?prefix=mine/&code=${key}`)
  const { blobs } = (await listed.json()) as { blobs: { name: string }[] }
  expect(blobs.map((b) => b.name)).toEqual(["mine/my ünïcode/a b/it's #1.txt"])
  expect(command('upload', folder, 'nothing')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('There is no container nothing'),
  })

  const answer = await fetch(`${run.url}/api/jobs/submit/hello_world?code=${key}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(answer.status).toBe(202)
  await until('the log tells of the submission', () => /^\d\d:\d\d:\d\d info {2}submitJob \d+ ms$/m.test(run.text()) || undefined)
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe(0)
  // The announcement ends with the line about own files; what follows is the log.
  const log = run.text().split('npm run upload')[1] ?? ''
  const lines = log
    .split('\n')
    .slice(1)
    .filter((l) => l !== '' && !l.startsWith('Stopping'))
  expect(lines.filter((l) => !/^\d\d:\d\d:\d\d (info|warn|error) +\S/.test(l))).toEqual([])
  expect(lines.filter((l) => /reconcileJobs|Executing|Executed|\{"at"/.test(l))).toEqual([])
  rmSync(folder, { recursive: true })
})
