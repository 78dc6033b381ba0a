// Who is compared, and how each is set up: one line for the table of bench/README.md. The files of bench/peers/ tell the reasons.

export interface Peer {
  readonly name: string
  /** File in bench/peers/, and the set-up that it is asked for. */
  readonly module: string
  readonly variant: string
  /** Faster because it keeps less, so that no goal is set against it: no state of a single task, or nothing of a job outside the caller's memory. */
  readonly isApart?: boolean
}

export const OURS = 'Lamplighter'

export const PEERS: readonly Peer[] = [
  { name: 'starting design', module: 'starting-design', variant: '', isApart: true },
  { name: 'graphile-worker', module: 'graphile-worker', variant: 'plain' },
  { name: 'graphile-worker, batched', module: 'graphile-worker', variant: 'batched' },
  { name: 'pg-boss, flow', module: 'pg-boss', variant: 'flow' },
  { name: 'pg-boss, batch', module: 'pg-boss', variant: 'batch' },
  { name: 'DBOS, steps', module: 'dbos', variant: 'steps' },
  { name: 'DBOS, queue', module: 'dbos', variant: 'queue' },
  { name: 'BullMQ on Postgres', module: 'bullmq', variant: '' },
  { name: 'Durable fan-out', module: 'durable-fan-out', variant: '' },
  { name: 'graphile-worker, arrays of 100', module: 'graphile-worker', variant: 'arrays', isApart: true },
]

/** Whether it keeps jobs and tasks as ours does. */
export const isRival = (name: string): boolean => !PEERS.some((p) => p.name === name && p.isApart)
