// Random text of any code points. fast-check's own unit `binary` is the same, but lists all 1.1 million of them in a map
// before its first text, a second of CPU and 100 MB for each process.
import fc from 'fast-check'

const SURROGATES = { from: 0xd800, count: 0x800 }

const codePoint = fc.nat(0x10_ffff - SURROGATES.count).map(
  (n) => String.fromCodePoint(n < SURROGATES.from ? n : n + SURROGATES.count),
  // How it recognises its own dangerous texts, such as __proto__.
  (text) => {
    const code = typeof text === 'string' ? text.codePointAt(0) : undefined
    if (code === undefined || String.fromCodePoint(code) !== text) throw new Error('not one code point')
    return code < SURROGATES.from ? code : code - SURROGATES.count
  },
)

/** Texts of up to so many code points, whether anybody assigned them or not. */
export const anyText = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: codePoint, maxLength })
