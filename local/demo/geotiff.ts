// Small GeoTIFFs for the demo: one band, DEFLATE strips, georeferenced. TIFF 6.0 and OGC GeoTIFF 1.1.
import { deflateSync } from 'node:zlib'

export type Samples = Uint8Array | Uint16Array | Int16Array | Float32Array

export interface DemoRaster {
  readonly width: number
  readonly height: number
  readonly samples: Samples
  readonly epsg: number
  readonly projected: boolean
  /** Upper left corner and pixel size in units of the CRS. */
  readonly origin: readonly [number, number]
  readonly pixel: readonly [number, number]
  readonly nodata?: number
}

interface Entry {
  readonly tag: number
  readonly type: 2 | 3 | 4 | 12
  readonly values: readonly number[] | string
}
const BYTES = { 2: 1, 3: 2, 4: 4, 12: 8 } as const
const ROWS_PER_STRIP = 64

/** Little-endian classic TIFF: header, strips, directory, long values. */
export function encodeGeoTiff(r: DemoRaster): Buffer {
  const rowBytes = r.width * r.samples.BYTES_PER_ELEMENT
  const pixels = Buffer.from(r.samples.buffer, r.samples.byteOffset, r.samples.byteLength)
  const strips: Buffer[] = []
  for (let y = 0; y < r.height; y += ROWS_PER_STRIP)
    strips.push(deflateSync(pixels.subarray(y * rowBytes, Math.min(r.height, y + ROWS_PER_STRIP) * rowBytes)))
  const offsets: number[] = []
  let at = 8
  for (const strip of strips) {
    offsets.push(at)
    at += strip.length
  }
  // Words are aligned: a directory starts at an even offset.
  const padding = Buffer.alloc(at % 2)
  const directory = encodeDirectory(
    entries(
      r,
      offsets,
      strips.map((s) => s.length),
    ),
    at + padding.length,
  )
  const header = Buffer.alloc(8)
  header.write('II')
  header.writeUInt16LE(42, 2)
  header.writeUInt32LE(at + padding.length, 4)
  return Buffer.concat([header, ...strips, padding, directory])
}

function entries(r: DemoRaster, offsets: readonly number[], counts: readonly number[]): Entry[] {
  const format = r.samples instanceof Float32Array ? 3 : r.samples instanceof Int16Array ? 2 : 1
  const keys = [1, 1, 0, 3, 1024, 0, 1, r.projected ? 1 : 2, 1025, 0, 1, 1, r.projected ? 3072 : 2048, 0, 1, r.epsg]
  const short = (tag: number, ...values: number[]): Entry => ({ tag, type: 3, values })
  const long = (tag: number, values: readonly number[]): Entry => ({ tag, type: 4, values })
  const double = (tag: number, ...values: number[]): Entry => ({ tag, type: 12, values })
  return [
    long(256, [r.width]),
    long(257, [r.height]),
    short(258, r.samples.BYTES_PER_ELEMENT * 8),
    short(259, 8),
    short(262, 1),
    long(273, offsets),
    short(277, 1),
    long(278, [ROWS_PER_STRIP]),
    long(279, counts),
    short(339, format),
    double(33_550, r.pixel[0], r.pixel[1], 0),
    double(33_922, 0, 0, 0, r.origin[0], r.origin[1], 0),
    short(34_735, ...keys),
    ...(r.nodata === undefined ? [] : [{ tag: 42_113, type: 2 as const, values: `${r.nodata}\0` }]),
  ]
}

function encodeDirectory(list: readonly Entry[], start: number): Buffer {
  const table = Buffer.alloc(2 + list.length * 12 + 4)
  const long: Buffer[] = []
  let at = start + table.length
  table.writeUInt16LE(list.length, 0)
  for (const [i, entry] of list.entries()) {
    const data = encodeValues(entry)
    const row = 2 + i * 12
    table.writeUInt16LE(entry.tag, row)
    table.writeUInt16LE(entry.type, row + 2)
    table.writeUInt32LE(entry.values.length, row + 4)
    if (data.length <= 4) data.copy(table, row + 8)
    else {
      table.writeUInt32LE(at, row + 8)
      const even = data.length % 2 === 0 ? data : Buffer.concat([data, Buffer.alloc(1)])
      long.push(even)
      at += even.length
    }
  }
  return Buffer.concat([table, ...long])
}

function encodeValues({ type, values }: Entry): Buffer {
  if (typeof values === 'string') return Buffer.from(values, 'latin1')
  const data = Buffer.alloc(values.length * BYTES[type])
  for (const [i, value] of values.entries()) {
    if (type === 3) data.writeUInt16LE(value, i * 2)
    else if (type === 4) data.writeUInt32LE(value, i * 4)
    else data.writeDoubleLE(value, i * 8)
  }
  return data
}
