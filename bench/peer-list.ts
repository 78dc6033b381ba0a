// Who is compared, and how each is set up: one line for the table of bench/README.md. The files of bench/peers/ tell the reasons.

export interface Peer {
  readonly name: string
  /** File in bench/peers/, and the set-up that it is asked for. */
  readonly module: string
  readonly variant: string
  /** It keeps nothing of a single task: faster for that, and compared apart. */
  readonly isCoarse?: boolean
}

export const OURS = 'Lamplighter'

/** Coarse ones last, so that tables end with them. */
export const PEERS: readonly Peer[] = [
  { name: 'starting design', module: 'starting-design', variant: '' },
  { name: 'graphile-worker', module: 'graphile-worker', variant: 'plain' },
  { name: 'graphile-worker, batched', module: 'graphile-worker', variant: 'batched' },
  { name: 'pg-boss, flow', module: 'pg-boss', variant: 'flow' },
  { name: 'pg-boss, batch', module: 'pg-boss', variant: 'batch' },
  { name: 'DBOS, steps', module: 'dbos', variant: 'steps' },
  { name: 'DBOS, queue', module: 'dbos', variant: 'queue' },
  { name: 'BullMQ on Postgres', module: 'bullmq', variant: '' },
  { name: 'Durable fan-out', module: 'durable-fan-out', variant: '' },
  { name: 'graphile-worker, arrays of 100', module: 'graphile-worker', variant: 'arrays', isCoarse: true },
]

/** Whether it keeps the state and result of each task, as ours does. */
export const keepsTasks = (name: string): boolean => !PEERS.some((p) => p.name === name && p.isCoarse)
