// Where the tiles or strips of an image stand in the file.
import { AppError } from '../rules/errors.ts'
import { bytesPerSample, type TiffImage } from './image.ts'
import { COMPRESSION, TAG } from './tags.ts'

export interface ChunkTable {
  readonly offsets: Float64Array
  readonly counts: Float64Array
}

/** More than this over its decoded size is no compression. */
const SLACK = 1024 * 1024

export const chunkTotal = (image: TiffImage): number => image.across * image.down * (image.planar === 2 ? image.bands : 1)

/**
 * Offsets and byte counts of every tile or strip, checked against the file; 0 is one that was left out.
 * @throws AppError `TIFF_CORRUPT`, `TIFF_TRUNCATED`
 */
export async function readChunkTable(image: TiffImage, name: string, fileSize: number): Promise<ChunkTable> {
  const { directory } = image
  const isTiles = directory.has(TAG.tileOffsets)
  const offsets = await directory.numbers(isTiles ? TAG.tileOffsets : TAG.stripOffsets)
  const counts = (await directory.numbers(isTiles ? TAG.tileByteCounts : TAG.stripByteCounts)) ?? plainCounts(image)
  const total = chunkTotal(image)
  if (!offsets || !counts || offsets.length < total || counts.length < total)
    throw new AppError(
      'TIFF_CORRUPT',
      `${name} has ${total} tiles or strips, but ${offsets?.length ?? 0} offsets and ${counts?.length ?? 0} byte counts.`,
    )
  const most = image.chunkWidth * image.chunkHeight * image.bands * Math.max(1, bytesPerSample(image)) * 2 + SLACK
  for (let i = 0; i < total; i++) {
    const [offset, count] = [offsets[i] as number, counts[i] as number]
    if (offset === 0 || count === 0) continue
    if (offset + count > fileSize)
      throw new AppError(
        'TIFF_TRUNCATED',
        `${name}: tile or strip ${i} ends at ${offset + count}, but the file has ${fileSize} bytes. Part of it is missing.`,
      )
    if (count > most || offset < 0 || count < 0)
      throw new AppError('TIFF_CORRUPT', `${name}: tile or strip ${i} claims ${count} bytes at ${offset}.`)
  }
  return { offsets, counts }
}

/** Byte counts may be absent where nothing is compressed. */
function plainCounts(image: TiffImage): Float64Array | undefined {
  if (image.compression !== COMPRESSION.none || image.isTiled) return undefined
  const row = Math.ceil((image.width * (image.planar === 2 ? 1 : image.bands) * (image.bits[0] ?? 1)) / 8)
  return Float64Array.from({ length: chunkTotal(image) }, (_, i) => {
    const top = (i % image.down) * image.chunkHeight
    return Math.min(image.chunkHeight, image.height - top) * row
  })
}
