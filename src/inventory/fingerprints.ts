// A million texts in 20 MB: 64 bits of their MD5 in typed arrays instead of strings in a Map.
import { createHash } from 'node:crypto'

/** 64 bits of the MD5 of a text. Two of a million texts share them with a probability of 3 in 100 million. */
export const fingerprint = (text: string): bigint => createHash('md5').update(text).digest().readBigUInt64LE(0)

/** Pairs of a fingerprint and a number, in the order they were added; grows by doubling. */
export class Fingerprints {
  #marks = new BigUint64Array(1024)
  #values = new Float64Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(mark: bigint, value: number): void {
    if (this.#length === this.#marks.length) {
      const [marks, values] = [this.#marks, this.#values]
      this.#marks = new BigUint64Array(marks.length * 2)
      this.#values = new Float64Array(values.length * 2)
      this.#marks.set(marks)
      this.#values.set(values)
    }
    this.#marks[this.#length] = mark
    this.#values[this.#length++] = value
  }

  mark(ordinal: number): bigint {
    return this.#marks[ordinal] ?? 0n
  }

  value(ordinal: number): number {
    return this.#values[ordinal] ?? 0
  }

  /** Ordinals in the order of their fingerprints; equal ones keep the order in which they were added. */
  sorted(): Uint32Array {
    const marks = this.#marks
    const order = new Uint32Array(this.#length)
    for (let i = 0; i < order.length; i++) order[i] = i
    return order.sort((a, b) => {
      const [x, y] = [marks[a] ?? 0n, marks[b] ?? 0n]
      return x < y ? -1 : x > y ? 1 : a - b
    })
  }
}
