// However a raster is cut, and in whatever order its tasks run or run again, the file is the same byte by byte.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCog } from '../../src/raster/check.ts'
import { readTiff } from '../../src/raster/directory.ts'
import { readPyramid } from '../../src/raster/image.ts'
import { shorts } from '../../src/raster/ifd-writer.ts'
import { Conversion } from '../../src/raster/options.ts'
import { halve, levelSizes } from '../../src/raster/overview.ts'
import { planRaster, type RasterPlan } from '../../src/raster/plan.ts'
import { type Regions, regionArea } from '../../src/raster/regions.ts'
import { newSamples, type Pixels, setSample } from '../../src/raster/samples.ts'
import { mergeMoments, momentsOf, NO_MOMENTS } from '../../src/raster/statistics.ts'
import { tileRecord } from '../../src/raster/tile-encoder.ts'
import { ImageReader } from '../../src/raster/window.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Cuts of so many halvings each, regions `wide` squares wide. */
function cutsOf({ form }: RasterPlan, halvings: readonly number[], wide: number): Regions[] {
  const sizes = levelSizes(form.width, form.height, form.tile_size)
  let level = 0
  const cuts: Regions[] = []
  for (let i = 0; level < sizes.length - 1 || cuts.length === 0; i++) {
    const size = sizes[level] as { width: number; height: number }
    const h = Math.min(halvings[i % halvings.length] as number, sizes.length - 1 - level)
    const square = form.tile_size * 2 ** h
    const regionWidth = square * wide
    cuts.push({
      level,
      halvings: h,
      regionWidth,
      regionHeight: square,
      columns: Math.ceil(size.width / regionWidth),
      rows: Math.ceil(size.height / square),
      ...size,
    })
    level += h
  }
  return cuts
}

describe('one file', () => {
  const source = makeTiff({
    width: 1100,
    height: 700,
    bands: 3,
    dtype: 'uint8',
    photometric: 2,
    samples: someSamples('uint8', 1100, 700, 3),
    nodata: '7',
  })
  test.each([{}, { output_tier: 'visualization', compression: 'deflate' }])(
    'as one region, as squares, as bands, backwards, twice: %o',
    async (options) => {
      const whole = await convert(bytesSource(source), { tile_size: 256, ...options })
      expect(await checkCog(bytesSource(whole.bytes))).toEqual([])
      const shapes: [halvings: number[], wide: number][] = [
        [[1], 1],
        [[2, 1], 1],
        [[1, 3], 2],
        [[1], 4],
        [[3], 1],
      ]
      for (const [halvings, wide] of shapes) {
        const cut = await convert(
          bytesSource(source),
          { tile_size: 256, ...options },
          {
            cuts: (plan) => cutsOf(plan, halvings, wide),
            order: (count) => [...Array.from({ length: count }, (_, i) => count - 1 - i), 0],
          },
        )
        expect(sha(cut.bytes), `halvings ${halvings.join()} wide ${wide}`).toBe(sha(whole.bytes))
      }
    },
  )
})

describe('odd sizes: levels as a plain reader of the rules would make them', () => {
  test.each([
    [1, 1],
    [1, 4097],
    [625, 701],
    [513, 511],
    [257, 256],
  ])('%i x %i', async (width, height) => {
    const samples = someSamples('int16', width, height, 2)
    const { bytes } = await convert(
      bytesSource(makeTiff({ width, height, bands: 2, dtype: 'int16', samples, extraSamples: [0] })),
      { tile_size: 256 },
    )
    expect(await checkCog(bytesSource(bytes))).toEqual([])
    const tiff = await readTiff(bytesSource(bytes))
    const { main, overviews } = await readPyramid(tiff)
    let level: Pixels = { width, height, bands: 2, dtype: 'int16', data: samples }
    for (const image of [main, ...overviews.map((o) => o.image)]) {
      if (image !== main) level = naiveHalf(level)
      expect([image.width, image.height]).toEqual([level.width, level.height])
      const reader = await ImageReader.open(tiff, image)
      expect((await reader.window({ x: 0, y: 0, width: image.width, height: image.height })).data).toEqual(level.data)
    }
    const last = overviews.at(-1)?.image ?? main
    expect(Math.max(last.width, last.height)).toBeLessThanOrEqual(256)
  })
})

/** Written from the rule alone: those of the four that exist, half away from zero. */
function naiveHalf({ width, height, bands, dtype, data }: Pixels): Pixels {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  const half = newSamples(dtype, w * h * bands)
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let b = 0; b < bands; b++) {
        const four = [
          [0, 0],
          [1, 0],
          [0, 1],
          [1, 1],
        ].flatMap(([dx, dy]) => {
          const [px, py] = [x * 2 + (dx as number), y * 2 + (dy as number)]
          return px < width && py < height ? [Number(data[(py * width + px) * bands + b])] : []
        })
        const mean = four.reduce((s, v) => s + v, 0) / four.length
        setSample(half, (y * w + x) * bands + b, Math.sign(mean) * Math.floor(Math.abs(mean) + 0.5))
      }
  return { width: w, height: h, bands, dtype, data: half }
}

describe('rules of halving', () => {
  const four = (dtype: Pixels['dtype'], values: number[], more: Partial<Pixels> = {}): Pixels => {
    const data = newSamples(dtype, values.length)
    values.forEach((v, i) => setSample(data, i, v))
    return { width: 2, height: 2, bands: values.length / 4, dtype, data, ...more }
  }
  const average = { method: 'average', nodata: undefined, alpha: undefined } as const
  const one = (p: Pixels, rules: Parameters<typeof halve>[1]) => [...(halve(p, rules).data as Uint8Array)]
  test('averages: half up, signed half away from zero, nodata apart', () => {
    expect(one(four('uint8', [1, 2, 2, 1]), average)).toEqual([2])
    expect(one(four('int16', [-2, -3, -2, -3]), average)).toEqual([-3])
    expect(one(four('int16', [2, 3, 2, 3]), average)).toEqual([3])
    expect(one(four('uint8', [10, 0, 20, 0]), { ...average, nodata: 0 })).toEqual([15])
    expect(one(four('uint8', [0, 0, 0, 0]), { ...average, nodata: 0 })).toEqual([0])
  })
  test('a mean that is nodata by accident becomes its neighbour: no pixel vanishes', () => {
    expect(one(four('uint8', [6, 8, 6, 8]), { ...average, nodata: 7 })).toEqual([8])
    expect(one(four('uint8', [254, 255, 255, 255]), { ...average, nodata: 255 })).toEqual([254])
    expect(one(four('int16', [-10_000, -9998, -10_000, -9998]), { ...average, nodata: -9999 })).toEqual([-9998])
    const [float] = one(four('float32', [1, 3, 1, 3]), { ...average, nodata: 2 })
    expect(float).toBeGreaterThan(2)
    expect(float).toBeLessThan(2.000_001)
  })
  test('NaN is missing where nodata is NaN, and makes NaN elsewhere', () => {
    expect(one(four('float32', [1, Number.NaN, 3, Number.NaN]), { ...average, nodata: Number.NaN })).toEqual([2])
    expect(one(four('float32', [1, Number.NaN, 3, 4]), { ...average, nodata: -1 })).toEqual([Number.NaN])
  })
  test('alpha: colours of what is seen, alpha of what is not 0', () => {
    // Grey and alpha of four pixels.
    expect(one(four('uint8', [10, 0, 20, 100, 30, 200, 99, 0]), { ...average, alpha: 1 })).toEqual([25, 150])
    expect(one(four('uint8', [10, 0, 20, 0, 30, 0, 99, 0]), { ...average, alpha: 1 })).toEqual([0, 0])
  })
  test('mask: any of the four; mode: the first to reach the highest count; nearest: the upper left', () => {
    expect([
      ...(halve(four('uint8', [1, 2, 3, 4], { mask: Uint8Array.from([0, 0, 255, 0]) }), average).mask as Uint8Array),
    ]).toEqual([255])
    expect(one(four('uint8', [1, 2, 3, 4], { mask: Uint8Array.from([0, 0, 255, 0]) }), average)).toEqual([3])
    expect(one(four('uint8', [1, 2, 2, 1]), { ...average, method: 'mode' })).toEqual([2])
    expect(one(four('uint8', [5, 6, 7, 8]), { ...average, method: 'mode' })).toEqual([5])
    expect(one(four('uint8', [9, 6, 7, 8]), { ...average, method: 'nearest' })).toEqual([9])
  })
})

test('statistics of parts, merged in any grouping, are those of the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -30_000, max: 30_000 }), { minLength: 2, maxLength: 200 }), fc.nat(), (values, at) => {
      const pixels = (list: number[]): Pixels => ({
        width: list.length,
        height: 1,
        bands: 1,
        dtype: 'int16',
        data: Int16Array.from(list),
      })
      const cut = at % values.length
      const whole = momentsOf(pixels(values), undefined, undefined)[0] ?? NO_MOMENTS
      const parts = [values.slice(0, cut), values.slice(cut)].map(
        (p) => momentsOf(pixels(p), undefined, undefined)[0] ?? NO_MOMENTS,
      )
      const merged = parts.reduce(mergeMoments, NO_MOMENTS)
      expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max])
      expect(merged.mean).toBeCloseTo(whole.mean, 6)
      expect(merged.m2 / (whole.m2 || 1)).toBeCloseTo(whole.m2 === 0 ? merged.m2 : 1, 6)
    }),
  )
})

test('plan of 100,000 x 100,000 RGB: 625 tasks, at most 10,000 blocks, at most 256 MB', async () => {
  const file = makeTiff({
    width: 100_000,
    height: 100_000,
    bands: 3,
    dtype: 'uint8',
    samples: new Uint8Array(3),
    photometric: 2,
    tags: [shorts(322, 512), shorts(323, 512)],
  })
  const pyramid = await readPyramid(await readTiff(bytesSource(file)))
  const plan = await planRaster(pyramid, { container: 'bronze', blob: 'x.tif', etag: '1', size: 1 }, Conversion.parse({}))
  const base = plan.cuts[0] as Regions
  expect(base.columns * base.rows).toBe(625)
  expect(base.halvings).toBe(3)
  expect(plan.blocks).toBeLessThanOrEqual(10_000)
  expect(plan.memory_mb).toBeLessThanOrEqual(256)
  expect(plan.read_amplification).toBe(1)
})

test.each([511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 8192])(
  'regions of %i pixels cover exactly, none is redundant',
  async (side) => {
    const file = makeTiff({
      width: side,
      height: side,
      bands: 1,
      dtype: 'uint8',
      samples: new Uint8Array(1),
      tags: [shorts(322, 512), shorts(323, 512)],
    })
    const pyramid = await readPyramid(await readTiff(bytesSource(file)))
    const { cuts } = await planRaster(pyramid, { container: 'bronze', blob: 'x.tif', etag: '1', size: 1 }, Conversion.parse({}))
    const base = cuts[0] as Regions
    let pixels = 0
    for (let row = 0; row < base.rows; row++)
      for (let column = 0; column < base.columns; column++) {
        const { x, y, width, height } = regionArea(base, row, column)
        expect(Math.min(width, height)).toBeGreaterThan(0)
        expect((x % (512 * 2 ** base.halvings)) + (y % (512 * 2 ** base.halvings))).toBe(0)
        pixels += width * height
      }
    expect(pixels).toBe(side * side)
  },
)

test('a record of a tile: its size, itself, its last four bytes again', () => {
  expect([...tileRecord(Uint8Array.from([1, 2, 3, 4, 5]))]).toEqual([5, 0, 0, 0, 1, 2, 3, 4, 5, 2, 3, 4, 5])
})
