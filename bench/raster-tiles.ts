// Map tiles over HTTP, of a COG and with a warm header; and a raster through the whole job on Azurite.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import type { Backends } from '../local/cloud.ts'
import { temporaryFolder } from '../local/temporary-folder.ts'
import { median, type Row, withHost } from './measure.ts'
import { makeSource } from './raster.ts'

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

interface Job {
  readonly status: string
  readonly result: { readonly blob: string; readonly bytes: number } | null
  readonly error: unknown
}

/** @param side pixels of a side of the raster */
export async function rasterJobs(backends: Backends, side: number): Promise<Row[]> {
  const folder = temporaryFolder('lamplighter-bench-tiles-')
  try {
    makeSource(join(folder, 'rgb.tif'), side, 'rgb')
    const service = BlobServiceClient.fromConnectionString(backends.storage)
    for (const name of ['bronze', 'silver']) await service.getContainerClient(name).createIfNotExists()
    await service.getContainerClient('bronze').getBlockBlobClient('bench/rgb.tif').uploadFile(join(folder, 'rgb.tif'))
    return await withHost(backends, async (url) => {
      const { seconds, blob } = await convertOnce(url)
      return [
        {
          measure: `process_raster, ${side}² RGB, whole job on Azurite`,
          figure: `${seconds.toFixed(1)} s wall, two processes`,
          goal: '-',
          met: true,
        },
        ...(await tileTimes(`${url}/api/rasters/silver`, blob, side)),
      ]
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function convertOnce(url: string): Promise<{ seconds: number; blob: string }> {
  const began = performance.now()
  const answer = await fetch(`${url}/api/jobs/submit/process_raster?force=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ source_container: 'bronze', source_blob: 'bench/rgb.tif' }),
  })
  const { job_id } = (await answer.json()) as { job_id: string }
  for (;;) {
    const job = (await (await fetch(`${url}/api/jobs/${job_id}`)).json()) as Job
    if (job.status === 'completed' && job.result) return { seconds: (performance.now() - began) / 1000, blob: job.result.blob }
    if (['failed', 'cancelled'].includes(job.status)) throw new Error(JSON.stringify(job.error))
    await new Promise((r) => setTimeout(r, 200))
  }
}

/** Tiles of every zoom by chance, one after the other and twenty at once, while another route is asked how long it waits. */
async function tileTimes(base: string, blob: string, side: number): Promise<Row[]> {
  const name = blob.split('/').map(encodeURIComponent).join('/')
  const { bounds, minzoom, maxzoom } = (await (await fetch(`${base}/tilejson/${name}`)).json()) as {
    bounds: [number, number, number, number]
    minzoom: number
    maxzoom: number
  }
  const urls = Array.from({ length: 200 }, (_, i) => {
    const z = minzoom + (i % (maxzoom - minzoom + 1))
    const [lon, lat] = [
      bounds[0] + (bounds[2] - bounds[0]) * ((i * 0.618) % 1),
      bounds[1] + (bounds[3] - bounds[1]) * ((i * 0.382) % 1),
    ]
    const x = Math.floor(((lon + 180) / 360) * 2 ** z)
    const y = Math.floor(((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * 2 ** z)
    return `${base}/tiles/${z}/${x}/${y}/${name}`
  })
  const timed = async (url: string): Promise<number> => {
    const began = performance.now()
    await (await fetch(url)).arrayBuffer()
    return performance.now() - began
  }
  for (const url of urls.slice(0, 40)) await timed(url)
  const single: number[] = []
  for (const url of urls) single.push(await timed(url))
  const live: number[] = []
  const crowd = Promise.all(Array.from({ length: 20 }, async (_, k) => Promise.all(urls.slice(k * 10, k * 10 + 10).map(timed))))
  for (let i = 0; i < 20; i++) live.push(await timed(`${base.replace('/rasters/silver', '')}/health/live`))
  const many = (await crowd).flat()
  const [p50, p95] = [median(single), quantile(single, 0.95)]
  return [
    {
      measure: `map tile of a COG of ${side}², warm header, p50 / p95 of 200`,
      figure: `${p50.toFixed(0)} / ${p95.toFixed(0)} ms`,
      goal: 'p95 ≤ 60 ms',
      met: p95 <= 60,
    },
    {
      measure: '200 tiles at once: median; another route meanwhile, p50',
      figure: `${median(many).toFixed(0)} ms; ${median(live).toFixed(0)} ms`,
      goal: 'other route ≤ 50 ms',
      met: median(live) <= 50,
    },
  ]
}
