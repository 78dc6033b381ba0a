// Warped pixels against gdalwarp -et 0 on the same grid; coordinates against PROJ.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crsTable, pointTransform, unwrapped } from '../../src/raster/crs.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'
import { areaPoints, errorAt, openPeer } from '../../scripts/epsg-measure.ts'

let gdal: Gdal
beforeAll(async () => {
  gdal = await openGdal()
})
afterAll(() => gdal.close())

interface Pair {
  readonly from: number
  readonly to: number
  readonly origin: readonly [number, number]
  readonly pixel: number
  readonly projected: boolean
}
const PAIRS: Record<string, Pair> = {
  'UTM to Web Mercator': { from: 32_633, to: 3857, origin: [400_000, 5_400_000], pixel: 300, projected: true },
  'UTM to degrees': { from: 32_633, to: 4326, origin: [400_000, 5_400_000], pixel: 300, projected: true },
  'degrees to UTM': { from: 4326, to: 32_633, origin: [13, 50], pixel: 0.005, projected: false },
  'LAEA to Web Mercator': { from: 3035, to: 3857, origin: [4_300_000, 3_200_000], pixel: 500, projected: true },
  'polar stereographic to LAEA': { from: 3413, to: 6931, origin: [-1_000_000, -1_000_000], pixel: 1000, projected: true },
  'across the antimeridian': { from: 32_601, to: 4326, origin: [300_000, 7_200_000], pixel: 300, projected: true },
}
const [width, height] = [400, 300]

describe.each(Object.keys(PAIRS))('%s', (name) => {
  const { from, to, origin, pixel, projected } = PAIRS[name] as Pair
  const source = makeTiff({
    width,
    height,
    bands: 1,
    dtype: 'uint8',
    samples: someSamples('uint8', width, height, 1),
    epsg: from,
    origin,
    pixel,
    projected,
    nodata: '0',
  })
  test.each(['nearest', 'bilinear', 'cubic'] as const)('%s', async (warp_resampling) => {
    const { bytes, plan } = await convert(bytesSource(source), { target_crs: `EPSG:${to}`, warp_resampling, tile_size: 256 })
    const target = plan.warp?.target as NonNullable<typeof plan.warp>['target']
    const [x, dx, , y, , dy] = target.transform as [number, number, number, number, number, number]
    const theirs = await gdal.warp(
      source,
      '-t_srs',
      `EPSG:${to}`,
      '-r',
      warp_resampling === 'nearest' ? 'near' : warp_resampling,
      '-et',
      '0',
      ...['-te', x, y + dy * target.height, x + dx * target.width, y, '-ts', target.width, target.height].map(String),
    )
    const [a, b] = [await gdal.pixels(bytes), await gdal.pixels(theirs)]
    expect(a.length).toBe(b.length)
    // Turned by 45 degrees: GDAL takes another reduction for the axes than we do.
    const isTurned = name.startsWith('polar')
    let [differing, above, sum] = [0, 0, 0]
    for (let i = 0; i < a.length; i++) {
      const d = Math.abs((a[i] as number) - (b[i] as number))
      // Both have a pixel: at an edge of the source half a rounding decides whether there is one.
      if ((a[i] === 0) !== (b[i] === 0)) {
        differing++
        continue
      }
      if (d > 0 && warp_resampling === 'nearest') differing++
      if (d > 1) above++
      sum += d
    }
    const share = differing / a.length
    expect(a.some((v) => v !== 0)).toBe(true)
    expect(share, `${differing} of ${a.length}`).toBeLessThan(2e-4)
    if (warp_resampling !== 'nearest') {
      // Beside nodata both renormalise, GDAL in single precision.
      expect(above / a.length).toBeLessThan(isTurned ? 0.15 : 1e-4)
      expect(sum / a.length).toBeLessThan(isTurned ? 0.6 : 2e-2)
    }
  })
})

test('a source without nodata, mask or alpha gets a mask, never an invented value', async () => {
  const source = makeTiff({
    width,
    height,
    bands: 1,
    dtype: 'uint8',
    samples: someSamples('uint8', width, height, 1),
    epsg: 32_633,
  })
  const { bytes } = await convert(bytesSource(source), { target_crs: 'EPSG:3857', tile_size: 256 })
  expect(await describeRaster(bytesSource(bytes))).toMatchObject({ has_mask: true, nodata: null, epsg: 3857, is_cog: true })
})

describe('what is not warped is refused by name', () => {
  const refused = (file: Buffer, target_crs: string, more: object = {}): Promise<unknown> =>
    convert(bytesSource(file), { target_crs, ...more }).then(
      () => 'warped',
      (error: { code: string; message: string }) => error.code,
    )
  const at = (epsg: number, origin: [number, number], pixel: number, projected: boolean) =>
    makeTiff({ width: 200, height: 200, bands: 1, dtype: 'uint8', epsg, origin, pixel, projected })
  test('unknown codes, missing CRS, coarse ones, poles, expansion', async () => {
    const utm = at(32_633, [500_000, 5_000_000], 10, true)
    expect(await refused(utm, 'EPSG:9999')).toBe('CRS_UNKNOWN')
    expect(await refused(utm, 'EPSG:5514')).toBe('CRS_ACCURACY')
    expect(await refused(makeTiff({ width: 9, height: 9, bands: 1, dtype: 'uint8' }), 'EPSG:3857')).toBe('CRS_MISSING')
    expect(await refused(at(3413, [-100_000, 100_000], 1000, true), 'EPSG:4326')).toBe('WARP_DISCONTINUOUS')
    expect(await refused(utm, 'EPSG:3857', { resolution: 1 })).toBe('WARP_EXPANDS')
  })
})

test('200 codes by chance: points of their areas are where PROJ has them, within the error of the table', async () => {
  const { codes } = await crsTable()
  const peer = await openPeer()
  const usable = Object.entries(codes).filter(([, c]) => c.proj !== null && c.error_m !== null && c.error_m <= 1)
  const step = usable.length / 200
  for (let i = 0; i < 200; i++) {
    const [code, entry] = usable[Math.floor(i * step)] as (typeof usable)[number]
    const points = areaPoints(entry.area)
    const truth = await peer.fromWgs84(Number(code), points)
    expect(errorAt(entry.proj as string, points, truth), `EPSG:${code} ${entry.name}`).toBeLessThanOrEqual(
      (entry.error_m as number) + 0.01,
    )
  }
})

test('every code above 1 m is refused for pixels', async () => {
  const { codes } = await crsTable()
  const coarse = Object.entries(codes).filter(([, c]) => c.error_m === null || c.error_m > 1)
  expect(coarse.length).toBeGreaterThan(100)
  const { warpableCrs } = await import('../../src/raster/crs.ts')
  for (const [code] of coarse)
    await expect(warpableCrs(Number(code))).rejects.toMatchObject({ code: expect.stringMatching(/CRS_ACCURACY|CRS_UNKNOWN/) })
})

test('two systems of one datum are not shifted twice', async () => {
  // RD New and Amersfoort: both by the same fitted shift; the way there and back ends where it began.
  const [there, back] = [await pointTransform(4289, 28_992), await pointTransform(28_992, 4289)]
  const [lon, lat] = back(...there(5.4, 52.2))
  expect(Math.hypot(lon - 5.4, lat - 52.2)).toBeLessThan(1e-7)
})

test('longitudes without jumps: across the antimeridian, and round a pole', () => {
  expect(
    unwrapped([
      [179, 0],
      [-179, 0],
      [-178, 1],
      [179, 1],
      [179, 0],
    ]),
  ).toMatchObject({
    turns: 0,
    points: [
      [179, 0],
      [181, 0],
      [182, 1],
      [179, 1],
      [179, 0],
    ],
  })
  expect(
    unwrapped([
      [0, 80],
      [120, 80],
      [-120, 80],
      [0, 80],
    ])?.turns,
  ).toBe(1)
  expect(unwrapped([[0, Number.NaN]])).toBeUndefined()
})
