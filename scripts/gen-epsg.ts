// `npm run gen -- epsg`: src/raster/epsg.gen.json from the EPSG data set in gdal3.js's proj.db, each code measured against PROJ.
import { readFile, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { areaPoints, type EpsgRow, errorAt, fitShift, openPeer, type Peer } from './epsg-measure.ts'
import { readCodes, type CodeOfDatabase } from './epsg-database.ts'

const FILE = 'src/raster/epsg.gen.json'

/** Better than this needs no shift, in metres. */
const GOOD_ENOUGH = 0.01
/** Worse than this is not used for footprints either: then no string is kept. */
const USELESS = 1000

/** One row, or undefined where PROJ itself gives no points. */
export async function rowOf(peer: Peer, code: CodeOfDatabase): Promise<EpsgRow | undefined> {
  const points = areaPoints(code.area)
  const truth = await peer.fromWgs84(code.code, points)
  if (truth.every((p) => p === undefined)) return undefined
  const base = { name: code.name, kind: code.kind, area: code.area }
  if (code.proj === undefined) return { ...base, proj: null, error_m: null, reason: `${code.method} is not supported` }
  let best = { proj: code.proj, error: errorAt(code.proj, points, truth) }
  if (best.error > GOOD_ENOUGH)
    for (const terms of [3, 7] as const) {
      const shift = fitShift(code.proj, points, truth, terms)
      if (!shift) continue
      const proj = `${code.proj} +towgs84=${shift.map((v) => Number(v.toFixed(terms === 7 ? 7 : 3))).join(',')}`
      const error = errorAt(proj, points, truth)
      if (error < best.error * 0.8) best = { proj, error }
      if (best.error <= GOOD_ENOUGH) break
    }
  const error_m = Number.isFinite(best.error) ? Math.max(0.001, Math.ceil(best.error * 1000) / 1000) : null
  if (error_m === null || error_m > USELESS) return { ...base, proj: null, error_m, reason: 'differs too much from PROJ' }
  return { ...base, proj: best.proj, error_m }
}

export async function generateEpsg(): Promise<void> {
  const peer = await openPeer()
  const { codes, version } = readCodes(peer.database())
  const rows: Record<string, EpsgRow> = {}
  for (const code of codes) {
    const row = await rowOf(peer, code)
    if (row) rows[code.code] = row
  }
  const lines = Object.entries(rows).map(([code, r]) => `"${code}":${JSON.stringify(r)}`)
  await writeFile(FILE, `{"version":${JSON.stringify(version)},"codes":{\n${lines.join(',\n')}\n}}\n`)
  const within = Object.values(rows).filter((r) => r.error_m !== null && r.error_m <= 1).length
  console.log(`${FILE}: ${lines.length} codes of ${version}, ${within} within 1 m`)
}

/** Measures codes chosen by hash anew. @returns what differs from the file */
export async function recheckEpsg(count: number): Promise<string[]> {
  const known = (JSON.parse(await readFile(FILE, 'utf8')) as { codes: Record<string, EpsgRow> }).codes
  const peer = await openPeer()
  const { codes } = readCodes(peer.database())
  const order = (code: number): string => createHash('sha256').update(String(code)).digest('hex')
  const chosen = codes.sort((a, b) => (order(a.code) < order(b.code) ? -1 : 1)).slice(0, count)
  const wrong: string[] = []
  for (const code of chosen) {
    const fresh = JSON.stringify(await rowOf(peer, code))
    if (fresh !== JSON.stringify(known[code.code]))
      wrong.push(`EPSG:${code.code} is ${JSON.stringify(known[code.code])}, measured ${fresh}`)
  }
  return wrong
}
