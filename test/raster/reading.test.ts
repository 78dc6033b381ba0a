// What we read out of a file is what GDAL reads, in every layout that GDAL writes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTiff } from '../../src/raster/directory.ts'
import { readPyramid } from '../../src/raster/image.ts'
import { bytesOver, type DecodedType, newSamples, type Pixels, type SampleValue, setSample } from '../../src/raster/samples.ts'
import { ImageReader, type Rectangle } from '../../src/raster/window.ts'
import { type Gdal, openGdal } from '../support/gdal.ts'
import { bytesSource } from '../support/raster.ts'
import { makeTiff, someSamples } from '../support/tiff-maker.ts'

let gdal: Gdal
beforeAll(async () => {
  gdal = await openGdal()
})
afterAll(() => gdal.close())

export async function readAll(file: Uint8Array, area?: Rectangle): Promise<Pixels> {
  const tiff = await readTiff(bytesSource(file))
  const { main } = await readPyramid(tiff)
  const reader = await ImageReader.open(tiff, main)
  return reader.window(area ?? { x: 0, y: 0, width: main.width, height: main.height })
}

/** Band after band, as ENVI's BSQ. */
function bandwise({ data, bands, dtype }: Pixels): Buffer {
  const planes = newSamples(dtype, data.length)
  const pixels = data.length / bands
  for (let i = 0; i < pixels; i++)
    for (let b = 0; b < bands; b++) setSample(planes, b * pixels + i, data[i * bands + b] as SampleValue)
  return Buffer.from(bytesOver(planes))
}

const TYPES: DecodedType[] = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64']
const LAYOUTS = {
  strips: ['BLOCKYSIZE=7'],
  'one strip': ['BLOCKYSIZE=61'],
  tiles: ['TILED=YES', 'BLOCKXSIZE=32', 'BLOCKYSIZE=16'],
} as const
const CODECS = {
  none: ['COMPRESS=NONE'],
  packbits: ['COMPRESS=PACKBITS'],
  lzw: ['COMPRESS=LZW'],
  'lzw, predictor 2': ['COMPRESS=LZW', 'PREDICTOR=2'],
  deflate: ['COMPRESS=DEFLATE'],
  'deflate, predictor 2': ['COMPRESS=DEFLATE', 'PREDICTOR=2'],
  'deflate, predictor 3': ['COMPRESS=DEFLATE', 'PREDICTOR=3'],
} as const

/** GDAL writes predictor 3 into big-endian files with its bytes swapped, and reads them back as something else. */
const COMBINATIONS = Object.values(LAYOUTS).flatMap((layout) =>
  ['INTERLEAVE=PIXEL', 'INTERLEAVE=BAND'].flatMap((interleave) =>
    [[], ['ENDIANNESS=BIG'], ['BIGTIFF=YES']].map((more): string[] => [...layout, interleave, ...more]),
  ),
)
const isFair = (codec: readonly string[], options: readonly string[]): boolean =>
  !(codec.includes('PREDICTOR=3') && options.includes('ENDIANNESS=BIG'))

describe.each(TYPES)('%s', (dtype) => {
  const [width, height, bands] = [83, 61, 3]
  const plain = makeTiff({ width, height, bands, dtype, samples: someSamples(dtype, width, height, bands), extraSamples: [0, 0] })
  const names = Object.keys(CODECS).filter((c) => (c.endsWith('3') ? dtype.startsWith('float') : true))
  test.each(names)('%s, in every third of all layouts and byte orders', async (name) => {
    const codec = CODECS[name as keyof typeof CODECS]
    const turn = (TYPES.indexOf(dtype) + names.indexOf(name)) % 3
    for (const options of COMBINATIONS.filter((o, i) => i % 3 === turn && isFair(codec, o))) {
      const file = await gdal.translate(plain, ...[...codec, ...options].flatMap((o) => ['-co', o]))
      expect(sameAs(await readAll(file), await gdal.pixels(file)), options.join(' ')).toBe(true)
    }
  })
})

/** ENVI knows no signed bytes: GDAL clamps them, so that only their positive half is compared. */
function sameAs(ours: Pixels, theirs: Buffer): boolean {
  const planes = bandwise(ours)
  if (ours.dtype !== 'int8') return planes.equals(theirs)
  return planes.every((byte, i) => theirs[i] === (byte > 127 ? 0 : byte))
}

test('any window is the same part of the whole, strips and tiles, compressed or not', async () => {
  const [width, height, bands] = [83, 61, 2]
  const plain = makeTiff({
    width,
    height,
    bands,
    dtype: 'uint16',
    samples: someSamples('uint16', width, height, bands),
    extraSamples: [0],
  })
  for (const options of [
    ['BLOCKYSIZE=7'],
    ['BLOCKYSIZE=7', 'INTERLEAVE=BAND'],
    ['TILED=YES', 'BLOCKXSIZE=16', 'BLOCKYSIZE=16', 'COMPRESS=LZW'],
  ]) {
    const file = await gdal.translate(plain, ...options.flatMap((o) => ['-co', o]))
    const whole = await readAll(file)
    for (const area of [
      { x: 0, y: 0, width: 1, height: 1 },
      { x: 82, y: 60, width: 1, height: 1 },
      { x: 5, y: 6, width: 3, height: 9 },
      { x: 15, y: 15, width: 34, height: 2 },
    ]) {
      const part = await readAll(file, area)
      for (let y = 0; y < area.height; y++)
        for (let i = 0; i < area.width * bands; i++)
          expect(part.data[y * area.width * bands + i]).toBe(whole.data[((area.y + y) * width + area.x) * bands + i])
    }
  }
})

test('half floats are widened, as GDAL widens them', async () => {
  const samples = someSamples('float32', 40, 30, 1)
  for (const [i, v] of [0, -0, 65_504, 6e-8, Infinity, -Infinity, Number.NaN].entries()) setSample(samples, i, v)
  const plain = makeTiff({ width: 40, height: 30, bands: 1, dtype: 'float32', samples })
  for (const options of [
    ['COMPRESS=NONE'],
    ['COMPRESS=DEFLATE'],
    ['COMPRESS=DEFLATE', 'PREDICTOR=2'],
    ['COMPRESS=DEFLATE', 'PREDICTOR=3'],
    ['ENDIANNESS=BIG'],
  ]) {
    const file = await gdal.translate(plain, '-co', 'NBITS=16', ...options.flatMap((o) => ['-co', o]))
    expect(bandwise(await readAll(file)).equals(await gdal.pixels(file)), options.join(' ')).toBe(true)
  }
})
