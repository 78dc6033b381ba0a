// graphile-worker. `plain`: a job a task, one fetched and one completed at a time, pool of concurrency + 2 as the reference advises
// (https://worker.graphile.org/docs/library/run). `batched`: the configuration of https://worker.graphile.org/docs/performance: local queue of 500,
// completions batched. `arrays`: batch jobs of 100 tasks each (https://worker.graphile.org/docs/tasks), results of a batch in one statement.
// It deletes finished jobs and has no stages, so the results and the stages stand in tables beside it. The end of a stage is looked for after
// the commit of a result, when nothing else of the job runs here: a counter row would serialise all commits.
import { Logger, type Runner, run } from 'graphile-worker'
import pg from 'pg'
import { CONCURRENCY, type Contender, Ends, resultOf, work } from './contender.ts'

const SCHEMA = `CREATE SCHEMA IF NOT EXISTS peer;
CREATE TABLE IF NOT EXISTS peer.runs (job text PRIMARY KEY, n int NOT NULL, task_ms int NOT NULL, stage int NOT NULL DEFAULT 0, ended_at timestamptz);
CREATE TABLE IF NOT EXISTS peer.results (job text, stage int, task int, result jsonb NOT NULL, PRIMARY KEY (job, stage, task));
CREATE OR REPLACE FUNCTION peer.begin_stage(p_job text, p_stage int, p_size int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE r peer.runs;
BEGIN
  UPDATE peer.runs SET stage = p_stage, ended_at = CASE WHEN p_stage = 3 THEN now() END WHERE job = p_job AND stage = p_stage - 1 RETURNING * INTO r;
  IF NOT FOUND OR p_stage = 3 THEN RETURN FOUND; END IF;
  PERFORM graphile_worker.add_jobs(ARRAY(
    SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object('identifier', 'task', 'payload',
      CASE WHEN p_size = 1 THEN min(t::text)::json ELSE json_agg(t) END))
    FROM (SELECT i, json_build_object('job', p_job, 'stage', p_stage, 'task', i, 'n', r.n, 'taskMs', r.task_ms) AS t FROM generate_series(1, r.n) i) tasks
    GROUP BY (i - 1) / p_size));
  RETURN true;
END $$;`

interface Task {
  readonly job: string
  readonly stage: number
  readonly task: number
  readonly n: number
  readonly taskMs: number
}

const BATCH = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
const TASKS_PER_JOB = 100

class Graphile implements Contender {
  readonly #ends = new Ends()
  readonly #pool: pg.Pool
  readonly #size: number
  readonly #running = new Map<string, number>()
  #runner: Runner | undefined

  constructor(pool: pg.Pool, variant: string) {
    this.#pool = pool
    this.#size = variant === 'arrays' ? TASKS_PER_JOB : 1
  }

  async start(url: string, variant: string): Promise<this> {
    this.#runner = await run({
      preset: {
        worker: {
          connectionString: url,
          concurrentJobs: CONCURRENCY,
          maxPoolSize: CONCURRENCY + 2,
          logger: new Logger(() => () => undefined),
          ...(variant === 'plain' ? {} : BATCH),
        },
      },
      noHandleSignals: true,
      taskList: { task: (payload) => this.#task((Array.isArray(payload) ? payload : [payload]) as Task[]) },
    })
    await this.#pool.query(SCHEMA)
    return this
  }

  async #task(tasks: Task[]): Promise<void> {
    const [{ job, stage, n }] = tasks as [Task]
    this.#running.set(job, (this.#running.get(job) ?? 0) + 1)
    await Promise.all(tasks.map(({ taskMs }) => work(taskMs)))
    await this.#pool.query(
      'INSERT INTO peer.results SELECT $1, $2, t.task, t.result FROM unnest($3::int[], $4::jsonb[]) AS t (task, result) ON CONFLICT DO NOTHING',
      [job, stage, tasks.map(({ task }) => task), tasks.map(({ task }) => JSON.stringify(resultOf(job, task)))],
    )
    const left = (this.#running.get(job) ?? 1) - 1
    this.#running.set(job, left)
    if (left > 0) return
    const { rows } = await this.#pool.query<{ done: number }>(
      'SELECT count(*)::int AS done FROM peer.results WHERE job = $1 AND stage = $2',
      [job, stage],
    )
    if (rows[0]?.done === n && (await this.#begin(job, stage + 1)) && stage === 2) this.#ends.tell(job)
  }

  async #begin(job: string, stage: number): Promise<boolean> {
    const { rows } = await this.#pool.query<{ begun: boolean }>('SELECT peer.begin_stage($1, $2, $3) AS begun', [
      job,
      stage,
      this.#size,
    ])
    return rows[0]?.begun === true
  }

  async runJob(jobId: string, n: number, taskMs: number): Promise<void> {
    const end = this.#ends.of(jobId)
    await this.#pool.query('INSERT INTO peer.runs (job, n, task_ms) VALUES ($1, $2, $3)', [jobId, n, taskMs])
    await this.#begin(jobId, 1)
    await end
    this.#running.delete(jobId)
  }

  async stored(jobId: string): Promise<number> {
    const { rows } = await this.#pool.query<{ n: number }>('SELECT count(*)::int AS n FROM peer.results WHERE job = $1', [jobId])
    return rows[0]?.n ?? 0
  }

  async close(): Promise<void> {
    await this.#runner?.stop()
    await this.#pool.end()
  }
}

export const open = (url: string, variant: string): Promise<Contender> =>
  new Graphile(new pg.Pool({ connectionString: url, max: CONCURRENCY }), variant).start(url, variant)
