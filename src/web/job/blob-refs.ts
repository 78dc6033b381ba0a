// Blobs that a value names, wherever in it. Pure.
import type { Json } from '../types.ts'

export interface BlobName {
  readonly container: string
  readonly blob: string
}

const MOST = 10
/** Containers that only the app itself reads. */
const INTERNAL = 'lamplighter'

/** @returns each once, in the order of the value; ten at most */
export function blobsIn(value: Json): BlobName[] {
  const found = new Map<string, BlobName>()
  const look = (part: Json): void => {
    if (typeof part !== 'object' || part === null || found.size >= MOST) return
    if (!Array.isArray(part)) {
      const { container, blob } = part
      if (typeof container === 'string' && typeof blob === 'string' && container !== INTERNAL)
        found.set(`${container}/${blob}`, { container, blob })
    }
    for (const member of Object.values(part)) look(member)
  }
  look(value)
  return [...found.values()]
}
