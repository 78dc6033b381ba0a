// Mixed load for a long time: memory has to stay flat and no process may be left. `npm run bench -- soak 30` (minutes).
import type { Pool } from '../src/db/pool.ts'
import type { HostProcess } from 'functions-host'
import { helloWorld, residentMb } from './stack.ts'

export interface Soak {
  readonly jobs: number
  readonly tasks: number
  /** Megabytes of host and worker, one sample per ten seconds. */
  readonly memory: readonly number[]
}

const SIZES = [1, 1, 1, 10, 100, 1000, 5000]
const SAMPLE_MS = 10_000

/** Three jobs at a time, sizes in turn, until the time is over. */
export async function soak(host: HostProcess, db: Pool, minutes: number): Promise<Soak> {
  const until = performance.now() + minutes * 60_000
  const memory: number[] = []
  const sampler = setInterval(() => memory.push(residentMb(host)), SAMPLE_MS)
  let [jobs, tasks] = [0, 0]
  const lane = async (number: number): Promise<void> => {
    while (performance.now() < until) {
      const n = SIZES[jobs++ % SIZES.length] ?? 1
      tasks += 2 * n
      await helloWorld(host.url, db, n, `soak ${number} ${jobs}`)
    }
  }
  await Promise.all([1, 2, 3].map(lane))
  clearInterval(sampler)
  return { jobs, tasks, memory }
}
