// When jobs end, told by their database: questions every few milliseconds would be load of their own, more than a small job is.
import pg from 'pg'
import type { Pool } from '../src/db/pool.ts'

const CHANNEL = 'bench_job_ended'
const TRIGGER = `
CREATE OR REPLACE FUNCTION app.bench_tell_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('${CHANNEL}', NEW.job_id || ' ' || NEW.status);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER bench_tell_end AFTER UPDATE OF finished_at ON app.jobs FOR EACH ROW
WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION app.bench_tell_end();`

/** Of one database: who waits for the end of which job. */
type Waiting = Map<string, (status: string) => void>
const listeners = new WeakMap<Pool, Promise<Waiting>>()

async function listen(db: Pool): Promise<Waiting> {
  const waiting: Waiting = new Map()
  const client = new pg.Client({ connectionString: db.pg.options.connectionString })
  // It ends with its server.
  client.on('error', () => undefined)
  client.on('notification', ({ payload = '' }) => {
    const [id = '', status = ''] = payload.split(' ')
    waiting.get(id)?.(status)
  })
  await client.connect()
  await client.query(`${TRIGGER}; LISTEN ${CHANNEL}`)
  // It keeps no process alive; its types do not know the method.
  ;(client as pg.Client & { unref(): void }).unref()
  return waiting
}

/** Who tells of ends; asked before jobs are timed, so that the first one does not pay for making it. */
export function endsOf(db: Pool): Promise<Waiting> {
  let listener = listeners.get(db)
  if (!listener) listeners.set(db, (listener = listen(db)))
  return listener
}

/** Until all of them have ended and it is committed. @param db the owner's @throws Error when one did not complete */
export async function ended(db: Pool, ...jobIds: readonly string[]): Promise<void> {
  const waiting = await endsOf(db)
  const told = jobIds.map((id) => new Promise<string>((resolve) => waiting.set(id, resolve)))
  // Those that ended before anybody waited for them.
  const rows = await db.query<{ job_id: string; status: string }>(
    'SELECT job_id, status FROM app.jobs WHERE job_id = ANY ($1) AND finished_at IS NOT NULL',
    [jobIds],
  )
  for (const { job_id, status } of rows) waiting.get(job_id)?.(status)
  const statuses = await Promise.all(told)
  for (const [i, id] of jobIds.entries()) {
    waiting.delete(id)
    if (statuses[i] !== 'completed') throw new Error(`job ${id} is ${statuses[i]}`)
  }
}
