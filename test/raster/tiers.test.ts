// Every tier with every kind of raster: written and accepted, or refused by a name of two; there is no third outcome.
import { describe, expect, test } from 'vitest'
import sharp from 'sharp'
import { checkCog } from '../../src/raster/check.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { shorts } from '../../src/raster/ifd-writer.ts'
import { assertOptions, Conversion } from '../../src/raster/options.ts'
import type { DecodedType } from '../../src/raster/samples.ts'
import { AppError } from '../../src/rules/errors.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

const [width, height] = [300, 200]
const TYPES: DecodedType[] = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'float32', 'float64']
const BANDS = [1, 2, 3, 4, 5, 8] as const
const palette = shorts(320, ...Array.from({ length: 768 }, (_, i) => (i * 257) & 0xffff))

function raster(dtype: DecodedType, bands: number): Buffer {
  const isRgb = bands >= 3
  const extra = isRgb ? bands - 3 : bands - 1
  return makeTiff({
    width,
    height,
    bands,
    dtype,
    photometric: isRgb ? 2 : 1,
    ...(extra > 0 ? { extraSamples: Array.from({ length: extra }, (_, i) => (bands === 4 && i === 0 ? 2 : 0)) } : {}),
    samples: someSamples(dtype, width, height, bands),
  })
}
const paletted = makeTiff({
  width,
  height,
  bands: 1,
  dtype: 'uint8',
  photometric: 3,
  samples: someSamples('uint8', width, height, 1),
  tags: [palette],
})

async function outcome(file: Buffer, options: object): Promise<string> {
  try {
    assertOptions(Conversion.parse(options))
    const { bytes } = await convert(bytesSource(file), { tile_size: 256, ...options })
    expect(await checkCog(bytesSource(bytes))).toEqual([])
    const info = await describeRaster(bytesSource(bytes))
    expect(info.is_cog).toBe(true)
    if (info.compression === 'jpeg' || info.compression === 'webp') {
      const page = await sharp(bytes, { page: 0 }).raw().toBuffer({ resolveWithObject: true })
      expect([page.info.width, page.info.height]).toEqual([width, height])
    }
    return `${info.bands} ${info.dtype} ${info.compression}${info.has_mask ? ' mask' : ''}`
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const ALLOWED = /^(TIER_INCOMPATIBLE|OPTION_INVALID|\d+ \w+ (deflate|zstd|jpeg|webp)( mask)?)$/

describe.each(['visualization', 'analysis', 'archive'] as const)('%s', (output_tier) => {
  test.each(TYPES)('%s', async (dtype) => {
    for (const bands of BANDS) {
      const found = await outcome(raster(dtype, bands), { output_tier })
      expect(found, `${bands} bands`).toMatch(ALLOWED)
      const fits = output_tier !== 'visualization' || (dtype === 'uint8' && [1, 3, 4].includes(bands))
      expect(/^\d/.test(found), `${bands} bands: ${found}`).toBe(fits)
    }
  })
  test.each(['deflate', 'zstd', 'jpeg', 'webp'] as const)('%s', async (compression) => {
    const found = await Promise.all(
      [raster('uint8', 1), raster('uint8', 3), raster('uint8', 4), paletted].map((f) => outcome(f, { output_tier, compression })),
    )
    const isPicture = compression === 'jpeg' || compression === 'webp'
    if (output_tier !== 'visualization') {
      const plain = ['1 uint8', '3 uint8', '4 uint8', '1 uint8'].map((f) => `${f} ${compression}`)
      expect(found).toEqual(isPicture ? Array.from({ length: 4 }, () => 'OPTION_INVALID') : plain)
    } else if (compression === 'jpeg')
      expect(found).toEqual(['1 uint8 jpeg', '3 uint8 jpeg', '3 uint8 jpeg mask', '3 uint8 jpeg'])
    else if (compression === 'webp') expect(found).toEqual(['OPTION_INVALID', '3 uint8 webp', '4 uint8 webp', '3 uint8 webp'])
    else
      expect(found).toEqual([
        `1 uint8 ${compression}`,
        `3 uint8 ${compression}`,
        `4 uint8 ${compression}`,
        `3 uint8 ${compression}`,
      ])
  })
})

test('a picture is as close to its source as one whole picture of that quality', async () => {
  const samples = someSamples('uint8', 512, 512, 3) as Uint8Array
  const file = makeTiff({ width: 512, height: 512, bands: 3, dtype: 'uint8', photometric: 2, samples })
  const rmse = (a: Uint8Array, b: Uint8Array): number =>
    Math.sqrt(a.reduce((sum, v, i) => sum + (v - (b[i] as number)) ** 2, 0) / a.length)
  for (const compression of ['jpeg', 'webp'] as const) {
    const { bytes } = await convert(bytesSource(file), { output_tier: 'visualization', compression, quality: 80, tile_size: 256 })
    const ours = await sharp(bytes, { page: 0 }).raw().toBuffer()
    const image = sharp(samples, { raw: { width: 512, height: 512, channels: 3 } })
    const encoded = await (compression === 'jpeg' ? image.jpeg({ quality: 80 }) : image.webp({ quality: 80 })).toBuffer()
    const whole = await sharp(encoded).raw().toBuffer()
    expect(rmse(ours, samples)).toBeLessThanOrEqual(rmse(whole, samples) * 1.02)
  }
})

test('nodata and alpha become a mask in a picture; a palette its colours', async () => {
  const samples = someSamples('uint8', width, height, 1) as Uint8Array
  samples.fill(9, 0, width * 10)
  const holes = makeTiff({ width, height, bands: 1, dtype: 'uint8', samples, nodata: '9' })
  expect(await outcome(holes, { output_tier: 'visualization' })).toBe('1 uint8 jpeg mask')
  expect(await outcome(holes, { output_tier: 'analysis' })).toBe('1 uint8 deflate')
  const { bytes } = await convert(bytesSource(paletted), { output_tier: 'visualization', compression: 'deflate', tile_size: 256 })
  expect(await describeRaster(bytesSource(bytes))).toMatchObject({ bands: 3, color_interpretation: ['red', 'green', 'blue'] })
})

test('chosen bands take their metadata along, statistics stay behind', async () => {
  const xml =
    '<GDALMetadata>\n  <Item name="DESCRIPTION" sample="2" role="description">red</Item>\n  <Item name="SCALE" sample="0" role="scale">2</Item>\n' +
    '  <Item name="STATISTICS_MEAN" sample="2">5</Item>\n  <Item name="ORIGIN">a &amp; b</Item>\n</GDALMetadata>\n'
  const { ascii } = await import('../../src/raster/ifd-writer.ts')
  const file = makeTiff({
    width,
    height,
    bands: 3,
    dtype: 'uint16',
    samples: someSamples('uint16', width, height, 3),
    extraSamples: [0, 0],
    tags: [ascii(42_112, xml)],
  })
  const { plan } = await convert(bytesSource(file), { bands: [3, 1], tile_size: 256 })
  expect(plan.form.metadata_xml).toBe(
    '<GDALMetadata>\n  <Item name="DESCRIPTION" sample="0" role="description">red</Item>\n  <Item name="SCALE" sample="1" role="scale">2</Item>\n' +
      '  <Item name="ORIGIN">a &amp; b</Item>\n</GDALMetadata>\n',
  )
})
