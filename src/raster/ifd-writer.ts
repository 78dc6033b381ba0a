// Directories as bytes: little-endian, classic or BigTIFF, each followed by the values that do not fit into it.

/** `bytes`: values, little-endian. */
export interface WrittenTag {
  readonly tag: number
  readonly type: number
  readonly count: number
  readonly bytes: Uint8Array
}

const SHORT = 3
const LONG = 4
const LONG8 = 16

export const shorts = (tag: number, ...values: readonly number[]): WrittenTag => ({
  tag,
  type: SHORT,
  count: values.length,
  bytes: new Uint8Array(Uint16Array.from(values).buffer),
})
export const longs = (tag: number, values: ArrayLike<number>): WrittenTag => ({
  tag,
  type: LONG,
  count: values.length,
  bytes: new Uint8Array(Uint32Array.from(values).buffer),
})
/** SHORT where it fits. */
export const size = (tag: number, value: number): WrittenTag => (value < 65_536 ? shorts(tag, value) : longs(tag, [value]))
export const rationals = (tag: number, values: readonly number[]): WrittenTag => ({
  ...longs(
    tag,
    values.flatMap((v) => [v, 1]),
  ),
  type: 5,
  count: values.length,
})
export const doubles = (tag: number, values: readonly number[]): WrittenTag => ({
  tag,
  type: 12,
  count: values.length,
  bytes: new Uint8Array(Float64Array.from(values).buffer),
})
/** With the NUL that ends it. */
export const ascii = (tag: number, text: string): WrittenTag => {
  const bytes = Uint8Array.from(Buffer.from(`${text}\0`, 'latin1'))
  return { tag, type: 2, count: bytes.length, bytes }
}
export const offsets = (tag: number, values: Float64Array, isBig: boolean): WrittenTag =>
  isBig
    ? { tag, type: LONG8, count: values.length, bytes: new Uint8Array(BigUint64Array.from(values, BigInt).buffer) }
    : longs(tag, values)

const even = (length: number): number => length + (length % 2)

/** Bytes of a directory with its values, at an aligned place. */
export function directoryLength(tags: readonly WrittenTag[], isBig: boolean): number {
  const inline = isBig ? 8 : 4
  const values = tags.reduce((sum, t) => sum + (t.bytes.length > inline ? even(t.bytes.length) : 0), 0)
  return (isBig ? 8 + tags.length * 20 + 8 : 2 + tags.length * 12 + 4) + values
}

/** @param next offset of the next directory, 0 for none */
export function writeDirectory(tags: readonly WrittenTag[], at: number, next: number, isBig: boolean): Uint8Array {
  const bytes = new Uint8Array(directoryLength(tags, isBig))
  const view = new DataView(bytes.buffer)
  const sorted = [...tags].sort((a, b) => a.tag - b.tag)
  const [head, row, inline] = isBig ? [8, 20, 8] : [2, 12, 4]
  const word = (where: number, value: number): void =>
    isBig ? view.setBigUint64(where, BigInt(value), true) : view.setUint32(where, value, true)
  if (isBig) view.setBigUint64(0, BigInt(tags.length), true)
  else view.setUint16(0, tags.length, true)
  let values = head + tags.length * row + inline
  for (const [i, tag] of sorted.entries()) {
    const entry = head + i * row
    view.setUint16(entry, tag.tag, true)
    view.setUint16(entry + 2, tag.type, true)
    word(entry + 4, tag.count)
    const field = entry + 4 + inline
    if (tag.bytes.length <= inline) bytes.set(tag.bytes, field)
    else {
      word(field, at + values)
      bytes.set(tag.bytes, values)
      values += even(tag.bytes.length)
    }
  }
  word(head + tags.length * row, next)
  return bytes
}
