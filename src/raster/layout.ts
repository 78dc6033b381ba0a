// The header of a COG, as GDAL's COG driver lays it out: ghost area, directories with their values, then data from the smallest level to
// the image. frmts/gtiff/cogdriver.cpp; docs/rasters.md says what is in it.
import { ascii, directoryLength, longs, offsets, rationals, shorts, size, type WrittenTag, writeDirectory } from './ifd-writer.ts'
import type { OutputForm, RawTag } from './output.ts'
import { isPalette } from './output.ts'
import { levelSizes } from './overview.ts'
import { COMPRESSION, PHOTOMETRIC, SUBFILE, TAG } from './tags.ts'
import { predictorOf } from './tile-encoder.ts'

/** Bytes of every tile of a level in row-major order; of its mask too where there is one. */
export interface LevelTiles {
  readonly image: ArrayLike<number>
  readonly mask?: ArrayLike<number> | undefined
}

/** Leader and trailer of a tile. */
const RECORD_EXTRA = 8
const LEADER = 4
const SOFTWARE = 'Lamplighter'

const GHOST_ITEMS = [
  'LAYOUT=IFDS_BEFORE_DATA',
  'BLOCK_ORDER=ROW_MAJOR',
  'BLOCK_LEADER=SIZE_AS_UINT4',
  'BLOCK_TRAILER=LAST_4_BYTES_REPEATED',
  'KNOWN_INCOMPATIBLE_EDITION=NO',
]

/** The space is where an editor that breaks the layout writes the S of YES. */
export function ghostArea(hasMask: boolean): Uint8Array {
  const text = `${GHOST_ITEMS.join('\n')}\n ${hasMask ? 'MASK_INTERLEAVED_WITH_IMAGERY=YES\n' : ''}`
  return Buffer.from(`GDAL_STRUCTURAL_METADATA_SIZE=${String(text.length).padStart(6, '0')} bytes\n${text}`, 'latin1')
}

export interface Header {
  readonly bytes: Uint8Array
  readonly isBig: boolean
  /** Of the whole file. */
  readonly fileSize: number
}

/**
 * @param levels from the image down; see levelSizes
 * Classic TIFF where the file stays below 4 GiB, else BigTIFF.
 */
export function buildHeader(form: OutputForm, levels: readonly LevelTiles[]): Header {
  const data = levels.reduce((sum, { image, mask }) => sum + recordBytes(image) + (mask ? recordBytes(mask) : 0), 0)
  const classic = headerOf(form, levels, false)
  if (classic.length + data < 2 ** 32) return { bytes: classic, isBig: false, fileSize: classic.length + data }
  const big = headerOf(form, levels, true)
  return { bytes: big, isBig: true, fileSize: big.length + data }
}

function recordBytes(sizes: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < sizes.length; i++) sum += (sizes[i] as number) + RECORD_EXTRA
  return sum
}

function headerOf(form: OutputForm, levels: readonly LevelTiles[], isBig: boolean): Uint8Array {
  const ghost = ghostArea(form.has_mask)
  const start = firstDirectoryAt(form.has_mask, isBig)
  const places = tilePlaces(levels)
  const build = (dataAt: number): WrittenTag[][] =>
    levels.flatMap((level, i) => {
      const at = places[i] as Places
      const image = imageTags(form, i, shifted(at.image, dataAt), level.image, isBig)
      if (!level.mask || !at.mask) return [image]
      return [image, maskTags(form, i, shifted(at.mask, dataAt), level.mask, isBig)]
    })
  // Lengths do not depend on the offsets' values.
  let end = start
  const starts = build(0).map((tags) => {
    const at = align(end, isBig)
    end = at + directoryLength(tags, isBig)
    return at
  })
  const bytes = new Uint8Array(end)
  const view = new DataView(bytes.buffer)
  bytes.set([0x49, 0x49, isBig ? 43 : 42, 0])
  if (isBig) {
    view.setUint16(4, 8, true)
    view.setBigUint64(8, BigInt(start), true)
  } else view.setUint32(4, start, true)
  bytes.set(ghost, isBig ? 16 : 8)
  for (const [i, tags] of build(end).entries())
    bytes.set(writeDirectory(tags, starts[i] as number, starts[i + 1] ?? 0, isBig), starts[i] as number)
  return bytes
}

/** Behind header and ghost area. */
export const firstDirectoryAt = (hasMask: boolean, isBig: boolean): number =>
  align((isBig ? 16 : 8) + ghostArea(hasMask).length, isBig)

const align = (at: number, isBig: boolean): number => Math.ceil(at / (isBig ? 8 : 2)) * (isBig ? 8 : 2)

interface Places {
  readonly image: Float64Array
  readonly mask: Float64Array | undefined
}

/** Where each tile's bytes begin, from the end of the header: smallest level first, a mask's tile behind its image's. */
function tilePlaces(levels: readonly LevelTiles[]): Places[] {
  const places: Places[] = []
  let at = 0
  for (const { image, mask } of [...levels].reverse()) {
    const found = { image: new Float64Array(image.length), mask: mask ? new Float64Array(mask.length) : undefined }
    for (let i = 0; i < image.length; i++) {
      found.image[i] = at + LEADER
      at += (image[i] as number) + RECORD_EXTRA
      if (!mask || !found.mask) continue
      found.mask[i] = at + LEADER
      at += (mask[i] as number) + RECORD_EXTRA
    }
    places.unshift(found)
  }
  return places
}

const shifted = (places: Float64Array, by: number): Float64Array => places.map((p) => p + by)

const CODES = { deflate: COMPRESSION.deflate, zstd: COMPRESSION.zstd, jpeg: COMPRESSION.jpeg, webp: COMPRESSION.webp }
const FORMAT = { u: 1, i: 2, f: 3 } as const

function imageTags(form: OutputForm, level: number, at: Float64Array, sizes: ArrayLike<number>, isBig: boolean): WrittenTag[] {
  const { bands, dtype, compression, tile_size: tile } = form
  const { width, height } = levelSizes(form.width, form.height, tile)[level] as { width: number; height: number }
  const isYCbCr = compression === 'jpeg' && bands === 3
  const predictor = predictorOf({ compression, dtype, isPalette: isPalette(form) })
  const format = FORMAT[dtype[0] as keyof typeof FORMAT]
  return [
    longs(TAG.subfileType, [level === 0 ? 0 : SUBFILE.reduced]),
    size(TAG.width, width),
    size(TAG.height, height),
    shorts(TAG.bitsPerSample, ...Array.from({ length: bands }, () => Number(dtype.replace(/\D+/, '')))),
    shorts(TAG.compression, CODES[compression]),
    shorts(TAG.photometric, isYCbCr ? PHOTOMETRIC.yCbCr : form.photometric),
    shorts(TAG.samplesPerPixel, bands),
    shorts(TAG.planar, 1),
    ...(predictor === 1 ? [] : [shorts(TAG.predictor, predictor)]),
    ...(form.color_map ? [raw(form.color_map)] : []),
    ...tileTags(tile, at, sizes, isBig),
    ...(form.extra_samples.length > 0 ? [shorts(TAG.extraSamples, ...form.extra_samples)] : []),
    shorts(TAG.sampleFormat, ...Array.from({ length: bands }, () => format)),
    ...(isYCbCr ? [shorts(TAG.yCbCrSubsampling, 2, 2), rationals(TAG.referenceBlackWhite, [0, 255, 128, 255, 128, 255])] : []),
    ...(form.nodata === null ? [] : [ascii(TAG.gdalNodata, form.nodata)]),
    ...(level === 0 ? [...form.tags.map(raw), ascii(TAG.software, SOFTWARE)] : []),
    ...(level === 0 && form.metadata_xml !== null ? [ascii(TAG.gdalMetadata, form.metadata_xml)] : []),
  ]
}

function maskTags(form: OutputForm, level: number, at: Float64Array, sizes: ArrayLike<number>, isBig: boolean): WrittenTag[] {
  const { width, height } = levelSizes(form.width, form.height, form.tile_size)[level] as { width: number; height: number }
  return [
    longs(TAG.subfileType, [level === 0 ? SUBFILE.mask : SUBFILE.mask | SUBFILE.reduced]),
    size(TAG.width, width),
    size(TAG.height, height),
    shorts(TAG.bitsPerSample, 1),
    shorts(TAG.compression, COMPRESSION.deflate),
    shorts(TAG.photometric, PHOTOMETRIC.mask),
    shorts(TAG.samplesPerPixel, 1),
    shorts(TAG.planar, 1),
    ...tileTags(form.tile_size, at, sizes, isBig),
    shorts(TAG.sampleFormat, 1),
  ]
}

const tileTags = (tile: number, at: Float64Array, sizes: ArrayLike<number>, isBig: boolean): WrittenTag[] => [
  size(TAG.tileWidth, tile),
  size(TAG.tileHeight, tile),
  offsets(TAG.tileOffsets, at, isBig),
  longs(TAG.tileByteCounts, sizes),
]

const raw = ({ tag, type, count, bytes }: RawTag): WrittenTag => ({ tag, type, count, bytes: Buffer.from(bytes, 'base64') })
