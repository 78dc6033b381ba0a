// BullMQ on its PostgreSQL backend (https://docs.bullmq.io/guide/postgresql): pool as large as the concurrency, durable commits left on.
// A stage is a flow: a gate whose children are the tasks (https://docs.bullmq.io/guide/flows); the first gate adds the second flow, the second
// is the end. Worker concurrency as https://docs.bullmq.io/guide/workers/concurrency. Finished jobs are removed between measurements.
import { createPostgresBackend, type Job, runMigrations, withBackend } from 'bullmq'
import pg from 'pg'
import { CONCURRENCY, type Contender, Ends, resultOf, work } from './contender.ts'

interface Data {
  readonly job: string
  readonly stage: number
  readonly task: number
  readonly n: number
  readonly taskMs: number
}

const STORED = `SELECT count(*)::int AS n FROM bullmq.job WHERE name = 'task' AND data::jsonb->>'job' = $1 AND state = 'completed' AND return_value IS NOT NULL`

const { FlowProducer, Queue, Worker } = withBackend(createPostgresBackend)

export async function open(url: string): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  await migrate(pool)
  const options = { connection: { connectionString: url, max: CONCURRENCY } }
  const small = { connection: { connectionString: url, max: 4 } }
  const ends = new Ends()
  const flows = new FlowProducer(small)
  const queues = ['tasks', 'gates'].map((name) => new Queue(name, small))
  const begin = (data: Data): Promise<unknown> =>
    flows.add({
      name: 'gate',
      queueName: 'gates',
      data,
      children: Array.from({ length: data.n }, (_, i) => ({ name: 'task', queueName: 'tasks', data: { ...data, task: i + 1 } })),
    })
  const tasks = new Worker<Data>('tasks', (job: Job<Data>) => run(job.data), { ...options, concurrency: CONCURRENCY })
  const gates = new Worker<Data>(
    'gates',
    async ({ data }: Job<Data>) => void (data.stage === 1 && (await begin({ ...data, stage: 2 }))),
    {
      ...small,
      concurrency: CONCURRENCY,
    },
  )
  // Told after the gate's own completion was written.
  gates.on('completed', ({ data }: Job<Data>) => void (data.stage === 2 && ends.tell(data.job)))
  for (const worker of [tasks, gates]) worker.on('failed', (job, error) => ends.tell(String(job?.data.job), error))
  return {
    async runJob(job, n, taskMs) {
      const end = ends.of(job)
      await begin({ job, n, taskMs, stage: 1, task: 0 })
      await end
    },
    async stored(jobId) {
      const { rows } = await pool.query<{ n: number }>(STORED, [jobId])
      return rows[0]?.n ?? 0
    },
    async forget() {
      for (const queue of queues) await queue.obliterate({ force: true })
    },
    async close() {
      await Promise.all([tasks, gates, flows, ...queues].map((part) => part.close()))
      await pool.end()
    },
  }
}

async function run({ job, task, taskMs }: Data): Promise<object> {
  await work(taskMs)
  return resultOf(job, task)
}

async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await runMigrations(client)
  } finally {
    client.release()
  }
}
