// DBOS. `steps`: one workflow that starts the steps of a stage together and awaits them (https://docs.dbos.dev/typescript/tutorials/workflow-tutorial).
// `queue`: each task a workflow of its own on a queue, the parent awaits their results (https://docs.dbos.dev/typescript/tutorials/queue-tutorial),
// worker concurrency 30, as the page recommends over global concurrency. The queue is polled every 50 ms instead of every second, and so are
// results, so that a small job is not told late; pool of 30 (https://docs.dbos.dev/typescript/reference/configuration).
import { DBOS } from '@dbos-inc/dbos-sdk'
import pg from 'pg'
import { CONCURRENCY, type Contender, resultOf, work } from './contender.ts'

const QUEUE = 'tasks'
const POLL_MS = 50

interface Job {
  readonly jobId: string
  readonly n: number
  readonly taskMs: number
}
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

async function task(jobId: string, no: number, taskMs: number): Promise<object> {
  await work(taskMs)
  return resultOf(jobId, no)
}

const asSteps = DBOS.registerWorkflow(
  async ({ jobId, n, taskMs }: Job) => {
    for (const stage of [1, 2])
      await Promise.all(numbers(n).map((no) => DBOS.runStep(() => task(jobId, no, taskMs), { name: `stage ${stage}` })))
  },
  { name: 'asSteps' },
)
const queued = DBOS.registerWorkflow(task, { name: 'task' })
const asQueue = DBOS.registerWorkflow(
  async ({ jobId, n, taskMs }: Job) => {
    for (const stage of [1, 2]) {
      const start = (no: number): ReturnType<ReturnType<typeof DBOS.startWorkflow<Parameters<typeof task>, object>>> =>
        DBOS.startWorkflow(queued, { workflowID: `${jobId}-${stage}-${no}`, queueName: QUEUE })(jobId, no, taskMs)
      const handles = await Promise.all(numbers(n).map(start))
      await Promise.all(handles.map((handle) => handle.getResult({ pollingIntervalMs: POLL_MS })))
    }
  },
  { name: 'asQueue' },
)

export async function open(url: string, variant: string): Promise<Contender> {
  DBOS.setConfig({ name: 'peer', systemDatabaseUrl: url, systemDatabasePoolSize: CONCURRENCY, logLevel: 'error' })
  await DBOS.launch()
  await DBOS.registerQueue(QUEUE, { workerConcurrency: CONCURRENCY, minPollingIntervalMs: POLL_MS })
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const counted =
    variant === 'steps'
      ? 'SELECT count(output)::int AS n FROM dbos.operation_outputs WHERE workflow_uuid = $1'
      : `SELECT count(*)::int AS n FROM dbos.workflow_status WHERE starts_with(workflow_uuid, $1 || '-') AND status = 'SUCCESS'`
  return {
    async runJob(jobId, n, taskMs) {
      const handle = await DBOS.startWorkflow(variant === 'steps' ? asSteps : asQueue, { workflowID: jobId })({
        jobId,
        n,
        taskMs,
      })
      await handle.getResult()
    },
    async stored(jobId) {
      const { rows } = await pool.query<{ n: number }>(counted, [jobId])
      return rows[0]?.n ?? 0
    },
    async close() {
      await pool.end()
      await DBOS.shutdown()
    },
  }
}
