// Runs a contender: a peer in a process of its own, or ours through HTTP.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { HostProcess } from 'functions-host'
import type { Pool } from '../src/db/pool.ts'
import type { Peer } from './peer-list.ts'
import type { Answer, Order } from './peers/child.ts'
import { ended, endsOf } from './job-ends.ts'
import { submitJob } from './stack.ts'

/** A system that runs jobs of two stages. */
export interface Runner {
  /** Seconds of `times` jobs of n tasks a stage, one after the other. */
  run(n: number, taskMs: number, times: number): Promise<number[]>
  /** Seconds until all of `jobs` jobs of one task, started together, have ended. */
  many(jobs: number): Promise<number>
  /** @throws Error when a job since the last check has not all its results stored */
  check(): Promise<void>
  /** Roots of the process trees whose CPU is this system's, Postgres apart. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** What one order may take at most; a prediction that was wrong ends here. */
const LIMIT_MS = 90_000

/** @throws Error with what the peer said when it cannot start */
export async function startPeer(peer: Peer, url: string): Promise<Runner> {
  const child = fork(new URL('peers/child.ts', import.meta.url), [peer.module, peer.variant, url], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // Not ours to mend.
    execArgv: ['--no-deprecation'],
  })
  try {
    await answerOf(child, peer.name)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const ask = async (order: Order): Promise<number[]> => {
    child.send(order)
    const answer = await answerOf(child, peer.name)
    return typeof answer === 'object' && 'seconds' in answer ? answer.seconds : []
  }
  return {
    pids: [child.pid ?? 0],
    run: (n, taskMs, times) => ask({ run: { n, taskMs, times } }),
    many: async (jobs) => (await ask({ many: jobs }))[0] ?? Number.NaN,
    check: async () => void (await ask('check')),
    stop: () => stopChild(child),
  }
}

/** A peer that does not end by itself within ten seconds is ended. */
async function stopChild(child: ChildProcess): Promise<void> {
  // One that was killed goes by itself, and its channel would refuse the word.
  if (child.exitCode !== null || child.signalCode !== null || child.killed) return
  const gone = once(child, 'exit')
  if (child.connected) child.send('close' satisfies Order)
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(timer)
}

/** @throws Error when the peer failed, died or took more than 90 s */
async function answerOf(child: ChildProcess, name: string): Promise<Answer> {
  const given = new AbortController()
  const timer = setTimeout(() => given.abort(), LIMIT_MS)
  try {
    const [answer] = (await Promise.race([
      once(child, 'message', { signal: given.signal }),
      once(child, 'exit', { signal: given.signal }).then(([code, signal]) => [
        { failed: `its process ended with ${String(signal ?? code)}` },
      ]),
    ])) as [Answer]
    if (typeof answer === 'object' && 'failed' in answer) throw new Error(`${name}: ${answer.failed}`)
    return answer
  } catch (error) {
    if (given.signal.aborted && error instanceof Error && error.name === 'AbortError') {
      child.kill('SIGKILL')
      throw new Error(`${name}: stopped after ${LIMIT_MS / 1000} s`, { cause: error })
    }
    throw error
  } finally {
    clearTimeout(timer)
    given.abort()
  }
}

/** Ours: HTTP submit → host → orchestrator → Postgres; the end is read from the job's row. */
export function ourRunner(url: string, host: HostProcess, db: Pool): Runner {
  const ran: { jobId: string; n: number }[] = []
  const submit = async (n: number, taskMs: number): Promise<string> => {
    // Equal parameters are the same job, in later runs too, and would be answered without work. The type with the wait is the benchmark's own.
    const name = randomUUID()
    const jobId = await (taskMs > 0
      ? submitJob(url, 'waiting_hello', { n, name, task_ms: taskMs })
      : submitJob(url, 'hello_world', { n, name }))
    ran.push({ jobId, n })
    return jobId
  }
  const secondsOf = async (run: () => Promise<unknown>): Promise<number> => {
    const started = performance.now()
    await run()
    return (performance.now() - started) / 1000
  }
  return {
    pids: [host.pid],
    async run(n, taskMs, times) {
      await endsOf(db)
      const seconds: number[] = []
      for (let i = 0; i < times; i++) seconds.push(await secondsOf(async () => ended(db, await submit(n, taskMs))))
      return seconds
    },
    many: (jobs) => secondsOf(async () => ended(db, ...(await Promise.all(Array.from({ length: jobs }, () => submit(1, 0)))))),
    async check() {
      for (const { jobId, n } of ran.splice(0)) {
        const stored = await storedOf(db, jobId)
        if (stored !== 2 * n) throw new Error(`Lamplighter: job ${jobId} ended with ${stored} of ${2 * n} results stored`)
      }
    },
    stop: () => Promise.resolve(),
  }
}

async function storedOf(db: Pool, jobId: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM app.tasks JOIN app.stages USING (stage_id) WHERE job_id = $1 AND tasks.status = 'completed' AND result_data IS NOT NULL`,
    [jobId],
  )
  return row?.n ?? 0
}
