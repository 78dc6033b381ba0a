// What the first bytes of a TIFF say about it: size, bands, sample type, CRS, tiling. TIFF 6.0, BigTIFF, OGC GeoTIFF 1.1.

/** Facts of the first image file directory; undefined members were not in the bytes at hand. */
export interface TiffFacts {
  readonly format: 'TIFF' | 'BigTIFF'
  readonly width?: number
  readonly height?: number
  readonly bands?: number
  readonly dtype?: string
  readonly epsg?: number
  /** Tiled, with the overviews' directories not before the image's: the layout of a Cloud-Optimized GeoTIFF. */
  readonly is_cog: boolean
  /** What lies beyond the bytes at hand, or cannot be understood. */
  readonly not_looked_at?: readonly string[]
}

const TAG = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  samplesPerPixel: 277,
  tileWidth: 322,
  sampleFormat: 339,
  geoKeys: 34_735,
} as const
const KNOWN: ReadonlySet<number> = new Set(Object.values(TAG))
/** Of one tag: the most that a directory of geo keys holds. */
const MAX_VALUES = 4096
/** Bytes per value by TIFF field type; index is the type. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 0, 0, 0, 8, 8, 8]
const FORMAT_NAMES: Record<number, string> = { 1: 'uint', 2: 'int', 3: 'float', 5: 'complex_int', 6: 'complex_float' }

interface Reader {
  readonly view: DataView
  readonly little: boolean
  readonly big: boolean
}

/** @returns undefined when the bytes are no TIFF; never throws for damaged or cut ones */
export function readTiffHeader(bytes: Uint8Array): TiffFacts | undefined {
  if (bytes.length < 16) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const order = view.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return undefined
  const little = order === 0x4949
  const magic = view.getUint16(2, little)
  if (magic !== 42 && magic !== 43) return undefined
  const reader: Reader = { view, little, big: magic === 43 }
  const format = reader.big ? 'BigTIFF' : 'TIFF'
  const directory = reader.big ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little)
  const tags = readDirectory(reader, directory)
  if (!tags) return { format, is_cog: false, not_looked_at: ['directory'] }
  const one = (tag: number): number | undefined => {
    const value = tags.get(tag)?.[0]
    return value === undefined || Number.isSafeInteger(value) ? value : undefined
  }
  const [bits, sampleFormat] = [one(TAG.bitsPerSample), one(TAG.sampleFormat) ?? 1]
  const epsg = epsgOf(tags.get(TAG.geoKeys))
  return {
    format,
    ...optional('width', one(TAG.width)),
    ...optional('height', one(TAG.height)),
    bands: one(TAG.samplesPerPixel) ?? 1,
    ...optional('dtype', bits === undefined ? undefined : `${FORMAT_NAMES[sampleFormat] ?? 'unknown'}${bits}`),
    ...optional('epsg', epsg),
    // A COG's first directory stands at the front of the file and its image is tiled.
    is_cog: one(TAG.tileWidth) !== undefined && directory < 16_384,
  }
}

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })

function readDirectory({ view, little, big }: Reader, offset: number): Map<number, number[]> | undefined {
  const [countBytes, entryBytes] = big ? [8, 20] : [2, 12]
  if (offset + countBytes > view.byteLength) return undefined
  const count = big ? Number(view.getBigUint64(offset, little)) : view.getUint16(offset, little)
  const tags = new Map<number, number[]>()
  for (let i = 0; i < Math.min(count, 4096); i++) {
    const at = offset + countBytes + i * entryBytes
    if (at + entryBytes > view.byteLength) break
    const tag = view.getUint16(at, little)
    if (!KNOWN.has(tag)) continue
    const values = readValues({ view, little, big }, at)
    if (values) tags.set(tag, values)
  }
  return tags
}

function readValues({ view, little, big }: Reader, at: number): number[] | undefined {
  const type = view.getUint16(at + 2, little)
  const count = big ? Number(view.getBigUint64(at + 4, little)) : view.getUint32(at + 4, little)
  const size = TYPE_BYTES[type] ?? 0
  const field = at + (big ? 12 : 8)
  const inline = count * size <= (big ? 8 : 4)
  const start = inline ? field : big ? Number(view.getBigUint64(field, little)) : view.getUint32(field, little)
  if (size === 0 || count > MAX_VALUES || start + count * size > view.byteLength) return undefined
  const read = {
    1: (o: number) => view.getUint8(o),
    3: (o: number) => view.getUint16(o, little),
    4: (o: number) => view.getUint32(o, little),
    16: (o: number) => Number(view.getBigUint64(o, little)),
  }[type]
  return read ? Array.from({ length: count }, (_, i) => read(start + i * size)) : undefined
}

/**
 * GTModelTypeGeoKey 1024 tells which key counts (OGC GeoTIFF 1.1, 7.2): ProjectedCRSGeoKey 3072 or GeodeticCRSGeoKey 2048. A projected
 * raster described by parameters has a geodetic key too, which is not its CRS. Codes outside 1024-32766 are none of EPSG's.
 */
function epsgOf(keys: readonly number[] | undefined): number | undefined {
  if (!keys) return undefined
  const found = new Map<number, number>()
  for (let i = 4; i + 3 < keys.length; i += 4) if (keys[i + 1] === 0) found.set(keys[i] as number, keys[i + 3] as number)
  const code = found.get(1024) === 1 ? found.get(3072) : found.get(1024) === 2 ? found.get(2048) : undefined
  return code !== undefined && code >= 1024 && code <= 32_766 ? code : undefined
}
