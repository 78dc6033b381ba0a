// Hostile and broken files: a named refusal, soon, in little memory; never a hang, a crash or a wrong pixel.
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { detectRaster } from '../../src/raster/detect.ts'
import { describeRaster } from '../../src/raster/describe.ts'
import { readTiff } from '../../src/raster/directory.ts'
import { ascii, doubles, longs, shorts } from '../../src/raster/ifd-writer.ts'
import { decodeLzw } from '../../src/raster/codecs/lzw.ts'
import { readPyramid } from '../../src/raster/image.ts'
import { AppError } from '../../src/rules/errors.ts'
import { ImageReader } from '../../src/raster/window.ts'
import { bytesSource, convert } from '../support/raster.ts'
import { makeTiff, type Plain, someSamples } from '../support/tiff-maker.ts'

const plain = (more: Partial<Plain> = {}): Buffer =>
  makeTiff({ width: 64, height: 64, bands: 1, dtype: 'uint8', samples: someSamples('uint8', 64, 64, 1), ...more })

/** Everything that reads: facts, then all pixels of a small window. */
async function readSome(file: Uint8Array): Promise<string> {
  try {
    await describeRaster(bytesSource(file))
    const tiff = await readTiff(bytesSource(file))
    const { main } = await readPyramid(tiff)
    const reader = await ImageReader.open(tiff, main)
    await reader.window({ x: 0, y: 0, width: Math.min(64, main.width), height: Math.min(64, main.height) })
    return 'read'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

/** A little-endian header, and a directory of raw entries [tag, type, count, value]. */
function rawTiff(
  entries: readonly (readonly [number, number, number, number])[],
  more: { first?: number; next?: number; tail?: Uint8Array } = {},
): Buffer {
  const bytes = Buffer.alloc(8 + 2 + entries.length * 12 + 4)
  bytes.write('II')
  bytes.writeUInt16LE(42, 2)
  bytes.writeUInt32LE(more.first ?? 8, 4)
  bytes.writeUInt16LE(entries.length, 8)
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 10 + i * 12)
    bytes.writeUInt16LE(type, 12 + i * 12)
    bytes.writeUInt32LE(count, 14 + i * 12)
    bytes.writeUInt32LE(value, 18 + i * 12)
  }
  bytes.writeUInt32LE(more.next ?? 0, 10 + entries.length * 12)
  return Buffer.concat([bytes, more.tail ?? Buffer.alloc(64)])
}
const SIZE = [
  [256, 4, 1, 64],
  [257, 4, 1, 64],
] as const
/** One compressed strip of a 64 x 64 image. */
const strip = (data: Uint8Array, compression: number, more: Partial<Plain> = {}): Buffer => {
  const file = plain({
    samples: new Uint8Array(data),
    without: [259, 279],
    tags: [shorts(259, compression), longs(279, [data.length])],
    ...more,
  })
  return file
}
const bomb = deflateSync(Buffer.alloc(50_000_000), { level: 9 })

function bigTiff(change: (b: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(200)
  bytes.write('II')
  bytes.writeUInt16LE(43, 2)
  bytes.writeUInt16LE(8, 4)
  bytes.writeBigUInt64LE(16n, 8)
  bytes.writeBigUInt64LE(2n, 16)
  for (const [i, [tag, value]] of [
    [256, 64n],
    [257, 64n],
  ].entries() as unknown as [number, [number, bigint]][]) {
    bytes.writeUInt16LE(tag, 24 + i * 20)
    bytes.writeUInt16LE(16, 26 + i * 20)
    bytes.writeBigUInt64LE(1n, 28 + i * 20)
    bytes.writeBigUInt64LE(value, 36 + i * 20)
  }
  change(bytes)
  return bytes
}

const FILES: Record<string, [file: Buffer, codes: string]> = {
  'nothing at all': [Buffer.alloc(0), 'NOT_TIFF'],
  'three bytes': [Buffer.from('II*'), 'NOT_TIFF'],
  'a JPEG': [Buffer.from('ffd8ffe000104a46494600010100', 'hex'), 'NOT_TIFF'],
  'a PNG': [Buffer.from('89504e470d0a1a0a0000000d', 'hex'), 'NOT_TIFF'],
  'a web page': [Buffer.from('<!DOCTYPE html><html></html>'), 'NOT_TIFF'],
  'byte orders mixed': [Buffer.from('IM*\0\b\0\0\0'), 'NOT_TIFF'],
  'the magic number of nobody': [Buffer.from('II,\0\b\0\0\0'), 'NOT_TIFF'],
  'a header and nothing behind it': [Buffer.from('II*\0\b\0\0\0'), 'TIFF_CORRUPT'],
  'first directory at 0': [rawTiff(SIZE, { first: 0 }), 'TIFF_CORRUPT'],
  'first directory beyond the end': [rawTiff(SIZE, { first: 0xfffffff0 }), 'TIFF_CORRUPT'],
  'a directory that points to itself': [rawTiff(SIZE, { next: 8 }), 'TIFF_CORRUPT'],
  'a directory that points behind the end': [rawTiff(SIZE, { next: 0x7fffffff }), 'TIFF_CORRUPT'],
  'a directory cut in its entries': [rawTiff(SIZE, { tail: Buffer.alloc(0) }).subarray(0, 20), 'TIFF_CORRUPT'],
  'no width': [rawTiff([[257, 4, 1, 64]]), 'TIFF_CORRUPT'],
  'width 0': [
    rawTiff([
      [256, 4, 1, 0],
      [257, 4, 1, 64],
    ]),
    'TIFF_CORRUPT',
  ],
  'a negative width': [
    rawTiff([
      [256, 9, 1, 0xffffffff],
      [257, 4, 1, 64],
    ]),
    'TIFF_CORRUPT',
  ],
  'a width that is a fraction': [
    rawTiff([
      [256, 11, 1, 0x3f000000],
      [257, 4, 1, 64],
    ]),
    'TIFF_CORRUPT',
  ],
  'a width that is text': [
    rawTiff([
      [256, 2, 1, 65],
      [257, 4, 1, 64],
    ]),
    'TIFF_CORRUPT',
  ],
  'no samples in a pixel': [rawTiff([...SIZE, [277, 3, 1, 0]]), 'TIFF_CORRUPT'],
  'tiles of width 0': [rawTiff([...SIZE, [258, 3, 1, 8], [322, 3, 1, 0], [323, 3, 1, 16]]), 'TIFF_CORRUPT'],
  'tiles without a height': [rawTiff([...SIZE, [258, 3, 1, 8], [322, 3, 1, 16]]), 'TIFF_CORRUPT'],
  'strips of no rows': [rawTiff([...SIZE, [258, 3, 1, 8], [278, 3, 1, 0]]), 'TIFF_CORRUPT'],
  'no offsets': [plain({ without: [273] }), 'TIFF_CORRUPT'],
  'fewer offsets than strips': [plain({ without: [278], tags: [longs(278, [1])] }), 'TIFF_CORRUPT'],
  'a strip beyond the end': [plain({ without: [273], tags: [longs(273, [1_000_000])] }), 'TIFF_TRUNCATED'],
  'a strip longer than the file': [plain({ without: [279], tags: [longs(279, [0xffffffff])] }), 'TIFF_TRUNCATED'],
  'half of the file': [plain().subarray(0, 1500), 'TIFF_TRUNCATED'],
  'a value that stands outside': [rawTiff([...SIZE, [258, 3, 100, 0x7ffffff0]]), 'TIFF_CORRUPT'],
  'a value of four gigabytes': [rawTiff([...SIZE, [258, 12, 0x20000000, 8]]), 'TIFF_HEADER_LIMIT'],
  'a geo key directory that lies about its length': [plain({ tags: [shorts(34_735, 1, 1, 0, 65_535, 1024, 0, 1, 1)] }), 'read'],
  'a million pixels squared': [
    plain({ without: [256, 257], tags: [longs(256, [1_000_000]), longs(257, [1_000_000])] }),
    'RASTER_TOO_LARGE',
  ],
  'too many decoded bytes': [
    plain({
      dtype: 'float64',
      samples: new Float64Array(1),
      without: [256, 257],
      tags: [longs(256, [200_000]), longs(257, [200_000])],
    }),
    'RASTER_TOO_LARGE',
  ],
  'one DEFLATE strip of three gigabytes': [
    plain({
      without: [256, 257, 259, 278],
      tags: [longs(256, [60_000]), longs(257, [50_000]), shorts(259, 8), longs(278, [50_000])],
    }),
    'RASTER_BLOCK_TOO_LARGE',
  ],
  'four hundred bytes a pixel': [
    plain({ without: [258, 277, 339], tags: [shorts(258, 8), shorts(277, 400)] }),
    'RASTER_TOO_MANY_BANDS',
  ],
  'complex samples': [
    plain({ dtype: 'uint32', samples: new Uint32Array(4096), without: [339], tags: [shorts(339, 5)] }),
    'SAMPLE_UNSUPPORTED',
  ],
  'twelve bits': [plain({ without: [258], tags: [shorts(258, 12)] }), 'SAMPLE_UNSUPPORTED'],
  'four bits of a palette': [
    plain({ photometric: 3, without: [258], tags: [shorts(258, 4), shorts(320, ...Array.from({ length: 48 }, () => 0))] }),
    'SAMPLE_UNSUPPORTED',
  ],
  'one bit': [plain({ without: [258], tags: [shorts(258, 1)] }), 'SAMPLE_UNSUPPORTED'],
  'bands of different depth': [
    plain({ bands: 2, samples: new Uint8Array(8192), without: [258], tags: [shorts(258, 8, 16)] }),
    'SAMPLE_UNSUPPORTED',
  ],
  'sample format 9': [plain({ without: [339], tags: [shorts(339, 9)] }), 'read'],
  CCITT: [strip(Buffer.alloc(10), 3), 'CODEC_UNSUPPORTED'],
  'old JPEG': [strip(Buffer.alloc(10), 6), 'CODEC_UNSUPPORTED'],
  LERC: [strip(Buffer.alloc(10), 34_887), 'CODEC_UNSUPPORTED'],
  'JPEG XL': [strip(Buffer.alloc(10), 50_002), 'CODEC_UNSUPPORTED'],
  'a compression of nobody': [strip(Buffer.alloc(10), 4711), 'CODEC_UNSUPPORTED'],
  'predictor 7': [
    strip(deflateSync(Buffer.alloc(4096)), 8, { tags: [shorts(259, 8), longs(279, [16]), shorts(317, 7)] }),
    'CODEC_UNSUPPORTED',
  ],
  'predictor 3 on bytes': [
    strip(deflateSync(Buffer.alloc(4096)), 8, { tags: [shorts(259, 8), longs(279, [16]), shorts(317, 3)] }),
    'CODEC_UNSUPPORTED',
  ],
  'DEFLATE of rubbish': [strip(Buffer.from('this is not deflate'), 8), 'DECODE_FAILED'],
  'DEFLATE that is cut': [strip(deflateSync(someSamples('uint8', 64, 64, 1) as Uint8Array).subarray(0, 500), 8), 'DECODE_SHORT'],
  'DEFLATE that is too short': [strip(deflateSync(Buffer.alloc(4000)), 8), 'DECODE_SHORT'],
  'DEFLATE that is one byte too long': [strip(deflateSync(Buffer.alloc(4097)), 8), 'DECODE_OVERFLOW'],
  'a DEFLATE bomb': [strip(bomb, 8), 'DECODE_OVERFLOW'],
  'ZSTD of rubbish': [strip(Buffer.from('this is not zstd'), 50_000), 'DECODE_FAILED'],
  'LZW of ones': [strip(Buffer.alloc(4000, 255), 5), 'DECODE_FAILED'],
  'LZW that ends at once': [strip(Buffer.from([0x80, 0x40, 0x40]), 5), 'DECODE_SHORT'],
  'old-style LZW': [strip(Buffer.from([0, 1, 2, 3, 4, 5]), 5), 'CODEC_UNSUPPORTED'],
  'PackBits that is too short': [strip(Buffer.from([0xc1, 0]), 32_773), 'DECODE_SHORT'],
  'PackBits that is too long': [strip(Buffer.alloc(200, 0x83), 32_773), 'DECODE_OVERFLOW'],
  'JPEG of rubbish': [strip(Buffer.from('this is not a jpeg'), 7), 'DECODE_FAILED'],
  'WebP of rubbish': [
    strip(Buffer.from('this is not webp'), 50_001, { bands: 3, samples: new Uint8Array(Buffer.from('this is not webp')) }),
    'DECODE_FAILED',
  ],
  'JPEG of floats': [strip(Buffer.alloc(10), 7, { dtype: 'float32', samples: new Float32Array(3) }), 'SAMPLE_UNSUPPORTED'],
  'nodata that is poetry': [plain({ nodata: 'roses are red' }), 'read'],
  'metadata with an entity of its own': [
    plain({ tags: [ascii(42_112, '<!DOCTYPE x [<!ENTITY a "b">]><GDALMetadata><Item name="x">&a;</Item></GDALMetadata>')] }),
    'read',
  ],
  'a transform into nowhere': [plain({ epsg: 4326, projected: false, tags: [doubles(33_550, [1e118, 1e-197, 0])] }), 'read'],
  'a transform of infinities': [
    plain({ tags: [doubles(33_550, [Infinity, 1, 0]), doubles(33_922, [0, 0, 0, 0, 0, 0])] }),
    'read',
  ],
  'BigTIFF with small offsets': [bigTiff((b) => b.writeUInt16LE(4, 4)), 'TIFF_CORRUPT'],
  'BigTIFF with a size beyond 2^53': [bigTiff((b) => b.writeBigUInt64LE(2n ** 60n, 36)), 'TIFF_CORRUPT'],
  'BigTIFF with 2^60 entries': [bigTiff((b) => b.writeBigUInt64LE(2n ** 60n, 16)), 'TIFF_CORRUPT'],
  'BigTIFF with a million entries': [bigTiff((b) => b.writeBigUInt64LE(1_000_000n, 16)), 'TIFF_HEADER_LIMIT'],
}

test('there are at least sixty of them', () => expect(Object.keys(FILES).length).toBeGreaterThanOrEqual(60))

describe('each by its name', () => {
  test.each(Object.keys(FILES))('%s', async (name) => {
    const [file, code] = FILES[name] as [Buffer, string]
    expect(await readSome(file)).toBe(code)
  })
})

test('seventy thousand directories are not followed', async () => {
  const each = 2 + 12 + 4
  const bytes = Buffer.alloc(8 + 70_000 * each)
  bytes.write('II')
  bytes.writeUInt16LE(42, 2)
  bytes.writeUInt32LE(8, 4)
  for (let i = 0; i < 70_000; i++) {
    const at = 8 + i * each
    bytes.writeUInt16LE(1, at)
    bytes.writeUInt16LE(256, at + 2)
    bytes.writeUInt16LE(4, at + 4)
    bytes.writeUInt32LE(1, at + 6)
    bytes.writeUInt32LE(i === 69_999 ? 0 : at + each, at + 14)
  }
  expect(await readSome(bytes)).toBe('TIFF_HEADER_LIMIT')
})

test('a list of them tells what is wrong instead of failing', async () => {
  const blobs = (file: Buffer) => ({
    readRange: async (_: unknown, offset: number, length: number) => file.subarray(offset, offset + length),
  })
  const detect = (file: Buffer) => detectRaster(blobs(file), { container: 'bronze', blob: 'x', size: file.length, etag: '1' })
  expect(await detect(Buffer.from('hello, nobody'))).toBeNull()
  expect(await detect(rawTiff(SIZE, { next: 8 }))).toMatchObject({
    format: 'TIFF',
    is_cog: false,
    problem: { code: 'TIFF_CORRUPT' },
  })
})

test('LZW that never ends gives no more than it should', () => {
  // Codes of a table that grows: each is longer than the one before.
  const codes = [256, 65, ...Array.from({ length: 3000 }, (_, i) => Math.min(4094, 258 + i))]
  let [bits, width] = ['', 9]
  for (const [i, code] of codes.entries()) {
    bits += code.toString(2).padStart(width, '0')
    if (i >= 1 && 258 + i - 1 + 1 >= 2 ** width - 1 && width < 12) width++
  }
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)))
  expect(() => decodeLzw(bytes, 10_000, 10_000)).toThrow(/more than 10000 bytes/)
})

const RUNS = Number(process.env['MUTATIONS'] ?? 2000)

test(`${RUNS} mutations of real files: an AppError or pixels, none hangs, memory stays bounded`, async () => {
  const seeds = [
    plain({ nodata: '3', epsg: 32_633 }),
    (
      await convert(
        bytesSource(plain({ bands: 3, photometric: 2, samples: someSamples('uint8', 64, 64, 3), epsg: 4326, projected: false })),
        { tile_size: 256 },
      )
    ).bytes,
    (
      await convert(bytesSource(plain({ dtype: 'float32', samples: someSamples('float32', 64, 64, 1) })), {
        tile_size: 256,
        compression: 'zstd',
      })
    ).bytes,
    strip(Buffer.concat([Buffer.from([0x80, 0x10, 0x20]), Buffer.alloc(60, 0x33)]), 5),
  ]
  let state = 20_261_128
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const counts = new Map<string, number>()
  for (let run = 0; run < RUNS; run++) {
    const seed = seeds[run % seeds.length] as Buffer
    let file = Buffer.from(seed)
    for (let n = 1 + random(4); n > 0; n--) {
      const at = random(Math.min(file.length, random(2) === 0 ? 600 : file.length))
      const kind = random(4)
      if (kind === 0) file[at] = (file[at] as number) ^ (1 << random(8))
      else if (kind === 1) file[at] = random(256)
      else if (kind === 2) file = file.subarray(0, Math.max(9, at))
      else file.fill(random(2) * 255, at, Math.min(file.length, at + 1 + random(8)))
    }
    const before = performance.now()
    const code = await readSome(file)
    // Far above what any takes: a hang is meant, not a slow machine.
    expect(performance.now() - before, `run ${run}: ${code}`).toBeLessThan(20_000)
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  expect([...counts.values()].reduce((a, b) => a + b, 0)).toBe(RUNS)
  expect(counts.size).toBeGreaterThan(5)
  expect(process.memoryUsage().rss).toBeLessThan(1e9)
})
