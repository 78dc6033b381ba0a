// One directory as an image: size, samples, layout. TIFF 6.0 with its defaults for absent tags.
import { AppError } from '../rules/errors.ts'
import type { Directory, TiffFile } from './directory.ts'
import { LIMITS } from './limits.ts'
import { compressionName, COMPRESSION, PHOTOMETRIC, SUBFILE, TAG } from './tags.ts'

export const DATA_TYPES = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float16',
  'float32',
  'float64',
] as const
/** Sample types that are read, by their NumPy names. */
export type DataType = (typeof DATA_TYPES)[number]

export interface TiffImage {
  readonly directory: Directory
  readonly subfileType: number
  readonly width: number
  readonly height: number
  /** Samples per pixel. */
  readonly bands: number
  readonly bits: readonly number[]
  /** NumPy's name of the samples, also of those that are not read: `complex64`, `uint4`. */
  readonly dtype: string
  readonly compression: number
  readonly predictor: number
  readonly photometric: number
  /** 1 chunky, 2 planar. */
  readonly planar: number
  readonly isTiled: boolean
  /** Of a tile, or of a strip. */
  readonly chunkWidth: number
  readonly chunkHeight: number
  readonly across: number
  readonly down: number
  readonly extraSamples: readonly number[]
  readonly fillOrder: number
  /** GDAL_NODATA as it stands in the file. */
  readonly nodataText: string | undefined
}

/** @throws AppError `TIFF_CORRUPT` where the directory describes no image */
export async function readImage(file: TiffFile, directory: Directory): Promise<TiffImage> {
  const one = (tag: number, absent: number): Promise<number> => directory.whole(tag).then((v) => v ?? absent)
  const [width, height] = [await one(TAG.width, 0), await one(TAG.height, 0)]
  const bands = await one(TAG.samplesPerPixel, 1)
  const bits = [...((await directory.numbers(TAG.bitsPerSample)) ?? [1])]
  const isTiled = directory.has(TAG.tileWidth)
  const rows = await one(TAG.rowsPerStrip, height)
  const chunkWidth = isTiled ? await one(TAG.tileWidth, 0) : width
  const chunkHeight = isTiled ? await one(TAG.tileHeight, 0) : Math.min(rows, height)
  const refuse = (what: string): never => {
    throw new AppError('TIFF_CORRUPT', `${file.source.name}: the directory at ${directory.offset} ${what}.`)
  }
  if (width < 1 || height < 1) refuse(`gives a size of ${width} x ${height} pixels`)
  if (bands < 1) refuse('gives no samples per pixel')
  if (chunkWidth < 1 || chunkHeight < 1) refuse(`gives tiles or strips of ${chunkWidth} x ${chunkHeight} pixels`)
  return {
    directory,
    subfileType: await one(TAG.subfileType, 0),
    width,
    height,
    bands,
    bits,
    dtype: dtypeOf(bits[0] ?? 1, (await directory.numbers(TAG.sampleFormat))?.[0] ?? 1),
    compression: await one(TAG.compression, COMPRESSION.none),
    predictor: await one(TAG.predictor, 1),
    photometric: await one(TAG.photometric, PHOTOMETRIC.blackIsZero),
    planar: bands === 1 ? 1 : await one(TAG.planar, 1),
    isTiled,
    chunkWidth,
    chunkHeight,
    across: Math.ceil(width / chunkWidth),
    down: Math.ceil(height / chunkHeight),
    extraSamples: [...((await directory.numbers(TAG.extraSamples)) ?? [])],
    fillOrder: await one(TAG.fillOrder, 1),
    nodataText: (await directory.text(TAG.gdalNodata))?.trim() || undefined,
  }
}

/** SampleFormat 339: 4 is undefined data and is taken as unsigned, as GDAL does. */
function dtypeOf(bits: number, format: number): string {
  if (format === 5) return `complex_int${bits / 2}`
  if (format === 6) return `complex${bits}`
  return `${format === 2 ? 'int' : format === 3 ? 'float' : 'uint'}${bits}`
}

/** The image, its overviews from large to small, and the masks that belong to each. */
export interface Pyramid {
  readonly file: TiffFile
  readonly main: TiffImage
  readonly mask: TiffImage | undefined
  readonly overviews: readonly { readonly image: TiffImage; readonly mask: TiffImage | undefined }[]
}

/** Directories sorted out by NewSubfileType; further full images (pages) are left aside. */
export async function readPyramid(file: TiffFile): Promise<Pyramid> {
  const images: TiffImage[] = []
  for (const directory of file.directories) images.push(await readImage(file, directory))
  const main = images.find((i) => (i.subfileType & (SUBFILE.reduced | SUBFILE.mask)) === 0) ?? (images[0] as TiffImage)
  const reduced = (i: TiffImage): boolean => (i.subfileType & SUBFILE.reduced) !== 0 && i !== main
  const isMask = (i: TiffImage): boolean => (i.subfileType & SUBFILE.mask) !== 0 && i !== main
  const sameSize = (a: TiffImage) => (b: TiffImage) => a.width === b.width && a.height === b.height
  const masks = images.filter(isMask)
  return {
    file,
    main,
    mask: masks.filter((m) => !reduced(m)).find(sameSize(main)),
    overviews: images
      .filter((i) => reduced(i) && !isMask(i) && i.bands === main.bands)
      .map((image) => ({ image, mask: masks.filter(reduced).find(sameSize(image)) })),
  }
}

export const bytesPerSample = (image: TiffImage): number => (image.bits[0] ?? 1) / 8

/**
 * Refuses what is too large or of a kind that is not read, before a byte of it is decoded.
 * @throws AppError `RASTER_TOO_LARGE`, `RASTER_BLOCK_TOO_LARGE`, `RASTER_TOO_MANY_BANDS`, `SAMPLE_UNSUPPORTED`
 */
export function assertReadable(image: TiffImage, name: string): void {
  const { width, height, bands, bits, dtype, compression, chunkWidth, chunkHeight } = image
  const say = (code: string, text: string): never => {
    throw new AppError(code, `${name} ${text}`)
  }
  if (width > LIMITS.side || height > LIMITS.side)
    say('RASTER_TOO_LARGE', `has ${width} x ${height} pixels; a side may have ${LIMITS.side}.`)
  const isMixed = bits.length > 1 && bits.slice(0, bands).some((b) => b !== bits[0])
  if (isMixed) say('SAMPLE_UNSUPPORTED', `has bands of different depth: ${bits.slice(0, bands).join(', ')} bits.`)
  if (!(DATA_TYPES as readonly string[]).includes(dtype))
    say('SAMPLE_UNSUPPORTED', `has ${dtype} samples; read are ${DATA_TYPES.join(', ')}.`)
  const pixel = bands * bytesPerSample(image)
  if (pixel > LIMITS.bytesPerPixel)
    say(
      'RASTER_TOO_MANY_BANDS',
      `has ${bands} bands of ${dtype}: ${pixel} bytes a pixel, at most ${LIMITS.bytesPerPixel} are supported.`,
    )
  if (width * height * pixel > LIMITS.decodedBytes)
    say('RASTER_TOO_LARGE', `has ${width * height * pixel} decoded bytes, more than ${LIMITS.decodedBytes}.`)
  const block = chunkWidth * chunkHeight * (image.planar === 2 ? bytesPerSample(image) : pixel)
  // Of uncompressed strips parts are read; a tile is always whole.
  if ((compression !== COMPRESSION.none || image.isTiled) && block > LIMITS.blockBytes)
    say(
      'RASTER_BLOCK_TOO_LARGE',
      `is compressed in ${image.isTiled ? 'tiles' : 'strips'} of ${chunkWidth} x ${chunkHeight} pixels (${compressionName(compression)}), ${block} bytes each; at most ${LIMITS.blockBytes} are read.`,
    )
}
