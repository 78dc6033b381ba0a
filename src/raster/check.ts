// Our own judge of a finished COG: nine rules on every byte of its layout, each with a code. Run on every output.
import { type Directory, readTiff, type TiffFile } from './directory.ts'
import type { CogIssue } from './cog-rules.ts'
import { readImage, type TiffImage } from './image.ts'
import { firstDirectoryAt, ghostArea } from './layout.ts'
import type { RangeSource } from './range-source.ts'
import { SUBFILE, TAG } from './tags.ts'

export interface CheckOptions {
  /** Also reads leader and trailer of every tile. Default true. */
  readonly tiles?: boolean
}

interface Level {
  readonly image: TiffImage
  readonly offsets: Float64Array
  readonly counts: Float64Array
}

/**
 * What breaks a rule; empty for a good file.
 * @throws AppError `NOT_TIFF`, `TIFF_CORRUPT` where it cannot be read at all
 */
export async function checkCog(source: RangeSource, { tiles = true }: CheckOptions = {}): Promise<CogIssue[]> {
  const file = await readTiff(source)
  const levels: Level[] = []
  for (const directory of file.directories) levels.push(await levelOf(file, directory))
  const hasMask = levels.some((l) => (l.image.subfileType & SUBFILE.mask) !== 0)
  const issues = [
    ...ghost(file, hasMask),
    ...directoryOrder(file, levels, hasMask),
    ...sizes(levels),
    ...tiled(levels),
    ...(await equalLevels(levels)),
    ...dataOrder(source, levels, hasMask),
  ]
  return tiles && issues.length === 0 ? records(source, levels) : issues
}

async function levelOf(file: TiffFile, directory: Directory): Promise<Level> {
  const image = await readImage(file, directory)
  const none = new Float64Array()
  return {
    image,
    offsets: (await directory.numbers(image.isTiled ? TAG.tileOffsets : TAG.stripOffsets)) ?? none,
    counts: (await directory.numbers(image.isTiled ? TAG.tileByteCounts : TAG.stripByteCounts)) ?? none,
  }
}

function ghost({ preamble }: TiffFile, hasMask: boolean): CogIssue[] {
  const wanted = Buffer.from(ghostArea(hasMask))
  if (Buffer.from(preamble.subarray(0, wanted.length)).equals(wanted)) return []
  return [{ code: 'GHOST_AREA', message: 'the bytes behind the header are not the ghost area of this layout' }]
}

/** Image, its mask, first level, its mask, …: in the file as in the chain, and all before the data. */
function directoryOrder(file: TiffFile, levels: readonly Level[], hasMask: boolean): CogIssue[] {
  const wanted = levels.map((_, i) => {
    const isMask = hasMask && i % 2 === 1
    return (isMask ? SUBFILE.mask : 0) | (i >= (hasMask ? 2 : 1) ? SUBFILE.reduced : 0)
  })
  const wrong = levels.findIndex((l, i) => l.image.subfileType !== wanted[i])
  if (wrong >= 0)
    return [
      {
        code: 'IFD_ORDER',
        message: `directory ${wrong} is of kind ${levels[wrong]?.image.subfileType} instead of ${wanted[wrong]}`,
      },
    ]
  const at = file.directories.map((d) => d.offset)
  const back = at.findIndex((offset, i) => i > 0 && offset <= (at[i - 1] as number))
  if (back > 0) return [{ code: 'IFD_ORDER', message: `directory ${back} stands before the one in front of it` }]
  const first = Math.min(...levels.map((l) => l.offsets[0] ?? Infinity))
  const expected = firstDirectoryAt(hasMask, file.encoding.big)
  if ((at[0] as number) > expected)
    return [{ code: 'IFD_ORDER', message: `the first directory stands at ${at[0]} instead of ${expected}` }]
  return (at.at(-1) as number) < first ? [] : [{ code: 'IFD_ORDER', message: 'data stands before the last directory' }]
}

const imagesOf = (levels: readonly Level[]): Level[] => levels.filter((l) => (l.image.subfileType & SUBFILE.mask) === 0)

function sizes(levels: readonly Level[]): CogIssue[] {
  const images = imagesOf(levels).map((l) => l.image)
  const bad = images.findIndex((image, i) => {
    const before = images[i - 1]
    return (
      before !== undefined &&
      (image.width > before.width ||
        image.height > before.height ||
        (image.width === before.width && image.height === before.height))
    )
  })
  if (bad > 0) return [{ code: 'LEVEL_SIZES', message: `level ${bad} is not smaller than the one before` }]
  const last = images.at(-1) as TiffImage
  if (last.width <= last.chunkWidth && last.height <= last.chunkHeight) return []
  return [{ code: 'LEVEL_SIZES', message: `the last level has ${last.width} x ${last.height} pixels, more than a tile` }]
}

function tiled(levels: readonly Level[]): CogIssue[] {
  const bad = levels.findIndex((l) => !l.image.isTiled || l.image.chunkWidth % 16 !== 0 || l.image.chunkHeight % 16 !== 0)
  return bad < 0 ? [] : [{ code: 'NOT_TILED', message: `directory ${bad} has no tiles with sides of a multiple of 16` }]
}

async function equalLevels(levels: readonly Level[]): Promise<CogIssue[]> {
  const images = imagesOf(levels)
  const looks = async ({ image }: Level): Promise<string> =>
    JSON.stringify([
      image.compression,
      image.predictor,
      image.dtype,
      image.bits,
      image.bands,
      image.photometric,
      image.planar,
      image.nodataText,
      image.extraSamples,
      image.chunkWidth,
      image.chunkHeight,
      Buffer.from((await image.directory.bytes(TAG.colorMap)) ?? []).toString('base64'),
    ])
  const first = await looks(images[0] as Level)
  for (const [i, level] of images.entries())
    if ((await looks(level)) !== first)
      return [{ code: 'LEVELS_DIFFER', message: `level ${i} differs from the image in compression, samples, nodata or colours` }]
  return []
}

/** All tiles in the order of the file: smallest level first, row by row, a mask's behind its image's. */
function inFileOrder(levels: readonly Level[], hasMask: boolean): { offset: number; count: number }[] {
  const found: { offset: number; count: number }[] = []
  const step = hasMask ? 2 : 1
  for (let i = levels.length - step; i >= 0; i -= step)
    for (let tile = 0; tile < (levels[i] as Level).offsets.length; tile++)
      for (let k = 0; k < step; k++) {
        const { offsets, counts } = levels[i + k] as Level
        found.push({ offset: offsets[tile] as number, count: counts[tile] as number })
      }
  return found
}

/** Leader of 4 bytes before, trailer of 4 behind. */
const AROUND = 4

function dataOrder(source: RangeSource, levels: readonly Level[], hasMask: boolean): CogIssue[] {
  for (const [i, { image, offsets, counts }] of levels.entries())
    if (offsets.length !== image.across * image.down || counts.length !== offsets.length)
      return [
        { code: 'TILE_COUNT', message: `directory ${i} has ${offsets.length} offsets for ${image.across * image.down} tiles` },
      ]
  const tiles = inFileOrder(levels, hasMask)
  for (const [i, tile] of tiles.entries()) {
    if (tile.offset === 0 || tile.count === 0) return [{ code: 'SPARSE', message: `tile ${i} of the file is left out` }]
    const before = tiles[i - 1]
    if (!before) continue
    const expected = before.offset + before.count + AROUND * 2
    if (tile.offset < before.offset)
      return [{ code: 'OFFSET_ORDER', message: `tile ${i} of the file stands before tile ${i - 1}` }]
    if (tile.offset !== expected)
      return [{ code: 'OVERLAP_OR_GAP', message: `tile ${i} of the file begins at ${tile.offset} instead of ${expected}` }]
  }
  const last = tiles.at(-1) as { offset: number; count: number }
  const end = last.offset + last.count + AROUND
  return end === source.size ? [] : [{ code: 'END_OF_FILE', message: `the last tile ends at ${end}, the file at ${source.size}` }]
}

const WINDOW = 4 * 1024 * 1024

/** Leader and trailer of every tile, read in large pieces. */
async function records(source: RangeSource, levels: readonly Level[]): Promise<CogIssue[]> {
  const all = levels
    .flatMap((l) => Array.from(l.offsets, (offset, i) => ({ offset, count: l.counts[i] as number })))
    .sort((a, b) => a.offset - b.offset)
  let [start, bytes] = [0, new Uint8Array()]
  for (const { offset, count } of all) {
    const [from, to] = [offset - AROUND, offset + count + AROUND]
    if (from < start || to > start + bytes.length) {
      start = from
      bytes = (await source.read(from, Math.min(source.size - from, Math.max(WINDOW, to - from)))) as Uint8Array<ArrayBuffer>
    }
    const record = Buffer.from(bytes.subarray(from - start, to - start))
    const isRight = record.readUInt32LE(0) === count && record.subarray(-AROUND).equals(record.subarray(count, count + AROUND))
    if (!isRight) return [{ code: 'LEADER_TRAILER', message: `the tile at ${offset} has a wrong leader or trailer` }]
  }
  return []
}
