// One tile or strip: from the bytes of the file to samples in native byte order.
import { AppError } from '../rules/errors.ts'
import { decodeLzw } from './codecs/lzw.ts'
import { decodePackbits } from './codecs/packbits.ts'
import { decodePicture } from './codecs/sharp.ts'
import { inflate } from './codecs/zlib.ts'
import { bytesPerSample, type DataType, type TiffImage } from './image.ts'
import { undoFloatingPoint, undoHorizontal } from './predictor.ts'
import { bytesOfType, decodedType, newSamples, type Samples, samplesOver } from './samples.ts'
import { compressionName, COMPRESSION, PHOTOMETRIC } from './tags.ts'

/** What the chunks of one image have in common. */
export interface ChunkForm {
  readonly image: TiffImage
  readonly isLittle: boolean
  readonly jpegTables: Uint8Array | undefined
  /** Samples of a pixel within a chunk: 1 where bands are planes of their own. */
  readonly step: number
}

const READ: ReadonlySet<number> = new Set(Object.values(COMPRESSION).filter((c) => c !== COMPRESSION.oldJpeg))

/**
 * Refuses what no codec reads, before any byte is.
 * @throws AppError `CODEC_UNSUPPORTED`, `SAMPLE_UNSUPPORTED`
 */
export function assertCodec({ compression, predictor, dtype, bands, photometric, planar }: TiffImage, name: string): void {
  const refuse = (code: string, text: string): never => {
    throw new AppError(code, `${name} ${text}.`)
  }
  if (!READ.has(compression))
    refuse('CODEC_UNSUPPORTED', `is compressed with ${compressionName(compression)} (${compression}), which is not read`)
  const isPicture = compression === COMPRESSION.jpeg || compression === COMPRESSION.webp
  if (isPicture && dtype !== 'uint8')
    refuse('SAMPLE_UNSUPPORTED', `has ${dtype} samples in ${compressionName(compression)}; uint8 is read`)
  const perChunk = planar === 2 ? 1 : bands
  if (compression === COMPRESSION.jpeg && (perChunk === 2 || perChunk > 3 || photometric === PHOTOMETRIC.cmyk))
    refuse('SAMPLE_UNSUPPORTED', `has JPEG with ${perChunk} bands; 1 and 3 are read`)
  if (isPicture) return
  const isFloat = dtype.startsWith('float')
  if (predictor !== 1 && predictor !== 2 && !(predictor === 3 && isFloat))
    refuse('CODEC_UNSUPPORTED', `has predictor ${predictor} with ${dtype} samples`)
}

/**
 * Samples of a whole chunk; `rows` of its height are within the image, and no fewer may come.
 * @throws AppError `DECODE_OVERFLOW`, `DECODE_SHORT`, `DECODE_FAILED`, `CODEC_UNAVAILABLE`
 */
export async function decodeChunk(form: ChunkForm, raw: Uint8Array, rows: number): Promise<Samples> {
  const { image, step } = form
  const { chunkWidth, chunkHeight, compression, predictor } = image
  const dtype = image.dtype as DataType
  const size = bytesPerSample(image)
  const rowSamples = chunkWidth * step
  const length = rowSamples * chunkHeight * size
  const least = rowSamples * rows * size
  if (compression === COMPRESSION.jpeg || compression === COMPRESSION.webp) {
    const whole = compression === COMPRESSION.jpeg ? wholeJpeg(raw, form) : raw
    return decodePicture(whole, chunkWidth, chunkHeight, step, least)
  }
  const plain = own(decompress(image.fillOrder === 2 ? reversedBits(raw) : raw, compression, length, least), size)
  if (predictor === 3) {
    const floats = undoFloatingPoint(plain, rowSamples, step, size)
    return dtype === 'float16' ? widened(new Uint16Array(floats.buffer)) : samplesOver(decodedType(dtype), floats)
  }
  if (!form.isLittle && size > 1) swap(plain, size)
  if (dtype === 'float16') {
    const halves = new Uint16Array(plain.buffer, plain.byteOffset, plain.length / 2)
    if (predictor === 2) undoHorizontal(halves, rowSamples, step)
    return widened(halves)
  }
  const samples = samplesOver(decodedType(dtype), plain)
  if (predictor === 2) undoHorizontal(integersOver(samples), rowSamples, step)
  return samples
}

function decompress(raw: Uint8Array, compression: number, length: number, least: number): Uint8Array {
  switch (compression) {
    case COMPRESSION.none: {
      if (raw.length < least) throw new AppError('DECODE_SHORT', `A block has ${raw.length} of ${length} bytes.`)
      const whole = new Uint8Array(length)
      whole.set(raw.subarray(0, length))
      return whole
    }
    case COMPRESSION.lzw:
      return decodeLzw(raw, length, least)
    case COMPRESSION.packbits:
      return decodePackbits(raw, length, least)
    default:
      return inflate(raw, length, least, compression === COMPRESSION.zstd ? 'zstd' : 'deflate')
  }
}

/** Aligned for its samples, and not part of a pool. */
const own = (bytes: Uint8Array, size: number): Uint8Array => (bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes))

/** Differences are of integers, whatever the samples are: of floats by their bits. */
function integersOver(samples: Samples): Samples {
  if (samples instanceof Float32Array) return new Uint32Array(samples.buffer, samples.byteOffset, samples.length)
  if (samples instanceof Float64Array) return new BigUint64Array(samples.buffer, samples.byteOffset, samples.length)
  return samples
}

function swap(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (size === 2) buffer.swap16()
  else if (size === 4) buffer.swap32()
  else buffer.swap64()
}

/** IEEE 754 half precision. */
function widened(halves: Uint16Array): Float32Array {
  const output = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) {
    const h = halves[i] as number
    const [exponent, fraction] = [(h >> 10) & 31, h & 1023]
    const sign = h & 0x8000 ? -1 : 1
    output[i] =
      exponent === 0
        ? sign * fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? sign * Infinity
            : Number.NaN
          : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return output
}

/** An abbreviated stream with the tables it needs (TIFF Technical Note 2); colours that are no YCbCr are marked as such. */
function wholeJpeg(raw: Uint8Array, { image, jpegTables, step }: ChunkForm): Uint8Array {
  const tables = jpegTables && jpegTables.length > 4 ? jpegTables.subarray(2, jpegTables.length - 2) : new Uint8Array()
  const isPlain = step === 3 && image.photometric === PHOTOMETRIC.rgb && !Buffer.from(raw).includes('Adobe')
  return Buffer.concat([raw.subarray(0, 2), isPlain ? ADOBE_RGB : new Uint8Array(), tables, raw.subarray(2)])
}

/** APP14 with transform 0. */
const ADOBE_RGB = Uint8Array.from([0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0])

function reversedBits(raw: Uint8Array): Uint8Array {
  return raw.map((b) => {
    let r = 0
    for (let i = 0; i < 8; i++) if (b & (1 << i)) r |= 128 >> i
    return r
  })
}

/** Samples that were left out of the file. */
export function emptyChunk({ image, step }: ChunkForm, fill: number | bigint): Samples {
  const dtype = decodedType(image.dtype as DataType)
  const samples = newSamples(dtype, image.chunkWidth * image.chunkHeight * step)
  if (fill !== 0 && fill !== 0n) (samples as Uint8Array).fill(fill as number)
  return samples
}

export const chunkBytes = ({ image, step }: ChunkForm): number =>
  image.chunkWidth * image.chunkHeight * step * bytesOfType(decodedType(image.dtype as DataType))
