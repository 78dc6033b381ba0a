// Plain TIFFs for tests: one strip or tile grid of given samples, any tag on top, nothing checked.
import { ascii, doubles, longs, shorts, type WrittenTag, writeDirectory } from '../../src/raster/ifd-writer.ts'
import { bytesOver, type DecodedType, newSamples, type Samples } from '../../src/raster/samples.ts'

export interface Plain {
  readonly width: number
  readonly height: number
  readonly bands: number
  readonly dtype: DecodedType
  readonly samples?: Samples
  readonly photometric?: number
  readonly extraSamples?: readonly number[]
  readonly nodata?: string
  readonly epsg?: number
  readonly projected?: boolean
  readonly origin?: readonly [number, number]
  readonly pixel?: number
  /** On top, or instead of one that is written anyway. */
  readonly tags?: readonly WrittenTag[]
  /** Tags that are left out. */
  readonly without?: readonly number[]
}

const FORMAT = { u: 1, i: 2, f: 3 } as const

/** Little-endian classic TIFF with one uncompressed strip behind its directory. */
export function makeTiff(p: Plain): Buffer {
  const data = bytesOver(p.samples ?? newSamples(p.dtype, p.width * p.height * p.bands))
  const bits = Number(p.dtype.replace(/\D+/, ''))
  const each = <T>(value: T): T[] => Array.from({ length: p.bands }, () => value)
  const tags = (at: number): WrittenTag[] =>
    [
      longs(256, [p.width]),
      longs(257, [p.height]),
      shorts(258, ...each(bits)),
      shorts(259, 1),
      shorts(262, p.photometric ?? 1),
      longs(273, [at]),
      shorts(277, p.bands),
      longs(278, [p.height]),
      longs(279, [data.length]),
      shorts(339, ...each(FORMAT[p.dtype[0] as keyof typeof FORMAT])),
      ...(p.extraSamples ? [shorts(338, ...p.extraSamples)] : []),
      ...(p.nodata === undefined ? [] : [ascii(42_113, p.nodata)]),
      ...(p.epsg === undefined ? [] : place(p, p.epsg)),
    ]
      .filter((t) => !p.without?.includes(t.tag) && !p.tags?.some((own) => own.tag === t.tag))
      .concat(p.tags ?? [])
  const directory = writeDirectory(tags(0), 8, 0, false)
  const header = Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])
  return Buffer.concat([header, writeDirectory(tags(8 + directory.length), 8, 0, false), data])
}

const place = ({ origin = [500_000, 5_000_000], pixel = 10, projected = true }: Plain, epsg: number): WrittenTag[] => [
  doubles(33_550, [pixel, pixel, 0]),
  doubles(33_922, [0, 0, 0, origin[0], origin[1], 0]),
  shorts(34_735, 1, 1, 0, 3, 1024, 0, 1, projected ? 1 : 2, 1025, 0, 1, 1, projected ? 3072 : 2048, 0, 1, epsg),
]

/** Smooth with some noise, over the whole range of small types; the same for the same seed. */
export function someSamples(dtype: DecodedType, width: number, height: number, bands: number, seed = 1): Samples {
  const samples = newSamples(dtype, width * height * bands)
  let state = seed >>> 0
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let i = 0; i < samples.length; i++) {
    const pixel = Math.floor(i / bands)
    const wave = Math.sin((pixel % width) / 17) + Math.cos(Math.floor(pixel / width) / 23) + random() * 0.3
    if (samples instanceof BigUint64Array) samples[i] = BigInt(Math.round((wave + 3) * 1e15))
    else if (samples instanceof BigInt64Array) samples[i] = BigInt(Math.round(wave * 1e15))
    else if (dtype.startsWith('float')) samples[i] = wave * 1000
    else if (dtype === 'uint8') samples[i] = Math.round((wave + 2) * 55)
    else if (dtype === 'int8') samples[i] = Math.round(wave * 50)
    else if (dtype.startsWith('uint')) samples[i] = Math.round((wave + 2) * 14_000)
    else samples[i] = Math.round(wave * 14_000)
  }
  return samples
}
