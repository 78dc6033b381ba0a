// Conditional and range headers (RFC 9110 §13, §14). Several ranges, other units and broken headers are ignored, as the RFC allows.

/** ETags of a conditional header; weak ones compare like strong ones. */
export const tagsOf = (header: string | null): string[] => (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/**
 * @returns undefined: the whole body
 * @example readRangeHeader('bytes=-500', 1000) // { offset: 500, length: 500 }
 */
export function readRangeHeader(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [first = '', last = ''] = match.slice(1)
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length }
  }
  const offset = Number(first)
  if (last !== '' && Number(last) < offset) return undefined
  if (offset >= size) return 'unsatisfiable'
  return { offset, length: Math.min(last === '' ? size : Number(last) + 1, size) - offset }
}
