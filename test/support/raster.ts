// Rasters in memory for tests: sources over bytes and files, and a whole conversion in one process.
import { open } from 'node:fs/promises'
import { assemble, type RegionReport } from '../../src/raster/assemble.ts'
import { readTiff } from '../../src/raster/directory.ts'
import { readPyramid } from '../../src/raster/image.ts'
import { Conversion } from '../../src/raster/options.ts'
import { planRaster, type RasterPlan } from '../../src/raster/plan.ts'
import { regionPixels } from '../../src/raster/region-pixels.ts'
import type { RangeSource } from '../../src/raster/range-source.ts'
import { buildRegion } from '../../src/raster/region.ts'
import { type Regions, regionArea } from '../../src/raster/regions.ts'
import { digestOf, packPixels, type SideStore } from '../../src/raster/side-pixels.ts'

export function bytesSource(bytes: Uint8Array, name = 'bronze/test.tif'): RangeSource {
  return { name, size: bytes.length, etag: '"1"', read: async (offset, length) => bytes.slice(offset, offset + length) }
}

export async function fileSource(path: string): Promise<RangeSource & { close(): Promise<void> }> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    name: path.replace(/.*\//, 'bronze/'),
    size,
    etag: '"1"',
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      await file.read(bytes, 0, length, offset)
      return bytes
    },
    close: () => file.close(),
  }
}

export class MemorySide implements SideStore {
  readonly pieces = new Map<string, Uint8Array>()
  async put(level: number, row: number, column: number, bytes: Uint8Array): Promise<void> {
    this.pieces.set(`${level}/${row}_${column}`, bytes)
  }
  async get(level: number, row: number, column: number): Promise<Uint8Array> {
    return this.pieces.get(`${level}/${row}_${column}`) as Uint8Array
  }
}

export interface Converted {
  readonly bytes: Buffer
  readonly fileSize: number
  readonly plan: RasterPlan
  readonly reports: RegionReport[]
}

export interface ConvertControl {
  /** Order in which regions are made; default row by row. */
  readonly order?: (count: number) => number[]
  /** Blocks are counted and thrown away, as a task sends them away. */
  readonly discards?: boolean
  /** Cuts of its own instead of the plan's. */
  readonly cuts?: (plan: RasterPlan) => Regions[]
}

/** The whole of process_raster without jobs: plan, regions, assembly. */
export async function convert(source: RangeSource, options: object = {}, control: ConvertControl = {}): Promise<Converted> {
  const pyramid = await readPyramid(await readTiff(source))
  const parsed = Conversion.parse(options)
  const found = await planRaster(pyramid, { container: 'bronze', blob: 'test.tif', etag: source.etag, size: source.size }, parsed)
  const plan = control.cuts ? { ...found, cuts: control.cuts(found) } : found
  const pixels = await regionPixels(pyramid, plan)
  const staged = new Map<string, Uint8Array>()
  const stage = async (id: string, bytes: Uint8Array): Promise<void> => {
    if (!control.discards) staged.set(id, bytes)
  }
  const side = new MemorySide()
  const base = plan.cuts[0] as Regions
  const reports: RegionReport[] = []
  const count = base.columns * base.rows
  for (const i of control.order?.(count) ?? Array.from({ length: count }, (_, n) => n)) {
    const [row, column] = [Math.floor(i / base.columns), i % base.columns]
    const spec = { column, area: regionArea(base, row, column), level: 0, halvings: base.halvings, writesLevel: true }
    const { blocks, top } = await buildRegion(pixels, spec, plan.form, stage)
    await side.put(base.halvings, row, column, packPixels(top))
    reports.push({ row, column, blocks, digest: digestOf(top) })
  }
  const { ids, fileSize } = await assemble(plan.form, plan.cuts, reports, { side, stage })
  return { bytes: Buffer.concat(ids.map((id) => staged.get(id) ?? new Uint8Array())), fileSize, plan, reports }
}
