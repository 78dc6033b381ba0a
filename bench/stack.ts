// hello_world through the whole stack: HTTP submit → host → orchestrator → Postgres, two stages of n tasks.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { HostProcess } from 'functions-host'
import type { Pool } from '../src/db/pool.ts'
import { ended, endsOf } from './job-ends.ts'

interface Submitted {
  readonly job_id: string
}

export async function submitJob(url: string, type: string, parameters: object): Promise<string> {
  const answer = await fetch(`${url}/api/jobs/submit/${type}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  })
  if (!answer.ok) throw new Error(`submit ${type}: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as Submitted).job_id
}

const submit = (url: string, n: number, name: string): Promise<string> => submitJob(url, 'hello_world', { n, name })

/** Seconds from the request to the recorded end. */
export async function helloWorld(url: string, db: Pool, n: number, run: string): Promise<number> {
  await endsOf(db)
  const started = performance.now()
  await ended(db, await submit(url, n, run))
  return (performance.now() - started) / 1000
}

/** Resident memory of host and worker in MB. */
export function residentMb(host: HostProcess): number {
  const text = execFileSync('ps', ['-o', 'rss=', '-p', `${host.pid},${host.workerPid}`], { encoding: 'utf8' })
  return Math.round(
    text
      .trim()
      .split(/\s+/)
      .reduce((sum, kb) => sum + Number(kb), 0) / 1024,
  )
}

/** The most that host and worker together ever held, in MB; Linux keeps it. */
export function peakMb(host: HostProcess): number {
  const peaks = [host.pid, host.workerPid].map((pid) => {
    const kb = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kb ?? Number.NaN)
  })
  return Math.round(peaks.reduce((a, b) => a + b, 0) / 1024)
}

/** While three jobs of n tasks run: seconds that jobs of one task take, one after the other. */
export async function fairness(url: string, db: Pool, n: number, run: string, samples = 20): Promise<number[]> {
  const large = await Promise.all([1, 2, 3].map((i) => submit(url, n, `${run}-large-${i}`)))
  const waits: number[] = []
  for (let i = 0; i < samples; i++) waits.push(await helloWorld(url, db, 1, `${run}-small-${i}`))
  const [row] = await db.query<{ running: number }>(
    `SELECT count(*)::int AS running FROM app.jobs WHERE job_id = ANY ($1) AND status = 'processing'`,
    [large],
  )
  if (row?.running !== 3) throw new Error('the large jobs ended before the small ones were measured')
  await ended(db, ...large)
  return waits
}
