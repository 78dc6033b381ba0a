// Sample types as typed arrays, and nodata in a band's own type.
import type { DataType } from './image.ts'

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** Types of decoded samples: float16 is widened when it is read. */
export type DecodedType = Exclude<DataType, 'float16'>

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

export const decodedType = (dtype: DataType): DecodedType => (dtype === 'float16' ? 'float32' : dtype)
export const bytesOfType = (dtype: DecodedType): number => ARRAYS[dtype].BYTES_PER_ELEMENT
export const newSamples = (dtype: DecodedType, length: number): Samples => new ARRAYS[dtype](length)
/** The same memory; `bytes` must stand at a multiple of the sample's size. */
export const samplesOver = (dtype: DecodedType, bytes: Uint8Array): Samples =>
  new ARRAYS[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / bytesOfType(dtype))
export const bytesOver = (samples: Samples): Uint8Array =>
  new Uint8Array(samples.buffer as ArrayBuffer, samples.byteOffset, samples.byteLength)

export const isFloat = (dtype: DataType): boolean => dtype.startsWith('float')
export const isSigned = (dtype: DataType): boolean => dtype.startsWith('int')
export const isWide = (dtype: DataType): boolean => dtype === 'uint64' || dtype === 'int64'

/** Stores a value of the samples' own kind: bigint where they are 64-bit integers. */
export const setSample = (samples: Samples, at: number, value: SampleValue): void => {
  ;(samples as Float64Array)[at] = value as number
}

/** Least and greatest value of an integer type. */
export function rangeOf(dtype: DataType): readonly [bigint, bigint] {
  const bits = BigInt(dtype.replace(/^\D+/, ''))
  return isSigned(dtype) ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n]
}

/** Rectangle of pixels, row by row, the bands of a pixel side by side. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly bands: number
  readonly dtype: DecodedType
  /** `width * height * bands` long. */
  readonly data: Samples
  /** 0 where a pixel is missing, else 255; `width * height` long. Undefined: none is, as far as a mask tells. */
  readonly mask?: Uint8Array | undefined
}

/** A sample's value; 64-bit integers are bigint. */
export type SampleValue = number | bigint

/**
 * GDAL_NODATA in the type of the samples.
 * @returns undefined where the type cannot hold it: then nothing is missing (GDAL does the same)
 */
export function parseNodata(text: string | undefined, dtype: DataType): SampleValue | undefined {
  if (text === undefined) return undefined
  const plain = text.trim().toLowerCase()
  if (isFloat(dtype)) {
    const value =
      plain === 'nan' || plain === '-nan' ? Number.NaN : /^[+-]?inf(inity)?$/.test(plain) ? infinity(plain) : Number(plain)
    if (plain === '' || (Number.isNaN(value) && !plain.endsWith('nan'))) return undefined
    return dtype === 'float64' ? value : Math.fround(value)
  }
  const whole = wholeOf(plain)
  const [least, most] = rangeOf(dtype)
  if (whole === undefined || whole < least || whole > most) return undefined
  return isWide(dtype) ? whole : Number(whole)
}

const infinity = (plain: string): number => (plain.startsWith('-') ? -Infinity : Infinity)

/** `-9999`, `255.0`, `1e3`; undefined for a fraction or no number. */
function wholeOf(plain: string): bigint | undefined {
  if (/^[+-]?\d+$/.test(plain)) return BigInt(plain.replace(/^\+/, ''))
  const value = plain === '' ? Number.NaN : Number(plain)
  return Number.isInteger(value) ? BigInt(value) : undefined
}

/** What JSON can hold of it. */
export const nodataOnWire = (value: SampleValue): number | string =>
  typeof value === 'bigint'
    ? Number.isSafeInteger(Number(value))
      ? Number(value)
      : String(value)
    : Number.isFinite(value)
      ? value
      : Number.isNaN(value)
        ? 'nan'
        : value > 0
          ? 'inf'
          : '-inf'
