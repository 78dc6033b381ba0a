// What a task costs, and what that allows: the model of docs/scaling.md.

/** Measured by `npm run bench -- scaling`. */
export interface Cost {
  /** CPU milliseconds a task, of host and worker. */
  readonly app: number
  /** CPU milliseconds a task, of Postgres. */
  readonly postgres: number
  /** Kilobytes of WAL a task. */
  readonly wal: number
}

/** What there is to work with. */
export interface Machines {
  readonly instances: number
  readonly coresPerInstance: number
  readonly postgresCores: number
  /** Kilobytes of WAL a second that the disk takes. */
  readonly walPerSecond: number
  /** Requests a second to the storage account, and how many of them a task makes. */
  readonly storagePerSecond: number
  readonly requestsPerTask: number
}

export interface Expected {
  readonly perSecond: number
  /** Which of them is used up first. */
  readonly wall: 'instances' | 'postgres' | 'wal' | 'storage'
}

/** Tasks a second, and the wall that stands first. */
export function expectedRate(cost: Cost, m: Machines): Expected {
  const walls = [
    { wall: 'instances', perSecond: (m.instances * m.coresPerInstance * 1000) / cost.app },
    { wall: 'postgres', perSecond: (m.postgresCores * 1000) / cost.postgres },
    { wall: 'wal', perSecond: m.walPerSecond / cost.wal },
    { wall: 'storage', perSecond: m.requestsPerTask === 0 ? Number.POSITIVE_INFINITY : m.storagePerSecond / m.requestsPerTask },
  ] as const
  return walls.reduce((least, one) => (one.perSecond < least.perSecond ? one : least))
}

/** Where all share the same cores, as on one machine: tasks a second. */
export const sharedRate = (cost: Cost, cores: number): number => (cores * 1000) / (cost.app + cost.postgres)
