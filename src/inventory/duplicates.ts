// Blobs of equal content (MD5 and size): how many groups, how many wasted bytes, the 20 largest. Two passes, 20 bytes a blob.
import type { BlobMetadata } from '../models/blob.ts'
import type { DuplicateGroup, Duplicates } from '../models/inventory.ts'
import { fingerprint, Fingerprints } from './fingerprints.ts'

const LARGEST = 20
const NAMES = 10

/** @param pass the same blobs in the same order, each time it is called */
export async function findDuplicates(pass: () => AsyncIterable<BlobMetadata>): Promise<Duplicates> {
  const prints = new Fingerprints()
  let without_md5 = 0
  for await (const { content_md5, size } of pass()) {
    if (content_md5 === undefined) without_md5++
    else prints.add(fingerprint(`${content_md5}/${size}`), size)
  }
  const { groups, wasted_bytes, top } = groupsOf(prints)
  const wanted = new Map<number, DuplicateGroup>()
  const largest = top.map(({ ordinals, count, size, wasted }) => {
    const group: DuplicateGroup = { content_md5: '', size, count, wasted_bytes: wasted, names: [] }
    for (const ordinal of ordinals) wanted.set(ordinal, group)
    return group
  })
  if (wanted.size > 0) await fillNames(pass, wanted)
  return { groups, wasted_bytes, without_md5, largest }
}

interface Group {
  readonly ordinals: readonly number[]
  readonly count: number
  readonly size: number
  readonly wasted: number
}

/** Runs of equal fingerprints. An empty blob wastes nothing and is no duplicate. */
function groupsOf(prints: Fingerprints): { groups: number; wasted_bytes: number; top: readonly Group[] } {
  const order = prints.sorted()
  let groups = 0
  let wasted_bytes = 0
  let top: Group[] = []
  for (let start = 0; start < order.length;) {
    const mark = prints.mark(order[start] ?? 0)
    let end = start + 1
    while (end < order.length && prints.mark(order[end] ?? 0) === mark) end++
    const count = end - start
    const size = prints.value(order[start] ?? 0)
    if (count > 1 && size > 0) {
      groups++
      const wasted = size * (count - 1)
      wasted_bytes += wasted
      if (top.length < LARGEST || wasted > (top.at(-1)?.wasted ?? 0)) {
        top.push({ ordinals: [...order.subarray(start, Math.min(end, start + NAMES))], count, size, wasted })
        top = top.toSorted((a, b) => b.wasted - a.wasted).slice(0, LARGEST)
      }
    }
    start = end
  }
  return { groups, wasted_bytes, top }
}

async function fillNames(pass: () => AsyncIterable<BlobMetadata>, wanted: ReadonlyMap<number, DuplicateGroup>): Promise<void> {
  let ordinal = 0
  for await (const { content_md5, name } of pass()) {
    if (content_md5 === undefined) continue
    const group = wanted.get(ordinal++)
    if (!group) continue
    group.content_md5 = content_md5
    group.names.push(name)
  }
}
