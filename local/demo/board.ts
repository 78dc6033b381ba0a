// Live progress bars with ETA: redrawn on a terminal, one line per change elsewhere.

export interface JobView {
  readonly job_id: string
  readonly job_type: string
  readonly status: string
  readonly stages: readonly {
    readonly stage: number
    readonly name: string
    readonly outcome: string | null
    readonly completed: number
    readonly failed: number
    readonly skipped: number
  }[]
  readonly progress: { readonly percent: number; readonly done: number; readonly total: number; readonly eta?: string | null }
  readonly result: Record<string, unknown> | null
  readonly error: { readonly code: string; readonly details: string } | null
  readonly links: Readonly<Record<string, string>>
}

const ENDED = new Set(['completed', 'completed_with_errors', 'failed', 'cancelled'])
const WIDTH = 30
const POLL_MS = 200

export class JobBoard {
  readonly #out: NodeJS.WriteStream
  #lines = 0
  #last = ''

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  /** Polls the status documents until all have ended. */
  async watch(urls: readonly string[]): Promise<JobView[]> {
    for (;;) {
      const jobs = await Promise.all(urls.map(async (url) => (await (await fetch(url)).json()) as JobView))
      this.#draw(jobs)
      if (jobs.every((j) => ENDED.has(j.status))) return jobs
      await new Promise((r) => setTimeout(r, POLL_MS))
    }
  }

  #draw(jobs: readonly JobView[]): void {
    const text = jobs.map(bar).join('\n')
    if (text === this.#last) return
    this.#last = text
    if (this.#out.isTTY && this.#lines > 0) this.#out.write(`\u001b[${this.#lines}A\u001b[0J`)
    this.#out.write(`${text}\n`)
    this.#lines = jobs.length
  }
}

function bar(job: JobView): string {
  const { percent, done, total, eta } = job.progress
  const full = Math.round((percent / 100) * WIDTH)
  const left =
    eta && !ENDED.has(job.status) ? ` about ${Math.max(0, Math.round((Date.parse(eta) - Date.now()) / 1000))} s left` : ''
  return `${job.job_type.padEnd(20)} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent.toFixed(1).padStart(5)} %  ${done}/${total} tasks  ${job.status}${left}`
}
