// The monitor page on a large job and a long table: what a first visit loads, when it paints, and the server's time for each call. `npm run bench -- monitor`.
import type { Browser } from 'playwright-core'
import type { Backends } from '../local/cloud.ts'
import type { Pool } from '../src/db/pool.ts'
import { openPage, startBrowser } from '../test/support/browser.ts'
import { fillJobs } from './fill-tables.ts'
import { callMs, callRow, median, type Row, whole, withHost } from './measure.ts'
import { ended } from './job-ends.ts'
import { submitJob } from './stack.ts'

const TASKS = 10_000
const JOBS = 100_000
const PAGES = 50
const VISITS = 5

interface Visit {
  readonly paint: number
  readonly shown: number
  readonly bytes: number
  readonly asked: readonly string[]
}

/** A first visit: nothing is kept from before. Milliseconds from the navigation. */
async function visit(browser: Browser, url: string, hash: string): Promise<Visit> {
  const opened = await openPage(browser, url)
  await opened.go(hash)
  await opened.page.locator('section table.list tbody tr').first().waitFor()
  const shown = await opened.page.evaluate<number>('performance.now()')
  const paint = await opened.page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`)
  const bytes = await opened.transferred()
  await opened.page.context().close()
  return { paint, shown, bytes, asked: opened.asked }
}

async function largeJob(browser: Browser, url: string, db: Pool): Promise<Row[]> {
  const id = await submitJob(url, 'hello_world', { n: TASKS / 2, name: 'page' })
  await ended(db, id)
  const visits: Visit[] = []
  for (let i = 0; i <= VISITS; i++) visits.push(await visit(browser, url, `#/jobs/${id}`))
  const of = (what: 'paint' | 'shown' | 'bytes'): number => median(visits.slice(1).map((v) => v[what]))
  const rows: Row[] = [
    {
      measure: `a job of ${whole(TASKS)} tasks, first visit: first contentful paint / first tasks shown`,
      figure: `${of('paint').toFixed(0)} / ${of('shown').toFixed(0)} ms`,
      goal: '< 1,000 ms',
      met: of('paint') < 1000,
    },
    {
      measure: `the same: transferred`,
      figure: `${(of('bytes') / 1000).toFixed(0)} KB`,
      goal: '≤ 300 KB',
      met: of('bytes') <= 300_000,
    },
  ]
  const opened = new Set([...(visits[0]?.asked ?? []), `monitor/jobs/${id}/slowest`, `jobs/${id}/events?limit=500`])
  for (const path of opened) rows.push(callRow(`its call ${path.replace(id, '{id}')}`, (await callMs(`${url}/api/${path}`)).ms))
  return rows
}

/** Each filter that the page offers; the span is what it makes of "last 7 days". */
const filters = (): readonly (readonly [name: string, query: string])[] => [
  ['none', ''],
  ['status', 'status=failed&'],
  ['status that is rare', 'status=cancelled&'],
  ['type', 'type=process_raster&'],
  ['since', `since=${new Date(Date.now() - 604_800_000).toISOString()}&`],
  ['text', 'text=scene_1&'],
  ['text that nothing has', 'text=nothing+has+this&'],
  ['all four', `status=failed&type=process_raster&since=${new Date(Date.now() - 604_800_000).toISOString()}&text=scene_&`],
]

async function longTable(url: string, db: Pool): Promise<Row[]> {
  await fillJobs(db, 1, JOBS)
  const rows: Row[] = []
  for (const [name, query] of filters()) {
    const base = `${url}/api/monitor/jobs?${query}limit=50`
    const first = await callMs(base)
    rows.push(callRow(`list of ${whole(JOBS)} jobs, filter ${name}: first page`, first.ms))
    let { next } = first.body
    let page = 1
    for (; next !== undefined && page < PAGES - 1; page++)
      next = ((await (await fetch(`${base}&next=${next}`)).json()) as { next?: string }).next
    if (next !== undefined) rows.push(callRow(`the same: page ${page + 1}`, (await callMs(`${base}&next=${next}`)).ms))
  }
  return rows
}

export async function monitorPage(backends: Backends, db: Pool): Promise<Row[]> {
  const { browser, reason } = await startBrowser()
  if (!browser) throw new Error(`The browser cannot start here: ${reason}.`)
  try {
    return await withHost(backends, async (url) => [...(await largeJob(browser, url, db)), ...(await longTable(url, db))])
  } finally {
    await browser.close()
  }
}
