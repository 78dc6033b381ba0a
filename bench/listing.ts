// Pages of 5,000 names as the Blob service writes them: what a page costs, and how long it keeps others waiting, beside the SDK's parser.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { BlobServiceClient } from '@azure/storage-blob'
import { openBlobStore } from '../src/storage/blob-store.ts'
import { median, type Row } from './measure.ts'

const NAMES = 5000
const PAGES = 20
/** Not counted: the SDK is loaded, functions are compiled. */
const WARMING = 5
const GOAL_MS = 50

const blob = (i: number): string =>
  `<Blob><Name>scenes/2026/tile_${String(i).padStart(7, '0')}/B04.tif</Name><Properties><Creation-Time>Sat, 28 Nov 2026 10:00:00 GMT</Creation-Time><Last-Modified>Sat, 28 Nov 2026 10:00:00 GMT</Last-Modified><Etag>0x8DC${i}</Etag><Content-Length>123456</Content-Length><Content-Type>image/tiff</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>q1w2e3r4t5y6u7i8o9p0aa==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties><Metadata><source>s2</source><run>17</run></Metadata><OrMetadata /></Blob>`
const page = Buffer.from(
  `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.blob.core.windows.net/" ContainerName="bronze"><MaxResults>${NAMES}</MaxResults><Blobs>${Array.from({ length: NAMES }, (_, i) => blob(i)).join('')}</Blobs><NextMarker>more</NextMarker></EnumerationResults>`,
)

export async function listingPages(): Promise<Row[]> {
  const server = createServer((_, answer) => answer.setHeader('content-type', 'application/xml').end(page))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:${port}/a`
  const sdk = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('bronze')
  const store = openBlobStore({ connectionString, accountUrl: undefined, allowed: new Set(['bronze']) })
  try {
    const theirs = await costOf(sdk.listBlobsFlat({ includeMetadata: true }).byPage({ maxPageSize: NAMES }))
    const ours = await costOf(store.list('bronze'))
    return [
      {
        measure: `pages of ${NAMES} names: longest stall of others`,
        figure: `${ours.stall} ms; the SDK's parser ${theirs.stall} ms`,
        goal: `≤ ${GOAL_MS} ms`,
        met: ours.stall <= GOAL_MS,
      },
      {
        measure: `pages of ${NAMES} names: CPU a page`,
        figure: `${ours.cpu} ms; the SDK's parser ${theirs.cpu} ms`,
        goal: "≤ the SDK's parser",
        met: ours.cpu <= theirs.cpu,
      },
    ]
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Milliseconds: the longest turn of the event loop, and the median CPU of a page. */
async function costOf(pages: AsyncIterable<unknown>): Promise<{ stall: number; cpu: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const costs: number[] = []
  let seen = 0
  let before = process.cpuUsage()
  for await (const _ of pages) {
    const { user, system } = process.cpuUsage(before)
    if (++seen > WARMING) costs.push((user + system) / 1000)
    if (seen === WARMING) delay.enable()
    if (seen === PAGES) break
    before = process.cpuUsage()
  }
  delay.disable()
  return { stall: Math.round(delay.max / 1e6), cpu: Math.round(median(costs)) }
}
