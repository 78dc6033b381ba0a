// Image file directories of TIFF 6.0 and BigTIFF, both byte orders: entries first, values when they are asked for.
import { AppError } from '../rules/errors.ts'
import { HeaderBytes } from './header-bytes.ts'
import { LIMITS } from './limits.ts'
import type { RangeSource } from './range-source.ts'

/** Bytes per value by field type; index is the type, 0 is unknown. 13 is IFD, 16-18 are BigTIFF's. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]

export interface Entry {
  readonly tag: number
  readonly type: number
  readonly count: number
  /** Where its values stand in the file. */
  readonly at: number
}

/** Byte order and generation of a file. */
export interface Encoding {
  readonly little: boolean
  readonly big: boolean
}

export class Directory {
  /** Where it stands in the file. */
  readonly offset: number
  readonly entries: ReadonlyMap<number, Entry>
  readonly encoding: Encoding
  readonly #header: HeaderBytes

  constructor(header: HeaderBytes, encoding: Encoding, offset: number, entries: ReadonlyMap<number, Entry>) {
    this.#header = header
    this.encoding = encoding
    this.offset = offset
    this.entries = entries
  }

  has(tag: number): boolean {
    return this.entries.has(tag)
  }

  /** The raw bytes of a tag's values, in the file's byte order. @throws AppError `TIFF_HEADER_LIMIT`, `TIFF_CORRUPT` */
  async bytes(tag: number): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(tag)
    if (!entry) return undefined
    const length = entry.count * (TYPE_BYTES[entry.type] ?? 0)
    if (length > LIMITS.tagValueBytes)
      throw new AppError('TIFF_HEADER_LIMIT', `${this.#name}: tag ${tag} has ${length} bytes, more than ${LIMITS.tagValueBytes}.`)
    return this.#header.at(entry.at, length)
  }

  /** Every value as a number; undefined where the tag is absent or of a type that holds none. Rationals are divided. */
  async numbers(tag: number): Promise<Float64Array | undefined> {
    const entry = this.entries.get(tag)
    const read = entry && READERS[entry.type]
    if (!entry || !read) return undefined
    const bytes = (await this.bytes(tag)) as Uint8Array
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const each = TYPE_BYTES[entry.type] as number
    const values = new Float64Array(entry.count)
    for (let i = 0; i < entry.count; i++) values[i] = read(view, i * each, this.encoding.little)
    return values
  }

  /** The first value that is not 0, else 0; of a long array mostly the first bytes are enough. */
  async firstNonZero(tag: number): Promise<number> {
    const entry = this.entries.get(tag)
    const read = entry && READERS[entry.type]
    if (!entry || !read) return 0
    const each = TYPE_BYTES[entry.type] as number
    for (let done = 0; done < entry.count;) {
      const some = Math.min(entry.count - done, done === 0 ? 64 : 65_536)
      const bytes = await this.#header.at(entry.at + done * each, some * each)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let i = 0; i < some; i++) {
        const value = read(view, i * each, this.encoding.little)
        if (value !== 0) return value
      }
      done += some
    }
    return 0
  }

  /** The first value, if it is a whole number that can be counted with. @throws AppError `TIFF_CORRUPT` for a negative or larger one */
  async whole(tag: number): Promise<number | undefined> {
    const value = (await this.numbers(tag))?.[0]
    if (value === undefined) return undefined
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new AppError('TIFF_CORRUPT', `${this.#name}: tag ${tag} is ${value}, no whole number that can be used.`)
  }

  /** Text up to the first NUL, as Latin-1: TIFF's ASCII, byte for byte. */
  async text(tag: number): Promise<string | undefined> {
    if (this.entries.get(tag)?.type !== 2) return undefined
    const text = Buffer.from((await this.bytes(tag)) as Uint8Array).toString('latin1')
    const end = text.indexOf('\0')
    return end < 0 ? text : text.slice(0, end)
  }

  get #name(): string {
    return this.#header.source.name
  }
}

type Read = (view: DataView, at: number, little: boolean) => number
const READERS: Readonly<Record<number, Read>> = {
  1: (v, o) => v.getUint8(o),
  3: (v, o, l) => v.getUint16(o, l),
  4: (v, o, l) => v.getUint32(o, l),
  5: (v, o, l) => v.getUint32(o, l) / v.getUint32(o + 4, l),
  6: (v, o) => v.getInt8(o),
  8: (v, o, l) => v.getInt16(o, l),
  9: (v, o, l) => v.getInt32(o, l),
  10: (v, o, l) => v.getInt32(o, l) / v.getInt32(o + 4, l),
  11: (v, o, l) => v.getFloat32(o, l),
  12: (v, o, l) => v.getFloat64(o, l),
  13: (v, o, l) => v.getUint32(o, l),
  16: (v, o, l) => Number(v.getBigUint64(o, l)),
  17: (v, o, l) => Number(v.getBigInt64(o, l)),
  18: (v, o, l) => Number(v.getBigUint64(o, l)),
}

export interface TiffFile {
  readonly source: RangeSource
  readonly encoding: Encoding
  readonly directories: readonly Directory[]
  /** Bytes between the file's header and its first directory, at most 4 KiB: GDAL's ghost area stands there. */
  readonly preamble: Uint8Array
}

/**
 * All directories of the main chain; values are read later, when they are asked for.
 * @throws AppError `NOT_TIFF`, `TIFF_CORRUPT`, `TIFF_HEADER_LIMIT`
 */
export async function readTiff(source: RangeSource): Promise<TiffFile> {
  const header = new HeaderBytes(source)
  const start = source.size < 8 ? new Uint8Array() : await header.at(0, Math.min(16, source.size))
  const encoding = encodingOf(start)
  if (!encoding) throw notTiff(source, start)
  const view = viewOf(start)
  if (encoding.big && (start.length < 16 || view.getUint16(4, encoding.little) !== 8))
    throw new AppError('TIFF_CORRUPT', `${source.name}: BigTIFF with offsets that are not 8 bytes wide.`)
  const first = encoding.big ? safe(view.getBigUint64(8, encoding.little), source.name) : view.getUint32(4, encoding.little)
  const directories: Directory[] = []
  const seen = new Set<number>()
  for (let offset = first; offset !== 0;) {
    if (seen.has(offset)) throw new AppError('TIFF_CORRUPT', `${source.name}: the directory at ${offset} comes twice.`)
    seen.add(offset)
    if (directories.length === LIMITS.directories)
      throw new AppError('TIFF_HEADER_LIMIT', `${source.name} has more than ${LIMITS.directories} directories.`)
    const { directory, next } = await readDirectory(header, encoding, offset)
    directories.push(directory)
    offset = next
  }
  if (directories.length === 0) throw new AppError('TIFF_CORRUPT', `${source.name} has no directory.`)
  const from = encoding.big ? 16 : 8
  return { source, encoding, directories, preamble: await header.at(from, Math.max(0, Math.min(first - from, 4096))) }
}

function encodingOf(start: Uint8Array): Encoding | undefined {
  if (start.length < 8) return undefined
  const order = start[0]
  if (order !== start[1] || (order !== 0x49 && order !== 0x4d)) return undefined
  const little = order === 0x49
  const magic = viewOf(start).getUint16(2, little)
  return magic === 42 || magic === 43 ? { little, big: magic === 43 } : undefined
}

async function readDirectory(
  header: HeaderBytes,
  encoding: Encoding,
  offset: number,
): Promise<{ directory: Directory; next: number }> {
  const { little, big } = encoding
  const { name } = header.source
  const [countBytes, entryBytes, nextBytes] = big ? [8, 20, 8] : [2, 12, 4]
  const counted = viewOf(await header.at(offset, countBytes))
  const count = big ? safe(counted.getBigUint64(0, little), name) : counted.getUint16(0, little)
  if (count > LIMITS.tagsPerDirectory)
    throw new AppError(
      'TIFF_HEADER_LIMIT',
      `${name}: the directory at ${offset} has ${count} tags, more than ${LIMITS.tagsPerDirectory}.`,
    )
  const table = viewOf(await header.at(offset + countBytes, count * entryBytes))
  const entries = new Map<number, Entry>()
  for (let i = 0; i < count; i++) {
    const entry = entryAt(table, i * entryBytes, encoding, offset + countBytes, name)
    // libtiff takes the first of two.
    if (entry && !entries.has(entry.tag)) entries.set(entry.tag, entry)
  }
  const after = offset + countBytes + count * entryBytes
  // Cut behind its last entry: the chain ends there, as libtiff takes it.
  const isCut = after + nextBytes > header.source.size
  const link = isCut ? undefined : viewOf(await header.at(after, nextBytes))
  const next = link === undefined ? 0 : big ? safe(link.getBigUint64(0, little), name) : link.getUint32(0, little)
  return { directory: new Directory(header, encoding, offset, entries), next }
}

/** Undefined: a type that TIFF does not know; readers skip it (TIFF 6.0, section 2). */
function entryAt(table: DataView, row: number, { little, big }: Encoding, tableAt: number, name: string): Entry | undefined {
  const tag = table.getUint16(row, little)
  const type = table.getUint16(row + 2, little)
  const count = big ? safe(table.getBigUint64(row + 4, little), name) : table.getUint32(row + 4, little)
  const each = TYPE_BYTES[type] ?? 0
  if (each === 0) return undefined
  const field = row + (big ? 12 : 8)
  const isInline = count * each <= (big ? 8 : 4)
  const at = isInline ? tableAt + field : big ? safe(table.getBigUint64(field, little), name) : table.getUint32(field, little)
  return { tag, type, count, at }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** @throws AppError `TIFF_CORRUPT` beyond 2^53: no file is that large */
function safe(value: bigint, name: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw new AppError('TIFF_CORRUPT', `${name}: ${value} is no size or offset of a file.`)
}

const LOOKS: readonly (readonly [string, readonly number[]])[] = [
  ['JPEG', [0xff, 0xd8, 0xff]],
  ['PNG', [0x89, 0x50, 0x4e, 0x47]],
  ['PDF', [0x25, 0x50, 0x44, 0x46]],
  ['ZIP', [0x50, 0x4b, 0x03, 0x04]],
  ['gzip', [0x1f, 0x8b]],
  ['HDF5 or netCDF 4', [0x89, 0x48, 0x44, 0x46]],
  ['netCDF 3', [0x43, 0x44, 0x46]],
  ['JPEG 2000', [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50]],
  ['GRIB', [0x47, 0x52, 0x49, 0x42]],
  ['a web page or XML', [0x3c]],
]

function notTiff({ name, size }: RangeSource, start: Uint8Array): AppError {
  const looks = LOOKS.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0]
  const seen = looks
    ? `it looks like ${looks}`
    : `it begins with ${Buffer.from(start.subarray(0, 4)).toString('hex') || 'nothing'}`
  return new AppError('NOT_TIFF', size < 8 ? `${name} has ${size} bytes: too few for a TIFF.` : `${name} is no TIFF: ${seen}.`)
}
