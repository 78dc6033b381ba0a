// JPEG and WebP tiles by sharp, an optional dependency: it is loaded when a file or an option needs it.
import type sharpModule from 'sharp'
import { AppError } from '../../rules/errors.ts'

type Sharp = typeof sharpModule
let loaded: Promise<Sharp | undefined> | undefined

/** Undefined where it is not installed. */
function load(): Promise<Sharp | undefined> {
  loaded ??= import('sharp').then(
    (m) => {
      // Tiles come one after the other from one process per core: more threads only cost memory.
      m.default.concurrency(1)
      m.default.cache(false)
      return m.default
    },
    () => undefined,
  )
  return loaded
}

export const hasSharp = async (): Promise<boolean> => (await load()) !== undefined

/** @throws AppError `CODEC_UNAVAILABLE` */
async function need(what: string): Promise<Sharp> {
  const sharp = await load()
  if (sharp) return sharp
  throw new AppError(
    'CODEC_UNAVAILABLE',
    `${what} needs the optional package sharp. Run npm install sharp, or use compression deflate or zstd.`,
  )
}

/** WebP leaves an alpha band out where all of it is opaque. */
const OPAQUE = 255

/**
 * Samples of one JPEG or WebP tile, pixel by pixel.
 * @throws AppError `CODEC_UNAVAILABLE`, `DECODE_FAILED`, `DECODE_SHORT` where the picture has another size
 */
export async function decodePicture(
  bytes: Uint8Array,
  width: number,
  height: number,
  bands: number,
  least: number,
): Promise<Uint8Array> {
  const sharp = await need('Reading JPEG or WebP tiles')
  let decoded: { data: Buffer; info: { width: number; height: number; channels: number } }
  try {
    decoded = await sharp(bytes, { limitInputPixels: width * height, failOn: 'error' })
      .raw()
      .toBuffer({ resolveWithObject: true })
  } catch (error) {
    throw new AppError('DECODE_FAILED', `A JPEG or WebP block is damaged: ${(error as Error).message.split('\n')[0]}.`)
  }
  const { data, info } = decoded
  const rows = Math.floor(least / (width * bands))
  if (info.width !== width || info.height < rows || info.height > height || info.channels < Math.min(bands, 3))
    throw new AppError(
      info.height < rows ? 'DECODE_SHORT' : 'DECODE_FAILED',
      `A JPEG or WebP block has ${info.width} x ${info.height} pixels and ${info.channels} bands instead of ${width} x ${height} and ${bands}.`,
    )
  const output = new Uint8Array(width * height * bands)
  if (info.channels === bands) output.set(data.subarray(0, output.length))
  else
    for (let i = 0; i < info.width * info.height; i++)
      for (let b = 0; b < bands; b++) output[i * bands + b] = b < info.channels ? (data[i * info.channels + b] as number) : OPAQUE
  return output
}

export interface PictureFormat {
  readonly kind: 'jpeg' | 'webp'
  readonly quality: number
}

/** @throws AppError `CODEC_UNAVAILABLE` */
export async function encodePicture(
  data: Uint8Array,
  { width, height, bands }: { width: number; height: number; bands: number },
  { kind, quality }: PictureFormat,
): Promise<Uint8Array> {
  const sharp = await need('Writing JPEG or WebP tiles')
  const image = sharp(data, { raw: { width, height, channels: bands as 1 | 3 | 4 } })
  // One band stays one: without this sharp makes three equal ones of it.
  if (bands === 1) image.toColourspace('b-w')
  return kind === 'jpeg' ? image.jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer() : image.webp({ quality }).toBuffer()
}
