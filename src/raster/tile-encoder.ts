// One tile of the output: cut out of a slab, filled up to its full size, predicted and compressed.
import { compressZstd, deflate } from './codecs/zlib.ts'
import { encodePicture } from './codecs/sharp.ts'
import { applyFloatingPoint, applyHorizontal } from './predictor.ts'
import { bytesOfType, bytesOver, type DecodedType, isFloat, newSamples, type Pixels, type SampleValue } from './samples.ts'

export type OutputCompression = 'deflate' | 'zstd' | 'jpeg' | 'webp'

/** How tiles of one output are written. */
export interface TileForm {
  readonly tileSize: number
  readonly bands: number
  readonly dtype: DecodedType
  readonly compression: OutputCompression
  readonly quality: number
  readonly isPalette: boolean
  readonly nodata: SampleValue | undefined
}

/** TIFF predictor of the output: 2 for integers, 3 for floats, none for palettes and pictures. */
export const predictorOf = ({
  compression,
  isPalette,
  dtype,
}: Pick<TileForm, 'compression' | 'isPalette' | 'dtype'>): 1 | 2 | 3 =>
  isPalette || compression === 'jpeg' || compression === 'webp' ? 1 : isFloat(dtype) ? 3 : 2

/**
 * @param left first column of the tile within the slab, which begins at the tile's first row
 * @throws AppError `CODEC_UNAVAILABLE`
 */
export async function encodeTile(slab: Pixels, left: number, form: TileForm): Promise<Uint8Array> {
  const { tileSize, compression, quality, bands, dtype } = form
  const tile = cut(slab, left, form)
  if (compression === 'jpeg' || compression === 'webp')
    return encodePicture(tile as Uint8Array, { width: tileSize, height: tileSize, bands }, { kind: compression, quality })
  const predictor = predictorOf(form)
  let bytes = bytesOver(tile)
  if (predictor === 2) applyHorizontal(tile, tileSize * bands, bands)
  if (predictor === 3) bytes = applyFloatingPoint(bytes, tileSize * bands, bands, bytesOfType(dtype))
  return compression === 'zstd' ? compressZstd(bytes) : deflate(bytes)
}

/** Pixels beyond the image: nodata, else 0; in JPEG and WebP the edge goes on, or its rings would be seen within. */
function cut({ data, width, height }: Pixels, left: number, { tileSize, bands, dtype, compression, nodata }: TileForm) {
  const tile = newSamples(dtype, tileSize * tileSize * bands)
  const columns = Math.min(tileSize, width - left)
  const rows = Math.min(tileSize, height)
  const [to, from] = [tile as Uint8Array, data as Uint8Array]
  if ((columns < tileSize || rows < tileSize) && nodata !== undefined) to.fill(nodata as number)
  for (let y = 0; y < rows; y++) {
    const start = (y * width + left) * bands
    to.set(from.subarray(start, start + columns * bands), y * tileSize * bands)
  }
  if (compression === 'jpeg' || compression === 'webp') goOn(to, tileSize, bands, columns, rows)
  return tile
}

function goOn(to: Uint8Array, tileSize: number, bands: number, columns: number, rows: number): void {
  const row = tileSize * bands
  for (let y = 0; y < rows; y++)
    for (let x = columns; x < tileSize; x++)
      for (let b = 0; b < bands; b++) to[y * row + x * bands + b] = to[y * row + (columns - 1) * bands + b] as number
  for (let y = rows; y < tileSize; y++) to.copyWithin(y * row, (rows - 1) * row, rows * row)
}

/** A tile of the mask: one bit a pixel, most significant first, DEFLATE. */
export function encodeMaskTile(mask: Uint8Array, { width, height }: Pixels, left: number, tileSize: number): Uint8Array {
  const row = tileSize >> 3
  const bits = new Uint8Array(row * tileSize)
  const columns = Math.min(tileSize, width - left)
  for (let y = 0; y < Math.min(tileSize, height); y++)
    for (let x = 0; x < columns; x++)
      if (mask[y * width + left + x]) bits[y * row + (x >> 3)] = (bits[y * row + (x >> 3)] as number) | (128 >> (x & 7))
  return deflate(bits)
}

/** As it stands in the file: size before, last four bytes again behind (GDAL's block leader and trailer). */
export function tileRecord(tile: Uint8Array): Uint8Array {
  const record = new Uint8Array(tile.length + 8)
  new DataView(record.buffer).setUint32(0, tile.length, true)
  record.set(tile, 4)
  record.set(tile.subarray(-4), tile.length + 4)
  return record
}
