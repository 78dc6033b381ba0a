// One task of a raster of 100,000 x 100,000 RGB pixels, whose tiles all share one payload: memory does not depend on the raster's size.
import { deflateSync } from 'node:zlib'
import { readTiff } from '../src/raster/directory.ts'
import { offsets, longs, shorts, size, writeDirectory } from '../src/raster/ifd-writer.ts'
import { readPyramid } from '../src/raster/image.ts'
import { Conversion } from '../src/raster/options.ts'
import { planRaster } from '../src/raster/plan.ts'
import { buildRegion } from '../src/raster/region.ts'
import { regionPixels } from '../src/raster/region-pixels.ts'
import { type Regions, regionArea } from '../src/raster/regions.ts'
import { bytesSource } from '../test/support/raster.ts'

const SIDE = 100_000
const TILE = 512
const tile = deflateSync(Uint8Array.from({ length: TILE * TILE * 3 }, (_, i) => (i * 2_654_435_761) >>> 24))
const count = Math.ceil(SIDE / TILE) ** 2
const at = 16
const directory = writeDirectory(
  [
    size(256, SIDE),
    size(257, SIDE),
    shorts(258, 8, 8, 8),
    shorts(259, 8),
    shorts(262, 2),
    shorts(277, 3),
    size(322, TILE),
    size(323, TILE),
    offsets(324, new Float64Array(count).fill(at), true),
    longs(325, new Uint32Array(count).fill(tile.length)),
  ],
  at + tile.length,
  0,
  true,
)
const head = Buffer.alloc(16)
head.write('II')
head.writeUInt16LE(43, 2)
head.writeUInt16LE(8, 4)
head.writeBigUInt64LE(BigInt(at + tile.length), 8)
const source = bytesSource(Buffer.concat([head, tile, directory]))
const pyramid = await readPyramid(await readTiff(source))
const plan = await planRaster(
  pyramid,
  { container: 'bronze', blob: 'huge.tif', etag: '1', size: source.size },
  Conversion.parse({}),
)
const base = plan.cuts[0] as Regions
const began = performance.now()
const before = process.cpuUsage()
const spec = { column: 3, area: regionArea(base, 5, 3), level: 0, halvings: base.halvings, writesLevel: true }
await buildRegion(await regionPixels(pyramid, plan), spec, plan.form, () => Promise.resolve())
const cpu = process.cpuUsage(before)
console.log(
  JSON.stringify({
    cpu: (cpu.user + cpu.system) / 1e6,
    wall: (performance.now() - began) / 1000,
    rss: process.resourceUsage().maxRSS / 1024,
    bytes: base.columns * base.rows,
  }),
)
