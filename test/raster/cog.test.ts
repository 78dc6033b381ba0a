// Our COGs against GDAL's: same facts, same pixels on every level, whatever the samples.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { inflateSync, zstdDecompressSync } from 'node:zlib'
import { describeRaster } from '../../src/raster/describe.ts'
import { readTiff } from '../../src/raster/directory.ts'
import { checkCog } from '../../src/raster/check.ts'
import { shorts } from '../../src/raster/ifd-writer.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, type Plain, someSamples } from '../support/tiff-maker.ts'

let gdal: Gdal
beforeAll(async () => {
  gdal = await openGdal()
})
afterAll(() => gdal.close())

const RGB = { photometric: 2, bands: 3 } as const
const [width, height] = [512, 512]
const palette = shorts(320, ...Array.from({ length: 768 }, (_, i) => (i * 257) & 0xffff))

const plain = (more: Partial<Plain>): Plain => {
  const p = { width, height, bands: 1, dtype: 'uint8' as const, epsg: 32_633, ...more }
  return { samples: someSamples(p.dtype, width, height, p.bands), ...p }
}
const withHoles = (p: Plain, value: number): Plain => {
  const samples = (p.samples ?? []) as Float32Array
  for (let i = 0; i < samples.length; i++) if ((i * 7919) % 97 < 11 || (i % width > 200 && i % width < 300)) samples[i] = value
  return { ...p, nodata: String(value) }
}

const CASES: Record<string, Plain> = {
  'uint8, one band': plain({}),
  'uint8, RGB': plain(RGB),
  'uint8, RGBA': plain({ photometric: 2, bands: 4, extraSamples: [2] }),
  'uint8 with nodata': withHoles(plain({}), 7),
  'a palette': plain({ photometric: 3, tags: [palette] }),
  'int16 with negatives': plain({ dtype: 'int16' }),
  'int16 with nodata': withHoles(plain({ dtype: 'int16' }), -9999),
  uint16: plain({ dtype: 'uint16' }),
  int32: plain({ dtype: 'int32' }),
  uint32: plain({ dtype: 'uint32' }),
  float32: plain({ dtype: 'float32' }),
  'float32 with nodata': withHoles(plain({ dtype: 'float32' }), -9999),
  'float32 with NaN as nodata': withHoles(plain({ dtype: 'float32' }), Number.NaN),
  'float64 with nodata': withHoles(plain({ dtype: 'float64' }), -1e10),
  '8 bands': plain({ bands: 8, dtype: 'uint16', extraSamples: [0, 0, 0, 0, 0, 0, 0] }),
}

describe('level by level as gdal_translate -of COG', () => {
  test.each(Object.keys(CASES))('%s', async (name) => {
    const source = makeTiff(CASES[name] as Plain)
    const { bytes, plan } = await convert(bytesSource(source), { tile_size: 256 })
    expect(await checkCog(bytesSource(bytes))).toEqual([])
    const options = ['COMPRESS=DEFLATE', 'BLOCKSIZE=256', `OVERVIEW_RESAMPLING=${plan.form.overview_method.toUpperCase()}`]
    const theirs = await gdal.translate(source, '-of', 'COG', ...options.flatMap((o) => ['-co', o]))
    const [a, b] = [await gdal.info(bytes), await gdal.info(theirs)]
    expect(a.metadata.IMAGE_STRUCTURE.LAYOUT).toBe('COG')
    for (const key of ['size', 'geoTransform', 'coordinateSystem']) expect(a[key], key).toEqual(b[key])
    for (const [i, band] of b.bands.entries())
      for (const key of ['type', 'noDataValue', 'colorInterpretation', 'block', 'colorTable', 'overviews'])
        expect(a.bands[i][key], `band ${i + 1} ${key}`).toEqual(band[key])
    for (const level of [undefined, ...a.bands[0].overviews.keys()]) {
      const [ours, peers] = [await gdal.pixels(bytes, level), await gdal.pixels(theirs, level)]
      expect(differing(ours, peers, CASES[name] as Plain), `level ${level ?? 'image'}`).toBeLessThanOrEqual(0)
    }
    expect(bytes.length).toBeLessThanOrEqual(theirs.length * 1.05)
  })
})

/** How many samples differ, apart from what docs/rasters.md lists: 1 ulp of floats without nodata (GDAL sums them in single precision). */
function differing(ours: Buffer, theirs: Buffer, { dtype }: Plain): number {
  if (ours.equals(theirs)) return 0
  const own = (b: Buffer): ArrayBuffer => new Uint8Array(b).buffer
  if (dtype === 'float32') {
    const [a, b] = [new Int32Array(own(ours)), new Int32Array(own(theirs))]
    return a.reduce((n, v, i) => n + (Math.abs(v - (b[i] as number)) > 1 ? 1 : 0), 0)
  }
  if (dtype === 'float64') {
    const [a, b] = [new BigInt64Array(own(ours)), new BigInt64Array(own(theirs))]
    return a.reduce((n, v, i) => n + (v - (b[i] as bigint) > 1n || v - (b[i] as bigint) < -1n ? 1 : 0), 0)
  }
  return ours.reduce((n, v, i) => n + (v === theirs[i] ? 0 : 1), 0)
}

test('planar, big-endian, LZW, BigTIFF, rotated and without a CRS: what was there is there', async () => {
  const source = makeTiff(plain({ ...RGB }))
  const odd = await gdal.translate(
    source,
    ...['TILED=YES', 'INTERLEAVE=BAND', 'ENDIANNESS=BIG', 'COMPRESS=LZW', 'BIGTIFF=YES'].flatMap((o) => ['-co', o]),
  )
  const { bytes } = await convert(bytesSource(odd), { tile_size: 256 })
  expect((await gdal.pixels(bytes)).equals(await gdal.pixels(odd))).toBe(true)
  const info = await describeRaster(bytesSource(bytes))
  expect(info).toMatchObject({
    epsg: 32_633,
    is_cog: true,
    format: 'TIFF',
    byte_order: 'little',
    transform: [500_000, 10, 0, 5_000_000, 0, -10],
  })
})

test('ZSTD holds the same pixels as DEFLATE, tile by tile', async () => {
  const source = makeTiff(plain(RGB))
  const [zstd, deflate] = await Promise.all([
    convert(bytesSource(source), { tile_size: 256, compression: 'zstd' }),
    convert(bytesSource(source), { tile_size: 256 }),
  ])
  const tiles = async (bytes: Uint8Array) => {
    const { directories } = await readTiff(bytesSource(bytes))
    const found: [number, number][] = []
    for (const d of directories) {
      const [offsets, counts] = [await d.numbers(324), await d.numbers(325)]
      for (const [i, at] of (offsets ?? []).entries()) found.push([at, counts?.[i] ?? 0])
    }
    return found
  }
  const [a, b] = [await tiles(zstd.bytes), await tiles(deflate.bytes)]
  expect(a.length).toBe(b.length)
  for (const [i, [at, count]] of a.entries()) {
    const [other, size] = b[i] as [number, number]
    expect(
      zstdDecompressSync(zstd.bytes.subarray(at, at + count)).equals(inflateSync(deflate.bytes.subarray(other, other + size))),
    ).toBe(true)
  }
})

const hasGdal = spawnSync('gdalinfo', ['--version']).status === 0
if (!hasGdal) console.log('skipped: the checks with GDAL on PATH, because there is no gdalinfo')

test.skipIf(!hasGdal)('GDAL on PATH opens what it can write itself: DEFLATE, ZSTD, JPEG, WebP, masks', async () => {
  const folder = await mkdtemp('/tmp/cog-')
  try {
    const source = makeTiff(plain(RGB))
    for (const options of [
      {},
      { compression: 'zstd' },
      ...['jpeg', 'webp', 'deflate'].map((c) => ({ compression: c, output_tier: 'visualization' })),
    ]) {
      await writeFile(`${folder}/x.tif`, (await convert(bytesSource(source), { tile_size: 256, ...options })).bytes)
      const info = spawnSync('gdalinfo', ['-json', '-checksum', `${folder}/x.tif`], { encoding: 'utf8' })
      expect(info.status, info.stderr).toBe(0)
      expect(JSON.parse(info.stdout)).toMatchObject({ size: [width, height], metadata: { IMAGE_STRUCTURE: { LAYOUT: 'COG' } } })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
