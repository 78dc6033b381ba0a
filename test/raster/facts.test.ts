// Facts of a file are gdalinfo's, wherever its directories stand and however it is laid out; what cannot be told says why.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkCog } from '../../src/raster/check.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { ascii, doubles, shorts } from '../../src/raster/ifd-writer.ts'
import { buildHeader } from '../../src/raster/layout.ts'
import { levelSizes } from '../../src/raster/overview.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, type Plain, someSamples } from '../support/tiff-maker.ts'

let gdal: Gdal
beforeAll(async () => {
  gdal = await openGdal()
})
afterAll(() => gdal.close())

const plain = (more: Partial<Plain> = {}): Plain => {
  const p = { width: 300, height: 200, bands: 1, dtype: 'uint8' as const, epsg: 32_633, ...more }
  return { samples: someSamples(p.dtype, p.width, p.height, p.bands), ...p }
}
const GDAL_TYPES: Readonly<Record<string, string>> = {
  uint8: 'Byte',
  int16: 'Int16',
  uint16: 'UInt16',
  int32: 'Int32',
  float32: 'Float32',
  float64: 'Float64',
}

describe('as gdalinfo says', () => {
  const FILES: Record<string, [Plain, ...string[]]> = {
    'strips behind the data': [plain(), 'COMPRESS=LZW'],
    'tiles, planes, BigTIFF': [plain({ bands: 3, photometric: 2 }), 'TILED=YES', 'INTERLEAVE=BAND', 'BIGTIFF=YES'],
    'big-endian floats with nodata': [plain({ dtype: 'float32', nodata: '-9999' }), 'ENDIANNESS=BIG'],
    degrees: [plain({ dtype: 'int16', epsg: 4326, projected: false, origin: [10, 50], pixel: 0.01 })],
    alpha: [plain({ bands: 4, photometric: 2, extraSamples: [2] }), 'COMPRESS=DEFLATE'],
    'one row a strip, three thousand of them': [
      plain({ width: 20, height: 3000, dtype: 'uint16' }),
      'BLOCKYSIZE=1',
      'COMPRESS=DEFLATE',
    ],
    'pixel is point': [plain({ tags: [shorts(34_735, 1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32_633)] })],
    'a matrix with a turn': [
      plain({
        epsg: 32_633,
        tags: [doubles(34_264, [8, 6, 0, 500_000, 6, -8, 0, 5_000_000, 0, 0, 0, 0, 0, 0, 0, 1])],
        without: [33_550, 33_922],
      }),
    ],
  }
  test.each(Object.keys(FILES))('%s', async (name) => {
    const [p, ...options] = FILES[name] as [Plain, ...string[]]
    const own = makeTiff(p)
    const file = options.length > 0 ? await gdal.translate(own, ...options.flatMap((o) => ['-co', o])) : own
    const [ours, theirs] = [await describeRaster(bytesSource(file)), await gdal.info(file)]
    expect([ours.width, ours.height]).toEqual(theirs.size)
    expect(ours.transform?.map((v) => Number(v.toFixed(6)))).toEqual(theirs.geoTransform.map((v: number) => Number(v.toFixed(6))))
    expect(GDAL_TYPES[ours.dtype]).toBe(theirs.bands[0].type)
    expect(ours.nodata ?? undefined).toBe(theirs.bands[0].noDataValue)
    expect(ours.color_interpretation).toEqual(
      theirs.bands.map((b: { colorInterpretation: string }) => b.colorInterpretation.toLowerCase()),
    )
    expect(`${ours.epsg}`).toBe(/ID\["EPSG",(\d+)\]\]$/.exec(theirs.coordinateSystem.wkt)?.[1])
    // One large strip is cut into virtual ones by GDAL.
    if (options.length > 0) expect([ours.block.width, ours.block.height]).toEqual(theirs.bands[0].block)
    expect(ours.reads).toBeLessThanOrEqual(4)
    const corner = theirs.wgs84Extent.coordinates[0] as [number, number][]
    const [west, south, east, north] = ours.wgs84_bounds as [number, number, number, number]
    for (const [lon, lat] of corner) {
      expect(lon).toBeGreaterThanOrEqual(west - 1e-6)
      expect(lon).toBeLessThanOrEqual(east + 1e-6)
      expect(lat).toBeGreaterThanOrEqual(south - 1e-6)
      expect(lat).toBeLessThanOrEqual(north + 1e-6)
    }
  })
})

describe('what has no code says why', () => {
  const keys = (...k: number[]) => plain({ epsg: 32_633, tags: [shorts(34_735, 1, 1, 0, k.length / 4, ...k)] })
  test.each([
    [
      'described by parameters, with a geodetic key',
      keys(1024, 0, 1, 1, 2048, 0, 1, 4326, 3072, 0, 1, 32_767),
      'described by parameters, not by a code',
    ],
    ['a private code', keys(1024, 0, 1, 1, 3072, 0, 1, 40_000), '40000 is no code of EPSG'],
    ['code 0', keys(1024, 0, 1, 2, 2048, 0, 1, 0), '0 is no code of EPSG'],
    ['no model', keys(3072, 0, 1, 32_633), 'GTModelType is absent'],
  ])('%s', async (_name, p, reason) => {
    const info = await describeRaster(bytesSource(makeTiff(p)))
    expect(info.epsg).toBeUndefined()
    expect(info.crs.reason).toBe(reason)
  })
  test('ground control points, bands with scale and unit, defaults of absent tags', async () => {
    const ties = doubles(33_922, [0, 0, 0, 10, 50, 0, 9, 0, 0, 11, 50, 0, 0, 9, 0, 10, 49, 0])
    expect(await describeRaster(bytesSource(makeTiff(plain({ tags: [ties], without: [33_550] }))))).toMatchObject({
      georeference: 'gcps',
      gcps: 3,
    })
    const xml =
      '<GDALMetadata>\n  <Item name="UNITTYPE" sample="0" role="unittype">m</Item>\n  <Item name="SCALE" sample="0" role="scale">0.5</Item>\n</GDALMetadata>'
    expect((await describeRaster(bytesSource(makeTiff(plain({ tags: [ascii(42_112, xml)] }))))).band_metadata).toEqual([
      { band: 1, unit: 'm', scale: 0.5 },
    ])
    const bare = await describeRaster(bytesSource(makeTiff(plain({ without: [259, 277, 278, 262, 339] }))))
    expect(bare).toMatchObject({
      compression: 'none',
      bands: 1,
      interleave: 'pixel',
      dtype: 'uint8',
      color_interpretation: ['gray'],
    })
  })
  test('a COG needs one read', async () => {
    const { bytes } = await convert(bytesSource(makeTiff(plain({ width: 3000, height: 2000 }))), { tile_size: 256 })
    expect((await describeRaster(bytesSource(bytes))).reads).toBe(1)
  })
})

test('above four gigabytes the file is BigTIFF, laid out by the same rules', async () => {
  const { plan } = await convert(bytesSource(makeTiff(plain())), { tile_size: 512 })
  const form = { ...plan.form, width: 40 * 512, height: 40 * 512 }
  const levels = levelSizes(form.width, form.height, 512).map(({ width, height }) => ({
    image: new Uint32Array(Math.ceil(width / 512) * Math.ceil(height / 512)).fill(3_000_000),
  }))
  const { bytes, isBig, fileSize } = buildHeader(form, levels)
  expect(isBig).toBe(true)
  expect(fileSize).toBeGreaterThan(2 ** 32)
  const source = { ...bytesSource(bytes), size: fileSize }
  expect(await checkCog(source, { tiles: false })).toEqual([])
  expect(await describeRaster(source)).toMatchObject({ format: 'BigTIFF', is_cog: true, epsg: 32_633 })
})
