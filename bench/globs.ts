// Hostile patterns over HTTP against containers of 1,500 and 25,000 names, and how long somebody else waits for the same worker.
import { setTimeout as pause } from 'node:timers/promises'
import { BlobServiceClient } from '@azure/storage-blob'
import fc from 'fast-check'
import type { Backends } from '../local/cloud.ts'
import { fill } from './containers.ts'
import { type Row, whole, withHost } from './measure.ts'

const GOAL_MS = 250
const SIZES: readonly [names: number, patterns: number][] = [
  [1500, 200],
  [25_000, 20],
]

/** Patterns that multiply in a backtracking matcher: groups of empty and overlapping alternatives, runs of stars, classes. */
const hostile = fc
  .array(
    fc.constantFrom('{,}', '{,a}', '**', '*', '?', '*a', '**/', '[a-z]', '{*,**,a*,?*}', '{a,b}', 'd', '_', '{file,f*e,*}', '0'),
    { minLength: 1, maxLength: 120 },
  )
  .map((pieces) => pieces.join('').slice(0, 250))
  .filter((p) => (p.match(/\{/g)?.length ?? 0) === (p.match(/\}/g)?.length ?? 0))

export async function hostileGlobs(backends: Backends): Promise<Row[]> {
  const service = BlobServiceClient.fromConnectionString(backends.storage)
  for (const [n] of SIZES) await fill(service.getContainerClient(`names-${n}`), n)
  return withHost(
    backends,
    async (url) => {
      const rows: Row[] = []
      for (const [n, count] of SIZES)
        rows.push(await underWatch(url, n, fc.sample(hostile, { numRuns: count, seed: 20_261_127 })))
      return rows
    },
    { ALLOWED_CONTAINERS: SIZES.map(([n]) => `names-${n}`).join(',') },
  )
}

async function underWatch(url: string, n: number, patterns: readonly string[]): Promise<Row> {
  let longest = 0
  let over = false
  const watch = (async () => {
    while (!over) {
      longest = Math.max(longest, await milliseconds(`${url}/api/health/live`))
      await pause(20)
    }
  })()
  let slowest = 0
  const codes = new Map<number, number>()
  for (const pattern of patterns) {
    const started = performance.now()
    const { status } = await fetch(`${url}/api/containers/names-${n}/blobs?limit=5000&pattern=${encodeURIComponent(pattern)}`)
    slowest = Math.max(slowest, performance.now() - started)
    codes.set(status, (codes.get(status) ?? 0) + 1)
  }
  over = true
  await watch
  const statuses = [...codes].map(([code, times]) => `${times} × ${code}`).join(', ')
  return {
    measure: `${patterns.length} hostile patterns over ${whole(n)} names: longest answer to others`,
    figure: `${Math.round(longest)} ms; slowest list ${Math.round(slowest)} ms; ${statuses}`,
    goal: `≤ ${GOAL_MS} ms`,
    met: longest <= GOAL_MS,
  }
}

async function milliseconds(url: string): Promise<number> {
  const started = performance.now()
  await (await fetch(url)).arrayBuffer()
  return performance.now() - started
}
