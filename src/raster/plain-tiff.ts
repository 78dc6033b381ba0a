// A window as a small GeoTIFF: one DEFLATE strip, placed where it was.
import { ascii, doubles, longs, shorts, type WrittenTag, writeDirectory } from './ifd-writer.ts'
import { deflate } from './codecs/zlib.ts'
import { place, readGeoreference } from './georeference.ts'
import type { Pyramid } from './image.ts'
import { bytesOver, type Pixels } from './samples.ts'
import { COMPRESSION, PHOTOMETRIC, TAG } from './tags.ts'
import type { Rectangle } from './window.ts'

const FORMAT = { u: 1, i: 2, f: 3 } as const
const DATA_AT = 8

/** @param bands 0-based bands of the source that the pixels are */
export async function plainTiff(
  { main, file }: Pyramid,
  pixels: Pixels,
  area: Rectangle,
  bands: readonly number[],
): Promise<Uint8Array> {
  const data = deflate(bytesOver(pixels.data))
  const each = (value: number): number[] => bands.map(() => value)
  const { transform } = await readGeoreference(main.directory)
  const keys = await main.directory.numbers(TAG.geoKeys)
  const isPlain = transform !== undefined && transform[2] === 0 && transform[4] === 0
  const [x, y] = transform ? place(transform, area.x, area.y) : [0, 0]
  const isRgb = main.photometric === PHOTOMETRIC.rgb && bands.length === 3 && bands.every((b, i) => b === i)
  const tags: WrittenTag[] = [
    longs(TAG.width, [area.width]),
    longs(TAG.height, [area.height]),
    shorts(TAG.bitsPerSample, ...each(Number(pixels.dtype.replace(/\D+/, '')))),
    shorts(TAG.compression, COMPRESSION.deflate),
    shorts(TAG.photometric, isRgb ? PHOTOMETRIC.rgb : PHOTOMETRIC.blackIsZero),
    longs(TAG.stripOffsets, [DATA_AT]),
    shorts(TAG.samplesPerPixel, bands.length),
    longs(TAG.rowsPerStrip, [area.height]),
    longs(TAG.stripByteCounts, [data.length]),
    shorts(TAG.planar, 1),
    shorts(TAG.sampleFormat, ...each(FORMAT[pixels.dtype[0] as keyof typeof FORMAT])),
    ...(bands.length > 1 && !isRgb ? [shorts(TAG.extraSamples, ...bands.slice(1).map(() => 0))] : []),
    ...(main.nodataText === undefined ? [] : [ascii(TAG.gdalNodata, main.nodataText)]),
    ...(isPlain && transform
      ? [doubles(TAG.pixelScale, [transform[1], -transform[5], 0]), doubles(TAG.tiePoints, [0, 0, 0, x, y, 0])]
      : []),
    ...(transform && !isPlain
      ? [doubles(TAG.matrix, [transform[1], transform[2], 0, x, transform[4], transform[5], 0, y, 0, 0, 0, 0, 0, 0, 0, 1])]
      : []),
    ...(transform && keys && file.encoding.little ? await geoTags(main.directory) : []),
  ]
  const at = DATA_AT + data.length + (data.length % 2)
  const head = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0])
  head.writeUInt32LE(at, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2), writeDirectory(tags, at, 0, false)])
}

async function geoTags(directory: Pyramid['main']['directory']): Promise<WrittenTag[]> {
  const found: WrittenTag[] = []
  for (const tag of [TAG.geoKeys, TAG.geoDoubles, TAG.geoText]) {
    const entry = directory.entries.get(tag)
    const bytes = await directory.bytes(tag)
    if (entry && bytes) found.push({ tag, type: entry.type, count: entry.count, bytes })
  }
  return found
}
