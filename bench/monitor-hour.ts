// The monitor page left open on a job that runs: the memory that its scripts hold, and how often it asks. `npm run bench -- monitor-hour 60` (minutes).
import { BlobServiceClient } from '@azure/storage-blob'
import type { Browser, CDPSession } from 'playwright-core'
import type { Backends } from '../local/cloud.ts'
import { openPage, type OpenPage, startBrowser } from '../test/support/browser.ts'
import { startStorageProxy, type StorageProxy } from '../test/support/storage-proxy.ts'
import { median, type Row, whole, withHost } from './measure.ts'
import { submitJob } from './stack.ts'

const TASKS = 10_000
/** The fastest that the page offers. */
const REFRESH_SECONDS = 2
const SAMPLE_SECONDS = 300
/** The least of one task: its tags and its first bytes. More only make the job last longer. */
const REQUESTS_A_TASK = 2
const HIDDEN_SECONDS = 60
const seconds = (n: number): Promise<void> => new Promise((done) => setTimeout(done, n * 1000))

interface Watched {
  readonly opened: OpenPage
  readonly session: CDPSession
  /** Bytes of the heap after a collection, one for each sample. */
  readonly heap: number[]
  readonly nodes: number[]
  /** Requests of data for one refresh, one for each sample. */
  readonly perRefresh: number[]
}

/** A job of 10,000 tasks that lasts so many minutes: storage answers at a pace. */
async function pacedStorage(backends: Backends, minutes: number): Promise<StorageProxy> {
  const container = BlobServiceClient.fromConnectionString(backends.storage).getContainerClient('hour')
  await container.createIfNotExists()
  const names = Array.from({ length: TASKS }, (_, i) => `f_${String(i).padStart(5, '0')}.tif`)
  for (let at = 0; at < TASKS; at += 100)
    await Promise.all(names.slice(at, at + 100).map((name) => container.getBlockBlobClient(name).upload('x', 1)))
  const proxy = await startStorageProxy(backends.storage)
  const pace = (minutes * 60_000) / (TASKS * REQUESTS_A_TASK)
  let next = performance.now()
  proxy.wait = (line) => {
    if (!line.includes('f_') || line.startsWith('PUT')) return 0
    next = Math.max(next + pace, performance.now())
    return next - performance.now()
  }
  return proxy
}

async function watch(browser: Browser, url: string, hash: string): Promise<Watched> {
  const opened = await openPage(browser, url)
  await opened.page.addInitScript(`localStorage.setItem('lamplighter.preferences', '{"refresh":${REFRESH_SECONDS}}')`)
  await opened.go(hash)
  await opened.page.locator('table.list tbody tr').first().waitFor()
  const session = await opened.page.context().newCDPSession(opened.page)
  await session.send('HeapProfiler.enable')
  return { opened, session, heap: [], nodes: [], perRefresh: [] }
}

async function sample({ opened, session, heap, nodes, perRefresh }: Watched, period: number): Promise<void> {
  perRefresh.push((opened.asked.length * REFRESH_SECONDS) / period)
  opened.asked.length = 0
  await session.send('HeapProfiler.collectGarbage')
  heap.push((await session.send('Runtime.getHeapUsage')).usedSize)
  nodes.push((await session.send('Memory.getDOMCounters')).nodes)
}

const setHidden = ({ opened }: Watched, hidden: boolean): Promise<unknown> =>
  opened.page.evaluate(
    `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
  )

/** Requests of pages that nobody sees. */
async function askedWhileHidden(pages: readonly Watched[]): Promise<number> {
  await Promise.all(pages.map((page) => setHidden(page, true)))
  for (const { opened } of pages) opened.asked.length = 0
  await seconds(HIDDEN_SECONDS)
  const asked = pages.reduce((sum, { opened }) => sum + opened.asked.length, 0)
  await Promise.all(pages.map((page) => setHidden(page, false)))
  return asked
}

/** @throws Error when the job did not last as long as the pages were watched: what has ended is not asked for again */
async function watchRunning(browser: Browser, url: string, minutes: number): Promise<{ pages: Watched[]; hidden: number }> {
  const id = await submitJob(url, 'list_container', {
    container_name: 'hour',
    metadata_level: 'full',
    filter: 'f_',
    max_files: TASKS,
  })
  const pages = [await watch(browser, url, `#/jobs/${id}`), await watch(browser, url, '#/jobs')]
  for (const { opened } of pages) opened.asked.length = 0
  const watched = minutes * 60 - HIDDEN_SECONDS
  const period = Math.min(SAMPLE_SECONDS, watched / 2)
  for (let at = period; at <= watched; at += period) {
    await seconds(period)
    for (const page of pages) await sample(page, period)
    const mb = pages.map(({ heap }) => ((heap.at(-1) ?? 0) / 1e6).toFixed(2))
    console.error(`minute ${(at / 60).toFixed(1)}: heap of job and jobs ${mb.join(' and ')} MB`)
  }
  const hidden = await askedWhileHidden(pages)
  const answer = await fetch(`${url}/api/jobs/${id}`)
  const { status } = (await answer.json()) as { status: string }
  if (status !== 'processing') throw new Error(`the job is ${status}: it ended before the pages were watched to the end`)
  return { pages, hidden }
}

export async function monitorHour(backends: Backends, minutes: number): Promise<Row[]> {
  const { browser, reason } = await startBrowser()
  if (!browser) throw new Error(`The browser cannot start here: ${reason}.`)
  // Longer than the watching: it has to run at the end.
  const proxy = await pacedStorage(backends, minutes + 3)
  try {
    const { pages, hidden } = await withHost(
      { ...backends, storage: proxy.connectionString },
      (url) => watchRunning(browser, url, minutes),
      { ALLOWED_CONTAINERS: 'hour' },
    )
    return [
      ...pages.flatMap((page, i) => rowsOf(page, i === 0 ? 'a job that runs' : 'the list of jobs', minutes)),
      hiddenRow(hidden),
    ]
  } finally {
    await browser.close()
    await proxy.close()
  }
}

function rowsOf({ heap, nodes, perRefresh }: Watched, view: string, minutes: number): Row[] {
  const mb = (bytes: number | undefined): string => ((bytes ?? 0) / 1e6).toFixed(2)
  const half = Math.floor(heap.length / 2)
  const [before, after] = [median(heap.slice(0, half + 1)), median(heap.slice(half))]
  const most = Math.max(...perRefresh)
  return [
    {
      measure: `${view}, open for ${minutes} minutes: heap after a collection, first half / second half`,
      figure: `${mb(before)} / ${mb(after)} MB; ${whole(nodes[0] ?? 0)} / ${whole(nodes.at(-1) ?? 0)} nodes`,
      goal: '≤ 1.1 ×',
      met: after <= 1.1 * before,
    },
    { measure: `${view}: requests for each refresh`, figure: most.toFixed(2), goal: '≤ 1', met: most <= 1 },
  ]
}

const hiddenRow = (hidden: number): Row => ({
  measure: `both pages hidden for ${HIDDEN_SECONDS} s: requests`,
  figure: String(hidden),
  goal: '0',
  met: hidden === 0,
})
