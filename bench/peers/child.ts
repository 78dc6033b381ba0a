// One contender in a process of its own, so that its CPU seconds are its own. Told over IPC what to run; times it itself.
import { randomUUID } from 'node:crypto'
import type { Contender, Open } from './contender.ts'

/** `runs` of n tasks one after the other, or `jobs` of one task at once. */
export type Order =
  | { readonly run: { readonly n: number; readonly taskMs: number; readonly times: number } }
  | { readonly many: number }
  | 'check'
  | 'close'
export type Answer = { readonly seconds: number[] } | { readonly failed: string } | 'ready' | 'checked'

const [module = '', variant = '', url = ''] = process.argv.slice(2)
const { open } = (await import(`./${module}.ts`)) as { open: Open }
let ran: { jobId: string; n: number }[] = []

async function timed(contender: Contender, n: number, taskMs: number): Promise<void> {
  const jobId = randomUUID()
  ran.push({ jobId, n })
  await contender.runJob(jobId, n, taskMs)
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return (performance.now() - started) / 1000
}

async function follow(contender: Contender, order: Order): Promise<Answer | undefined> {
  if (order === 'check') return check(contender)
  if (order === 'close') {
    await contender.close()
    process.exit(0)
  }
  if ('many' in order)
    return { seconds: [await secondsOf(() => Promise.all(Array.from({ length: order.many }, () => timed(contender, 1, 0))))] }
  const { n, taskMs, times } = order.run
  const seconds: number[] = []
  for (let i = 0; i < times; i++) seconds.push(await secondsOf(() => timed(contender, n, taskMs)))
  return { seconds }
}

/** A system that loses results, or tells an end too early, is no peer. */
async function check(contender: Contender): Promise<Answer> {
  for (const { jobId, n } of ran) {
    const stored = await contender.stored(jobId)
    if (stored !== 2 * n) return { failed: `it told the end of a job with ${stored} of ${2 * n} results stored` }
  }
  ran = []
  await contender.forget?.()
  return 'checked'
}

const tell = (answer: Answer): void => void process.send?.(answer)
const failed = (error: unknown): void => tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
process.once('unhandledRejection', failed)
try {
  const contender = await open(url, variant)
  process.on('message', (order: Order) => {
    follow(contender, order).then((answer) => answer && tell(answer), failed)
  })
  process.once('disconnect', () => process.exit(1))
  tell('ready')
} catch (error) {
  failed(error)
}
