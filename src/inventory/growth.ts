// How a container grew between two inventories, by extension and by folder, in bounded memory.
import type { GrowthRow, InventoryChange } from '../models/inventory.ts'
import { extensionOf } from '../storage/blob-metadata.ts'

/** Rows of a result; the others are summed in one. */
const ROWS = 50
/** Names that are told apart while changes pass by. */
const NAMES = 10_000

type Row = { -readonly [K in keyof GrowthRow]: GrowthRow[K] }
const newRow = (name: string | null): Row => ({
  name,
  added: { count: 0, bytes: 0 },
  changed: { count: 0, bytes: 0 },
  removed: { count: 0, bytes: 0 },
})

class Rows {
  readonly #rows = new Map<string, Row>()
  readonly #others = newRow(null)

  add(name: string, { change, size, size_before = 0 }: InventoryChange): void {
    let row = this.#rows.get(name)
    if (!row && this.#rows.size < NAMES) this.#rows.set(name, (row = newRow(name)))
    const tally = (row ?? this.#others)[change]
    tally.count++
    tally.bytes += change === 'changed' ? size - size_before : size
  }

  result(): GrowthRow[] {
    const sorted = [...this.#rows.values()].sort((a, b) => weight(b) - weight(a) || ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
    const others = sorted.slice(ROWS).reduce(sum, this.#others)
    return [...sorted.slice(0, ROWS), ...(count(others) > 0 ? [others] : [])]
  }
}

const KINDS = ['added', 'changed', 'removed'] as const
const weight = (row: Row): number => KINDS.reduce((total, kind) => total + Math.abs(row[kind].bytes), 0)
const count = (row: Row): number => KINDS.reduce((total, kind) => total + row[kind].count, 0)
const sum = (a: Row, b: Row): Row => {
  const both = (kind: (typeof KINDS)[number]) => ({ count: a[kind].count + b[kind].count, bytes: a[kind].bytes + b[kind].bytes })
  return { name: a.name, added: both('added'), changed: both('changed'), removed: both('removed') }
}

/** Takes changes in any order. */
export class Growth {
  readonly #prefix: string
  readonly #extensions = new Rows()
  readonly #prefixes = new Rows()

  /** @param prefix of the inventories, below which folders are told apart */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  add(change: InventoryChange): void {
    const slash = change.name.indexOf('/', this.#prefix.length)
    this.#extensions.add(extensionOf(change.name), change)
    this.#prefixes.add(slash < 0 ? '' : change.name.slice(0, slash + 1), change)
  }

  /** Most bytes first. */
  result(): { by_extension: GrowthRow[]; by_prefix: GrowthRow[] } {
    return { by_extension: this.#extensions.result(), by_prefix: this.#prefixes.result() }
  }
}
